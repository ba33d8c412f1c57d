"""Keypoints as users give them, read and checked: from there on they are a pose, see `mpii`."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from tf_outfit_gan.pose.convert import normalized, to_mpii16
from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.util.errors import UserError

# Keypoints farther than this outside the picture, in its widths or heights, are not of this picture or not in pixels.
MAX_FRAMES_OUTSIDE = 4
# Smaller pictures could have a whole pose within a pixel.
MIN_PIXEL_SIZE = 16


def read_keypoints(keypoints: dict[str, Any]) -> tuple[np.ndarray, tuple[float, float]]:
    """Reads {"format", "points", "size"}, points in pixels of a picture of that size, as a manifest has them.

    Returns (pose float32 [K, 3], (height, width) of that picture). Raises `UserError` with the fault.
    """
    if not isinstance(keypoints, dict) or not {"points", "size"} <= keypoints.keys():
        raise UserError(f"'keypoints' must be an object with format, points and size, got {keypoints!r:.80}")
    size, points = keypoints["size"], keypoints["points"]
    numbers = isinstance(size, (list, tuple)) and all(type(side) in (int, float) and 0 < side < 1e6 for side in size)
    if not numbers or len(size) != 2:
        raise UserError(f"the keypoints' size must be [height, width] in pixels, got {size!r:.80}")
    if isinstance(_first(_first(points)), list):
        raise UserError(f"the keypoints are of {len(points)} people; expected those of the one who wears the outfit")
    try:
        joints = to_mpii16(points, keypoints.get("format", "mpii16"))
    except OverflowError:
        raise UserError("the keypoints hold a whole number that is too large") from None
    with np.errstate(over="ignore"):  # What overflows float32 is far outside.
        pose = normalized(joints, size)
    _check_places(pose, f"the keypoints' size {list(size)}: expected both in the same pixels")
    present = pose[:, 2] > 0
    if present.sum() > 2 and min(size) >= MIN_PIXEL_SIZE and (abs(joints[present, :2]) <= 1).all():
        raise UserError(f"every joint lies within one pixel of {list(size)}: expected pixels, found shares of the size")
    return pose, tuple(size)


def check_pose(pose: ArrayLike) -> np.ndarray:
    """Returns a pose as float32 [K, 3] = [x in widths, y in heights, v in {0, 1}], from anything like an array.

    Raises `UserError` for another shape, for pixels, and for a pose without a joint.
    """
    try:
        joints = np.array(pose, np.float64)
    except (TypeError, ValueError):
        joints = np.zeros(0)
    if joints.shape != (NUM_JOINTS, 3):
        raise UserError(f"a pose must be an array [{NUM_JOINTS}, 3], got {pose!r:.80}")
    found = normalized(joints, (1, 1))
    _check_places(found, 'the picture: expected x in widths and y in heights; for pixels give {"points", "size"}')
    return found


def _check_places(pose: np.ndarray, frame: str) -> None:
    present = pose[:, 2] > 0
    places = pose[present, :2]
    if not present.any():
        raise UserError("the keypoints hold no person: no joint has a confidence above 0")
    if (places < -MAX_FRAMES_OUTSIDE).any() or (places > 1 + MAX_FRAMES_OUTSIDE).any():
        raise UserError(f"a joint lies far outside {frame}")
    if not ((places >= 0) & (places <= 1)).all(axis=1).any():
        raise UserError(f"every joint lies outside {frame}")


def _first(items: object) -> object:
    return items[0] if isinstance(items, list) and items else None
