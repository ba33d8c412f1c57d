"""The arithmetic that StyleGAN is made of: functions without state, on NHWC tensors (arXiv 1812.04948, section 2).

Resampling is linear, so the gradient of a gradient is the operation itself. TensorFlow does not know that, and R1
needs second-order gradients: each resampling names its adjoint here, which keeps every order as cheap as the first.
"""

import numpy as np
import tensorflow as tf

LEAK = 0.2  # The slope of the leaky ReLU below zero.
_FLOAT16_LIMIT = 256.0  # Activations beyond are cut off in float16 (arXiv 2006.06676, appendix D.1).
_EPSILON = 1e-8
_BLUR = np.outer([1, 2, 1], [1, 2, 1]) / 16


def leaky_relu(x):
    """x above zero, 0.2 x below; in float16, whose range is small, within a limit that only a diverging network meets.

    The gradient reads the slopes off the output, whose signs are those of the input. So nothing needs the input any
    more, and TensorFlow can compute convolution, bias and activation as one operation. The slopes are constants to
    the second-order gradient: TensorFlow's own one would carry zeros through the whole network.
    """

    @tf.custom_gradient
    def apply(x):
        y = tf.nn.leaky_relu(x, LEAK)

        @tf.custom_gradient
        def times_slopes(dy):
            return tf.raw_ops.LeakyReluGrad(gradients=dy, features=y, alpha=LEAK), times_slopes

        return y, times_slopes

    return clamp(apply(x))


def clamp(x):
    """Cuts float16 activations off at a limit; leaves other types as they are."""
    return tf.clip_by_value(x, -_FLOAT16_LIMIT, _FLOAT16_LIMIT) if x.dtype == tf.float16 else x


def pixel_norm(x, epsilon=_EPSILON):
    """Normalizes the last axis to a mean square of one, in float32 (arXiv 1710.10196, section 4.2)."""
    wide = tf.cast(x, tf.float32)
    return tf.cast(wide * tf.math.rsqrt(tf.reduce_mean(tf.square(wide), -1, keepdims=True) + epsilon), x.dtype)


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


@tf.custom_gradient
def add_bias_unfused(x, bias):
    """Adds a bias to what a blur returns. [N, H, W, C], [C] -> [N, H, W, C].

    TensorFlow 2.21 tries to fuse blur + bias + addition, breaks, and then fuses nothing in the whole graph. It does
    not see the pattern in a subtraction (and would see through a plain minus sign).
    """
    return x - bias * -1.0, lambda dy: (dy, tf.raw_ops.BiasAddGrad(out_backprop=dy))


def upsample(x):
    """Repeats every pixel twice in both directions. [N, H, W, C] -> [N, 2H, 2W, C]."""

    @tf.custom_gradient
    def apply(x):
        _, height, width, channels = x.shape
        tiled = tf.tile(x[:, :, None, :, None, :], [1, 1, 2, 1, 2, 1])
        return tf.reshape(tiled, [-1, 2 * height, 2 * width, channels]), lambda dy: downsample(dy) * 4

    return apply(x)


def upsample_smooth(x):
    """Doubles both sides by linear interpolation; beyond the edge is what is at the edge. [N, H, W, C] -> [N, 2H, 2W, C]."""
    around = tf.pad(x, [[0, 0], [1, 1], [1, 1], [0, 0]], "SYMMETRIC")
    return blur(upsample(around))[:, 2:-2, 2:-2]


def downsample(x):
    """Averages 2x2 blocks. [N, 2H, 2W, C] -> [N, H, W, C]."""

    @tf.custom_gradient
    def apply(x):
        return tf.nn.avg_pool2d(x, 2, 2, "VALID"), lambda dy: upsample(dy) / 4

    return apply(x)


def styled_instance_norm(x, scale, shift, kernel="batch_norm"):
    """Normalizes each channel of each picture over its pixels, then scales and shifts it: AdaIN's arithmetic.

    Statistics are float32 whatever the type of x.

    Args:
        x: [N, H, W, C].
        scale, shift: [N, C], float32.
        kernel: one of `NORM_KERNELS`. They differ in speed, and in results by rounding. Which one is the caller's choice:
            what is visible while a graph is traced says nothing of the machine that will run it.
    """
    return _NORMS[kernel](x, scale, shift)


def _norm_by_moments(x, scale, shift):
    mean, variance = tf.nn.moments(tf.cast(x, tf.float32), [1, 2], keepdims=True)  # [N, 1, 1, C]
    # Normalizing and styling are one multiplication and one addition a pixel.
    factor = tf.math.rsqrt(variance + _EPSILON) * scale[:, None, None, :]
    return x * tf.cast(factor, x.dtype) + tf.cast(shift[:, None, None, :] - mean * factor, x.dtype)


def _norm_by_batch_norm(x, scale, shift):
    """The same by TensorFlow's batch norm, which is one operation, and its gradient another: fast on processors.

    With every channel of every picture as a channel of its own, batch norm is instance norm; the transpositions cost
    less than the separate operations do.
    """
    _, height, width, channels = x.shape
    pixels = tf.transpose(tf.reshape(x, [-1, height * width, channels]), [1, 0, 2])  # [HW, N, C]
    y = tf.raw_ops.FusedBatchNormV3(
        x=tf.reshape(pixels, [1, height * width, 1, -1]),
        scale=tf.reshape(scale, [-1]),
        offset=tf.reshape(shift, [-1]),
        mean=[],
        variance=[],
        epsilon=_EPSILON,
        is_training=True,
    ).y
    return tf.reshape(tf.transpose(tf.reshape(y, tf.shape(pixels)), [1, 0, 2]), tf.shape(x))


_NORMS = {"batch_norm": _norm_by_batch_norm, "moments": _norm_by_moments}
NORM_KERNELS = tuple(_NORMS)
