"""What is done to style vectors, against cases worked by hand: layer l of the source holds 10 + l, of the target l."""

import pytest
import tensorflow as tf

from tf_outfit_gan import styles

TARGET = tf.tile(tf.range(6.0)[None, :, None], [2, 1, 3])  # [2, 6, 3]
SOURCE = TARGET + 10


def layers(w):
    """One number a layer of each row, [N, L]."""
    w = w.numpy()
    assert (w == w[..., :1]).all()
    return w[..., 0].tolist()


def test_mixing_takes_the_cutoffs_layer_from_the_other():
    assert layers(styles.mix(TARGET, SOURCE, 4)) == [[0, 1, 2, 3, 14, 15]] * 2


def test_truncation_pulls_the_first_layers_towards_the_average():
    average = tf.fill([3], 100.0)
    assert layers(styles.truncate(TARGET, average, 0.5, num_layers=3)) == [[50, 50.5, 51, 3, 4, 5]] * 2
    assert layers(styles.truncate(TARGET, average, [0.0, 1.0], num_layers=2)) == [[100, 100, 2, 3, 4, 5], [0, 1, 2, 3, 4, 5]]


def test_a_transfer_copies_a_half_open_range():
    assert layers(styles.copy_layers(SOURCE, TARGET, 1, 3)) == [[0, 11, 12, 3, 4, 5]] * 2
    assert layers(styles.copy_layers(SOURCE, TARGET, [0, 5], [0, 6])) == [[0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 15]]


@pytest.mark.parametrize(
    "what, split, expected",
    [("color", None, (12, 18)), ("pose", None, (0, 3)), ("color", 5, (5, 18)), ("colour", None, (12, 18))],
)
def test_the_papers_layers(what, split, expected):
    assert styles.transfer_layers(what, 18, split) == expected
