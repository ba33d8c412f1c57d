"""How alike the patterns of two garments are: their variograms, which know stripes and checks wherever they begin.

A variogram is how much pixels differ on average that lie a given step apart (a measure of texture from geology; for
pictures see Carr and de Miranda 1998). Stripes differ at half their period across and not along; a plain garment
differs nowhere. Where the pattern begins and what its colors are makes no difference.
"""

import numpy as np

# Steps (down, right), in parts of 64 of the picture's height: four lengths in four directions.
DIRECTIONS = (0, 1), (1, 0), (1, 1), (1, -1)
STEPS = [(down * length, right * length) for length in (1, 2, 4, 8) for down, right in DIRECTIONS]

# Differences below what a person sees in CIELAB (Mahy et al. 1994) are no pattern.
UNSEEN = 2.3

# A step that joins fewer pairs of the garment's pixels says nothing.
LEAST_PAIRS = 8


def variogram(colors, region):
    """Mean differences in CIELAB of the pixels of a region that lie a step apart, [len(STEPS)].

    Args:
        colors: [H, W, 3] in CIELAB.
        region: bool [H, W].

    NaN for a step that joins too few pairs.
    """
    rows, columns = (np.flatnonzero(region.any(axis=axis)) for axis in (1, 0))
    box = np.s_[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    unit = max(1, region.shape[0] // 64)
    return np.array([_mean_difference(colors[box], region[box], down * unit, right * unit) for down, right in STEPS])


def pattern_similarity(one, other):
    """How alike two variograms [V] are, 1 = the same, around 0 = strangers; NaN unless they share two steps.

    SSIM (Wang et al. 2004, equation 13) over the steps instead of over pixels: whether both differ as much on average,
    and whether they do so at the same steps.
    """
    both = ~(np.isnan(one) | np.isnan(other))
    if both.sum() < 2:
        return np.nan
    a, b = one[both], other[both]
    strength = (2 * a.mean() * b.mean() + UNSEEN**2) / (a.mean() ** 2 + b.mean() ** 2 + UNSEEN**2)
    covariance = np.mean((a - a.mean()) * (b - b.mean()))
    return float(strength * (2 * covariance + UNSEEN**2) / (a.var() + b.var() + UNSEEN**2))


def _mean_difference(colors, region, down, right):
    height, width = region.shape
    if down >= height or abs(right) >= width:
        return np.nan
    here = np.s_[: height - down, max(0, -right) : width - max(0, right)]
    there = np.s_[down:, max(0, right) : width - max(0, -right)]
    pairs = region[here] & region[there]
    if pairs.sum() < LEAST_PAIRS:
        return np.nan
    return np.linalg.norm(colors[here][pairs] - colors[there][pairs], axis=-1).mean()
