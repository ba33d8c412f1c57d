"""The head, cut out of a picture by the pose: always upright and of one size, so that heads compare place by place."""

import numpy as np

from tf_outfit_gan.pose.mpii import JOINTS

NECK, HEAD_TOP = JOINTS.index("upper_neck"), JOINTS.index("head_top")

# Places are [up, right], in lengths from the upper neck to the top of the head: (from, to) of each. They were chosen by
# the eye on paper dolls: the head holds hair of any length but no collar, hair and face hold little else.
HEAD = ((1.2, 0.15), (-0.5, 0.5))
HAIR = ((1.0, 0.85), (-0.2, 0.2))
FACE = ((0.6, 0.3), (-0.2, 0.2))

# Points along each side of a patch.
POINTS = 16


def patch(pictures, keypoints, place=HEAD):
    """Samples a place of heads, uint8 [N, P, P, 3], bilinearly; what lies outside of a picture is its border's color.

    Args:
        pictures: uint8 [N, H, W, 3].
        keypoints: the poses [N, K, 3] that they were drawn in; both joints must be there: see `has_head`.
        place: `HEAD`, `HAIR` or `FACE`.
    """
    height, width = pictures.shape[1:3]
    joints = keypoints[:, [NECK, HEAD_TOP], :2].astype(np.float64) * [width, height]  # Pixels.
    neck, up = joints[:, 0], joints[:, 1] - joints[:, 0]
    right = np.stack([-up[:, 1], up[:, 0]], axis=-1)  # For an upright head the right of the picture.
    ups, rights = (np.linspace(*side, POINTS) for side in place)
    points = neck[:, None, None] + ups[:, None, None] * up[:, None, None] + rights[:, None] * right[:, None, None]
    return np.rint(_bilinear(pictures, points - 0.5)).astype(np.uint8)  # The center of pixel 0 lies at 0.5.


def has_head(keypoints):
    """Which of the poses [N, K, 3] have the joints that place a head, bool [N]."""
    neck, top = keypoints[:, NECK], keypoints[:, HEAD_TOP]
    return (neck[:, 2] > 0) & (top[:, 2] > 0) & (neck[:, :2] != top[:, :2]).any(axis=-1)


def _bilinear(pictures, points):
    """Values of pictures [N, H, W, 3] at points [N, P, P, 2] = (x, y), in pixels from the center of the first one."""
    last = np.array(pictures.shape[2:0:-1]) - 1  # (x, y)
    points = np.clip(points, 0, last)
    start = np.minimum(np.floor(points).astype(int), np.maximum(last - 1, 0))
    (x, y), (right, down) = np.moveaxis(start, -1, 0), np.moveaxis(points - start, -1, 0)[..., None]
    x1, y1 = np.minimum(x + 1, last[0]), np.minimum(y + 1, last[1])
    rows = np.arange(len(pictures))[:, None, None]
    above = pictures[rows, y, x] * (1 - right) + pictures[rows, y, x1] * right
    below = pictures[rows, y1, x] * (1 - right) + pictures[rows, y1, x1] * right
    return above * (1 - down) + below * down
