"""Convolution with equalized learning rate (arXiv 1710.10196, section 4.1), with resampling built in."""

import keras
import numpy as np
import tensorflow as tf

from tf_outfit_gan import ops


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class EqualizedConv2D(keras.layers.Layer):
    """Convolution whose weights are scaled at run time, so that all layers learn at the same speed.

    StyleGAN resamples around its convolutions: nearest upsampling -> 3x3 convolution -> blur in the generator, and
    blur -> 3x3 convolution -> 2x2 mean in the discriminator. Resampling and convolution are computed together here as
    one strided 4x4 convolution, whose kernel is the 3x3 kernel summed over its four shifts: the same function with
    4/9 of the multiplications.

    Args:
        filters: channels of the output.
        kernel_size: 1 or 3 pixels; 3 when resampling.
        gain: sqrt(2) before a leaky ReLU, 1 before nothing.
        resample: None, "up" (with the blur behind) or "down" (with the blur before).
        flip: mirror the kernel in both directions. StyleGAN's high upsampling convolutions are transposed ones
            ("fused"), its low ones are not, and the two read the same weights in opposite directions.

    Input shape: [N, H, W, C]. Output shape: [N, H, W, filters], doubled or halved in size by `resample`.
    """

    def __init__(self, filters, kernel_size, gain=2**0.5, resample=None, flip=False, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.kernel_size, self.gain = filters, kernel_size, gain
        self.resample, self.flip = resample, flip

    def build(self, input_shape):
        channels = input_shape[-1]
        self.scale = self.gain / (self.kernel_size**2 * channels) ** 0.5
        shape = (self.kernel_size, self.kernel_size, channels, self.filters)
        # The scale is applied in float32, before the cast to the compute type: so Keras must not cast the variables.
        self.kernel = self.add_weight(
            shape=shape, initializer=keras.initializers.RandomNormal(stddev=1.0), name="kernel", autocast=False
        )
        self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias", autocast=False)

    def call(self, x):
        kernel, bias = (tf.cast(value, self.compute_dtype) for value in (self._resampling_kernel(), self.bias))
        if self.resample == "up":
            _, height, width, _ = x.shape
            shape = [tf.shape(x)[0], 2 * height, 2 * width, self.filters]
            # A transposed convolution wants [h, w, out, in].
            x = ops.blur(tf.nn.conv2d_transpose(x, tf.transpose(kernel, [0, 1, 3, 2]), shape, 2, "SAME"))
            return ops.add_bias_unfused(x, bias)
        if self.resample == "down":
            x = tf.nn.conv2d(ops.blur(x), kernel, 2, "SAME")
        else:
            x = tf.nn.conv2d(x, kernel, 1, "SAME")
        return tf.nn.bias_add(x, bias)

    def compute_output_shape(self, input_shape):
        batch, *size, _ = input_shape
        scale = {None: 1, "up": 2, "down": 0.5}[self.resample]
        return batch, *(side and int(side * scale) for side in size), self.filters

    def _resampling_kernel(self):
        kernel = self.kernel * self.scale
        if self.resample is None:
            return kernel
        # Summing over the four shifts (and mirroring) is one small matrix product, forward and backward.
        size, channels = self.kernel_size, self.kernel.shape[2]
        shifts = _four_shifts(size) / (4 if self.resample == "down" else 1)
        rows = tf.reshape(kernel, [size**2, channels * self.filters])
        rows = tf.matmul(tf.constant(shifts[:, ::-1] if self.flip else shifts, kernel.dtype), rows)
        return tf.reshape(rows, [size + 1, size + 1, channels, self.filters])


def _four_shifts(size):
    """The matrix that sums a kernel over its four shifts, [(size + 1)^2, size^2]."""
    matrix = np.zeros((size + 1, size + 1, size, size))
    for y, x in np.ndindex(size, size):
        matrix[y : y + 2, x : x + 2, y, x] = 1
    return matrix.reshape((size + 1) ** 2, size**2)
