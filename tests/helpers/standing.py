"""Somebody who stands in a picture as the upright figure of `pose.frames` does.

Places are in torso lengths from the thorax, x to the picture's right and y downwards. A torso is 16 pixels long, and the
thorax is the center of a pixel: so every multiple of 1/16 is one.
"""

import numpy as np

from tf_outfit_gan.pose.mpii import JOINTS

SIZE = (64, 48)
TORSO = 16
FIGURE = {
    "head_top": (0, -0.6),
    "upper_neck": (0, -0.2),
    "thorax": (0, 0),
    "shoulder": (0.34, 0),
    "elbow": (0.5, 0.53),
    "wrist": (0.6, 1.02),
    "pelvis": (0, 1),
    "hip": (0.16, 1),
    "knee": (0.21, 1.81),
    "ankle": (0.27, 2.62),
}


def standing(**moved):
    """The pose [1, K, 3]; `moved` gives joints other places, such as `left_wrist=(1, 0)`."""
    pose = np.ones((1, len(JOINTS), 3), np.float32)
    for index, name in enumerate(JOINTS):
        side, _, kind = name.partition("_") if name.startswith(("right", "left")) else ("", "", name)
        x, y = FIGURE[kind]
        # The person's right is the picture's left.
        x, y = moved.get(name, (-x if side == "right" else x, y))
        pose[0, index, :2] = (24.5 + TORSO * x) / SIZE[1], (16.5 + TORSO * y) / SIZE[0]
    return pose


def without(pose, *names):
    """The pose without joints whose names contain one of these."""
    hidden = pose.copy()
    hidden[0, [any(part in joint for part in names) for joint in JOINTS], 2] = 0
    return hidden


def pixel(x, y):
    """(row, column) of a place that is the center of a pixel."""
    column, row = 24 + TORSO * x, 16 + TORSO * y
    assert row == int(row) and column == int(column)
    return int(row), int(column)
