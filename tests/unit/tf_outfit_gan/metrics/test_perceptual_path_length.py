"""Path length of a generator whose paths are known, and which lengths are left out."""

import numpy as np
import pytest
import tensorflow as tf

from tf_outfit_gan.metrics.perceptual_path_length import PerceptualPathLength, mean_length
from tf_outfit_gan.metrics.samples import Entries, Samples


class Linear:
    """A on_one_device whose style vectors are its seeds' digits and whose pictures are a matrix times them."""

    matrix = tf.constant([[1.0, 2.0], [0.0, -1.0]])

    @staticmethod
    def style_vectors(seeds):
        digits = tf.cast(tf.stack([seeds % 10, seeds // 10 % 10], axis=-1), tf.float32)
        return digits[:, None]  # [N, 1, 2]

    @staticmethod
    def condition_maps():
        return [tf.zeros([2, 1])]  # For one picture of each path.

    @classmethod
    def draw(cls, w, seeds, maps):
        assert maps[0].shape == [4, 1]
        return w[:, 0] @ cls.matrix + tf.cast(seeds, tf.float32)[:, None] * 0  # [N, 2]


class Sampler:
    on_one_device = Linear
    request = [tf.TensorSpec([None], tf.int64)]


def test_a_linear_path_is_as_long_as_its_ends_are_apart():
    lengths = PerceptualPathLength(Sampler, tf.identity)
    samples = Samples(3, Entries(["a", "b"], None, None, None, None), None, seed=0)
    lengths.add(samples, None)
    start, end = (Linear.style_vectors(samples.seeds(series)).numpy()[:, 0] for series in (0, 8))
    expected = np.square((end - start) @ Linear.matrix.numpy()).sum(axis=1)
    assert expected.min() > 0
    figure = lengths.figures()["path_length.ppl"]
    assert figure.value == pytest.approx(mean_length(expected), rel=0.02)  # A short step in float32.
    assert not figure.higher_is_better


def test_a_hundredth_at_each_end_is_left_out():
    assert mean_length([*range(1, 201)]) == 100.5
    assert mean_length([-1e9, *range(1, 201), 1e9]) == 100.5
    assert mean_length([5.0]) == 5
