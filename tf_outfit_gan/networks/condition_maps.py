"""Conditions as maps: where pose and articles enter a network in their place in the picture, beside the style vector.

The paper's networks see conditions through an embedding alone, and a vector of 512 numbers carries neither a limb's place
nor a stripe. Maps are drawn for each level: Gaussians and bones for the pose, and each article's picture laid over the body
(`article_maps`). Measurements are in docs/measured.md.
"""

import keras
import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.layers import EqualizedConv2D
from tf_outfit_gan.networks.article_maps import article_map
from tf_outfit_gan.networks.blocks import built
from tf_outfit_gan.networks.serialization import ConfigSerialization
from tf_outfit_gan.pose.heatmaps import SIGMA, render_bones, render_heatmaps
from tf_outfit_gan.pose.mpii import LIMBS, NUM_JOINTS

# Maps of poses are nearly empty, and equalized-learning-rate layers assume inputs of equal variance: they are scaled up.
POSE_GAIN = 4.0
# Up to this height a Gaussian keeps its width in pixels, two thirds of one: a narrower one would fall between them.
SHARP_HEIGHT = 32
HIDDEN = 32  # Channels between maps and picture: a few for each color of each slot.


def maps_by_level(sizes, slots, keypoints, articles, *, pose, worn):
    """Draws the maps of each level, a list of [N, H, W, M] from the base up; None where neither kind is asked for.

    Args:
        sizes: (height, width) of each level, from the base up.
        slots: names of the articles' slots.
        keypoints: [N, K, 3].
        articles: [N, S, h, w, 3] in [-1, 1], 0 for a missing article.
        pose: whether the maps hold the pose: K joints and then B bones, in [0, 1].
        worn: whether they hold the articles, 3 channels a slot. They are drawn once, for the largest level, and
            averaged down for the others. As they are fuller than a pose's maps, they are scaled down: see `maps_conv`.
    """
    kinds = []
    if pose:
        kinds.append([pose_map(keypoints, size) for size in sizes])
    if worn:
        levels = [article_map(slots, keypoints, articles, sizes[-1]) / POSE_GAIN]
        while len(levels) < len(sizes):
            levels.insert(0, ops.downsample(levels[0]))
        kinds.append(levels)
    return [tf.concat(level, axis=-1) for level in zip(*kinds)] if kinds else None


def maps_conv(size, slots, channels, *, pose, worn, kernel_size=None, **kwargs):
    """The convolution through which a level's maps enter; None where there are none.

    Unless said otherwise a pixel sees its neighbors where maps are sharp. At larger sizes they say nearly the same, and would
    cost nine times as much.
    """
    count = (NUM_JOINTS + len(LIMBS)) * pose + 3 * len(slots) * worn
    if not count:
        return None
    kernel_size = kernel_size or (3 if size[0] <= SHARP_HEIGHT else 1)
    return built(EqualizedConv2D(channels, kernel_size, gain=POSE_GAIN, **kwargs), (None, *size, count))


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class MapsToRGB(ConfigSerialization, keras.layers.Layer):
    """What a level's maps add to its picture, pixel by pixel, as the level's features let them.

    AdaIN divides each channel by its spread over the picture, to which an article adds as it is more intense. This way to the
    picture has no normalization.

    Args:
        config: the `ModelConfig`.
        level: 0 = the base.

    Call arguments:
        x: the level's features, [N, H, W, C].
        maps: its condition maps, [N, H, W, M].

    Output shape: [N, H, W, 3], with `composition` [N, H, W, 3 + S].
    """

    def __init__(self, config, level, **kwargs):
        super().__init__(**kwargs)
        self.config, self.level = config, level
        size, policy = config.level_sizes[level], dict(dtype=self.dtype_policy.name)
        self.from_features = built(EqualizedConv2D(HIDDEN, 1, **policy), (None, *size, config.channels(level)))
        self.from_maps = maps_conv(size, config.slots, HIDDEN, kernel_size=1, **config.generator_maps, **policy)
        self.out = built(EqualizedConv2D(config.drawn_channels, 1, gain=1.0, **policy), (None, *size, HIDDEN))
        self.built = True

    def call(self, x, maps):
        return self.out(ops.leaky_relu(self.from_features(x) + self.from_maps(maps)))


def pose_map(keypoints, size):
    """Draws poses [N, K, 3] for the level of a size: K joints and then B bones, [N, H, W, K + B] in [0, 1]."""
    sigma = SIGMA * max(1.0, SHARP_HEIGHT / size[0])
    return tf.concat([draw(keypoints, size, sigma=sigma) for draw in (render_heatmaps, render_bones)], axis=-1)


def compose(drawn, maps, slots):
    """The picture that a generator draws, with articles in it where it lets them show.

    Args:
        drawn: [N, H, W, 3 + S]: colors, and for each slot the log odds of its article against them.
        maps: the level's, from `maps_by_level` with `worn`, [N, H, W, M].
        slots: the number of slots, S.

    Output shape: [N, H, W, 3].
    """
    articles = _articles(maps, slots, drawn.dtype)
    odds = tf.where(tf.reduce_any(articles != 0, axis=-1), drawn[..., 3:], drawn.dtype.min)
    shares = tf.nn.softmax(tf.concat([tf.zeros_like(odds[..., :1]), odds], axis=-1))[..., None]
    return tf.reduce_sum(shares * tf.concat([drawn[..., None, :3], articles], axis=-2), axis=-2)


def article_differences(images, maps, slots):
    """How far pictures are from the articles that lie over them: what a discriminator would need many channels to find out.

    Args:
        images: [N, H, W, 3] in [-1, 1].
        maps: the level's, from `maps_by_level` with `worn`, [N, H, W, M].
        slots: the number of slots, S.

    Output shape: [N, H, W, 3S] in [0, 2]; 0 where no article of the slot lies.
    """
    articles = _articles(maps, slots, maps.dtype)
    covered = tf.reduce_any(articles != 0, axis=-1, keepdims=True)
    differences = tf.abs(tf.cast(images, articles.dtype)[:, :, :, None] - articles) * tf.cast(covered, articles.dtype)
    return tf.reshape(differences, [-1, *maps.shape[1:3], 3 * slots])


def _articles(maps, slots, dtype):
    """The articles of condition maps [N, H, W, M] as they lie over the body, [N, H, W, S, 3] in [-1, 1]."""
    return tf.reshape(tf.cast(maps[..., -3 * slots :], dtype) * POSE_GAIN, [-1, *maps.shape[1:3], slots, 3])
