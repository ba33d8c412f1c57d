"""The training step: the only file that calls `strategy.run`.

A step trains the discriminator, then the generator, then moves the average generator along. The phases divide their
losses by the global batch, once, and the optimizer sums gradients over replicas.
"""

import keras
import tensorflow as tf

from tf_outfit_gan.data.pipeline import to_inputs
from tf_outfit_gan.networks.build import build_generator, build_networks
from tf_outfit_gan.randomness import BatchDraws
from training.adam import Adam
from training.augment import adapted
from training.phases import Phases

STATISTICS = (
    "loss_generator", "loss_discriminator", "score_real", "score_fake", "sign_real", "ada_probability", "r1_penalty"
)


class Steps:
    """The networks, their optimizers and the average generator, and the step that trains them.

    Args:
        strategy: a `tf.distribute.Strategy`.
        model_config, config: the `ModelConfig` and `TrainingConfig`.
    """

    def __init__(self, strategy, model_config, config):
        self.strategy, self.config = strategy, config
        with strategy.scope():
            keras.utils.set_random_seed(config.seed)
            self.generator, self.discriminator = build_networks(
                model_config, config.precision, config.recompute_from
            )
            # Pictures are made with the average, in float32.
            self.average = build_generator(model_config)
            self.average.set_weights(self.generator.get_weights())
            # Lazy R1 makes interval + 1 updates where there were interval: the optimizer goes slower to match
            # (arXiv 1912.04958, appendix B).
            lazy = 1 if config.r1_interval == 1 else config.r1_interval / (config.r1_interval + 1)
            self.generator_optimizer = self._optimizer(self.generator, 1)
            self.discriminator_optimizer = self._optimizer(self.discriminator, lazy)
            self.ada_probability = tf.Variable(0.0, trainable=False, name="ada_probability")
        self._learning_rates = ((self.generator_optimizer, 1), (self.discriminator_optimizer, lazy))
        self.phases = Phases(self.generator, self.discriminator, config, self.ada_probability)
        self._traced = {}

    def _optimizer(self, network, lazy):
        variables = [variable.value for variable in network.trainable_variables]
        scaling = self.config.precision == "mixed_float16"
        return Adam(self.strategy, variables, self.config.adam_beta2**lazy, loss_scaling=scaling)

    def set_learning_rate(self, learning_rate):
        for optimizer, factor in self._learning_rates:
            optimizer.learning_rate.assign(learning_rate * factor)

    def reset_optimizers(self):
        """Forgets the moments, as StyleGAN does when a fade begins and when it ends."""
        for optimizer, _ in self._learning_rates:
            optimizer.reset()

    def trace(self, stage, iterator):
        """Builds the graph of a stage where it is new, which may take a minute in which nothing is learned."""
        if stage not in self._traced:
            traced = tf.function(lambda *arguments: self._run(stage, *arguments))
            traced.get_concrete_function(iterator, *[tf.TensorSpec([], tf.int64)] * 4)
            self._traced[stage] = traced

    def run(self, stage, iterator, steps, cur_nimg, fade=(0, 1)):
        """Runs some steps in one call into the graph, which keeps Python out of the inner loop.

        Steps are the same steps however they are divided into calls.

        Args:
            stage: the `Stage`, which selects the graph.
            iterator: of distributed batches, as `compact_batches` yields them, without ids.
            steps: how many.
            cur_nimg: real images shown before; with the seed it keys every random draw.
            fade: where a fading level begins and ends to fade in, as image counts.

        Returns:
            {name of `STATISTICS`: mean over the steps}.
        """
        self.trace(stage, iterator)
        numbers = (tf.constant(number, tf.int64) for number in (steps, cur_nimg, *fade))
        return dict(zip(STATISTICS, self._traced[stage](iterator, *numbers).numpy().tolist()))

    def _run(self, stage, iterator, steps, cur_nimg, fade_start, fade_end):
        totals = tf.zeros([len(STATISTICS)])
        for step in tf.range(steps):
            nimg = cur_nimg + step * stage.batch
            alpha = tf.cast((nimg - fade_start) / (fade_end - fade_start), tf.float32) if stage.fading else None
            totals += self.step(stage, self._inputs(next(iterator)), nimg, alpha)
        # A lazy R1 is measured in some steps only.
        return totals / tf.cast(steps, tf.float32) * [*[1.0] * (len(STATISTICS) - 1), self.config.r1_interval]

    @tf.autograph.experimental.do_not_convert  # As for `_phase`.
    def _inputs(self, batch):
        """Pictures come as bytes, and become floats on the replica."""
        return self.strategy.run(to_inputs, (batch,))

    def step(self, stage, batch, cur_nimg, alpha=None):
        """Trains on one global batch, in a graph. Returns the `STATISTICS` as a tensor."""
        interval = self.config.r1_interval
        found = self._phase(0, self.phases.discriminator_phase, stage, batch, cur_nimg, alpha)
        if interval > 1:
            penalty = 0.0
            if cur_nimg // stage.batch % interval == 0:
                penalty = self._phase(1, self.phases.r1_phase, stage, batch, cur_nimg, alpha)["r1_penalty"]
            found["r1_penalty"] = penalty
        found |= self._phase(2, self.phases.generator_phase, stage, batch, cur_nimg, alpha)
        if self.config.ada_target:
            self.ada_probability.assign(adapted(self.ada_probability, found["sign_real"], stage.batch, self.config))
        found["ada_probability"] = self.ada_probability.read_value()
        self._move_average(stage.batch)
        return tf.stack([found[name] for name in STATISTICS])

    @tf.autograph.experimental.do_not_convert  # No loop or branch below needs it, and converting takes seconds.
    def _phase(self, number, phase, stage, batch, cur_nimg, alpha):
        """Runs a phase on every replica and applies its gradients. Returns its statistics over all replicas."""
        # No other phase of this or another step draws with this key.
        key = self.config.seed * 2**40 + cur_nimg * 3 + number
        optimizer = self.generator_optimizer if number == 2 else self.discriminator_optimizer

        def on_replica(batch):
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group
            draws = BatchDraws(key, stage.replica_batch, replica, stage.replicas)
            statistics, gradients = phase(stage, batch, draws, alpha, optimizer.loss_scale)
            return statistics, optimizer.flatten(gradients)

        found, gradient = self.strategy.run(on_replica, (batch,))
        optimizer.apply(gradient)
        return {name: self.strategy.reduce("SUM", value, axis=None) for name, value in found.items()}

    def _move_average(self, batch):
        """Moves the average generator; what is not trained (w_avg, itself an average) is copied."""
        decay = 0.5 ** (batch / (self.config.ema_halflife_kimg * 1000))
        keep = [decay if weight.trainable else 0.0 for weight in self.generator.weights]
        averages, currents = ([w.value for w in network.weights] for network in (self.average, self.generator))

        def move(_, averages, currents):
            for average, current, kept in zip(averages, currents, keep):
                average.assign(current + (average - current) * kept)

        self.strategy.extended.update(averages[0], move, (averages, currents))
