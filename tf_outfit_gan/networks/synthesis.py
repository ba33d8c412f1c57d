"""The synthesis network: style vectors to a picture, growing level by level (arXiv 1812.04948, figure 1b)."""

import keras
import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.layers import EqualizedConv2D, LearnedConstant
from tf_outfit_gan.networks.blocks import StyledLayer, built
from tf_outfit_gan.networks.condition_maps import MapsToRGB, compose, maps_conv
from tf_outfit_gan.networks.gradient_checkpointing import recomputed
from tf_outfit_gan.networks.serialization import ConfigSerialization


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class SynthesisLevel(ConfigSerialization, keras.layers.Layer):
    """Two styled layers of one resolution; above the base the first of them doubles the size.

    Args:
        config: the `ModelConfig`.
        level: 0 = the base.
        norm_kernel: of `AdaIN`.

    Call arguments:
        x: features of the level below, [N, H/2, W/2, C]; the batch size at the base.
        first_w, second_w: style vectors of the two layers, [N, D].
        first_noise, second_noise: noise maps of the two layers, [N, H, W, 1]; not read without `noise_injection`.
        maps: the level's condition maps, [N, H, W, M]; None where no condition enters so.
    """

    def __init__(self, config, level, norm_kernel="batch_norm", **kwargs):
        super().__init__(**kwargs)
        self.config, self.level, self.norm_kernel = config, level, norm_kernel
        channels, policy = config.channels(level), dict(dtype=self.dtype_policy.name)
        if level == 0:
            self.first = built(LearnedConstant(config.level_sizes[0], channels, **policy))
        else:
            # A transposed convolution reads its kernel backwards: below the fused levels that is undone.
            flip = min(config.level_sizes[level]) < config.fused_from
            below = (None, *config.level_sizes[level - 1], config.channels(level - 1))
            self.first = built(EqualizedConv2D(channels, 3, resample="up", flip=flip, **policy), below)
        self.from_maps = maps_conv(config.level_sizes[level], config.slots, channels, **config.generator_maps, **policy)
        self.first_style = StyledLayer(channels, config.style_dim, config.noise_injection, norm_kernel, **policy)
        features = (None, *config.level_sizes[level], channels)
        self.second = built(EqualizedConv2D(channels, 3, **policy), features)
        self.second_style = StyledLayer(channels, config.style_dim, config.noise_injection, norm_kernel, **policy)
        self.to_rgb = built(EqualizedConv2D(config.drawn_channels, 1, gain=1.0, **policy), features)
        self.maps_to_rgb = MapsToRGB(config, level, **policy) if config.maps_to_rgb else None
        self.built = True

    def call(self, x, first_w, second_w, first_noise, second_noise, maps=None):
        x = self.first(x)
        if self.from_maps is not None:
            x += self.from_maps(maps)
        x = self.first_style(x, first_w, first_noise)
        return self.second_style(self.second(x), second_w, second_noise)

    def show(self, x, maps=None):
        """What the level's features [N, H, W, C] draw, or with skips add: [N, H, W, 3], with `composition` 3 + S, in float32."""
        rgb = tf.cast(ops.clamp(self.to_rgb(x)), tf.float32)
        if self.maps_to_rgb is not None:
            rgb += tf.cast(ops.clamp(self.maps_to_rgb(x, maps)), tf.float32)
        return rgb


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class Synthesis(ConfigSerialization, keras.layers.Layer):
    """Holds every level from the start, so that the weights' layout does not change while the network grows.

    Args:
        config: the `ModelConfig`.
        recompute_from: levels of this height and above are computed again in the backward pass, which takes memory for
            one of them at a time; 0 = none.
        norm_kernel: of `AdaIN`.

    Call arguments:
        w: style vectors by layer, [N, L, D]; layers above the level asked for are not read.
        noise: a list of two maps a level, [N, H, W, 1], from the base up; may be None without `noise_injection`.
        maps: a list of each level's condition maps, [N, H, W, M], or None where no condition enters so.
        level: the level whose picture is asked for; a Python integer, which selects the graph.
        alpha: how far the level is faded in, a scalar tensor; None = a stable level.

    Output shape: [N, H, W, 3] in float32, not clipped.
    """

    def __init__(self, config, recompute_from=0, norm_kernel="batch_norm", **kwargs):
        super().__init__(**kwargs)
        self.config, self.recompute_from, self.norm_kernel = config, recompute_from, norm_kernel
        self._recomputed = [0 < recompute_from <= height for height, _ in config.level_sizes]
        policy = dict(dtype=self.dtype_policy.name)
        self.levels = [SynthesisLevel(config, level, norm_kernel, **policy) for level in range(config.num_levels)]
        self.build((None, config.num_layers, config.style_dim))

    def call(self, w, noise, maps=None, level=None, alpha=None):
        level = len(self.levels) - 1 if level is None else level
        x, shown = tf.shape(w)[0], []
        w = tf.unstack(w, axis=1)  # One operation, and one in its gradient, where slices would be one a layer.
        for i, block in enumerate(self.levels[: level + 1]):
            own_noise = noise[2 * i : 2 * i + 2] if noise else (None, None)
            own_maps = maps[i : i + 1] if maps else []
            run = recomputed(block) if self._recomputed[i] else block
            x = run(x, *w[2 * i : 2 * i + 2], *own_noise, *own_maps)
            if self.config.skips or i == level or (i == level - 1 and alpha is not None):
                shown.append(block.show(x, *own_maps))
        drawn = _sum_up(shown, alpha) if self.config.skips else _fade(shown, alpha)
        return compose(drawn, maps[level], len(self.config.slots)) if self.config.composition else drawn

    def compute_output_shape(self, input_shape):
        return input_shape[0], *self.config.size, 3

    def compute_output_spec(self, *args, **kwargs):
        # By `call`: Keras would take the shape above for every level, and the type that the layer computes in.
        return keras.Operation.compute_output_spec(self, *args, **kwargs)


def _fade(shown, alpha):
    """The picture of the highest level, which takes the place of the one below as alpha goes from 0 to 1."""
    *below, rgb = shown
    return ops.lerp(ops.upsample(below[-1]), rgb, alpha) if below else rgb


def _sum_up(shown, alpha):
    """The sum of what all levels show, of the highest as much as alpha says."""
    rgb, *others = shown
    for i, added in enumerate(others, start=1):
        rgb = ops.upsample_smooth(rgb) + (added if alpha is None or i < len(others) else tf.cast(alpha, added.dtype) * added)
    return rgb
