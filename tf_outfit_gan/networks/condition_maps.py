"""Conditions as maps: where pose and articles enter a network in their place in the picture, beside the style vector.

The paper's networks see conditions through an embedding alone, and a vector of 512 numbers carries neither a limb's place
nor a stripe. Maps are drawn for each level: Gaussians and bones for the pose, and each article's picture laid over
the part of the body that wears it. Nothing here is learned. Measurements are in docs/measured.md.
"""

import math

import keras
import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.layers import EqualizedConv2D
from tf_outfit_gan.networks.blocks import built
from tf_outfit_gan.networks.serialization import ConfigSerialization
from tf_outfit_gan.pose.frames import article_frames
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

    Output shape: [N, H, W, 3].
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


def article_map(slots, keypoints, articles, size):
    """Lays the articles' pictures over the body that wears them, [N, H, W, 3S] in [-1, 1]; 0 where there is nothing.

    An article that lies in two frames, such as a pair of shoes at two feet, shows in the first one where they overlap.

    Args: as for `maps_by_level`, and the (height, width) of the map.
    """
    # A frame is about half as high as the picture: an article of many more pixels would alias.
    _, _, height, width, _ = articles.shape
    flat = tf.reshape(tf.cast(articles, tf.float32), [-1, height, width, 3])  # [NS, h, w, 3]
    while 2 * flat.shape[1] > size[0] and min(flat.shape[1:3]) % 2 == 0:
        flat = ops.downsample(flat)
    inside = cut_out(flat)
    flat = flat * tf.cast(inside, tf.float32)[..., None]
    articles = tf.reshape(flat, [-1, len(slots), *flat.shape[1:]])
    scale, top = fit(slots, tf.reshape(inside, [-1, len(slots), *flat.shape[1:3]]))  # [N, S]

    # All frames of all slots are sampled by one call: one by one they would be most of the operations of a step's graph.
    frames = article_frames(slots, keypoints, size)
    places = [place for of_slot in frames for place in of_slot]
    x, y = (tf.stack(x, axis=1) for x in zip(*places))  # [N, F, H, W]
    owners = [slot for slot, of_slot in enumerate(frames) for _ in of_slot]
    scale, top = (tf.gather(x, owners, axis=1)[..., None, None] for x in (scale, top))
    u, v = (tf.reshape(z, [-1, *size]) for z in (0.5 + scale * x, 0.75 * scale * (y - top)))
    pictures = tf.reshape(tf.gather(articles, owners, axis=1), [-1, *flat.shape[1:]])  # [NF, h, w, 3]
    layers = tf.unstack(tf.reshape(warp(pictures, u, v), [-1, len(places), *size, 3]), axis=1)

    # The first layer of a slot lies on top.
    drawn = [None] * len(slots)
    for slot, layer in reversed(list(zip(owners, layers))):
        below = drawn[slot]
        drawn[slot] = layer if below is None else tf.where(tf.reduce_any(layer != 0, axis=-1, keepdims=True), layer, below)
    return tf.concat(drawn, axis=-1)


BORDER = 0.06
WAISTS = {"outerwear": 0.36, "top": 0.31, "dress": 0.31, "bottom": 0.31}
NECK, WAISTBAND = -0.18, 0.68


