"""The discriminator with its own embedding network and a projection score (arXiv 1908.08847, section 3; 1802.05637)."""

import keras
import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.layers import EqualizedConv2D, EqualizedDense, MinibatchStdDev
from tf_outfit_gan.networks.blocks import DownBlock, built
from tf_outfit_gan.networks.condition_maps import article_differences, maps_by_level, maps_conv
from tf_outfit_gan.networks.embedding import Embedding
from tf_outfit_gan.networks.serialization import ConfigSerialization
from tf_outfit_gan.pose.heatmaps import render_heatmaps


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class Discriminator(ConfigSerialization, keras.Model):
    """Scores pictures: how real they look, and how well they fit their articles and pose.

    Args:
        config: the `ModelConfig`.

    Call arguments:
        images: [N, H, W, 3] in [-1, 1], of the level's size.
        embedding: of the conditions, from `embed`, [N, F]; None when unconditional.
        level: a Python integer, which selects the graph; None = the highest.
        alpha: how far the level is faded in, a scalar tensor; None = a stable level.
        maps: of the conditions, from `condition_maps`; None where no condition enters so.

    Output shape: [N] in float32; higher = more real.
    """

    def __init__(self, config, **kwargs):
        super().__init__(**kwargs)
        self.config = config
        channels, sizes, policy = config.channels, config.level_sizes, dict(dtype=self.dtype_policy.name)
        self.from_rgb = [
            built(EqualizedConv2D(channels(level), 1, **policy), (None, *size, 3)) for level, size in enumerate(sizes)
        ]
        # Where conditions enter as maps, they do so before the first activation of the level that sees the picture.
        self.from_maps = [
            maps_conv(size, config.slots, channels(level), **config.discriminator_maps, **policy)
            for level, size in enumerate(sizes)
        ]
        self.from_differences = None
        if config.article_differences:
            colors = 3 * len(config.slots)
            self.from_differences = [
                built(EqualizedConv2D(channels(level), 1, **policy), (None, *size, colors)) for level, size in enumerate(sizes)
            ]
        # blocks[i] leads from level i + 1 to level i.
        self.blocks = [
            built(DownBlock(channels(i + 1), channels(i), **policy), (None, *size, channels(i + 1)))
            for i, size in enumerate(sizes[1:])
        ]
        # The last layers are float32 in every precision: scores are differences of large sums.
        last = dict(dtype="float32")
        height, width = sizes[0]
        self.stddev = built(MinibatchStdDev(config.stddev_group, **last), (None, height, width, channels(0)))
        self.conv = built(EqualizedConv2D(channels(0), 3, **last), (None, height, width, channels(0) + 1))
        self.dense = built(EqualizedDense(channels(0), gain=2**0.5, **last), (None, height * width * channels(0)))
        # The score without the conditions: psi in Miyato & Koyama's equation 3. The inner form has none.
        self.unconditional = None
        if not config.conditional or config.projection == "full":
            self.unconditional = built(EqualizedDense(1, **last), (None, channels(0)))
        self.embedding = Embedding(config, channels(0), **policy) if config.conditional else None
        self.built = True  # Every layer built its weights above.

    def call(self, images, embedding=None, level=None, alpha=None, maps=None):
        return self.score(self.features(images, level, alpha, maps), embedding)

    def score(self, features, embedding=None):
        """The score as a function of features [N, F] and embedding [N, F], from `features` and `embed`; [N]."""
        score = 0.0
        if self.unconditional is not None:
            score += self.unconditional(features)[:, 0]
        if embedding is not None:
            score += projection(features, embedding)
        return score

    def embed(self, articles, keypoints):
        """The conditions' embedding, as wide as the features, [N, F]."""
        return self.embedding(articles, render_heatmaps(keypoints, self.config.condition_size))

    def condition_maps(self, articles, keypoints, level=None):
        """The maps that enter at each level, [N, H, W, M]; None where no condition enters so."""
        sizes = self.config.level_sizes[: None if level is None else level + 1]
        return maps_by_level(sizes, self.config.slots, keypoints, articles, **self.config.discriminator_maps)

    def features(self, images, level=None, alpha=None, maps=None):
        """What the score is a function of: phi in Miyato & Koyama, [N, F] in float32."""
        level = self.config.num_levels - 1 if level is None else level
        x = self._enter(images, maps, level)
        for i in range(level - 1, -1, -1):
            x = self.blocks[i](x)
            amount = alpha if i == level - 1 else None
            if self.config.skips:
                images = ops.downsample(images)
                x = self._enter(images, maps, i) + (x if amount is None else tf.cast(amount, x.dtype) * x)
            elif amount is not None:
                x = ops.lerp(self._enter(ops.downsample(images), maps, i), x, amount)
        x = ops.leaky_relu(self.conv(self.stddev(tf.cast(x, tf.float32))))
        return ops.leaky_relu(self.dense(tf.reshape(x, [-1, self.dense.kernel.shape[0]])))

    def _enter(self, images, maps, level):
        """The first features of pictures of a level's size, [N, H, W, C]."""
        x = self.from_rgb[level](images)
        if maps is not None:
            x += self.from_maps[level](maps[level])
        if self.from_differences is not None:
            x += self.from_differences[level](article_differences(images, maps[level], len(self.config.slots)))
        return ops.leaky_relu(x)


def projection(features, embedding):
    """The inner product of features and condition, [N, F] x [N, F] -> [N].

    Divided by the square root of the width, so that it starts at the scale of the unconditional score.
    """
    width = features.shape[-1]
    return tf.reduce_sum(features * tf.cast(embedding, tf.float32), axis=-1) / width**0.5
