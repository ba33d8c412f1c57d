"""The golden vectors of the official StyleGAN, with our networks holding their weights."""

import json
from pathlib import Path

import numpy as np

from tf_outfit_gan.config import ModelConfig
from tf_outfit_gan.networks import build_networks
from tf_outfit_gan.stylegan1 import variable_map

GOLDEN = Path(__file__).parents[1] / "golden"


class Official:
    """One file of golden vectors. Its names are the official ones, with D/ before the discriminator's."""

    def __init__(self, name, precision="float32"):
        self.values = np.load(GOLDEN / f"{name}.npz")
        self.meta = json.loads(str(self.values["meta"]))
        meta = self.meta
        self.config = ModelConfig(
            size=(meta["resolution"],) * 2,
            conditional=False,
            fmap_base=meta["fmap_base"],
            fmap_max=meta["fmap_max"],
            # The label's embedding joins the latent: for the mapping network it is so much more width.
            latent_dim=meta["latent_size"] * (2 if meta["label_size"] else 1),
            style_dim=meta["latent_size"],
            mapping_layers=meta["mapping_layers"],
            stddev_group=meta["mbstd_group_size"],
            fused_from=0 if meta["fused_scale"] else 128,
        )
        self.generator, self.discriminator = build_networks(self.config, precision)
        for official, variable in self.generator_variables() + self.discriminator_variables():
            variable.assign(self.ours(official, self.values[f"var/{official}"]))

    def noise(self):
        """The fixed noise maps, [1, H, W, 1] each."""
        return [self.images(f"var/{name}") for name in variable_map.noise_names(self.config)]

    def images(self, key):
        """Official pictures are NCHW."""
        return self.values[key].transpose(0, 2, 3, 1)

    def ours(self, official, value):
        """An official value (a weight or its gradient) in our layout."""
        return variable_map.to_ours(official.removeprefix("D/"), value)

    def generator_variables(self):
        """[(official name, our variable)]; the golden vectors have no average of w."""
        return [
            (entry.name, variable_map.find(self.generator, entry.path))
            for entry in variable_map.generator_entries(self.config)
            if entry.name != "dlatent_avg"
        ]

    def discriminator_variables(self):
        # With labels the last layer is the projection: the test applies it.
        left_out = "4x4/Dense1" if self.meta["label_size"] else "-"
        return [
            (f"D/{entry.name}", variable_map.find(self.discriminator, entry.path))
            for entry in variable_map.discriminator_entries(self.config)
            if not entry.name.startswith(left_out)
        ]


def rounding_errors(name, precision):
    """How far pictures and scores are from the official ones, of a file without labels: root mean squares, {what: error}.

    Errors of pictures are in their standard deviations, those of scores in parts of their own root mean square.
    """
    official = Official(name, precision)
    image = official.images("out/image")
    latents = official.values["out/z"]
    found = {"image": (official.generator(latents, official.noise()), image, np.std(image))}
    for pictures, scores in (("real", "score_real"), ("image", "score_fake")):
        expected = official.values[f"out/{scores}"][:, 0]
        found[scores] = official.discriminator(official.images(f"out/{pictures}")), expected, _rms(expected)
    return {what: float(_rms(np.subtract(ours, expected)) / scale) for what, (ours, expected, scale) in found.items()}


def _rms(values):
    return np.sqrt(np.mean(np.square(values)))
