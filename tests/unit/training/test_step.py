"""The trainer's networks before the first step."""

import numpy as np
import tensorflow as tf

from tf_outfit_gan.config import from_preset
from training.step import Steps


def test_a_fresh_average_is_the_generator():
    """Or the first snapshots would be of another network: the average forgets it only slowly."""
    steps = Steps(tf.distribute.get_strategy(), *from_preset("tiny", ["precision=mixed_bfloat16"]))
    for ours, theirs in zip(steps.average.get_weights(), steps.generator.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert {weight.dtype for weight in steps.average.weights} == {"float32"}
