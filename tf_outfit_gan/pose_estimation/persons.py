"""The person in a photo: the joints of enough confidence, and whether they are enough."""

from functools import lru_cache
from multiprocessing import parent_process

import numpy as np

from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.pose_estimation.estimator import load_estimator
from tf_outfit_gan.util.errors import UserError

# A joint of less confidence was not found; MoveNet's authors draw joints from here on.
MIN_CONFIDENCE = 0.3

# With fewer joints, no person counts as found: a photo cropped at the knees and above the mouth still has these.
MIN_JOINTS = 8


def find_person(path, picture):
    """Finds the person in a picture with the model of a file, which each process loads once.

    Args:
        path: of the model, as text.
        picture: uint8 [H, W, 3], or a Pillow image in RGB.

    Returns float32 [K, 3] = [x in widths, y in heights, confidence], all 0 for a joint that was not found. Raises
    `UserError` when no person was found.
    """
    return trusted(_load_once(path)([np.asarray(picture)])[0])


def trusted(joints):
    """Returns joints [K, 3] without those of little confidence; raises `UserError` when too few are left."""
    joints = np.where(joints[:, 2:] >= MIN_CONFIDENCE, joints, 0).astype(np.float32)
    found = np.count_nonzero(joints[:, 2])
    if found < MIN_JOINTS:
        raise UserError(
            f"no person found: expected at least {MIN_JOINTS} of {NUM_JOINTS} joints with a confidence of "
            f"{MIN_CONFIDENCE}, found {found}"
        )
    return joints


@lru_cache(maxsize=1)
def _load_once(path):
    if parent_process():
        # Workers share a machine: each has a thread, and none a GPU, for the first would take all of its memory.
        import tensorflow as tf

        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.set_visible_devices([], "GPU")
    return load_estimator(path)
