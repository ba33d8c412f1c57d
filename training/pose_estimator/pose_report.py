"""How well a trained estimator finds the joints of people that it has not seen."""

import json

import numpy as np

from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.pose.mpii import JOINTS
from tf_outfit_gan.pose.pck import THRESHOLD, correct_joints
from tf_outfit_gan.pose_estimation import load_estimator
from tf_outfit_gan.util.atomic import write_whole

BATCH = 64


def measure(folder, dataset, size, say):
    """Measures RUN/estimator on the test split: says the PCK, writes pck.json, returns the part of correct joints.

    Returns None when the test split has no poses to compare with.
    """
    if not sum(shard["with_keypoints"] for shard in dataset.splits["test"]):
        say(f"{folder / 'estimator'}: not measured, for no test entry has keypoints")
        return None
    estimator = load_estimator(folder / "estimator")
    correct = np.concatenate([
        correct_joints(estimator(batch["image"]), batch["keypoints"], size)
        for batch in batches(dataset, "test", size, dataset.levels[0], BATCH).as_numpy_iterator()])  # [N, K]
    if np.isnan(correct).all():
        say(f"{folder / 'estimator'}: not measured, for no test entry has the torso to measure with")
        return None
    kinds = list(dict.fromkeys(joint.removeprefix("right_").removeprefix("left_") for joint in JOINTS))
    by_kind = {kind: correct[:, [joint.endswith(kind) for joint in JOINTS]] for kind in kinds}
    shares = {kind: float(np.nanmean(hits)) for kind, hits in by_kind.items() if not np.isnan(hits).all()}
    total, people = float(np.nanmean(correct)), int((~np.isnan(correct)).any(axis=1).sum())
    say(f"{folder / 'estimator'}: PCK@{THRESHOLD} {total:.1%} on {people} test entries ("
        + ", ".join(f"{kind} {share:.0%}" for kind, share in shares.items()) + ")")
    fields = {"threshold": THRESHOLD, "test_entries": people, "pck": total, "joints": shares}
    write_whole(folder / "pck.json", json.dumps(fields, indent=1) + "\n")
    return total