def cut_out(pictures):
    """Whether an article's picture [N, h, w, 3] shows the article: what differs from the border, and what lies between."""
    edge = tf.concat([pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]], axis=1)  # [N, P, 3]
    border = tf.sort(edge, axis=1)[:, edge.shape[1] // 2][:, None, None]
    differs = tf.cast(tf.reduce_max(tf.abs(pictures - border), axis=-1) > BORDER, tf.float32)
    inside = tf.ones_like(differs, tf.bool)
    for axis in (1, 2):
        for reverse in (False, True):
            inside &= tf.cumsum(differs, axis=axis, reverse=reverse) > 0
    return inside


def fit(slots, inside):
    """How articles lie in their pictures: (scale, top), [N, S] each: torso lengths to widths, and y of the picture's upper edge."""
    height, width = inside.shape[2:]
    inside = tf.cast(inside, tf.float32)
    rows = tf.reduce_max(inside, axis=-1)  # [N, S, h]
    first = tf.reduce_sum(tf.cast(tf.cumsum(rows, axis=-1) == 0, tf.float32), -1) / height
    tall = tf.reduce_sum(rows, axis=-1) / height
    left, right = inside[..., : width // 2][..., ::-1], inside[..., width // 2 :]
    half = sum(tf.reduce_sum(tf.math.cumprod(x, axis=-1), -1) for x in (left, right)) / (2 * width)  # [N, S, h]
    v = (tf.range(height, dtype=tf.float32) + 0.5) / height
    depth = (v - first[..., None]) / tall[..., None]  # of the article
    low = tf.constant([slot == "bottom" for slot in slots])[None, :, None]
    band = tf.where(low, (depth > 0.04) & (depth < 0.15), (depth > 0.2) & (depth < 0.75)) & (half > 0)
    narrow = tf.reduce_min(tf.where(band, half, 1.0), axis=-1)
    fitted = tf.constant([slot in ("outerwear", "top", "dress", "bottom") for slot in slots])[None]
    scale = tf.clip_by_value(narrow / tf.constant([WAISTS.get(slot, 1.0) for slot in slots])[None], 0.2, 2.0)
    start = tf.constant([WAISTBAND if slot == "bottom" else NECK for slot in slots])[None]
    return tf.where(fitted, scale, 1.0), tf.where(fitted, start - first / (0.75 * scale), 0.0)


def article_differences(images, maps, slots):
    """How far pictures are from the articles that lie over them: what a discriminator would need many channels to find out.

    Args:
        images: [N, H, W, 3] in [-1, 1].
        maps: the level's, from `maps_by_level` with `worn`, [N, H, W, M].
        slots: the number of slots, S.

    Output shape: [N, H, W, 3S] in [0, 2]; 0 where no article of the slot lies.
    """
    articles = tf.reshape(maps[..., -3 * slots :] * POSE_GAIN, [-1, *maps.shape[1:3], slots, 3])
    covered = tf.reduce_any(articles != 0, axis=-1, keepdims=True)
    differences = tf.abs(tf.cast(images, articles.dtype)[:, :, :, None] - articles) * tf.cast(covered, articles.dtype)
    return tf.reshape(differences, [-1, *maps.shape[1:3], 3 * slots])


def compose(drawn, maps, slots):
    """The picture that a generator draws, with articles shown through it where it lets them.

    Args:
        drawn: [N, H, W, 3 + S]: colors, and for each slot the log odds of its article against them.
        maps: the level's, from `maps_by_level` with `worn`, [N, H, W, M].
        slots: the number of slots, S.

    Output shape: [N, H, W, 3].
    """
    articles = tf.reshape(tf.cast(maps[..., -3 * slots :], drawn.dtype) * POSE_GAIN, [-1, *maps.shape[1:3], slots, 3])
    covered = tf.reduce_any(articles != 0, axis=-1)
    odds = tf.where(covered, drawn[..., 3:], -1e9)
    shares = tf.nn.softmax(tf.concat([tf.zeros_like(odds[..., :1]), odds], axis=-1))[..., None]
    return tf.reduce_sum(shares * tf.concat([drawn[..., None, :3], articles], axis=-2), axis=-2)


def warp(images, u, v):
    """Samples pictures at places between their pixels, bilinearly; beyond their edges there is 0.

    Args:
        images: [N, h, w, C].
        u, v: for each pixel of the result where to look, in widths and heights of the picture, [N, H, W] each; NaN for
            nowhere.

    Output shape: [N, H, W, C].
    """
    _, height, width, channels = images.shape
    pixels = tf.reshape(images, [-1, height * width, channels])
    x, y = u * width - 0.5, v * height - 0.5
    inside = (u >= 0) & (u <= 1) & (v >= 0) & (v <= 1)  # False for NaN.
    x, y = tf.where(inside, x, 0), tf.where(inside, y, 0)
    left, top = tf.math.floor(x), tf.math.floor(y)

    # Four neighbors, each weighted by how near it is. At the border a neighbor outside is the border's own pixel.
    total = 0.0
    for step_y in (0, 1):
        for step_x in (0, 1):
            weight = tf.abs(1 - step_x - (x - left)) * tf.abs(1 - step_y - (y - top)) * tf.cast(inside, tf.float32)
            column = tf.clip_by_value(left + step_x, 0, width - 1)
            row = tf.clip_by_value(top + step_y, 0, height - 1)
            # Reshaped as floats: integers are reshaped in the memory of the host, also of a machine with a GPU.
            index = tf.cast(tf.reshape(row * width + column, [-1, math.prod(u.shape[1:])]), tf.int32)
            taps = tf.gather(pixels, index, batch_dims=1)
            total += weight[..., None] * tf.reshape(taps, [-1, *u.shape[1:], channels])
    return total
