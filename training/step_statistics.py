"""The statistics of the steps of a call, added up in the graph and read by Python; and how long they wait for data."""

import collections

import numpy as np
import tensorflow as tf

# Every statistic of a step in the order in which they are computed, so that the first one that is not finite is the
# cause, and the phase that it comes from. Those that begin with "skipped" are 1 where the phase's update was skipped.
STATISTICS = {
    "score_real": "discriminator", "score_fake": "discriminator",
    "sign_real": "discriminator", "sign_fake": "discriminator",
    "spread_real": "discriminator", "spread_fake": "discriminator",
    "loss_discriminator": "discriminator", "skipped_discriminator": "discriminator",
    "r1_penalty": "R1", "r1_loss": "R1", "skipped_r1": "R1",
    "loss_generator": "generator", "skipped_generator": "generator",
    "ada_probability": "discriminator",
}
_OF_R1 = np.array([phase == "R1" for phase in STATISTICS.values()])
_SKIPPED = np.array([name.startswith("skipped") for name in STATISTICS])
_NEVER = np.iinfo(np.int64).max

# totals, counts: of the values that are finite, by statistic; of those of R1, in the steps that have it. first_failure: the
# image count of the first step in which a value was not finite, or an update was skipped. waited_sec: for data.
StepStatistics = collections.namedtuple("StepStatistics", "totals counts first_failure waited_sec")


def empty():
    count = len(STATISTICS)
    return StepStatistics(tf.zeros([count]), tf.zeros([count]), tf.constant(_NEVER, tf.int64, [count]), tf.zeros([], tf.float64))


@tf.autograph.experimental.do_not_convert  # There is nothing to convert, and that takes seconds.
def added(statistics, values, has_r1, cur_nimg, waited_sec):
    """The statistics with one more step: its `STATISTICS` as a vector, the image count before it, and how long it waited.

    In a step that lacks R1, those of R1 are zeros, which do not count.
    """
    finite = tf.math.is_finite(values)
    failed = tf.logical_not(finite) | (_SKIPPED & (values > 0))
    return StepStatistics(
        statistics.totals + tf.where(finite, values, 0.0),
        statistics.counts + tf.cast(finite & (has_r1 | ~_OF_R1), tf.float32),
        tf.where(failed, tf.minimum(statistics.first_failure, cur_nimg), statistics.first_failure),
        statistics.waited_sec + waited_sec,
    )


def sums(statistics, steps):
    """{name: (total, count)} over the steps. "skipped_updates" are those of all phases."""
    totals, counts = (part.numpy().tolist() for part in statistics[:2])
    found = dict(zip(STATISTICS, zip(totals, counts)))
    measured = {name: value for name, value in found.items() if not name.startswith("skipped")}
    return measured | {"skipped_updates": (skipped_updates(statistics), steps)}


def means(sums):
    """{name: mean} of {name: (total, count)}: what was never measured is left out."""
    return {name: total / count for name, (total, count) in sums.items() if count}


def skipped_updates(statistics):
    return int(statistics.totals.numpy()[_SKIPPED].sum())


def first_failure(statistics):
    """(what is not finite, in words; image count before that step), or None."""
    first = statistics.first_failure.numpy()
    name, phase = list(STATISTICS.items())[first.argmin()]
    if first.min() == _NEVER:
        return None
    what = "the gradient" if name.startswith("skipped") else name
    return f"{what} in the phase of {'R1' if phase == 'R1' else f'the {phase}'}", int(first.min())


class InputWait:
    """Takes batches from an iterator, and takes the time."""

    def __init__(self):
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
                begun = tf.timestamp()
        with tf.control_dependencies([begun]):
            batch = iterator.get_next()
        with tf.control_dependencies(tf.nest.flatten(batch, expand_composites=True)), tf.device("CPU:0"):
            ends = self._now.assign(False)
            with tf.control_dependencies([ends]):
                return batch, tf.timestamp() - begun

    def now(self):
        """Whether a step waits for its batch at this moment; may be asked by another thread."""
        return bool(self._now.numpy())
