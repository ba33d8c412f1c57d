"""The 16 body joints of MPII Human Pose, in the order of Xiao et al. 2018 ("Simple Baselines", the paper's estimator).

Inside this project a pose is float32 [K, 3] = [x in widths, y in heights, v in {0, 1}]. The center of pixel i of n lies
at (i + 0.5) / n. Right and left are the person's own.
"""

import numpy as np
from numpy.typing import ArrayLike

JOINTS = (
    "right_ankle",
    "right_knee",
    "right_hip",
    "left_hip",
    "left_knee",
    "left_ankle",
    "pelvis",
    "thorax",
    "upper_neck",
    "head_top",
    "right_wrist",
    "right_elbow",
    "right_shoulder",
    "left_shoulder",
    "left_elbow",
    "left_wrist",
)
NUM_JOINTS = len(JOINTS)

# What a mirror exchanges: a picture's right hand becomes a left hand.
FLIP_PAIRS = ((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13))

# Joint i hangs from PARENTS[i]; the pelvis is its own parent.
PARENTS = (1, 2, 6, 6, 3, 4, 6, 6, 7, 8, 11, 12, 7, 7, 13, 14)

# Bones as (joint, parent), for drawings of the skeleton.
LIMBS = tuple((joint, parent) for joint, parent in enumerate(PARENTS) if joint != parent)

# MIRROR[i] is the joint that i becomes.
MIRROR = list(range(NUM_JOINTS))
for _a, _b in FLIP_PAIRS:
    MIRROR[_a], MIRROR[_b] = _b, _a


def mirror(keypoints: ArrayLike) -> np.ndarray:
    """Flips poses [..., K, 3] left to right: x becomes 1 - x, and left and right joints change places."""
    flipped = np.array(keypoints)[..., MIRROR, :]
    flipped[..., 0] = 1 - flipped[..., 0]
    return flipped
