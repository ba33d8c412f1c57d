"""PCK, the percentage of correct keypoints (Yang and Ramanan 2013), in parts of the torso's length: the one measure of
poses.

The torso reaches from the thorax to the pelvis. Much of the field takes the diagonal from the left shoulder to the
right hip instead, which is longer: the same threshold is stricter here.
"""

import numpy as np
from numpy.typing import ArrayLike

THORAX, PELVIS = 7, 6

# PCK@0.1, unless said otherwise.
THRESHOLD = 0.1


def correct_joints(found: ArrayLike, truth: ArrayLike, size: tuple[float, float], threshold: float = THRESHOLD) -> np.ndarray:
    """Whether each joint was found within `threshold` torso lengths of the truth.

    Args:
        found: poses [N, K, 3] = [x in widths, y in heights, confidence]; a joint of confidence 0 was not found.
        truth: poses [N, K, 3], v > 0 where the joint is there.
        size: (height, width) of the pictures, or any other numbers of the same aspect.

    Returns:
        float32 [N, K]: 1 for a correct joint, 0 for a wrong one, NaN for one that does not count, because the truth
        does not have it, or has no torso to measure with.
    """
    distance = joint_distances(found, truth, size)
    return np.where(np.isnan(distance), np.nan, distance <= threshold).astype(np.float32)


def joint_distances(found: ArrayLike, truth: ArrayLike, size: tuple[float, float]) -> np.ndarray:
    """How far joints were found from the truth, in torso lengths, float64 [N, K]; arguments as for `correct_joints`.

    Infinity for a joint that was not found, NaN for one that does not count.
    """
    found, truth = np.asarray(found, np.float64), np.asarray(truth, np.float64)
    scale = np.array([size[1] / size[0], 1.0])  # Distances are in heights.
    torso = np.linalg.norm((truth[:, THORAX, :2] - truth[:, PELVIS, :2]) * scale, axis=-1)[:, None]  # [N, 1]
    measurable = (truth[:, [THORAX, PELVIS], 2] > 0).all(axis=1, keepdims=True) & (torso > 0)
    distance = np.linalg.norm((found[..., :2] - truth[..., :2]) * scale, axis=-1) / np.where(measurable, torso, 1)
    distance = np.where((found[..., 2] > 0) & np.isfinite(distance), distance, np.inf)
    return np.where((truth[..., 2] > 0) & measurable, distance, np.nan)


def pck(found: ArrayLike, truth: ArrayLike, size: tuple[float, float], threshold: float = THRESHOLD) -> float:
    """The part in 0..1 of all counted joints that are correct; arguments as for `correct_joints`.

    Raises ValueError when not one joint counts.
    """
    correct = correct_joints(found, truth, size, threshold)
    if np.isnan(correct).all():
        raise ValueError("no joint to count: every joint or torso is missing from the truth")
    return float(np.nanmean(correct))
