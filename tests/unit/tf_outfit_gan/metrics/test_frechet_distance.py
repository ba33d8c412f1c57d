"""The Frechet distance: hand-worked Gaussians, another way to the root, and moments that come in pieces."""

import numpy as np
import pytest

from tf_outfit_gan.metrics.frechet_distance import Moments, frechet_distance


@pytest.mark.parametrize(
    "mean1, covariance1, mean2, covariance2, distance",
    [
        ([0], [[1]], [0], [[1]], 0),
        ([0], [[4]], [3], [[25]], 9 + (2 - 5) ** 2),  # In one dimension the deviations' difference is what counts.
        ([1, 2], np.diag([1, 9]), [4, 6], np.diag([4, 25]), 25 + 1 + 4),  # Diagonals commute: dimension by dimension.
        # These do not commute. For 2x2, tr(M^(1/2)) = (tr M + 2 (det M)^(1/2))^(1/2): here M = [[17, 4], [16, 4]], det 4,
        # so that it is (21 + 4)^(1/2) = 5, and the distance 5 + 18 - 2 x 5.
        ([0, 0], np.diag([1, 4]), [0, 0], [[17, 4], [4, 1]], 13),
        ([0, 0], [[1, 1], [1, 1]], [0, 0], [[1, -1], [-1, 1]], 4),  # Both singular, and nothing in common.
        ([0, 0], np.diag([1, 0]), [1, 0], np.zeros((2, 2)), 2),  # To a single point.
    ],
)
def test_hand_worked(mean1, covariance1, mean2, covariance2, distance):
    one, other = (np.array(mean1), np.array(covariance1)), (np.array(mean2), np.array(covariance2))
    assert frechet_distance(*one, *other) == pytest.approx(distance, abs=1e-9)
    assert frechet_distance(*other, *one) == pytest.approx(distance, abs=1e-9)


def random_gaussian(rng, size, rank):
    factor = rng.normal(size=(size, rank))
    return rng.normal(size=size), factor @ factor.T


def test_agrees_with_the_eigenvalues_of_the_product():
    """C1 C2 is not symmetric, but its eigenvalues are real and not negative: their roots sum to the root's trace."""
    rng = np.random.default_rng(0)
    (m1, c1), (m2, c2) = random_gaussian(rng, 20, 30), random_gaussian(rng, 20, 30)
    root_trace = np.sqrt(np.linalg.eigvals(c1 @ c2).real).sum()
    expected = ((m1 - m2) ** 2).sum() + np.trace(c1) + np.trace(c2) - 2 * root_trace
    assert frechet_distance(m1, c1, m2, c2) == pytest.approx(expected, rel=1e-9)


def test_equal_gaussians_of_low_rank_have_no_distance():
    mean, covariance = random_gaussian(np.random.default_rng(1), 100, 7)
    assert frechet_distance(mean, covariance, mean, covariance) == pytest.approx(0, abs=1e-9 * np.trace(covariance))


@pytest.mark.parametrize("offset", [0, 1e6])  # Running sums of squares would lose the variance behind the offset.
def test_moments_in_pieces_are_those_of_the_whole(offset):
    features = np.random.default_rng(2).normal(size=(50, 6)) + offset
    moments = Moments(6)
    for piece in np.split(features, [1, 8, 40]):
        moments.add(piece)
    assert moments.count == 50
    np.testing.assert_allclose(moments.mean, features.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(moments.covariance, np.cov(features, rowvar=False), atol=1e-9)
