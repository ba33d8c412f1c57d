"""The embedding network: articles and pose to one vector (arXiv 1908.08847, section 3).

The paper names its inputs and its 512 outputs, not its layers. Here one downsampling convolution a level leads to the
base and two dense layers to the vector; generator and discriminator have a network each.
"""

import keras
import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.layers import EqualizedConv2D, EqualizedDense
from tf_outfit_gan.networks.blocks import built
from tf_outfit_gan.networks.serialization import ConfigSerialization
from tf_outfit_gan.sizes import levels_of

NUM_KEYPOINTS = 16


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class Embedding(ConfigSerialization, keras.layers.Layer):
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
        self.config, self.width = config, width
        # Heatmaps are nearly empty (variance about 1/100 of the articles'), and equalized-learning-rate layers assume
        # inputs of equal variance: so they are scaled up.
        self.heatmap_gain = config.heatmap_gain
        sizes, slots = levels_of(config.condition_size), len(config.slots)
        channels, policy = config.channels, dict(dtype=self.dtype_policy.name)
        top = len(sizes) - 1
        self.from_conditions = built(EqualizedConv2D(channels(top), 1, **policy), (None, *sizes[top], 3 * slots + NUM_KEYPOINTS))
        self.down = [
            built(EqualizedConv2D(channels(level - 1), 3, resample="down", **policy), (None, *sizes[level], channels(level)))
            for level in range(top, 0, -1)
        ]
        height, base_width = sizes[0]
        self.conv = built(EqualizedConv2D(channels(0), 3, **policy), (None, height, base_width, channels(0)))
        self.dense = built(EqualizedDense(config.embedding_dim, gain=2**0.5, **policy), (None, height * base_width * channels(0)))
        self.out = built(EqualizedDense(width, **policy), (None, config.embedding_dim))
        self.build((None, slots, *config.condition_size, 3))

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

    def compute_output_shape(self, input_shape):
        return input_shape[0], self.width
