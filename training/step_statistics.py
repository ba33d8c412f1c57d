"""The statistics of the steps of one call: summed in the graph, read by Python.

A statistic is what a phase reports by a name, where it computes it. No list of names is kept anywhere: which ones there are,
and their order, is known once the first step is traced.
"""

import collections

import numpy as np
import tensorflow as tf

# The name that begins so is 1 where a phase's update was skipped because its gradient was not finite.
SKIPPED = "skipped_"
_NEVER = np.iinfo(np.int64).max

# totals, counts: of the finite values of each statistic, and how many there are. first_failure: the image count of the first step
# in which a value was not finite, or an update was skipped. waited_sec: for data.
Sums = collections.namedtuple("Sums", "totals counts first_failure waited_sec")

# Of the loop over steps: vectors of a length that is not known before the first step is traced.
SHAPES = Sums(tf.TensorShape(None), tf.TensorShape(None), tf.TensorShape(None), tf.TensorShape([]))


def empty():
    """The sums before the first step: scalars, which broadcast to as many statistics as there are."""
    return Sums(tf.zeros([]), tf.zeros([]), tf.constant(_NEVER, tf.int64), tf.zeros([], tf.float64))


def added(sums, statistics, cur_nimg, waited_sec):
    """The sums with one more step.

    Args:
        statistics: {name: (value, count)}, scalars; a count of 0 says that the step did not measure it.
        cur_nimg: images shown before the step.
        waited_sec: for its data.
    """
    values, counts = (tf.stack([tf.cast(pair[part], tf.float32) for pair in statistics.values()]) for part in (0, 1))
    skipped = np.array([name.startswith(SKIPPED) for name in statistics])
    finite = tf.math.is_finite(values)
    failed = (counts > 0) & (tf.logical_not(finite) | (skipped & (values > 0)))
    good = tf.where(finite, counts, 0.0)
    return Sums(
        sums.totals + tf.where(good > 0, values, 0.0),
        sums.counts + good,
        tf.where(failed, tf.minimum(sums.first_failure, tf.cast(cur_nimg, tf.int64)), sums.first_failure),
        sums.waited_sec + waited_sec,
    )


def by_name(sums, names, steps):
    """{name: (total, count)}, whose quotient is the mean over the steps that measured it.

    The skipped updates of all phases are one statistic, "skipped_updates": so many of so many steps.
    """
    found = dict(zip(names, zip(*(part.numpy().tolist() for part in sums[:2])), strict=True))
    measured = {name: pair for name, pair in found.items() if not name.startswith(SKIPPED)}
    return measured | {"skipped_updates": (skipped_updates(sums, names), steps)}


def means(sums):
    """{name: mean} of {name: (total, count)}: what was never measured is left out."""
    return {name: total / count for name, (total, count) in sums.items() if count}


def skipped_updates(sums, names):
    return int(sum(total for name, total in zip(names, sums.totals.numpy()) if name.startswith(SKIPPED)))


def first_failure(sums, names):
    """(what is not finite, in words; image count before that step), or None.

    Of one step the first in the order in which it computes: that is the cause, and the others follow from it.
    """
    first = sums.first_failure.numpy()
    if first.min() == _NEVER:
        return None
    name = list(names)[first.argmin()]
    what = "the gradient" if name.startswith(SKIPPED) else name
    return f"{what} in the phase {names[name]}", int(first.min())


class InputWait:
    """Takes batches from an iterator, and takes the time.

    Args:
        timed: False where TensorFlow is to be deterministic: then it has no clock, and every batch takes 0 seconds.
    """

    def __init__(self, timed=True):
        self._clock = tf.timestamp if timed else lambda: tf.zeros([], tf.float64)
        with tf.device("CPU:0"):
            self._now = tf.Variable(False, trainable=False, name="waiting")

    @tf.autograph.experimental.do_not_convert  # There is nothing to convert, and that takes seconds.
    def next(self, iterator, after):
        """Takes the next batch, in a graph.

        Args:
            after: tensors of the step before, which is to be over: else its time would count as waiting.

        Returns:
            The batch, and the seconds that it took to come, float64.
        """
        with tf.control_dependencies(after), tf.device("CPU:0"):
            begins = self._now.assign(True)
            with tf.control_dependencies([begins]):
                begun = self._clock()
        with tf.control_dependencies([begun]):
            batch = iterator.get_next()
        with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)), tf.device("CPU:0"):
            ends = self._now.assign(False)
            with tf.control_dependencies([ends]):
                return batch, self._clock() - begun

    def now(self):
        """Whether a step waits for its batch at this moment; may be asked by another thread."""
        return bool(self._now.numpy())
