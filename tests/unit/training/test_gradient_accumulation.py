"""A batch in micro-batches: the losses, gradients and averages of as many replicas, and of the undivided batch."""

import numpy as np
import pytest
import tensorflow as tf

from tf_outfit_gan.config import from_preset
from tf_outfit_gan.randomness import BatchDraws
from training.schedule import Stage
from training.step import Steps, micro_batch, summed

LEVEL, BATCH, MICRO_BATCHES, CUR_NIMG = 2, 16, 2, 32
SETTINGS = ("r1_interval=2", "recompute_from=8", "ada_target=0.6", "mismatch_weight=1", "seed=3")


@pytest.fixture(scope="module")
def steps():
    found = Steps(tf.distribute.get_strategy(), *from_preset("tiny", SETTINGS))
    found.ada_probability.assign(0.5)  # Some pictures are altered, and others not.
    # The learning rate is still 0: what is updated is the second moments, which show the gradients.
    return found


@pytest.fixture(scope="module")
def batch():
    return {
        "image": tf.random.stateless_uniform([BATCH, 16, 12, 3], [1, 2], -1, 1),
        "articles": tf.random.stateless_uniform([BATCH, 6, 16, 12, 3], [3, 4], -1, 1),
        "keypoints": tf.random.stateless_uniform([BATCH, 16, 3], [5, 6]),
    }


def on_replicas(steps, batch, replicas, number):
    """What so many replicas find in a phase, one after another: (statistics, gradient)."""
    phase = steps.phases.all[number]
    optimizer = getattr(steps, f"{phase.network}_optimizer")
    key = tf.constant(3 * 2**40 + CUR_NIMG * 3 + number, tf.int64)
    stage, total, gradient = Stage(LEVEL, False, BATCH // replicas, replicas), {}, 0.0
    for replica in range(replicas):
        share = {name: values[replica::replicas] for name, values in batch.items()}
        draws = BatchDraws(key, BATCH // replicas, replica, replicas)
        statistics, gradients = phase.loss(stage, share, draws, None, optimizer.loss_scale)
        total = {name: total.get(name, 0.0) + value for name, value in statistics.items()}
        gradient += optimizer.flatten(gradients)
    return total, gradient.numpy()


def test_a_step_in_micro_batches_is_that_of_as_many_replicas(steps, batch):
    """With lazy R1, augmentation, mismatched photos and recomputed levels; the loss scale reaches every gradient."""
    for optimizer in (steps.discriminator_optimizer, steps.generator_optimizer):
        optimizer.loss_scale.assign(4.0)
    expected = [on_replicas(steps, batch, MICRO_BATCHES, number) for number in range(3)]
    stage = Stage(LEVEL, False, BATCH, 1, BATCH // MICRO_BATCHES)
    found = traced_step(steps, stage, batch, CUR_NIMG)

    measured = {name: value for name, (value, count) in found.items() if count}
    for statistics, _ in expected:
        for name in statistics.keys() & measured.keys():
            np.testing.assert_allclose(measured[name], statistics[name], rtol=1e-4, atol=1e-6, err_msg=name)
    (_, discriminator), (_, r1), (generator_statistics, generator) = expected
    beta2 = 0.99 ** (2 / 3)
    moment = (1 - beta2) * (beta2 * discriminator**2 + r1**2)
    near(steps.discriminator_optimizer.second_moment, moment)
    near(steps.generator_optimizer.second_moment, 0.01 * generator**2)
    # From 0, w_avg moves by 0.005 of the mean over all micro-batches, once.
    np.testing.assert_allclose(steps.generator.mapping.w_avg, 0.005 * generator_statistics["w"], rtol=1e-4, atol=1e-7)


def traced_step(steps, stage, batch, cur_nimg):
    """{statistic: (value, count)} of one step."""
    step = tf.function(
        lambda: {name: pair for name, (_, pair) in steps.step(stage, batch, tf.constant(cur_nimg, tf.int64)).items()}
    )
    return step()


def near(found, expected):
    assert np.linalg.norm(expected) > 0
    assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected)


def test_replicas_find_the_gradients_of_the_whole_batch(steps, batch):
    """The minibatch-stddev groups are the same ones. Mismatched photos are left out: their neighbors are others."""
    config = steps.phases.config
    steps.phases.config = from_preset("tiny", (*SETTINGS[:3], "seed=3"))[1]
    try:
        for number in range(3):
            (_, whole), (_, parts) = (on_replicas(steps, batch, replicas, number) for replicas in (1, 4))
            near(parts, whole)
    finally:
        steps.phases.config = config


def test_a_micro_batch_takes_every_so_manyth_entry():
    batch = {"image": tf.reshape(tf.range(12), [6, 2]), "articles": (tf.range(6),)}
    found = micro_batch(tf.constant(1), 3, batch)
    assert found["image"].numpy().tolist() == [[2, 3], [8, 9]]
    assert found["articles"][0].numpy().tolist() == [1, 4]


def test_micro_batches_are_summed_one_after_another():
    running, most = tf.Variable(0), tf.Variable(0)

    def compute(index):
        most.assign(tf.maximum(most, running.assign_add(1)))
        vector = tf.cast(index, tf.float32) * tf.ones([3])
        running.assign_sub(1)
        return vector

    assert tf.function(lambda: summed(compute, 4))().numpy().tolist() == [6, 6, 6]
    assert most.numpy() == 1
