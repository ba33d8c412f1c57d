"""PPL, the perceptual path length in w (Karras et al., arXiv 1812.04948, section 4.1), with another distance.

How much a picture changes on a short step of the way from one style vector to another, in parts of the step, squared: a
smooth generator has short paths. The paper measures the change by LPIPS, whose weights are not at hand here: it is the
squared Euclidean distance between the chosen features instead. So numbers compare between models under the same
features alone, and with no published PPL.
"""

import numpy as np
import tensorflow as tf

from tf_outfit_gan.metrics.figure import Figure

EPSILON = 1e-4

# Lengths below the first and above the last percentile are left out, as in the official code.
PERCENTILES = 1, 99


class PerceptualPathLength:
    """Measures path lengths.

    Args:
        sampler: a `ParallelSampler`.
        features: see `features`.
    """

    def __init__(self, sampler, features):
        single = sampler.on_one_device
        self._lengths = []

        seeds, places = tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.float32)

        @tf.function(input_signature=[seeds, places, *sampler.request])
        def lengths(other_seeds, places, seeds, *conditions):
            start, end = (single.style_vectors(ends, *conditions) for ends in (seeds, other_seeds))  # [N, L, D]
            # Both pictures of each path in one batch, with the same noise and maps.
            places = tf.concat([places, places + EPSILON], axis=0)[:, None, None]
            maps = single.condition_maps(*conditions)
            start, end, seeds = map(_twice, (start, end, seeds))
            maps = maps and list(map(_twice, maps))
            here, there = tf.split(features(single.draw(start + (end - start) * places, seeds, maps)), 2)
            return tf.reduce_sum(tf.square(here - there), axis=1) / EPSILON**2  # [N]

        self._measure = lengths

    def add(self, samples, drawn):
        """Takes in `Samples`: one path an entry, between two latents under its conditions, in one noise."""
        own = samples.own
        conditions = [] if own.articles is None else [own.articles, own.keypoints]
        seeds, other_seeds = samples.seeds(), samples.seeds(series=8)
        places = [np.random.default_rng(seed).random() for seed in other_seeds.numpy()]  # Uniform over the way.
        self._lengths.extend(self._measure(other_seeds, np.float32(places), seeds, *conditions).numpy())

    def figures(self):
        """ppl, the mean over all paths but the outliers."""
        length = mean_length(self._lengths)
        return {"path_length.ppl": Figure(length, 0.0, None, "PPL in w, by the features below", False)}


def _twice(batch):
    return tf.concat([batch, batch], axis=0)


def mean_length(lengths):
    """The mean of lengths [N] between `PERCENTILES`, both included."""
    low = np.percentile(lengths, PERCENTILES[0], method="lower")
    high = np.percentile(lengths, PERCENTILES[1], method="higher")
    return float(np.mean([length for length in lengths if low <= length <= high]))
