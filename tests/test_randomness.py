"""One seed is one picture: draws depend on their seed and place alone."""

import numpy as np
import tensorflow as tf

from tf_outfit_gan.randomness import BatchDraws, seeded_latents, seeded_noise

SIZES = [(4, 3), (8, 6)]


def test_a_seed_is_the_same_alone_and_in_a_batch():
    together, alone = tf.constant([3, 5, 3], tf.int64), tf.constant([5], tf.int64)
    np.testing.assert_array_equal(seeded_latents(together, 16)[1], seeded_latents(alone, 16)[0])
    for many, one in zip(seeded_noise(together, SIZES), seeded_noise(alone, SIZES)):
        np.testing.assert_array_equal(many[1], one[0])
        np.testing.assert_array_equal(many[0], many[2])


def test_streams_are_standard_normal_and_different():
    seeds = tf.range(200, dtype=tf.int64)
    draws = [seeded_latents(seeds, 64), *seeded_noise(seeds, [(8, 8)])]
    for draw in draws:
        assert abs(np.mean(draw)) < 0.03 and abs(np.std(draw) - 1) < 0.03
    flat = np.stack([np.reshape(draw, -1) for draw in draws])
    assert np.abs(np.corrcoef(flat) - np.eye(3)).max() < 0.03


def test_a_level_more_does_not_change_the_noise_below():
    seed = tf.constant([4], tf.int64)
    for fewer, more in zip(seeded_noise(seed, SIZES[:1]), seeded_noise(seed, SIZES)):
        np.testing.assert_array_equal(fewer, more)


def test_replicas_share_what_one_would_draw():
    key = tf.constant(9, tf.int64)
    joint = BatchDraws(key, 6).latents(8)
    for replica in (0, 1, 2):
        np.testing.assert_array_equal(BatchDraws(key, 2, replica, 3).latents(8), joint[replica::3])


def test_mixing_cutoff_covers_all_layers_with_its_probability():
    cutoffs = np.array([BatchDraws(tf.constant(key, tf.int64), 1).mixing_cutoff(0.9, 6) for key in range(400)])
    assert set(cutoffs) == {1, 2, 3, 4, 5, 6}
    assert 0.85 < np.mean(cutoffs < 6) < 0.95
