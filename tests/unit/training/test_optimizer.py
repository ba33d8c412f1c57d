"""Adam over one flat vector, against steps worked out by hand."""

import numpy as np
import tensorflow as tf

from training.optimizer import SCALE_STEPS, Adam


def make(start):
    strategy = tf.distribute.get_strategy()
    variables = [tf.Variable(part) for part in start]
    optimizer = Adam(strategy, variables, beta2=0.9)
    optimizer.learning_rate.assign(0.1)
    return variables, optimizer


def test_two_steps_by_hand():
    (a, b), optimizer = make([[1.0, 2.0], [[3.0]]])
    optimizer.apply(optimizer.flatten([tf.constant([2.0, 0.0]), None]))
    # The corrected moment of the first step is the squared gradient: a step of the learning rate's size.
    np.testing.assert_allclose(a, [0.9, 2.0], rtol=1e-6)
    np.testing.assert_allclose(b, [[3.0]])
    optimizer.apply(optimizer.flatten([tf.constant([1.0, 0.0]), tf.constant([[-1.0]])]))
    # Moment 0.9 x 0.4 + 0.1 x 1 = 0.46 over 1 - 0.81 = 0.19 for a; 0.1 / 0.19 for b.
    np.testing.assert_allclose(a, [0.9 - 0.1 / np.sqrt(0.46 / 0.19), 2.0], rtol=1e-6)
    np.testing.assert_allclose(b, [[3.0 + 0.1 / np.sqrt(0.1 / 0.19)]], rtol=1e-6)


def test_an_update_that_is_not_finite_is_skipped():
    (a,), optimizer = make([[1.0, 2.0]])
    optimizer.apply(tf.constant([np.nan, 1.0]))
    np.testing.assert_array_equal(a, [1.0, 2.0])
    np.testing.assert_array_equal(optimizer.second_moment, [0, 0])
    optimizer.apply(tf.constant([1.0, -1.0]))
    np.testing.assert_allclose(a, [0.9, 2.1], rtol=1e-6)


def test_statistics_are_summed_beside_the_gradients_and_changes_nothing():
    (a,), optimizer = make([[1.0, 2.0]])
    statistics, skipped = optimizer.apply(optimizer.flatten([tf.constant([2.0, 0.0])], [tf.constant([[3.0]]), 4.0]))
    assert (statistics.numpy().tolist(), float(skipped)) == ([3, 4], 0)
    np.testing.assert_allclose(a, [0.9, 2.0], rtol=1e-6)
    statistics, skipped = optimizer.apply(optimizer.flatten([tf.constant([2.0, 0.0])], [tf.constant(np.nan)]))
    assert np.isnan(statistics) and skipped == 0
    assert optimizer.apply(tf.constant([np.nan, 1.0]))[1] == 1


def test_the_loss_scale_is_taken_out_and_adapts():
    variable = tf.Variable([1.0, 2.0])
    optimizer = Adam(tf.distribute.get_strategy(), [variable], beta2=0.9, loss_scaling=True)
    optimizer.learning_rate.assign(0.1)
    start = float(optimizer.loss_scale)
    optimizer.apply(tf.constant([np.inf, 1.0]))
    np.testing.assert_array_equal(variable, [1.0, 2.0])
    assert float(optimizer.loss_scale) == start / 2
    optimizer.good_steps.assign(SCALE_STEPS - 1)
    optimizer.apply(tf.constant([2.0, 0.0]) * start / 2)
    np.testing.assert_allclose(variable, [0.9, 2.0], rtol=1e-6)
    np.testing.assert_allclose(optimizer.second_moment, [0.4, 0], rtol=1e-6)
    assert float(optimizer.loss_scale) == start
