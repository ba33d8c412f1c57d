"""The blocks that the networks repeat at every level of resolution."""

import keras

from tf_outfit_gan import ops
from tf_outfit_gan.layers import AdaIN, EqualizedConv2D, NoiseInjection


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class StyledLayer(keras.layers.Layer):
    """What follows every convolution of the synthesis network: noise, leaky ReLU, AdaIN (arXiv 1812.04948, figure 1b).

    Args:
        channels: feature maps, of the input as of the output.
        style_dim: width of w.
        noise_injection: whether noise is added.
        norm_kernel: of `AdaIN`.

    Call arguments:
        x: features with their bias, [N, H, W, C].
        w: style vectors, [N, D].
        noise: [N, H, W, 1]; not read where none is added.
    """

    def __init__(self, channels, style_dim, noise_injection=True, norm_kernel="batch_norm", **kwargs):
        super().__init__(**kwargs)
        features = (None, None, None, channels)
        self.noise = None
        if noise_injection:
            self.noise = built(NoiseInjection(dtype=self.dtype_policy.name), features, (None, None, None, 1))
        self.adain = built(AdaIN(norm_kernel, dtype=self.dtype_policy.name), features, (None, style_dim))
        self.built = True

    def call(self, x, w, noise):
        if self.noise is not None:
            x = self.noise(x, noise)
        return self.adain(ops.leaky_relu(x), w)


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class DownBlock(keras.layers.Layer):
    """Two convolutions, the second halving the size, each with a leaky ReLU.

    Input shape: [N, H, W, in_channels]. Output shape: [N, H/2, W/2, out_channels].
    """

    def __init__(self, in_channels, out_channels, **kwargs):
        super().__init__(**kwargs)
        features, policy = (None, None, None, in_channels), dict(dtype=self.dtype_policy.name)
        self.conv = built(EqualizedConv2D(in_channels, 3, **policy), features)
        self.conv_down = built(EqualizedConv2D(out_channels, 3, resample="down", **policy), features)
        self.built = True

    def call(self, x):
        return ops.leaky_relu(self.conv_down(ops.leaky_relu(self.conv(x))))

    def compute_output_shape(self, input_shape):
        return self.conv_down.compute_output_shape(input_shape)


def built(layer, *input_shapes):
    """A layer whose weights exist from the start, and whose shapes `summary()` shows; shapes begin with None, the batch."""
    layer.build(*input_shapes)
    return layer
