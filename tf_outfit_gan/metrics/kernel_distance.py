"""KID, the kernel inception distance (Binkowski et al., arXiv 1801.01401): a squared maximum mean discrepancy."""

import numpy as np

# As in the paper, section 4: the mean over so many random subsets of so many features of each side.
SUBSETS, SUBSET_SIZE = 100, 1000


def kernel_distance(real, drawn, seed=0, subsets=SUBSETS, subset_size=SUBSET_SIZE):
    """The mean of `squared_mmd` over random subsets; unlike the Frechet distance it is no larger for few pictures.

    Args:
        real, drawn: features [N, F] and [M, F].
        seed: decides about the subsets.
        subset_size: features of each side in a subset; all of the smaller side, if there are fewer.
    """
    rng = np.random.default_rng(seed)
    size = min(subset_size, len(real), len(drawn))
    return float(
        np.mean(
            [squared_mmd(*(side[rng.choice(len(side), size, replace=False)] for side in (real, drawn))) for _ in range(subsets)]
        )
    )


def squared_mmd(one, other):
    """The unbiased estimate between features [N, F] and [M, F] with the kernel (x . y / F + 1)^3; around 0 if alike.

    It leaves out the kernel of a feature with itself, so it may be negative (Gretton et al. 2012, lemma 6).
    """
    one, other = np.asarray(one, np.float64), np.asarray(other, np.float64)
    return _mean_of_pairs(one) + _mean_of_pairs(other) - 2 * _kernel(one, other).mean()


def _kernel(x, y):
    return (x @ y.T / x.shape[1] + 1) ** 3


def _mean_of_pairs(x):
    """The mean kernel of two different features of one side."""
    kernel = _kernel(x, x)
    return (kernel.sum() - np.trace(kernel)) / (len(x) * (len(x) - 1))
