"""Minibatch standard deviation (arXiv 1710.10196, section 3)."""

import keras
import tensorflow as tf


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class MinibatchStdDev(keras.layers.Layer):
    """Appends one feature map: how much the pictures of a group differ, so that the discriminator sees lost variety.

    The groups are strided, as in StyleGAN: with a batch of 8 and groups of 4, pictures 0, 2, 4, 6 are one group.

    Args:
        group_size: pictures in a group; a smaller batch is one group. The batch must be a multiple of it.

    Input shape: [N, H, W, C]. Output shape: [N, H, W, C + 1].
    """

    def __init__(self, group_size=4, **kwargs):
        super().__init__(**kwargs)
        self.group_size = group_size

    def call(self, x):
        _, height, width, channels = x.shape
        batch = tf.shape(x)[0]
        group = tf.minimum(self.group_size, batch)
        y = tf.reshape(tf.cast(x, tf.float32), [group, -1, height, width, channels])  # [G, M, H, W, C]
        deviation = tf.sqrt(tf.math.reduce_variance(y, axis=0) + 1e-8)  # [M, H, W, C]
        statistic = tf.reduce_mean(deviation, axis=[1, 2, 3], keepdims=True)  # [M, 1, 1, 1]
        maps = tf.tile(statistic, [group, height, width, 1])  # [N, H, W, 1]
        return tf.concat([x, tf.cast(maps, x.dtype)], axis=-1)

    def compute_output_shape(self, input_shape):
        return *input_shape[:-1], input_shape[-1] + 1
