"""The official StyleGAN's variable names, and where their values live in our networks.

Dense and convolution kernels have one layout in both. What differs: the constant is [1, C, H, W] there, and the first
dense layer of the discriminator flattens [C, H, W] there and [H, W, C] here.
"""

import json
from pathlib import Path

import numpy as np

from tf_outfit_gan.config import ModelConfig
from tf_outfit_gan.networks.discriminator import Discriminator
from tf_outfit_gan.networks.generator import Generator

GOLDEN = Path(__file__).parent / "golden"


class Official:
    """One file of golden vectors with our networks holding its weights."""

    def __init__(self, name):
        self.values = np.load(GOLDEN / f"{name}.npz")
        self.meta = json.loads(str(self.values["meta"]))
        meta = self.meta
        self.config = ModelConfig(
            size=(meta["resolution"],) * 2, conditional=False, fmap_base=meta["fmap_base"], fmap_max=meta["fmap_max"],
            # The label's embedding joins the latent: for the mapping network it is so much more width.
            latent_dim=meta["latent_size"] * (2 if meta["label_size"] else 1), style_dim=meta["latent_size"],
            mapping_layers=meta["mapping_layers"], stddev_group=meta["mbstd_group_size"],
            fused_from=0 if meta["fused_scale"] else 128,
        )
        self.generator, self.discriminator = Generator(self.config), Discriminator(self.config)
        for official, variable in self.generator_variables() | self.discriminator_variables():
            variable.assign(self.ours(official, self.values[f"var/{official}"]))

    def noise(self):
        """The fixed noise maps, [1, H, W, 1] each."""
        maps = [self.values[f"var/G_synthesis/noise{i}"] for i in range(self.config.num_layers)]
        return [m.transpose(0, 2, 3, 1) for m in maps]

    def images(self, key):
        """Official pictures are NCHW."""
        return self.values[key].transpose(0, 2, 3, 1)

    def ours(self, official, value):
        """An official value (a weight or its gradient) in our layout."""
        if official.endswith("Const/const"):
            return value.transpose(0, 2, 3, 1)
        if official == "D/4x4/Dense0/weight":
            side, out = 4, value.shape[-1]
            return value.reshape(-1, side, side, out).transpose(1, 2, 0, 3).reshape(-1, out)
        return value

    def generator_variables(self):
        """{(official name, our variable)}"""
        names = _Pairs()
        for i, layer in enumerate(self.generator.mapping.hidden):
            names.weights(f"G_mapping/Dense{i}", layer)
        top = self.config.num_levels - 1
        for level, block in enumerate(self.generator.synthesis.levels):
            side = 4 << level
            first, second = ("Const", "Conv") if level == 0 else ("Conv0_up", "Conv1")
            if level == 0:
                names.add(f"G_synthesis/4x4/{first}/const", block.first.constant)
                names.add(f"G_synthesis/4x4/{first}/bias", block.first.bias)
            else:
                names.weights(f"G_synthesis/{side}x{side}/{first}", block.first)
            names.weights(f"G_synthesis/{side}x{side}/{second}", block.second)
            for name, style in ((first, block.first_style), (second, block.second_style)):
                names.add(f"G_synthesis/{side}x{side}/{name}/Noise/weight", style.noise.strength)
                names.weights(f"G_synthesis/{side}x{side}/{name}/StyleMod", style.adain.affine)
            names.weights(f"G_synthesis/ToRGB_lod{top - level}", block.to_rgb)
        return names

    def discriminator_variables(self):
        names = _Pairs()
        top = self.config.num_levels - 1
        for level, layer in enumerate(self.discriminator.from_rgb):
            names.weights(f"D/FromRGB_lod{top - level}", layer)
        for i, block in enumerate(self.discriminator.blocks):
            side = 8 << i
            names.weights(f"D/{side}x{side}/Conv0", block.conv)
            names.weights(f"D/{side}x{side}/Conv1_down", block.conv_down)
        names.weights("D/4x4/Conv", self.discriminator.conv)
        names.weights("D/4x4/Dense0", self.discriminator.dense)
        if not self.meta["label_size"]:  # With labels the last layer is the projection: the test applies it.
            names.weights("D/4x4/Dense1", self.discriminator.unconditional)
        return names


class _Pairs(list):
    def add(self, official, variable):
        self.append((official, variable))

    def weights(self, official, layer):
        self.add(f"{official}/weight", layer.kernel)
        self.add(f"{official}/bias", layer.bias)

    def __or__(self, other):
        return [*self, *other]
