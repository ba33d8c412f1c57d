"""The Frechet distance between two Gaussians (Heusel et al., arXiv 1706.08500, equation 6), from streamed features."""

import numpy as np


class Moments:
    """The mean and the covariance of features that come a batch at a time, in float64; no feature is kept.

    Moments of two sets merge exactly (Chan, Golub & LeVeque, 1979); running sums of squares would lose digits.

    Args:
        num_features: F.
        count, mean, scatter: of the features so far: how many, their mean [F], and the sum of (x - mean)(x - mean)^T,
            [F, F].
    """

    def __init__(self, num_features, count=0, mean=0.0, scatter=0.0):
        self.count = count
        self.mean = np.zeros(num_features) + mean  # [F]
        self.scatter = np.zeros((num_features, num_features)) + scatter  # [F, F]

    def add(self, features):
        """Takes in a batch, [N, F]."""
        features = np.asarray(features, np.float64)
        mean = features.mean(axis=0)
        centered, shift = features - mean, mean - self.mean
        total = self.count + len(features)
        self.scatter += centered.T @ centered + np.outer(shift, shift) * (self.count * len(features) / total)
        self.mean += shift * (len(features) / total)
        self.count = total

    @property
    def covariance(self):
        """The unbiased covariance, [F, F]; needs two features."""
        return self.scatter / (self.count - 1)


def frechet_distance(mean1, covariance1, mean2, covariance2):
    """|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2)), in the square of the features' unit; 0 for equal Gaussians.

    With C = A A^T, C1 C2 has the eigenvalues of M M^T, M = A1^T A2, so that the trace of its root is the sum of M's
    singular values. That needs only symmetric and singular value decompositions, and unlike a root of the product it
    stays real and exact when a covariance is singular, as it is with fewer pictures than features.
    """
    product = _factor(covariance1).T @ _factor(covariance2)
    root_trace = np.linalg.svd(product, compute_uv=False).sum()
    return float(np.sum((mean1 - mean2) ** 2) + np.trace(covariance1) + np.trace(covariance2) - 2 * root_trace)


def _factor(covariance):
    """A with A A^T = covariance, [F, rank]; directions whose variance is only rounding are left out."""
    variances, directions = np.linalg.eigh(covariance)
    kept = variances > variances[-1] * len(variances) * np.finfo(np.float64).eps
    return directions[:, kept] * np.sqrt(variances[kept])
