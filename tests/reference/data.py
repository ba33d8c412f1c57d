"""The data of a step: which entries, in which order, and which of them are mirrored."""

import numpy as np
import tensorflow as tf

LEFT_AND_RIGHT = ((0, 5), (1, 4), (2, 3), (10, 15), (11, 14), (12, 13))  # MPII: ankles, knees, hips, wrists, ...


def order(entries, seed, window, open_shards=16):
    """Yields (record, coin) without end: each record once a round, and a number in [0, 1) that decides on the mirror.

    A round takes the shards in a random order, in groups; what a group holds is cut into windows, each shuffled.

    Args:
        entries: how many records each shard has; records are numbered through all of them.
        window: so many records are shuffled together ...
        open_shards: ... which come from so many shards, one of each round-robin.
    """
    first = np.cumsum([0, *entries])
    for round_ in range(10**9):
        shards = _permutation(len(entries), seed * 3, round_)
        groups = [shards[start : start + open_shards] for start in range(0, len(shards), open_shards)]
        for number, group in enumerate(groups):
            longest = max(entries[shard] for shard in group)
            records = [first[shard] + place for place in range(longest) for shard in group if place < entries[shard]]
            for start in range(0, len(records), window):
                shown = records[start : start + window]
                key = (round_ * len(groups) + number) * 2**32 + start // window
                coins = _uniform(len(shown), seed * 3 + 2, key)
                for place, coin in zip(_permutation(len(shown), seed * 3 + 1, key), coins):
                    yield shown[place], coin


def _permutation(count, *key):
    return np.argsort(_uniform(count, *key), kind="stable")


def _uniform(count, *key):
    return tf.random.stateless_uniform([count], key, alg="philox").numpy()


def entry(stored, record, mirrored):
    """One entry as the networks see it: pictures in [-1, 1], a missing article exactly 0; mirrored as a whole.

    Args:
        stored: "image" uint8 [E, H, W, 3] and, for a conditional model, "articles" uint8 [E, S, h, w, 3], "worn" bool
            [E, S], "keypoints" [E, K, 3].
    """
    found = {"image": stored["image"][record] / 127.5 - 1}
    if "articles" in stored:
        articles = stored["articles"][record] / 127.5 - 1
        found["articles"] = np.where(stored["worn"][record][:, None, None, None], articles, 0.0)
        found["keypoints"] = np.float64(stored["keypoints"][record])
    if mirrored:
        found["image"] = found["image"][:, ::-1]
        if "articles" in stored:
            found["articles"] = found["articles"][:, :, ::-1]
            found["keypoints"] = mirrored_pose(found["keypoints"])
    return found


def mirrored_pose(keypoints):
    """The person's right hand becomes a left one; a joint that is missing stays at 0."""
    found = keypoints.copy()
    for right, left in LEFT_AND_RIGHT:
        found[[right, left]] = keypoints[[left, right]]
    found[:, 0] = np.where(found[:, 2] > 0, 1 - found[:, 0], found[:, 0])
    return found
