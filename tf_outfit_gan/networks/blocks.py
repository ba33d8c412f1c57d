"""The blocks that the networks repeat at every level of resolution."""

import keras

from tf_outfit_gan import ops
from tf_outfit_gan.layers import AdaIN, EqualizedConv2D, NoiseInjection


class StyledLayer(keras.layers.Layer):
    """What follows every convolution of the synthesis network: noise, leaky ReLU, AdaIN (arXiv 1812.04948, figure 1b).

    Args:
        channels: feature maps, of the input as of the output.
        style_dim: width of w.

    Call arguments:
        x: features with their bias, [N, H, W, C].
        w: style vectors, [N, D].
        noise: [N, H, W, 1].
    """

    def __init__(self, channels, style_dim, **kwargs):
        super().__init__(**kwargs)
        self.noise = NoiseInjection(dtype=self.dtype_policy)
        self.noise.build((None, None, None, channels), (None, None, None, 1))
        self.adain = AdaIN(dtype=self.dtype_policy)
        self.adain.build((None, None, None, channels), (None, style_dim))
        self.built = True

    def call(self, x, w, noise):
        return self.adain(ops.leaky_relu(self.noise(x, noise)), w)


class DownBlock(keras.layers.Layer):
    """Two convolutions, the second halving the size, each with a leaky ReLU.

    Input shape: [N, H, W, in_channels]. Output shape: [N, H/2, W/2, out_channels].
    """

    def __init__(self, in_channels, out_channels, **kwargs):
        super().__init__(**kwargs)
        self.conv = EqualizedConv2D(in_channels, 3, dtype=self.dtype_policy)
        self.conv.build((None, None, None, in_channels))
        self.conv_down = EqualizedConv2D(out_channels, 3, resample="down", dtype=self.dtype_policy)
        self.conv_down.build((None, None, None, in_channels))
        self.built = True

    def call(self, x):
        return ops.leaky_relu(self.conv_down(ops.leaky_relu(self.conv(x))))


def built_conv(in_channels, *args, **kwargs):
    """An `EqualizedConv2D` whose weights exist from the start."""
    layer = EqualizedConv2D(*args, **kwargs)
    layer.build((None, None, None, in_channels))
    return layer
