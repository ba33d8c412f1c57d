"""Adaptive instance normalization (arXiv 1812.04948, section 2, equation 1)."""

import keras
import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.layers.equalized_dense import EqualizedDense


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class AdaIN(keras.layers.Layer):
    """Normalizes each feature map of each picture, then scales and shifts it by a learned affine transform of w.

    Args:
        norm_kernel: one of `ops.NORM_KERNELS`.

    Call arguments:
        x: features, [N, H, W, C].
        w: style vectors of this layer, [N, D].

    Output shape: [N, H, W, C].
    """

    def __init__(self, norm_kernel="batch_norm", **kwargs):
        super().__init__(**kwargs)
        self.norm_kernel = norm_kernel

    def build(self, x_shape, w_shape):
        self.affine = EqualizedDense(2 * x_shape[-1], dtype=self.dtype_policy.name, name="affine")
        self.affine.build(w_shape)

    def call(self, x, w):
        # The scale starts around one, so the transform learns its difference from one.
        scale, shift = tf.split(tf.cast(self.affine(w), tf.float32), 2, axis=-1)  # [N, C]
        return ops.styled_instance_norm(x, scale + 1, shift, self.norm_kernel)
