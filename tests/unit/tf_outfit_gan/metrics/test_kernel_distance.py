"""KID: by hand, against plain loops, and without bias."""

import numpy as np
import pytest

from tf_outfit_gan.metrics.kernel_distance import kernel_distance, squared_mmd


def test_by_hand():
    # One feature: k(x, y) = (x y + 1)^3. Pairs of [0, 1] : 1, of [1, 2]: 27; between them 1, 1, 8, 27.
    assert squared_mmd([[0], [1]], [[1], [2]]) == pytest.approx(1 + 27 - 2 * 37 / 4)


def test_against_loops():
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=(7, 5)), rng.normal(size=(9, 5)) + 0.3

    def kernel(x, y):
        return (sum(a * b for a, b in zip(x, y)) / 5 + 1) ** 3

    def inside(side):
        pairs = [kernel(x, y) for i, x in enumerate(side) for j, y in enumerate(side) if i != j]
        return sum(pairs) / len(pairs)

    between = [kernel(x, y) for x in one for y in other]
    expected = inside(one) + inside(other) - 2 * sum(between) / len(between)
    assert squared_mmd(one, other) == pytest.approx(expected, rel=1e-12)
    # All of both sides in every subset, in another order.
    assert kernel_distance(one, other[:7], subsets=3) == pytest.approx(squared_mmd(one, other[:7]), rel=1e-12)


def test_equal_distributions_are_0_apart_on_average_however_few_there_are():
    rng = np.random.default_rng(1)
    found = [squared_mmd(rng.normal(size=(5, 3)), rng.normal(size=(5, 3))) for _ in range(4000)]
    assert abs(np.mean(found)) < 4 * np.std(found) / 4000**0.5
    apart = squared_mmd(rng.normal(size=(500, 3)), rng.normal(size=(500, 3)) + 1)
    assert apart > 10 * np.std(found) / 100


def test_a_seed_decides_about_the_subsets():
    rng = np.random.default_rng(2)
    one, other = rng.normal(size=(50, 3)), rng.normal(size=(60, 3))

    def distance(seed):
        return kernel_distance(one, other, seed, subsets=3, subset_size=20)

    assert distance(0) == distance(0) != distance(1)
