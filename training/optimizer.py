"""Adam with beta1 = 0 over one flat vector (arXiv 1412.6980, algorithm 1; StyleGAN's setting)."""

import tensorflow as tf

START_SCALE, SCALE_STEPS = 2.0**15, 2000


class Adam(tf.Module):
    """The optimizer of one network.

    StyleGAN trains without momentum, so only the second moment is kept. All gradients are one vector: one all-reduce
    over replicas and a handful of operations for the whole network, where an optimizer that goes variable by variable
    spends more time on overhead than on arithmetic, and seconds on tracing.

    With `loss_scaling` gradients come multiplied by `loss_scale`, so that small ones do not vanish in float16
    (arXiv 1710.03740, section 3.2): the scale doubles after `SCALE_STEPS` good updates and halves after one that was
    not finite.

    Args:
        strategy: the `tf.distribute.Strategy` whose scope the variables live in.
        variables: of the network, as TensorFlow's own (the `value` of a Keras variable).
        beta2: decay of the second moment.
    """

    def __init__(self, strategy, variables, beta2=0.99, epsilon=1e-8, loss_scaling=False):
        super().__init__()
        self._loss_scaling = loss_scaling
        self._strategy, self._beta2, self._epsilon = strategy, beta2, epsilon
        self._variables = list(variables)
        self._sizes = [variable.shape.num_elements() for variable in self._variables]
        self.second_moment = tf.Variable(tf.zeros([sum(self._sizes)]), trainable=False, name="second_moment")
        self.updates = tf.Variable(0.0, trainable=False, name="updates")
        self.learning_rate = tf.Variable(0.0, trainable=False, name="learning_rate")
        self.loss_scale = tf.Variable(START_SCALE if loss_scaling else 1.0, trainable=False, name="loss_scale")
        self.good_steps = tf.Variable(0.0, trainable=False, name="good_steps")

    def reset(self):
        """Forgets the moments."""
        self.second_moment.assign(tf.zeros_like(self.second_moment))
        self.updates.assign(0.0)

    def flatten(self, gradients, statistics=()):
        """One vector of the gradients of all variables, and of other tensors to be summed with them.

        A gradient that is None, of a layer that was not used, is zero.
        """
        parts = [
            tf.zeros([size]) if gradient is None else tf.reshape(gradient, [size])
            for gradient, size in zip(gradients, self._sizes)
        ]
        return tf.concat([*parts, *(tf.reshape(value, [-1]) for value in statistics)], axis=0)

    def apply(self, vector):
        """Updates the variables; called outside of `strategy.run`.

        Args:
            vector: from `flatten`, one a replica; they are summed in one call, as between machines every sum takes a
                round trip.

        Returns:
            (the statistics, summed, as one vector; 1.0 where the update was skipped because of a value that is not
            finite, else 0.0). That the loss scale was too large does not count: it happens now and then, and the scale
            is halved. Below 1 it is not the scale.
        """
        extended = self._strategy.extended
        updates_before, scale_before = self.updates.read_value(), self.loss_scale.read_value()
        total = extended.reduce_to("SUM", vector, destinations=self.second_moment)
        # One call updates everything on a replica's device: a call a variable would cost most of the tracing.
        state = (self.updates, self.learning_rate, self.loss_scale, self.good_steps)
        arguments = (total, *state, self._variables)
        extended.update(self.second_moment, self._update, arguments)
        skipped = 1.0 - (self.updates.read_value() - updates_before)
        if self._loss_scaling:
            skipped *= tf.cast(scale_before < 1.0, tf.float32)
        return self._strategy.experimental_local_results(total)[0][sum(self._sizes) :], skipped

    def _update(self, second_moment, total, updates, learning_rate, loss_scale, good_steps, variables):
        gradient = total[: sum(self._sizes)]
        # As in the original, an update with a value that is not finite is skipped.
        finite = tf.reduce_all(tf.math.is_finite(gradient))
        if self._loss_scaling:
            gradient /= loss_scale
            good = tf.where(finite, good_steps + 1, 0.0)
            grows = good >= SCALE_STEPS
            good_steps.assign(tf.where(grows, 0.0, good))
            loss_scale.assign(loss_scale * tf.where(finite, tf.where(grows, 2.0, 1.0), 0.5))
        count = updates.assign_add(tf.cast(finite, tf.float32))
        decayed = self._beta2 * second_moment + (1 - self._beta2) * tf.square(gradient)
        moment = second_moment.assign(tf.where(finite, decayed, second_moment))
        corrected = tf.sqrt(moment / tf.maximum(1 - self._beta2**count, 1e-8))
        change = tf.where(finite, learning_rate * gradient / (corrected + self._epsilon), 0.0)
        for variable, part in zip(variables, tf.split(change, self._sizes)):
            variable.assign_sub(tf.reshape(part, variable.shape))
