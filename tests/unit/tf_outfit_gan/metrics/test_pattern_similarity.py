"""Patterns: stripes are stripes wherever they begin and whatever their colors, and nothing else is."""

import numpy as np
import pytest

from tf_outfit_gan.metrics.pattern_similarity import LEAST_PAIRS, STEPS, UNSEEN, pattern_similarity, variogram

SIZE = 64


def striped(period, start=0, axis=0, low=30, high=70):
    place = (np.arange(SIZE) + start) % period < period // 2
    lightness = np.where(place, high, low)
    picture = np.broadcast_to(lightness[:, None] if axis == 0 else lightness, (SIZE, SIZE))
    return np.stack([picture, np.zeros_like(picture), np.zeros_like(picture)], axis=-1)


REGION = np.zeros((SIZE, SIZE), bool)
REGION[10:42, 12:44] = True  # 32x32: whole periods of 4 and 8.


def similarity(one, other):
    return pattern_similarity(variogram(one, REGION), variogram(other, REGION))


def test_a_variogram_worked_by_hand():
    # Rows of stripes, two light and two dark, 40 apart: a step of one down crosses an edge at every other row.
    found = dict(zip(STEPS, variogram(striped(4), REGION)))
    assert found[0, 1] == found[0, 4] == 0  # Along the stripes nothing changes.
    assert found[1, 0] == pytest.approx(40 * 15 / 31)  # 31 steps, of which those from odd rows cross: 15.
    assert found[2, 0] == 40 and found[4, 0] == 0  # Half a period, a whole one.
    assert found[1, 1] == found[1, -1] == found[1, 0]


def test_where_stripes_begin_and_what_color_they_are_makes_no_difference():
    assert similarity(striped(8), striped(8, start=4)) == pytest.approx(1)
    assert similarity(striped(8), striped(8, low=10, high=50)) == pytest.approx(1)
    assert similarity(striped(8), striped(8, start=3)) > 0.98


def test_other_patterns_are_other_patterns():
    plain = np.full((SIZE, SIZE, 3), 50.0)
    assert similarity(plain, plain + 30) == 1
    for other in (plain, striped(8, axis=1), striped(16)):
        assert similarity(striped(8), other) < 0.5
    # Against a plain garment, which differs nowhere, there is neither strength nor likeness but for the constants.
    steps, c = variogram(striped(8), REGION), UNSEEN**2
    assert similarity(striped(8), plain) == pytest.approx(c / (steps.mean() ** 2 + c) * c / (steps.var() + c))
    # At the same steps, half as strong: fainter stripes.
    assert 0.5 < similarity(striped(8), striped(8, low=40, high=60)) < 0.8


def test_noise_is_another_pattern_than_stripes():
    noise = np.random.default_rng(0).choice([30.0, 70.0], (SIZE, SIZE, 1)) * [1, 0, 0]
    assert abs(similarity(striped(8), noise)) < 0.1


def test_what_lies_outside_of_the_garment_does_not_count():
    picture, region = striped(8).astype(float), REGION.copy()
    region[20:30, 20:30] = False  # A hole in it.
    picture[~region] = 1000
    np.testing.assert_array_equal(variogram(picture, region), variogram(striped(8), region))


def test_steps_grow_with_the_picture():
    large = np.kron(striped(8), np.ones((2, 2, 1)))
    region = np.kron(REGION, np.ones((2, 2), bool))
    assert pattern_similarity(variogram(large, region), variogram(striped(8), REGION)) > 0.98


def test_a_garment_too_small_for_a_step_has_none():
    tiny = np.zeros((SIZE, SIZE), bool)
    tiny[0, : LEAST_PAIRS + 1] = True
    found = variogram(striped(8), tiny)
    assert [step for step, value in zip(STEPS, found) if not np.isnan(value)] == [(0, 1)]
    assert np.isnan(pattern_similarity(found, np.full(len(STEPS), np.nan)))
