"""The official StyleGAN's variables, and where their values live in our networks: written down once, as a table.

Dense and convolution kernels have one layout in both. What differs: the constant is [1, C, H, W] there, and the first
dense layer of the discriminator flattens [C, H, W] there and [H, W, C] here.
"""

from typing import NamedTuple

from tf_outfit_gan.config import ModelConfig


class Entry(NamedTuple):
    """One official variable."""

    name: str
    path: tuple  # Attributes and indices that lead from our network to our variable.
    shape: tuple  # Of the official value.


def generator_entries(config: ModelConfig):
    """Yields every `Entry` of the generator of an unconditional, square configuration: weights and w_avg."""
    yield Entry("dlatent_avg", ("mapping", "w_avg"), (config.style_dim,))
    width = config.latent_dim
    for i in range(config.mapping_layers):
        yield from _weights(f"G_mapping/Dense{i}", ("mapping", "hidden", i), (width, config.style_dim))
        width = config.style_dim
    top = config.num_levels - 1
    for level in range(config.num_levels):
        side, path, channels = 4 << level, ("synthesis", "levels", level), config.channels(level)
        first, second = ("Const", "Conv") if level == 0 else ("Conv0_up", "Conv1")
        scope = f"G_synthesis/{side}x{side}"
        if level == 0:
            yield Entry(f"{scope}/{first}/const", (*path, "first", "constant"), (1, channels, side, side))
            yield Entry(f"{scope}/{first}/bias", (*path, "first", "bias"), (channels,))
        else:
            yield from _weights(f"{scope}/{first}", (*path, "first"), (3, 3, config.channels(level - 1), channels))
        yield from _weights(f"{scope}/{second}", (*path, "second"), (3, 3, channels, channels))
        for name, style in ((first, "first_style"), (second, "second_style")):
            yield Entry(f"{scope}/{name}/Noise/weight", (*path, style, "noise", "strength"), (channels,))
            affine = (*path, style, "adain", "affine")
            yield from _weights(f"{scope}/{name}/StyleMod", affine, (config.style_dim, 2 * channels))
        yield from _weights(f"G_synthesis/ToRGB_lod{top - level}", (*path, "to_rgb"), (1, 1, channels, 3))


def discriminator_entries(config: ModelConfig):
    """Yields every `Entry` of the discriminator."""
    channels, top = config.channels, config.num_levels - 1
    for level in range(config.num_levels):
        yield from _weights(f"FromRGB_lod{top - level}", ("from_rgb", level), (1, 1, 3, channels(level)))
    for level in range(1, config.num_levels):
        scope, path = f"{4 << level}x{4 << level}", ("blocks", level - 1)
        yield from _weights(f"{scope}/Conv0", (*path, "conv"), (3, 3, channels(level), channels(level)))
        yield from _weights(f"{scope}/Conv1_down", (*path, "conv_down"), (3, 3, channels(level), channels(level - 1)))
    yield from _weights("4x4/Conv", ("conv",), (3, 3, channels(0) + 1, channels(0)))
    yield from _weights("4x4/Dense0", ("dense",), (16 * channels(0), channels(0)))
    yield from _weights("4x4/Dense1", ("unconditional",), (channels(0), 1))


def noise_names(config: ModelConfig):
    """The official names of the fixed noise maps, [1, 1, H, W] each, in the order of the layers."""
    return [f"G_synthesis/noise{layer}" for layer in range(config.num_layers)]


def find(network, path):
    """Our variable at an entry's path."""
    for step in path:
        network = network[step] if isinstance(step, int) else getattr(network, step)
    return network


def to_ours(name, value):
    """An official value (a weight or its gradient) in our layout."""
    if name.endswith("/const") or name.startswith("G_synthesis/noise"):
        return value.transpose(0, 2, 3, 1)
    if name == "4x4/Dense0/weight":
        side, out = 4, value.shape[-1]
        return value.reshape(-1, side, side, out).transpose(1, 2, 0, 3).reshape(-1, out)
    return value


def _weights(name, path, shape):
    yield Entry(f"{name}/weight", (*path, "kernel"), shape)
    yield Entry(f"{name}/bias", (*path, "bias"), shape[-1:])
