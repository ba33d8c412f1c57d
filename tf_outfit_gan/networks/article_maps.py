"""Articles laid over the body that wears them.

An article is cut out of its picture, found to be as large as its trunk or waist is wide there, and laid part by part over the
body, by the frames of `pose.frames`. Nothing is learned. Measurements are in docs/measured.md.
"""

import math

import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.pose.frames import FITTED, article_frames

# How far a color differs from the picture's border where the article is, in [-1, 1]: eight steps of 255.
BACKGROUND = 0.06
# Half of an article's width where it is narrowest, in torso lengths of the upright figure of `pose.frames`.
HALF_WIDTHS = {"outerwear": 0.36, "top": 0.31, "dress": 0.31, "bottom": 0.31}
# Where that is, in heights of the article from its upper edge.
WAIST, WAISTBAND = (0.2, 0.75), (0.04, 0.15)
# The height of an article's upper edge at the upright figure.
NECK, HIPS = -0.18, 0.68


def article_map(slots, keypoints, articles, size):
    """Lays the articles' pictures over the body that wears them, [N, H, W, 3S] in [-1, 1]; 0 where there is nothing.

    An article that several frames show, such as a pair of shoes at two feet, shows in the first one where they overlap.

    Args:
        slots: names of the articles' slots.
        keypoints: [N, K, 3].
        articles: [N, S, h, w, 3] in [-1, 1], 0 for a missing article.
        size: (height, width) of the map.
    """
    # An article is about half as high as the picture: one of many more pixels would alias.
    _, _, height, width, _ = articles.shape
    flat = tf.reshape(tf.cast(articles, tf.float32), [-1, height, width, 3])  # [NS, h, w, 3]
    while 2 * flat.shape[1] > size[0] and min(flat.shape[1:3]) % 2 == 0:
        flat = ops.downsample(flat)
    shown = cut_out(flat)
    pixels = tf.reshape(shown, [-1, len(slots), *flat.shape[1:3]])  # [N, S, h, w]
    scale, top = fit(slots, pixels)  # [N, S]

    # The first frame of a slot lies on top: each pixel is sampled once a slot, as that is most of the work.
    frames = article_frames(slots, keypoints, size)
    places = []
    for slot, of_slot in enumerate(frames):
        u, v = (tf.stack(place, axis=1) for place in zip(*of_slot))  # [N, F, H, W]
        u = 0.5 + scale[:, slot, None, None, None] * u
        v = scale[:, slot, None, None, None] * (v - top[:, slot, None, None, None]) * (flat.shape[2] / flat.shape[1])
        places.append(_first(_at(pixels[:, slot], u, v), u, v))
    u, v = (tf.reshape(tf.stack(place, axis=1), [-1, *size]) for place in zip(*places))  # [NS, H, W]
    share = tf.cast(shown, tf.float32)[..., None]
    warped = warp(tf.concat([without_rims(flat, share) * share, share], axis=-1), u, v)
    # Between an article and its background lies the article's own color.
    drawn = tf.reshape(tf.math.divide_no_nan(warped[..., :3], warped[..., 3:]), [-1, len(slots), *size, 3])
    return tf.concat(tf.unstack(drawn, axis=1), axis=-1)


def _at(shown, u, v):
    """Whether the pixels nearest to places [N, F, H, W] are among those that are shown, [N, h, w]; not for NaN."""
    height, width = shown.shape[1:]
    inside = (u >= 0) & (u < 1) & (v >= 0) & (v < 1)
    # A place between two pixels, as on the middle of a body, must not depend on rounding: it is the latter one's.
    row, column = (
        tf.minimum(tf.floor(tf.where(inside, place, 0) * count + 1e-4), count - 1.0) for place, count in ((v, height), (u, width))
    )
    pixel = row * width + column
    # Reshaped as floats: integers are reshaped in the memory of the host, also of a machine with a GPU.
    index = tf.cast(tf.reshape(pixel, [-1, math.prod(u.shape[1:])]), tf.int32)
    found = tf.gather(tf.reshape(tf.cast(shown, tf.float32), [-1, height * width]), index, batch_dims=1)
    return inside & (tf.reshape(found, [-1, *u.shape[1:]]) > 0)


