"""What Simple Baselines does to its pictures in training: turned, scaled and moved (arXiv 1804.06208, section 3); and
seen from afar.

Mirroring happens in the data pipeline. The last is ours: pictures that a small generator drew are smaller than what the
estimator looks at, and become soft when they are enlarged; half of the training pictures are made so.
"""

import math

import tensorflow as tf

ROTATION = math.radians(20)  # Drawn evenly up to this, either way. The paper turns photos of sports by 40 degrees.
SCALE = 1.25  # Drawn evenly in octaves between 1 / SCALE and SCALE.
SHIFT = 0.08  # Of the picture's sides, either way.
SOFT = 0.5  # The part of pictures that are halved and enlarged again.


def augment(pictures, keypoints, seed):
    """Returns changed pictures [N, H, W, 3] and their poses [N, K, 3]; joints that leave the frame are gone (v = 0).

    Args:
        seed: int [2] for stateless draws: the same seed gives the same changes.
    """
    number = tf.shape(pictures)[0]
    draws = tf.random.stateless_uniform([6, number], seed, -1, 1)
    angle, scale = ROTATION * draws[0], SCALE ** draws[1]
    pictures, keypoints = _moved(pictures, keypoints, angle, scale, SHIFT * draws[2], SHIFT * draws[3])
    soft = draws[4] < 2 * SOFT - 1
    return tf.where(soft[:, None, None, None], _softened(pictures), pictures), keypoints


def _moved(pictures, keypoints, angle, scale, right, down):
    """Turns and scales about the middle, then moves by parts of the sides; what comes in continues the border."""
    height, width = pictures.shape[1:3]
    cos, sin = tf.cos(angle) / scale, tf.sin(angle) / scale
    # The operation wants where an output's pixel comes from, by the pixels' indices: x = c (x' - a) + s (y' - b) + m.
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    to_x, to_y = middle_x + right * width, middle_y + down * height
    zeros = tf.zeros_like(cos)
    transforms = tf.stack(
        [cos, sin, middle_x - cos * to_x - sin * to_y, -sin, cos, middle_y + sin * to_x - cos * to_y, zeros, zeros], axis=1
    )  # [N, 8]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=pictures,
        transforms=transforms,
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="NEAREST",
    )

    # Joints go the other way, in pixels from the middle.
    x, y, v = tf.unstack(keypoints, axis=-1)  # [N, K] each
    x, y = (x - 0.5) * width, (y - 0.5) * height
    cos, sin = (tf.cos(angle) * scale)[:, None], (tf.sin(angle) * scale)[:, None]
    x, y = cos * x - sin * y, sin * x + cos * y
    x, y = x / width + 0.5 + right[:, None], y / height + 0.5 + down[:, None]
    inside = (v > 0) & (x > 0) & (x < 1) & (y > 0) & (y < 1)
    return moved, tf.where(inside[..., None], tf.stack([x, y, tf.ones_like(v)], axis=-1), 0.0)


def _softened(pictures):
    height, width = pictures.shape[1:3]
    small = tf.image.resize(pictures, [height // 2, width // 2], "area")
    return tf.image.resize(small, [height, width], "bicubic")
