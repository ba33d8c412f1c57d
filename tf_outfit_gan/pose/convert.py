"""Keypoints of other formats as the 16 MPII joints: tables of indices, and a few joints that must be derived.

The head's top and the upper neck are seen by no estimator's format. They are placed on the line from the thorax through
the face; the factors below lie between what one measured picture and standard body proportions give. DeepFashion's
points, which people set, have both.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tf_outfit_gan.pose import mpii
from tf_outfit_gan.util.errors import UserError

# A confidence above this makes a joint present. Every format writes 0 (or less) for what it did not find.
MIN_CONFIDENCE = 0.0

# head_top = thorax + factor * (face - thorax), where the face is the middle of the eyes, of the ears, or the nose.
HEAD_TOP_FROM_EYES = 1.45
HEAD_TOP_FROM_EARS = 1.55
HEAD_TOP_FROM_NOSE = 1.70
# upper_neck = thorax + factor * (head_top - thorax); the published figures show 0.354 and 0.337.
UPPER_NECK_TO_HEAD_TOP = 0.36

# The twelve joints that the other formats share with MPII.
LIMB_JOINTS = (0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15)


@dataclass(frozen=True)
class Layout:
    """Where a format keeps its points. A tuple of indices means their midpoint; alternatives stand in order."""

    count: int
    limbs: tuple  # One index for each of LIMB_JOINTS.
    pelvis: tuple
    thorax: tuple
    eyes: tuple
    ears: tuple
    nose: tuple = (0,)
    head_top: tuple = ()
    upper_neck: tuple = ()


LAYOUTS = {
    "coco17": Layout(
        count=17,
        limbs=(16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9),
        pelvis=((12, 11),),
        thorax=((6, 5),),
        eyes=(1, 2),
        ears=(3, 4),
    ),
    "body18": Layout(
        count=18,
        limbs=(10, 9, 8, 11, 12, 13, 4, 3, 2, 5, 6, 7),
        pelvis=((8, 11),),
        thorax=((1,), (2, 5)),
        eyes=(14, 15),
        ears=(16, 17),
    ),
    "body25": Layout(
        count=25,
        limbs=(11, 10, 9, 12, 13, 14, 4, 3, 2, 5, 6, 7),
        pelvis=((8,), (9, 12)),
        thorax=((1,), (2, 5)),
        eyes=(15, 16),
        ears=(17, 18),
    ),
    "blazepose33": Layout(
        count=33,
        limbs=(28, 26, 24, 23, 25, 27, 16, 14, 12, 11, 13, 15),
        pelvis=((24, 23),),
        thorax=((12, 11),),
        eyes=(2, 5),
        ears=(7, 8),
    ),
    "deepfashion21": Layout(  # Its chin stands for the upper neck.
        count=21,
        limbs=(19, 17, 14, 15, 18, 20, 13, 11, 7, 8, 12, 16),
        pelvis=((14, 15),),
        thorax=((7, 8),),
        eyes=(2, 3),
        ears=(1, 4),
        nose=(5,),
        head_top=((0,),),
        upper_neck=((6,),),
    ),
}
FORMATS = ("mpii16", *LAYOUTS)


def to_mpii16(points: ArrayLike, format: str) -> np.ndarray:
    """Converts one person's points [count, 3] = [x, y, confidence] to MPII's [K, 3], in the same unit.

    A derived joint has the least confidence of the joints it comes from; if one of them is missing, so is it (0, 0, 0).
    A head's top outside the frame keeps its coordinate. Raises `UserError` for an unknown format, a wrong count or
    values that are not numbers.
    """
    if format not in FORMATS:
        raise UserError(f"unknown keypoint format {format!r}: expected one of {', '.join(FORMATS)}")
    count = mpii.NUM_JOINTS if format == "mpii16" else LAYOUTS[format].count
    try:
        points = np.array(points, np.float64)
    except (TypeError, ValueError):
        points = np.zeros(0)
    if points.shape != (count, 3):
        raise UserError(f"{format} keypoints must be {count} times [x, y, confidence], got shape {list(points.shape)}")
    points[_missing(points)] = 0
    if format == "mpii16":
        return points

    layout = LAYOUTS[format]
    joints = np.zeros((mpii.NUM_JOINTS, 3))
    joints[list(LIMB_JOINTS)] = points[list(layout.limbs)]
    joints[6] = _first_midpoint(points, layout.pelvis)[0]
    thorax = joints[7] = _first_midpoint(points, layout.thorax)[0]
    joints[8] = _first_midpoint(points, layout.upper_neck)[0]
    joints[9] = _first_midpoint(points, layout.head_top)[0]
    face, index = _first_midpoint(points, (layout.eyes, layout.ears, layout.nose))
    if face[2] and thorax[2] and not joints[9, 2]:
        factor = (HEAD_TOP_FROM_EYES, HEAD_TOP_FROM_EARS, HEAD_TOP_FROM_NOSE)[index]
        joints[9] = _along(thorax, face, factor)
    if joints[9, 2] and thorax[2] and not joints[8, 2]:
        joints[8] = _along(thorax, joints[9], UPPER_NECK_TO_HEAD_TOP)
    return joints


def normalized(joints: ArrayLike, size: tuple[float, float]) -> np.ndarray:
    """Turns MPII joints [K, 3] = [x, y, confidence] in pixels of a picture of `size` (height, width) into the pose
    float32 [K, 3] = [x in widths, y in heights, v in {0, 1}] that everything else works with."""
    height, width = size
    pose = np.array(joints, np.float32) / np.array([width, height, 1], np.float32)
    missing = _missing(np.asarray(joints))
    pose[:, 2] = ~missing
    pose[missing] = 0
    return pose


def _missing(points: np.ndarray) -> np.ndarray:
    """Which points [K] were not found: no confidence, or a coordinate that is not a number."""
    return ~(np.isfinite(points).all(axis=-1) & (points[:, 2] > MIN_CONFIDENCE))


def _first_midpoint(points: np.ndarray, alternatives: Iterable[tuple[int, ...]]) -> tuple[np.ndarray, int]:
    """Returns the midpoint of the first alternative whose points are all there, and its index (zeros if none is)."""
    for index, indices in enumerate(alternatives):
        chosen = points[list(indices)]
        if not _missing(chosen).any():
            return np.array([*chosen[:, :2].mean(axis=0), chosen[:, 2].min()]), index
    return np.zeros(3), 0


def _along(start: np.ndarray, towards: np.ndarray, factor: float) -> np.ndarray:
    """Walks from `start` to `towards` times `factor`; the confidence is the lesser of the two."""
    return np.array([*(start[:2] + factor * (towards[:2] - start[:2])), min(start[2], towards[2])])
