"""Wrong conditions: one part of them is another photo's, and what does not differ does not count."""

import numpy as np
import pytest
import tensorflow as tf

from tf_outfit_gan.config import from_preset
from tf_outfit_gan.randomness import BatchDraws
from tf_outfit_gan.util.errors import UserError
from training import schedule
from training.mismatch import with_wrong_part

N, S = 64, 7


def entries(seed=0):
    """Entries of which each wears some of the slots."""
    rng = np.random.default_rng(seed)
    articles = rng.uniform(-1, 1, (N, S, 4, 3, 3)) * (rng.uniform(size=(N, S, 1, 1, 1)) < 0.6)
    return {
        "image": tf.zeros([N, 4, 3, 3]),
        "articles": tf.constant(articles, tf.float32),
        "keypoints": tf.constant(rng.uniform(size=(N, 16, 3)), tf.float32),
    }


def draws(key=1):
    return BatchDraws(tf.constant(key, tf.int64), N)


def test_one_part_is_the_neighbors():
    batch = entries()
    wrong, differs = with_wrong_part(batch, draws())
    wrong_pose = np.any(wrong["keypoints"] != batch["keypoints"], axis=(1, 2))
    exchanged = np.any(wrong["articles"] != batch["articles"], axis=(2, 3, 4))  # [N, S]
    assert (differs.numpy() == 1).all()
    # Either the pose, or one article and no more; both about half of the time.
    np.testing.assert_array_equal(exchanged.sum(axis=1), np.where(wrong_pose, 0, 1))
    assert 0.3 < wrong_pose.mean() < 0.7
    np.testing.assert_array_equal(wrong_pose, draws().mismatch(1 + S)[:, 0] < 0.5)
    for row in range(N):
        neighbor = (row - 1) % N
        if wrong_pose[row]:
            np.testing.assert_array_equal(wrong["keypoints"][row], batch["keypoints"][neighbor])
        else:
            slot = exchanged[row].argmax()
            np.testing.assert_array_equal(wrong["articles"][row, slot], batch["articles"][neighbor, slot])
    assert wrong["image"] is batch["image"]


def test_all_slots_that_differ_are_exchanged_now_and_then():
    batch, counts = entries(), np.zeros(S)
    for key in range(20):
        wrong, _ = with_wrong_part(batch, draws(key))
        counts += np.any(wrong["articles"] != batch["articles"], axis=(0, 2, 3, 4))
    assert counts.min() >= 15


def test_what_two_entries_share_does_not_count():
    batch = entries()
    alike = batch | {"articles": tf.tile(batch["articles"][:1], [N, 1, 1, 1, 1])}
    wrong, differs = with_wrong_part(alike, draws())
    wrong_pose = np.any(wrong["keypoints"] != batch["keypoints"], axis=(1, 2))
    np.testing.assert_array_equal(wrong["articles"], alike["articles"])
    np.testing.assert_array_equal(differs, wrong_pose)
    _, differs = with_wrong_part(alike | {"keypoints": tf.zeros([N, 16, 3])}, draws())
    assert not differs.numpy().any()


@pytest.mark.parametrize(
    "overrides, refused",
    [((), True), (("mismatch_weight=0",), False), (("conditional=false",), False), (("batch_size=2",), False)],
)
def test_a_picture_alone_has_no_neighbor(overrides, refused):
    settings = from_preset("tiny", ("mismatch_weight=1", "batch_size=1", *overrides))
    if refused:
        with pytest.raises(UserError, match="a micro-batch has 1; set batch_size to 2 or more"):
            schedule.periods(*settings, 1)
    else:
        schedule.periods(*settings, 1)
