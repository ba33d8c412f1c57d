"""Checkpoints: the trainer's memory. What resumes a run, and what nobody else reads."""

import tensorflow as tf


class Checkpoints:
    """Saves and restores networks, optimizers, the average generator and the place in the schedule.

    The image count is also the place in the data, see `tf_outfit_gan.data.order`.

    TensorFlow writes a checkpoint's files first and names it in the folder's `checkpoint` file last: a half-written
    one is never restored.

    Args:
        folder: where they lie.
        steps: the `Steps`.
    """

    def __init__(self, folder, steps):
        self._cur_nimg = tf.Variable(0, dtype=tf.int64)
        self._period = tf.Variable(-1, dtype=tf.int64)
        self._checkpoint = tf.train.Checkpoint(
            generator=steps.generator, discriminator=steps.discriminator, average=steps.average,
            generator_optimizer=steps.generator_optimizer, discriminator_optimizer=steps.discriminator_optimizer,
            ada_probability=steps.ada_probability, cur_nimg=self._cur_nimg, period=self._period,
        )
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(folder), max_to_keep=2)

    def save(self, cur_nimg, period):
        """Saves the state after `cur_nimg` real images, in the schedule's period of that index."""
        self._cur_nimg.assign(cur_nimg)
        self._period.assign(period)
        self._manager.save(checkpoint_number=cur_nimg)

    def restore(self):
        """Restores the newest checkpoint if there is one. Returns (cur_nimg, period): (0, -1) for a fresh run."""
        if self._manager.latest_checkpoint:
            self._checkpoint.restore(self._manager.latest_checkpoint).assert_consumed()
        return int(self._cur_nimg), int(self._period)
