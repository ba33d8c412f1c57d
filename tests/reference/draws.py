"""The random numbers of a step: Philox streams, named by a key and a number (Salmon et al. 2011)."""

import numpy as np
import tensorflow as tf

# The phases of a step, of which each draws its own numbers.
DISCRIMINATOR, R1, GENERATOR = range(3)


class Draws:
    """What a phase draws for a global batch of N pictures, a row a picture.

    The key is never used again: image counts of steps are at least one apart, and there are three phases. Second pictures of the
    same entries, "again", have keys beyond all others.
    """

    def __init__(self, seed, cur_nimg, phase, batch, again=False):
        self.key, self.batch = seed * 2**40 + cur_nimg * 3 + phase + (2**39 if again else 0), batch

    def first_latents(self, width):
        """[N, Z]"""
        return self._rows("normal", 0, width)

    def second_latents(self, width):
        """[N, Z] of style mixing."""
        return self._rows("normal", 1, width)

    def mixing_cutoff(self, probability, layers):
        """The first layer that takes the second latent's style, one a batch; `layers` = none does."""
        mixes = tf.random.stateless_uniform([], [self.key, 3], alg="philox") < probability
        cutoff = tf.random.stateless_uniform([], [self.key, 2], 1, layers, tf.int32, alg="philox")
        return int(cutoff) if mixes else layers

    def alterations(self, count):
        """[N, count] in [0, 1), of augmentation."""
        return self._rows("uniform", 4, count)

    def mismatch(self, count):
        """[N, count] in [0, 1), of which conditions are wrong."""
        return self._rows("uniform", 5, count)

    def noise(self, layer, size):
        """[N, H, W, 1]"""
        return self._rows("normal", 1000 + layer, size[0] * size[1]).reshape(-1, *size, 1)

    def _rows(self, kind, stream, count):
        """[N, count]. Philox gives four numbers at a time: a row begins with the next four."""
        draw = {"normal": tf.random.stateless_normal, "uniform": tf.random.stateless_uniform}[kind]
        whole = draw([self.batch, -(-count // 4) * 4], [self.key, stream], alg="philox")
        return whole.numpy()[:, :count].astype(np.float64)
