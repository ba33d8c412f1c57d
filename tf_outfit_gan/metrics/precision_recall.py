"""Improved precision and recall (Kynkaanniemi et al., arXiv 1904.06991): quality and variety, measured separately.

Each side's manifold is the union of balls around its features, each as wide as the distance to the k-th nearest other
one. Precision is the part of drawn pictures that fall into the photos' manifold, recall the part of photos that fall
into the drawn pictures'.
"""

import numpy as np

NEIGHBOR = 3  # k of the paper.
_ROWS = 1024  # Of the matrix of distances, those in memory together.


def precision_recall(real, drawn, neighbor=NEIGHBOR):
    """(precision, recall) in 0..1 of features [N, F] and [M, F], float; (None, None) for too few to have a neighbor."""
    if min(len(real), len(drawn)) <= neighbor:
        return None, None
    return covered(drawn, real, neighbor), covered(real, drawn, neighbor)


def covered(points, manifold, neighbor=NEIGHBOR):
    """The part of points [M, F] in at least one of the balls around the manifold's features [N, F]."""
    radii = np.concatenate(
        [
            np.partition(squared, neighbor, axis=1)[:, neighbor]  # The nearest one, at 0, is the feature itself.
            for squared in _squared_distances(manifold, manifold)
        ]
    )  # [N]
    return float(np.mean(np.concatenate([(squared <= radii).any(axis=1) for squared in _squared_distances(points, manifold)])))


def _squared_distances(points, others):
    """Yields the squared distances of points [M, F] from others [N, F], [rows, N] at a time."""
    points, others = np.asarray(points, np.float64), np.asarray(others, np.float64)
    center = others.mean(axis=0)  # Small numbers lose few digits in the products.
    points, others = points - center, others - center
    norms = np.square(others).sum(axis=1)
    for start in range(0, len(points), _ROWS):
        rows = points[start : start + _ROWS]
        yield np.maximum(np.square(rows).sum(axis=1)[:, None] + norms - 2 * rows @ others.T, 0)
