"""The arithmetic that StyleGAN is made of: functions without state, on NHWC tensors (arXiv 1812.04948, section 2).

Resampling is linear, so the gradient of a gradient is the operation itself. TensorFlow does not know that, and R1
needs second-order gradients: each resampling names its adjoint here, which keeps every order as cheap as the first.
"""

import numpy as np
import tensorflow as tf

LEAK = 0.2  # The slope of the leaky ReLU below zero.
_BLUR = np.outer([1, 2, 1], [1, 2, 1]) / 16


def leaky_relu(x):
    return tf.nn.leaky_relu(x, LEAK)


def pixel_norm(x):
    """Normalizes the last axis to a mean square of one, in float32 (arXiv 1710.10196, section 4.2)."""
    wide = tf.cast(x, tf.float32)
    return tf.cast(wide * tf.math.rsqrt(tf.reduce_mean(tf.square(wide), -1, keepdims=True) + 1e-8), x.dtype)


def lerp(a, b, t):
    """a where t = 0, b where t = 1."""
    return a + (b - a) * tf.cast(t, a.dtype)


@tf.custom_gradient
def blur(x):
    """Convolves each channel with [1, 2, 1] x [1, 2, 1] / 16, padded with zeros. [N, H, W, C] -> the same.

    The kernel is symmetric, so the operation is its own adjoint.
    """
    kernel = tf.constant(_BLUR[:, :, None, None], x.dtype)
    y = tf.nn.depthwise_conv2d(x, tf.tile(kernel, [1, 1, x.shape[-1], 1]), [1, 1, 1, 1], "SAME")
    return y, blur


def upsample(x):
    """Repeats every pixel twice in both directions. [N, H, W, C] -> [N, 2H, 2W, C]."""

    @tf.custom_gradient
    def apply(x):
        _, height, width, channels = x.shape
        tiled = tf.tile(x[:, :, None, :, None, :], [1, 1, 2, 1, 2, 1])
        return tf.reshape(tiled, [-1, 2 * height, 2 * width, channels]), lambda dy: downsample(dy) * 4

    return apply(x)


def downsample(x):
    """Averages 2x2 blocks. [N, 2H, 2W, C] -> [N, H, W, C]."""

    @tf.custom_gradient
    def apply(x):
        return tf.nn.avg_pool2d(x, 2, 2, "VALID"), lambda dy: upsample(dy) / 4

    return apply(x)


def instance_statistics(x):
    """Mean and reciprocal standard deviation of each channel of each picture, in float32. [N, H, W, C] -> 2 x [N, 1, 1, C]."""
    mean, variance = tf.nn.moments(tf.cast(x, tf.float32), [1, 2], keepdims=True)
    return mean, tf.math.rsqrt(variance + 1e-8)
