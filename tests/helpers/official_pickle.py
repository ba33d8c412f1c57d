"""Writes pickles as the original StyleGAN's code writes them: the same classes, names and state, with NumPy 1's names.

The classes exist under the original's names while a pickle is written, and at no other time.
"""

import contextlib
import json
import pickle
import sys
import types
from unittest import mock

import numpy as np

from tests.helpers.official import GOLDEN
from tf_outfit_gan.config import ModelConfig
from tf_outfit_gan.stylegan1 import variable_map

KEYWORDS = dict(truncation_psi=0.7, truncation_cutoff=8, style_mixing_prob=0.9, blur_filter=[1, 2, 1])


class EasyDict(dict):
    """Pickled as dnnlib.util.EasyDict."""


class Network:
    """Pickled as dnnlib.tflib.network.Network, whose __getstate__ (version 3) gives such a dict."""

    def __init__(self, name, function, keywords, values, **components):
        self.state = dict(
            version=3,
            name=name,
            static_kwargs=keywords,
            components=components,
            build_module_src="raise SystemExit('this text is code, and must not run')",
            build_func_name=function,
            variables=list(values.items()),
        )

    def __getstate__(self):
        return self.state


def _reconstruct(*args):
    raise AssertionError("only its name is used")


def scalar(*args):
    raise AssertionError("only its name is used")


class _Pickler(pickle.Pickler):
    """Writes arrays as NumPy 1 did, under numpy.core."""

    def reducer_override(self, value):
        if isinstance(value, np.ndarray):
            return _reconstruct, (np.ndarray, (0,), b"b"), value.__reduce__()[2]
        if isinstance(value, np.generic):
            return scalar, value.__reduce__()[1]
        return NotImplemented


@contextlib.contextmanager
def _original_modules():
    arrays = [_reconstruct, scalar]
    homes = {"dnnlib.util": [EasyDict], "dnnlib.tflib.network": [Network], "numpy.core.multiarray": arrays}
    modules = {name: types.ModuleType(name) for name in (*homes, "dnnlib", "dnnlib.tflib", "numpy.core")}
    with mock.patch.dict(sys.modules, modules), contextlib.ExitStack() as stack:
        for home, things in homes.items():
            for thing in things:
                setattr(modules[home], thing.__name__, thing)
                stack.enter_context(mock.patch.object(thing, "__module__", home))
        yield


def dump(value, path, protocol=4):
    """Pickles a value for the original's modules."""
    with open(path, "wb") as file, _original_modules():
        _Pickler(file, protocol).dump(value)
    return path


def golden(name, lod=0.0, **changes):
    """(G, D, Gs) with a golden file's weights; G, which is not the average, has its own toRGB bias."""
    values = np.load(GOLDEN / f"{name}.npz")
    meta = json.loads(str(values["meta"]))
    named = {key.removeprefix("var/"): values[key] for key in values.files if key.startswith("var/")}
    named["dlatent_avg"] = np.linspace(-1, 1, meta["latent_size"], dtype=np.float32)
    keywords = (
        EasyDict(
            num_channels=3,
            resolution=meta["resolution"],
            label_size=meta["label_size"],
            latent_size=meta["latent_size"],
            dlatent_size=meta["latent_size"],
            mapping_fmaps=meta["latent_size"],
            fmap_base=meta["fmap_base"],
            fmap_max=meta["fmap_max"],
            fused_scale=meta["fused_scale"],
        )
        | KEYWORDS
        | changes
    )
    trained = named | {"G_synthesis/ToRGB_lod0/bias": np.float32([1, 2, 3])}
    return _networks(keywords, trained, named, lod)


def synthetic(config, seed=0, lod=0.0):
    """(G, D, Gs) of a `ModelConfig` with random weights."""
    rng = np.random.default_rng(seed)
    entries = [
        *variable_map.generator_entries(config),
        *(entry._replace(name=f"D/{entry.name}") for entry in variable_map.discriminator_entries(config)),
    ]
    named = {entry.name: rng.standard_normal(entry.shape, np.float32) for entry in entries}
    for layer, name in enumerate(variable_map.noise_names(config)):
        named[name] = rng.standard_normal((1, 1, *config.level_sizes[layer // 2]), np.float32)
    keywords = EasyDict(
        num_channels=3,
        resolution=config.size[0],
        label_size=0,
        latent_size=config.latent_dim,
        dlatent_size=config.style_dim,
        mapping_fmaps=config.style_dim,
        mapping_layers=config.mapping_layers,
        fmap_base=config.fmap_base,
        fmap_max=config.fmap_max,
    )
    return _networks(keywords, {name: value.copy() for name, value in named.items()}, named, lod)


def tiny(lod=0.0):
    """(G, D, Gs) of 8x8 pixels, a few kilobytes."""
    return synthetic(
        ModelConfig(size=(8, 8), conditional=False, latent_dim=2, style_dim=2, mapping_layers=1, fmap_base=8, fmap_max=2), lod=lod
    )


def _networks(keywords, trained, average, lod):
    lod = np.float32(lod)

    def part(values, prefix, **more):
        return more | {key.removeprefix(prefix): value for key, value in values.items() if key.startswith(prefix)}

    def generator(name, values):
        return Network(
            name,
            "G_style",
            dict(keywords),
            {"lod": lod, "dlatent_avg": values["dlatent_avg"]},
            synthesis=Network("G_synthesis", "G_synthesis", keywords, part(values, "G_synthesis/", lod=lod)),
            mapping=Network("G_mapping", "G_mapping", keywords, part(values, "G_mapping/")),
        )

    discriminator = Network("D", "D_basic", dict(keywords), part(average, "D/", lod=lod))
    return generator("G", trained), discriminator, generator("Gs", average)
