"""Losses worked by hand; the golden vectors and the reference run have the rest."""

import itertools

import numpy as np
import pytest

from tf_outfit_gan import losses


@pytest.mark.parametrize("levels, weight", [(0, 1.5), (1, 1.5 / 4), (3, 1.5 / 64)])
def test_r1_weighs_a_quarter_for_each_level_below_the_full_size(levels, weight):
    """At half the size the squared gradients sum to four times as much."""
    assert losses.r1_weight(3, levels) == weight


def flat(*colors, size=(16, 12)):
    return np.float32([np.broadcast_to(color, (*size, 3)) for color in colors])


def test_the_energy_score_is_half_of_what_two_pictures_differ_from_the_photo_more_than_from_each_other():
    images, others, photos = flat([0, 0, 0], [1, 0, 0]), flat([0, 3, 4], [1, 0, 0]), flat([0, 0, 1], [1, 2, 0])
    expected = [(1 + np.hypot(3, 3) - 5) / 2, (2 + 2 - 0) / 2]
    np.testing.assert_allclose(losses.energy_score(images, others, photos), expected, atol=1e-3)


def test_the_energy_score_looks_at_every_size_down_to_8_pixels():
    photo = np.float32(np.indices((32, 24)).sum(axis=0) % 2 * 2 - 1)[None, :, :, None] * np.ones(3, np.float32)
    gray = np.zeros_like(photo)
    # The squares are gone where the picture is half as large: one size of three.
    np.testing.assert_allclose(losses.energy_score(gray, gray, photo), [np.sqrt(3) / 3], atol=1e-3)


def test_pictures_that_vary_as_the_photos_do_score_better_than_their_mean():
    red, green, mean = flat([1, 0, 0]), flat([0, 1, 0]), flat([0.5, 0.5, 0])
    varied = np.mean([losses.energy_score(*three) for three in itertools.product((red, green), repeat=3)])
    averaged = np.mean([losses.energy_score(mean, mean, photo) for photo in (red, green)])
    assert varied < 0.6 * averaged
