"""Gradient accumulation: a batch that is too large for the memory is computed in turns, whose results are summed.

Turn m of M on replica r of R takes the entries m, m + M, ... of the replica's batch and draws what replica r + R m of
R M would draw: M turns compute what M times as many replicas do, minibatch-stddev groups included.
"""

import tensorflow as tf


def entries_of(turn, turns, batch):
    """The entries of a replica's batch that a turn computes: a structure of [N, ...] -> [N / turns, ...]."""
    if turns == 1:
        return batch
    return tf.nest.map_structure(lambda x: tf.reshape(x, [-1, turns, *x.shape[1:]])[:, turn], batch)


def summed(compute, turns):
    """compute(0) + compute(1) + ..., one after another, so that one of them at a time takes memory.

    Args:
        compute: function of a turn's number (a scalar tensor where there are several) that returns a vector.
        turns: how many; a Python integer.
    """
    if turns == 1:
        return compute(0)
    shapes = []

    def add(turn, total):
        vector = compute(turn)
        shapes.append(vector.shape)
        return turn + 1, total + vector

    # A loop in the graph is traced once, however many turns there are. Before that nobody knows how long the vector
    # is: the sum starts as a scalar.
    shapes_of_loop = (tf.TensorShape([]), tf.TensorShape(None))
    _, total = tf.while_loop(lambda turn, _: turn < turns, add, (0, 0.0), shapes_of_loop, parallel_iterations=1)
    return tf.reshape(total, shapes[0])
