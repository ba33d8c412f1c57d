"""Every random number that makes a picture: stateless draws, so that a seed is a picture and a resumed run the same run.

The algorithm is named, because TensorFlow's default may choose another one on another device.
"""

import math

import tensorflow as tf

# Streams of one key. Each noise layer has a stream of its own, so that a layer's map does not depend on how many
# layers there are.
LATENT, OTHER_LATENT, MIXING, AUGMENTATION, MISMATCH, NOISE = 0, 1, 2, 4, 5, 1000
AGAIN = 2**39  # Added to a key, of which training uses fewer.


def normal(shape, key, stream):
    """Standard normal numbers; key is an int64 scalar, stream a small integer.

    The numbers of `tf.random.stateless_normal(..., alg="philox")`, which mixes a seed by fifty operations where one does it:
    in a large network's graph these would be most of what a server plans for each signature.
    """
    key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=_seed(key, stream))
    return tf.raw_ops.StatelessRandomNormalV2(shape=shape, key=key, counter=counter, alg=tf.random.Algorithm.PHILOX.value)


def uniform(shape, key, stream, minval=0, maxval=None, dtype=tf.float32):
    """Uniform numbers in [minval, maxval)."""
    return tf.random.stateless_uniform(shape, _seed(key, stream), minval, maxval, dtype, alg="philox")


def _seed(key, stream):
    return tf.stack([tf.cast(key, tf.int64), tf.constant(stream, tf.int64)])


def seeded_latents(seeds, latent_dim):
    """Latents of requests: row i depends on seeds[i] alone, whatever the batch. int64 [N] -> [N, Z]."""
    spec = tf.TensorSpec([latent_dim], tf.float32)
    return tf.map_fn(lambda seed: normal([latent_dim], seed, LATENT), seeds, fn_output_signature=spec)


def seeded_noise(seeds, level_sizes):
    """Noise maps of requests, two a level: row i depends on seeds[i] alone. int64 [N] -> 2 maps a level, [N, H, W, 1]."""
    shapes = [[*level_sizes[layer // 2], 1] for layer in range(2 * len(level_sizes))]

    def draw(seed):
        return [normal(shape, seed, NOISE + layer) for layer, shape in enumerate(shapes)]

    return tf.map_fn(draw, seeds, fn_output_signature=[tf.TensorSpec(shape, tf.float32) for shape in shapes])


class BatchDraws:
    """What one training phase draws for the pictures of a replica.

    A picture's numbers depend on its place in the global batch and not on how many replicas there are, of which each
    has the places replica, replica + replicas, ...

    Args:
        key: int64 scalar; another one for each phase of each step.
        batch: pictures a replica.
        replica, replicas: which share.
    """

    def __init__(self, key, batch, replica=0, replicas=1):
        self.key, self.batch, self.replica, self.replicas = key, batch, replica, replicas

    def again(self):
        """What a second picture of each of the same entries draws."""
        with tf.device("CPU:0"):  # As of all keys: see `_rows`.
            key = self.key + AGAIN
        return BatchDraws(key, self.batch, self.replica, self.replicas)

    def latents(self, latent_dim, stream=LATENT):
        return self._rows(tf.raw_ops.StatelessRandomNormalV2, [latent_dim], stream)

    def noise(self, level_sizes):
        """Two maps a level, [N, H, W, 1]."""
        return [
            self._rows(tf.raw_ops.StatelessRandomNormalV2, [*level_sizes[layer // 2], 1], NOISE + layer)
            for layer in range(2 * len(level_sizes))
        ]

    def augmentation(self, count):
        """Uniform numbers in [0, 1), `count` a picture, [N, count]."""
        return self._rows(tf.raw_ops.StatelessRandomUniformV2, [count], AUGMENTATION)

    def mismatch(self, count):
        """Uniform numbers in [0, 1), `count` a picture, [N, count]."""
        return self._rows(tf.raw_ops.StatelessRandomUniformV2, [count], MISMATCH)

    def mixing_cutoff(self, probability, num_layers):
        """The first layer that takes the second latent's style: one a batch, uniform in [1, num_layers)."""
        with tf.device("CPU:0"):  # Layers are compared with it on the host, which would wait for a GPU's draw.
            cutoff = uniform([], self.key, MIXING, 1, num_layers, tf.int32)
            mixes = uniform([], self.key, MIXING + 1) < probability
            return tf.where(mixes, cutoff, num_layers)

    def _rows(self, draw, shape, stream):
        """The replica's rows of what one replica would draw as [global batch, *shape].

        Philox makes numbers from a counter, four from each of its values (Salmon et al. 2011), so a replica can draw its
        own rows where they begin: what it does for others would grow with their number.
        """
        with tf.device("CPU:0"):  # Kernels of GPUs, too, take the seed from the host, which would wait for a GPU's.
            key, counter = tf.raw_ops.StatelessRandomGetKeyCounter(seed=_seed(self.key, stream))
        counters = -(-math.prod(shape) // 4)  # Of a row.

        def drawn(rows, counter):
            numbers = draw(shape=[*rows, 4 * counters], key=key, counter=counter, alg=tf.random.Algorithm.PHILOX.value)
            return tf.reshape(numbers[..., : math.prod(shape)], [*rows, *shape])

        if self.replicas == 1:
            return drawn([self.batch], counter)
        with tf.device("CPU:0"):  # GPUs do not unstack uint64.
            places = tf.cast(self.replica, tf.int64) + self.replicas * tf.range(self.batch, dtype=tf.int64)
            starts = counter + tf.cast(tf.stack([places * counters, tf.zeros_like(places)], axis=1), tf.uint64)
            starts = tf.unstack(starts)
        return tf.stack([drawn([], start) for start in starts])


class DrawnOutside:
    """`BatchDraws` for a function that XLA compiles, where the same seeds would give other numbers.

    It draws in the graph in which it was made; the function takes the numbers as inputs.
    """

    def __init__(self, draws):
        self._draws, self._graph = draws, tf.compat.v1.get_default_graph()

    def again(self):
        with self._graph.as_default():
            return DrawnOutside(self._draws.again())

    def __getattr__(self, name):
        def draw(*args):
            with self._graph.as_default():
                return getattr(self._draws, name)(*args)

        return draw
