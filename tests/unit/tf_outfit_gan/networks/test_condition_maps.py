"""Condition maps of all levels, and pictures composed of them, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.standing import SIZE, standing
from tf_outfit_gan.networks.article_maps import article_map
from tf_outfit_gan.networks.condition_maps import compose, maps_by_level, pose_map
from tf_outfit_gan.slots import SLOTS

SIZES = [(4, 3), (8, 6), (16, 12), (32, 24), SIZE]


def articles():
    """A picture of each slot on white paper; there is no dress."""
    pictures = np.ones((1, 6, 32, 24, 3), np.float32)
    pictures[:, :, 2:30, 6:18] = np.random.default_rng(3).uniform(-1, -0.5, (1, 6, 28, 12, 3))
    pictures[:, 2] = 0
    return tf.constant(pictures)


def test_levels_agree_and_missing_articles_leave_no_trace():
    levels = maps_by_level(SIZES, SLOTS, standing(), articles(), pose=False, worn=True)
    assert [tuple(level.shape) for level in levels] == [(1, *size, 18) for size in SIZES]
    largest = np.array(levels[-1])
    np.testing.assert_allclose(4 * largest, article_map(SLOTS, standing(), articles(), SIZE), atol=1e-6)
    for level, size in zip(levels, SIZES):
        factor = SIZE[0] // size[0]
        pooled = largest.reshape(1, size[0], factor, size[1], factor, 18).mean(axis=(2, 4))
        np.testing.assert_allclose(level, pooled, atol=1e-5)
    worn = np.abs(largest).max(axis=(0, 1, 2)).reshape(6, 3).min(axis=1) > 0
    assert worn.tolist() == [True, True, False, True, True, True]


def test_maps_hold_what_is_asked_for_the_pose_first():
    def maps(**kinds):
        return maps_by_level(SIZES, SLOTS, standing(), articles(), **kinds)

    assert maps(pose=False, worn=False) is None
    for level, pose, worn, size in zip(*(maps(pose=p, worn=w) for p, w in ((1, 1), (1, 0), (0, 1))), SIZES):
        np.testing.assert_array_equal(pose, pose_map(standing(), size))
        np.testing.assert_array_equal(level, tf.concat([pose, worn], axis=-1))


class TestCompose:
    """Three pixels: over the first one lie the articles of both slots, over the next that of the second, over the last none."""

    OWN = np.float32([0.2, -0.4, 0.9])
    FIRST, SECOND = np.float32([-1, 0.5, 0]), np.float32([0, 0, 0.6])  # A color that is 0 in places is a color.

    def composed(self, *odds, pose=5):
        """The three pixels, from the log odds of both slots, by pixel where they differ."""
        drawn = np.concatenate([np.tile(self.OWN, (1, 1, 3, 1)), np.broadcast_to(np.float32(odds), (1, 1, 3, 2))], axis=-1)
        return compose(tf.constant(drawn), self.maps(pose), 2).numpy()[0, 0]

    def maps(self, pose):
        worn = np.zeros((1, 1, 3, 2, 3), np.float32)
        worn[:, :, 0, 0], worn[:, :, :2, 1] = self.FIRST, self.SECOND
        # As in the maps of a level: behind those of the pose, and at a quarter of their strength.
        return tf.concat([tf.ones([1, 1, 3, pose]), worn.reshape(1, 1, 3, 6) / 4], axis=-1)

    def test_without_a_preference_all_that_is_there_has_the_same_share(self):
        expected = [(self.OWN + self.FIRST + self.SECOND) / 3, (self.OWN + self.SECOND) / 2, self.OWN]
        np.testing.assert_allclose(self.composed(0, 0), expected, atol=1e-6)
        np.testing.assert_allclose(self.composed(0, 0, pose=0), expected, atol=1e-6)

    def test_odds_are_against_the_own_colors(self):
        # An article three times as likely as the own color, and one twice as likely.
        expected = [(self.OWN + 3 * self.FIRST + 2 * self.SECOND) / 6, (self.OWN + 2 * self.SECOND) / 3, self.OWN]
        np.testing.assert_allclose(self.composed(np.log(3), np.log(2)), expected, atol=1e-6)

    @pytest.mark.parametrize(
        "odds, expected",
        [
            ((-200, -200), ("OWN", "OWN", "OWN")),
            ((200, 0), ("FIRST", None, "OWN")),
            ((0, 200), ("SECOND", "SECOND", "OWN")),
            ((200, -200), ("FIRST", "OWN", "OWN")),
        ],
    )
    def test_large_odds_decide_where_an_article_lies_and_nowhere_else(self, odds, expected):
        for pixel, name in zip(self.composed(*odds), expected, strict=True):
            if name:
                np.testing.assert_array_equal(pixel, getattr(self, name))

    def test_odds_and_colors_learn_where_they_count(self):
        drawn = tf.constant(np.random.default_rng(1).normal(size=(1, 1, 3, 5)), tf.float32)
        with tf.GradientTape() as tape:
            tape.watch(drawn)
            loss = tf.reduce_sum(compose(drawn, self.maps(5), 2) * [1.0, 2.0, 3.0])
        gradient = tape.gradient(loss, drawn).numpy()[0, 0]
        assert np.isfinite(gradient).all()
        np.testing.assert_array_equal(gradient[:, :3] != 0, True)
        np.testing.assert_array_equal(gradient[:, 3:] != 0, [[True, True], [False, True], [False, False]])
