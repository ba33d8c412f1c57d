"""benchmarks/truncation.py: at psi 0 pictures have the mean's style, of all conditions or of their own."""

import numpy as np
import pytest
import tensorflow as tf

from benchmarks import truncation
from tests.helpers.exported import make_snapshot
from tf_outfit_gan.inference import Sampler


@pytest.fixture(scope="module")
def drawn():
    """{(mean, psi): pictures} of two latents under one condition, then under another one; the noise is that of one seed."""
    snapshot = make_snapshot("size=16x12", "pose_path=style", "article_path=style")
    sampler = Sampler(snapshot)
    rng = np.random.default_rng(0)
    articles = np.repeat(rng.uniform(-1, 1, (2, 6, *snapshot.config.condition_size, 3)).astype(np.float32), 2, axis=0)
    keypoints = np.full([4, 16, 3], 0.5, np.float32)
    sampler.draw = lambda w, seeds, maps, draw=sampler.draw: draw(w, tf.zeros_like(seeds), maps)
    request = (tf.constant([1, 2, 1, 2], tf.int64), articles, keypoints)
    return {(mean, psi): truncation.drawing(sampler, mean, psi)(*request) for mean in truncation.MEANS for psi in (1.0, 0.0)}


def test_without_truncation_both_are_one(drawn):
    np.testing.assert_array_equal(drawn["all", 1.0], drawn["conditions", 1.0])
    assert np.any(drawn["all", 1.0][0] != drawn["all", 1.0][1])


def test_the_mean_of_all_knows_no_conditions(drawn):
    assert (drawn["all", 0.0] == drawn["all", 0.0][0]).all()


def test_the_mean_of_the_conditions_differs_with_them_alone(drawn):
    one, again, other, _ = drawn["conditions", 0.0]
    np.testing.assert_array_equal(one, again)
    assert np.any(one != other)
