"""Per-pixel noise with a learned strength for each channel (arXiv 1812.04948, section 2)."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class NoiseInjection(keras.layers.Layer):
    """Adds one single-channel noise map, scaled for each channel by a learned strength that starts at zero.

    The noise is an argument, not a draw: who calls decides what it depends on.

    Call arguments:
        x: features, [N, H, W, C].
        noise: [N, H, W, 1] or [1, H, W, 1].

    Output shape: [N, H, W, C].
    """

    def build(self, x_shape, noise_shape):
        self.strength = self.add_weight(shape=(x_shape[-1],), initializer="zeros", name="strength")

    def call(self, x, noise):
        # The outer product of noise and strengths, as a matrix product, is fast in both directions.
        scaled = tf.matmul(tf.reshape(noise, [-1, 1]), self.strength[None, :])
        return x + tf.reshape(scaled, tf.concat([tf.shape(noise)[:3], [x.shape[-1]]], 0))
