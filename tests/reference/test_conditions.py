"""Articles lie over the body where the reference lays them."""

import numpy as np
import pytest

from tests.helpers.standing import standing
from tests.reference import conditions
from tf_outfit_gan.networks.article_maps import article_map
from tf_outfit_gan.slots import SLOTS


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [(64, 48), (32, 32), (8, 6)], ids=str)
def test_articles_lie_where_the_reference_lays_them(size, seed):
    """Over somebody with joints here and there, some of them missing."""
    rng, slots = np.random.default_rng(seed), (*SLOTS, "hat")
    pose = standing()[0] + rng.normal(0, 0.06, (16, 3)) * [1, 1, 0]
    pose[:, 2] = rng.uniform(size=16) > 0.1
    height, width = max(8, size[0] // 2), max(6, size[1] // 2)
    articles = np.ones((len(slots), height, width, 3))
    for article in articles[1:]:  # The first one is empty paper.
        top, left, bottom, right = rng.integers(0, [height // 3, width // 3] * 2)
        part = article[top : height - bottom, left : width - right]
        part[:] = rng.uniform(-1, 0.9, part.shape)
    found = article_map(slots, np.float32(pose)[None], np.float32(articles)[None], size)[0]
    expected = conditions.laid_over(slots, np.float32(pose), np.float32(articles), size)
    assert expected.reshape(-1, len(slots), 3).any(axis=(0, 2)).sum() >= 5
    np.testing.assert_allclose(found, expected, atol=1e-4)
