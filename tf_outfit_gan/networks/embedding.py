"""The embedding network: articles and pose to one vector (arXiv 1908.08847, section 3).

The paper names its inputs and its 512 outputs, not its layers. Here one downsampling convolution a level leads to the
base and two dense layers to the vector; generator and discriminator have a network each.
"""

import keras
import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.layers import EqualizedDense
from tf_outfit_gan.networks.blocks import built_conv
from tf_outfit_gan.sizes import levels_of

NUM_KEYPOINTS = 16


class Embedding(keras.layers.Layer):
    """Convolutions from the stacked articles and heatmaps down to the base size, then two dense layers.

    Args:
        config: the `ModelConfig`.
        width: width of the output.

    Call arguments:
        articles: [N, S, h, w, 3] in [-1, 1], 0 for a missing article.
        heatmaps: [N, h, w, K].

    Output shape: [N, E].
    """

    def __init__(self, config, width, **kwargs):
        super().__init__(**kwargs)
        # Heatmaps are nearly empty (variance about 1/100 of the articles'), and equalized-learning-rate layers assume
        # inputs of equal variance: so they are scaled up.
        self.heatmap_gain = config.heatmap_gain
        top = len(levels_of(config.condition_size)) - 1
        channels, policy = config.channels, dict(dtype=self.dtype_policy)
        self.from_conditions = built_conv(3 * len(config.slots) + NUM_KEYPOINTS, channels(top), 1, **policy)
        self.down = [
            built_conv(channels(level), channels(level - 1), 3, resample="down", **policy) for level in range(top, 0, -1)
        ]
        self.conv = built_conv(channels(0), channels(0), 3, **policy)
        height, base_width = config.level_sizes[0]
        self.dense = EqualizedDense(config.embedding_dim, gain=2**0.5, **policy)
        self.dense.build((None, height * base_width * channels(0)))
        self.out = EqualizedDense(width, **policy)
        self.out.build((None, config.embedding_dim))
        self.built = True

    def call(self, articles, heatmaps):
        # Stack the articles' channels in slot order, and the joints' behind them: 6 x 3 + 16.
        _, slots, height, width, colors = articles.shape
        x = tf.reshape(tf.transpose(articles, [0, 2, 3, 1, 4]), [-1, height, width, slots * colors])
        x = tf.concat([x, tf.cast(heatmaps, x.dtype) * self.heatmap_gain], axis=-1)  # [N, h, w, 3S + K]

        # Down to the base.
        x = ops.leaky_relu(self.from_conditions(x))
        for layer in self.down:
            x = ops.leaky_relu(layer(x))
        x = ops.leaky_relu(self.conv(x))

        # To one vector.
        x = tf.reshape(x, [-1, self.dense.kernel.shape[0]])
        return self.out(ops.leaky_relu(self.dense(x)))  # [N, E]
