"""How long the steps wait for their data: measured in the graph, and seen from outside while it runs."""

import tensorflow as tf


class Waiting:
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
