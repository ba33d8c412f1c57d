"""A tiny model with random weights, its snapshot, and what a request of it looks like: for export, render, transfer."""

import functools
import json

import keras
import numpy as np
from PIL import Image

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.inference import Renderer
from tf_outfit_gan.networks import build_generator
from tf_outfit_gan.snapshot import Snapshot
from tf_outfit_gan.viz.montage import CAPTION, GAP, MIN_HEIGHT


def make_snapshot(*overrides, preset="tiny", level=None, alpha=1.0):
    """A snapshot; its weights are random, always the same, and large enough for pictures with contrast."""
    keras.utils.set_random_seed(3)
    config, _ = from_preset(preset, overrides)
    generator = build_generator(config)
    rng = np.random.default_rng(3)
    for variable in generator.variables:
        if not np.any(variable.numpy()):  # Biases, noise strengths and w_avg begin at 0, where mistakes would hide.
            variable.assign(0.3 * rng.standard_normal(variable.shape))
    return Snapshot(config, generator, config.num_levels - 1 if level is None else level, alpha, 400_000)


def write_snapshot(path, *overrides, **where):
    """Writes and returns `make_snapshot`."""
    snapshot = make_snapshot(*overrides, **where)
    snapshots.save(path, snapshot)
    return snapshot


@functools.cache
def tiny_renderer():
    """A `Renderer` of `make_snapshot()`, which takes seconds to trace: the tests share it."""
    return Renderer(make_snapshot())


def photo(seed, size=(40, 30)):
    """A smooth, colorful picture, as a Pillow image."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 4, 3), np.uint8)
    return Image.fromarray(coarse).resize(size[::-1], Image.Resampling.BICUBIC)


def points(seed, size=(40, 30)):
    """16 joints in pixels; joint 3 is missing."""
    joints = np.random.default_rng(seed).uniform(0.1, 0.9, (16, 3)) * [size[1], size[0], 0] + [0, 0, 1]
    joints[3] = 0
    return {"format": "mpii16", "points": joints.round(3).tolist(), "size": list(size)}


def write_outfit(path, seed, articles=("top.png", "shoes.jpg")):
    """Writes outfit.json with articles beside it, each named after its slot."""
    for number, name in enumerate(articles):
        photo(10 * seed + number).save(path.parent / name)
    slots = {name.partition(".")[0]: name for name in articles}
    path.write_text(json.dumps({"articles": slots, "keypoints": points(seed)}))
    return path


def cell(sheet, row, column, size):
    """The uint8 [H, W, 3] picture in a row and column of a sheet of tiny pictures, at its own size."""
    height, width = size
    scale = MIN_HEIGHT // height
    left, top = GAP + column * (width * scale + GAP), GAP + row * (height * scale + CAPTION + GAP)
    return np.asarray(sheet)[top : top + height * scale : scale, left : left + width * scale : scale]
