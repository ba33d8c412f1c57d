"""Precision and recall: by hand, against plain loops, and what each of them sees."""

import numpy as np
import pytest

from tf_outfit_gan.metrics import precision_recall as module
from tf_outfit_gan.metrics.precision_recall import covered, precision_recall


def test_by_hand():
    # Each one's nearest other one: 0-1, 1-0 (1 apart), 3-1 (2), 7-3 (4).
    manifold = np.array([[0], [1], [3], [7]])
    points = np.array([[-1], [-1.01], [2], [5.1], [11], [11.1]])  # Inside, outside, inside (of 3's), 7's, 7's, outside.
    assert covered(points, manifold, neighbor=1) == pytest.approx(4 / 6)
    # Each one's second nearest: 3, 2, 3, 6 away.
    assert covered(np.array([[-3], [-3.1], [13], [13.1]]), manifold, neighbor=2) == pytest.approx(2 / 4)


def loops(points, manifold, neighbor):
    inside = 0
    for point in points:
        for i, center in enumerate(manifold):
            radius = sorted(np.linalg.norm(center - other) for j, other in enumerate(manifold) if j != i)[neighbor - 1]
            if np.linalg.norm(point - center) <= radius:
                inside += 1
                break
    return inside / len(points)


def test_against_loops(monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 7)  # Several pieces.
    rng = np.random.default_rng(0)
    real, drawn = rng.normal(size=(40, 3)) + 1000, rng.normal(size=(30, 3)) + 1001.5
    assert precision_recall(real, drawn) == (loops(drawn, real, 3), loops(real, drawn, 3))
    assert 0 < loops(drawn, real, 3) < 1 and 0 < loops(real, drawn, 3) < 1


def test_few_kinds_cost_recall_and_noise_costs_precision():
    rng = np.random.default_rng(1)
    real = rng.normal(size=(300, 4))
    assert precision_recall(real, real) == (1, 1)
    precision, recall = precision_recall(real, 0.1 * rng.normal(size=(300, 4)))  # The middle alone.
    assert precision == 1 and recall < 0.2
    precision, recall = precision_recall(real, 10 * rng.normal(size=(300, 4)))
    assert precision < 0.2 and recall > 0.5


def test_too_few_have_no_neighbor():
    assert precision_recall(np.zeros((3, 2)), np.zeros((10, 2))) == (None, None)