def _first(there, *places):
    """Of places [N, F, H, W] the first ones that are there, [N, H, W] each; NaN without one."""
    found = [tf.fill(tf.shape(place[:, 0]), math.nan) for place in places]
    for frame in reversed(range(there.shape[1])):
        found = [tf.where(there[:, frame], place[:, frame], below) for place, below in zip(places, found)]
    return found


def cut_out(pictures):
    """Where articles are in their pictures: all that differs from the border's median color, and what lies between.

    Args:
        pictures: [N, h, w, 3] in [-1, 1].

    Output shape: [N, h, w] of bool; an article that is as light as its background is found by its outline.
    """
    border = tf.concat([pictures[:, 0], pictures[:, -1], pictures[:, :, 0], pictures[:, :, -1]], axis=1)  # [N, P, 3]
    color = tf.sort(border, axis=1)[:, border.shape[1] // 2][:, None, None]
    differs = tf.cast(tf.reduce_max(tf.abs(pictures - color), axis=-1) > BACKGROUND, tf.float32)
    sides = [tf.cumsum(differs, axis=axis, reverse=reverse) > 0 for axis in (1, 2) for reverse in (False, True)]
    return tf.reduce_all(tf.stack(sides), axis=0)


def without_rims(pictures, shown):
    """Articles whose outermost pixels, which are mixed with paper, take the color of the pixels beside them that are not.

    Args:
        pictures: [N, h, w, 3].
        shown: 1 where the article is, 0 elsewhere, [N, h, w, 1].

    Output shape: [N, h, w, 3]; pixels beside none such stay as they are.
    """
    inner = 1 - tf.nn.max_pool2d(1 - shown, 3, 1, "SAME")
    beside = tf.nn.avg_pool2d(tf.concat([pictures * inner, inner], axis=-1), 3, 1, "SAME")
    mean, found = beside[..., :3], beside[..., 3:]
    return tf.where((inner == 0) & (found > 0), tf.math.divide_no_nan(mean, found), pictures)


def fit(slots, shown):
    """How the upright figure of `pose.frames` stands in the articles' pictures.

    An article shows its size by its width at the waist. A skirt, coat or sleeve ends where it does in the picture.

    Args:
        slots: names of the articles' slots.
        shown: from `cut_out`, [N, S, h, w].

    Returns:
        (scale, top), [N, S] each: widths of the picture in a torso length, and y of the picture's upper edge, in torso
        lengths from the thorax. 1 and 0 for slots that the figure does not wear.
    """
    height, width = shown.shape[2:]
    shown = tf.cast(shown, tf.float32)
    rows = tf.reduce_max(shown, axis=-1)  # [N, S, h]
    first = tf.reduce_sum(tf.cast(tf.cumsum(rows, axis=-1) == 0, tf.float32), axis=-1)  # [N, S], the row of the upper edge.
    depth = tf.range(height, dtype=tf.float32) + 0.5 - first[..., None]
    depth = tf.math.divide_no_nan(depth, tf.reduce_sum(rows, axis=-1, keepdims=True))  # In heights of the article.

    # From the middle to both sides without a gap: sleeves do not count.
    halves = shown[..., : width // 2][..., ::-1], shown[..., width // 2 :]
    reached = [tf.cast(tf.cumsum(1 - half, axis=-1) == 0, tf.float32) for half in halves]
    half_width = sum(tf.reduce_sum(half, axis=-1) for half in reached) / (2 * width)  # [N, S, h]
    low, high = tf.unstack(tf.constant([WAISTBAND if slot == "bottom" else WAIST for slot in slots]), axis=-1)
    there = (depth > low[:, None]) & (depth < high[:, None]) & (half_width > 0)
    narrowest = tf.reduce_min(tf.where(there, half_width, 1.0), axis=-1)  # [N, S]
    fitted = tf.constant([slot in FITTED for slot in slots])
    scale = tf.clip_by_value(narrowest / tf.constant([HALF_WIDTHS.get(slot, 1.0) for slot in slots]), 0.2, 2.0)
    edge = tf.constant([HIPS if slot == "bottom" else NECK for slot in slots])
    return tf.where(fitted, scale, 1.0), tf.where(fitted, edge - first / (width * scale), 0.0)


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
