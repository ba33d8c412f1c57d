"""One seed is one picture: draws depend on their seed and place alone."""

import numpy as np
import pytest
import tensorflow as tf

from tests.reference.draws import DISCRIMINATOR, GENERATOR, Draws
from tf_outfit_gan.randomness import (
    AUGMENTATION,
    LATENT,
    NOISE,
    OTHER_LATENT,
    BatchDraws,
    normal,
    seeded_latents,
    seeded_noise,
    uniform,
)

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


@pytest.mark.parametrize("seed", [0, -1, 5, 2**63 - 1])
def test_a_seed_draws_what_tensorflow_documents(seed):
    expected = tf.random.stateless_normal([5, 3], [seed, NOISE + 17], alg="philox")
    np.testing.assert_array_equal(normal([5, 3], tf.constant(seed, tf.int64), NOISE + 17), expected)


def test_each_noise_layer_of_a_seed_has_a_stream_of_its_own():
    """A served picture is the same after an update."""
    maps = seeded_noise(tf.constant([4], tf.int64), [(2, 2)] * 9)
    for layer, noise in enumerate(maps):
        np.testing.assert_array_equal(noise[0], tf.random.stateless_normal([2, 2, 1], [4, 1000 + layer], alg="philox"))


def test_a_level_more_does_not_change_the_noise_below():
    seed = tf.constant([4], tf.int64)
    for fewer, more in zip(seeded_noise(seed, SIZES[:1]), seeded_noise(seed, SIZES)):
        np.testing.assert_array_equal(fewer, more)


@pytest.mark.parametrize("size", [(8, 6), (3, 3)])
def test_replicas_share_what_one_would_draw(size):
    key = tf.constant(9, tf.int64)

    def drawn(draws):
        return draws.latents(8), draws.augmentation(6), *draws.noise([size, (4, 3)])

    joint = drawn(BatchDraws(key, 6))
    for replica in (0, 1, 2):
        for own, whole in zip(drawn(BatchDraws(key, 2, replica, 3)), joint):
            np.testing.assert_array_equal(own, whole[replica::3])


def test_a_batch_is_drawn_as_tensorflow_draws_it():
    """From the stateless functions' own key and counter: a run of one replica draws what it always drew."""
    key, draws = tf.constant(9, tf.int64), BatchDraws(tf.constant(9, tf.int64), 6)
    np.testing.assert_array_equal(draws.latents(8), normal([6, 8], key, LATENT))
    np.testing.assert_array_equal(draws.noise(SIZES)[3], normal([6, 8, 6, 1], key, NOISE + 3))
    np.testing.assert_array_equal(draws.augmentation(16), uniform([6, 16], key, AUGMENTATION))


def test_mixing_cutoff_covers_all_layers_with_its_probability():
    cutoffs = np.array([BatchDraws(tf.constant(key, tf.int64), 1).mixing_cutoff(0.9, 6) for key in range(400)])
    assert set(cutoffs) == {1, 2, 3, 4, 5, 6}
    assert 0.85 < np.mean(cutoffs < 6) < 0.95


@pytest.mark.parametrize("phase", [DISCRIMINATOR, GENERATOR])
def test_a_batch_draws_the_numbers_of_the_reference(phase):
    """Of another stream for each use."""
    for cur_nimg in range(0, 160, 16):
        expected = Draws(seed=3, cur_nimg=cur_nimg, phase=phase, batch=2)
        draws = BatchDraws(tf.constant(expected.key, tf.int64), 2)
        assert draws.mixing_cutoff(0.5, 10) == expected.mixing_cutoff(0.5, 10)
    np.testing.assert_allclose(draws.latents(6), expected.first_latents(6), rtol=1e-6)
    np.testing.assert_allclose(draws.latents(6, OTHER_LATENT), expected.second_latents(6), rtol=1e-6)
    np.testing.assert_allclose(draws.augmentation(5), expected.alterations(5), rtol=1e-6)
    np.testing.assert_allclose(draws.mismatch(7), expected.mismatch(7), rtol=1e-6)
    for layer, noise in enumerate(draws.noise(SIZES)):
        np.testing.assert_allclose(noise, expected.noise(layer, SIZES[layer // 2]), rtol=1e-6)
