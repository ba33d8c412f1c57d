"""The learned constant that synthesis starts from (arXiv 1812.04948, section 2)."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class LearnedConstant(keras.layers.Layer):
    """One learned feature tensor, the same for every picture.

    Args:
        size: (height, width) of the base level.
        channels: feature maps.

    Call arguments:
        batch: how many copies, a scalar.

    Output shape: [N, H, W, C].
    """

    def __init__(self, size, channels, **kwargs):
        super().__init__(**kwargs)
        self.size, self.channels = size, channels

    def build(self, _=None):
        shape = (1, *self.size, self.channels)
        self.constant = self.add_weight(shape=shape, initializer="ones", name="constant")
        # The original gives this layer a bias like every other, and so do its published weights.
        self.bias = self.add_weight(shape=(self.channels,), initializer="zeros", name="bias")

    def call(self, batch):
        return tf.tile(tf.convert_to_tensor(self.constant), [batch, 1, 1, 1]) + self.bias
