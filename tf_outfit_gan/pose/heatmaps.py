"""Poses as pictures: one Gaussian a joint, the way the paper shows a pose to its networks (arXiv 1908.08847, figure 2).

Maps are drawn in the graph, on the accelerator: a pose travels as 48 numbers, its maps at 1024x768 would be 50 MB.
"""

import tensorflow as tf

# Standard deviation in heights: about 20.8 pixels of 1024, measured on the paper's figures, the same at every size.
SIGMA = 0.0204


def render_heatmaps(keypoints, size, dtype="float32", sigma=SIGMA):
    """Draws poses [N, K, 3] = [x in widths, y in heights, v] as maps [N, H, W, K] of values in [0, 1].

    The peak is 1 and nothing is cut off. Joints may lie outside the frame: what of their Gaussian falls inside is
    drawn. A joint with v = 0 or a coordinate that is not finite has an empty map.
    """
    height, width = size
    keypoints = tf.cast(keypoints, tf.float32)  # bfloat16 cannot hold a position to the pixel.
    x, y, visible = tf.unstack(keypoints, axis=-1)  # [N, K] each
    visible = tf.math.is_finite(x) & tf.math.is_finite(y) & (visible > 0)
    # A hidden joint's coordinate may be NaN, and 0 * NaN is NaN: replace it before it is used.
    x, y = tf.where(visible, x, 0), tf.where(visible, y, 0)

    # Distances from pixel centres, both in heights: the Gaussian is round on the screen.
    dx = (_centres(width)[:, None] - x[:, None]) * (width / height)  # [N, W, K]
    dy = _centres(height)[:, None] - y[:, None]  # [N, H, K]

    # A Gaussian in the plane is the outer product of two on the axes.
    gx = tf.exp(-0.5 * tf.square(dx / sigma)) * tf.cast(visible, tf.float32)[:, None]
    gy = tf.exp(-0.5 * tf.square(dy / sigma))
    return tf.cast(gy, dtype)[:, :, None, :] * tf.cast(gx, dtype)[:, None, :, :]  # [N, H, W, K]


def _centres(n):
    return (tf.range(n, dtype=tf.float32) + 0.5) / n
