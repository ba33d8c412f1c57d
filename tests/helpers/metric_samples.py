"""`Samples` made by hand: gray photos, poses that stand upright, articles as one number a slot."""

import numpy as np
import tensorflow as tf

from tf_outfit_gan.metrics.head_patch import HEAD_TOP, NECK
from tf_outfit_gan.metrics.samples import Entries, Samples

SIZE = (16, 12)


def flat(*grays, size=SIZE):
    """Pictures of one gray each, uint8 [N, H, W, 3]."""
    return np.stack([np.full((*size, 3), gray, np.uint8) for gray in grays])


def poses(count):
    """All joints in the middle but the head's top, a quarter of the height above."""
    keypoints = np.tile(np.float32([0.5, 0.5, 1]), (count, 16, 1))
    keypoints[:, HEAD_TOP, 1] = 0.25
    assert keypoints[0, NECK, 1] == 0.5
    return keypoints


def entries(photos, worn, ids=None, keypoints=None):
    """Entries whose articles are filled with 1 + the entry's number where they are worn; 2 slots: top and bottom."""
    articles = np.zeros((len(photos), 2, 4, 3, 3), np.float32)
    for number, slots in enumerate(worn):
        for place, slot in enumerate(("top", "bottom")):
            articles[number, place] = (1 + number) * (slot in slots)
    return Entries(
        ids or [f"e{i}" for i in range(len(photos))],
        photos,
        tf.constant(articles),
        worn,
        poses(len(photos)) if keypoints is None else keypoints,
    )


def samples(own, strangers, number=0, seed=0):
    return Samples(number, own, strangers, seed)
