"""Poses as pictures: one Gaussian a joint, the way the paper shows a pose to its networks (arXiv 1908.08847, figure 2).

Bones between the joints can be drawn as well: the paper's networks see none. Maps are drawn in the graph, on the
accelerator: a pose travels as 48 numbers, its maps at 1024x768 would be 50 MB.
"""

import tensorflow as tf

from tf_outfit_gan.pose.mpii import LIMBS

# Standard deviation in heights: about 20.8 pixels of 1024, measured on the paper's figures, the same at every size.
SIGMA = 0.0204


def render_heatmaps(keypoints: tf.Tensor, size: tuple[int, int], dtype: str = "float32", sigma: float = SIGMA) -> tf.Tensor:
    """Draws poses [N, K, 3] = [x in widths, y in heights, v] as maps [N, H, W, K] of values in [0, 1].

    The peak is 1 and nothing is cut off. Joints may lie outside the frame: what of their Gaussian falls inside is
    drawn. A joint with v = 0 or a coordinate that is not finite has an empty map.
    """
    height, width = size
    x, y, visible = _joints(keypoints)

    # Distances from pixel centers, both in heights: the Gaussian is round on the screen.
    dx = (_centers(width)[:, None] - x[:, None]) * (width / height)  # [N, W, K]
    dy = _centers(height)[:, None] - y[:, None]  # [N, H, K]

    # A Gaussian in the plane is the outer product of two on the axes.
    gx = tf.exp(-0.5 * tf.square(dx / sigma)) * tf.cast(visible, tf.float32)[:, None]
    gy = tf.exp(-0.5 * tf.square(dy / sigma))
    return tf.cast(gy, dtype)[:, :, None, :] * tf.cast(gx, dtype)[:, None, :, :]  # [N, H, W, K]


def render_bones(keypoints: tf.Tensor, size: tuple[int, int], sigma: float = SIGMA) -> tf.Tensor:
    """Draws the bones of poses [N, K, 3] as maps [N, H, W, B], in the order of `LIMBS`, each with a joint's softness.

    The height at a pixel is that of a Gaussian whose distance is the pixel's from the bone, both its ends included. A
    bone that lacks a joint has an empty map.
    """
    height, width = size
    x, y, visible = _joints(keypoints)
    ends, starts = ([limb[side] for limb in LIMBS] for side in (0, 1))
    # A bone is its start and the way to its end, [N, B] each; all distances are in heights.
    x0, y0, there = (tf.gather(value, starts, axis=1)[:, None, None] for value in (x * (width / height), y, visible))
    x1, y1, end_there = (tf.gather(value, ends, axis=1)[:, None, None] for value in (x * (width / height), y, visible))
    bone_x, bone_y = x1 - x0, y1 - y0  # [N, 1, 1, B]

    # Each pixel's place beside the start, and how far along the bone it is nearest to it, from 0 to 1.
    dx = (_centers(width) * (width / height))[None, None, :, None] - x0  # [N, 1, W, B]
    dy = _centers(height)[None, :, None, None] - y0  # [N, H, 1, B]
    squared_length = tf.square(bone_x) + tf.square(bone_y)
    along = tf.clip_by_value(tf.math.divide_no_nan(dx * bone_x + dy * bone_y, squared_length), 0, 1)  # [N, H, W, B]

    squared = tf.square(dx - along * bone_x) + tf.square(dy - along * bone_y)
    return tf.where(there & end_there, tf.exp(squared * (-0.5 / sigma**2)), 0)


def _joints(keypoints: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """x, y and whether the joint is there, [N, K] each."""
    keypoints = tf.cast(keypoints, tf.float32)  # bfloat16 cannot hold a position to the pixel.
    x, y, visible = tf.unstack(keypoints, axis=-1)
    visible = tf.math.is_finite(x) & tf.math.is_finite(y) & (visible > 0)
    # A hidden joint's coordinate may be NaN, and 0 * NaN is NaN: replace it before it is used.
    return tf.where(visible, x, 0), tf.where(visible, y, 0), visible


def _centers(n: int) -> tf.Tensor:
    return (tf.range(n, dtype=tf.float32) + 0.5) / n
