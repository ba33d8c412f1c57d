"""The training step: the only file that calls `strategy.run`.

A step trains the discriminator, then the generator, then moves the average generator along. The phases divide their
losses by the global batch, once, and the optimizer sums gradients over replicas.

A batch that is too large for the memory is computed in turns, whose results are summed (gradient accumulation). Turn m
of M on replica r of R takes the entries m, m + M, ... of the replica's batch and draws what replica r + R m of R M
would draw: M turns compute what M times as many replicas do, minibatch-stddev groups included.
"""

import time

import keras
import tensorflow as tf

from tf_outfit_gan.data.pipeline import to_inputs
from tf_outfit_gan.networks import build_generator, build_networks
from tf_outfit_gan.randomness import BatchDraws
from tf_outfit_gan.sizes import format_size
from training import step_statistics
from training.augment import adapted
from training.checkpoint import named_weights
from training.monitor.divergence import FiniteGuard, complaint_about_memory, out_of_memory
from training.optimizer import Adam
from training.phases import Phases
from training.step_statistics import STATISTICS, InputWait


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
        self._guard, self._input_wait = FiniteGuard(config.nonfinite), InputWait()
        self._traced, self._building = {}, None

    def _optimizer(self, network, lazy):
        variables = [variable.value for variable in network.trainable_variables]
        scaling = self.config.precision == "mixed_float16"
        return Adam(self.strategy, variables, self.config.adam_beta2**lazy, loss_scaling=scaling)

    def memory(self):
        """{name: what tf.train.Checkpoint saves} of everything that training changes.

        Weights are named one by one: of layers in lists, as Keras keeps them, a checkpoint of the network has none.
        """
        networks = {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}
        weights = {name: {place: weight.value for place, weight in named_weights(network).items()}
                   for name, network in networks.items()}
        return weights | {
            "generator_optimizer": self.generator_optimizer, "discriminator_optimizer": self.discriminator_optimizer,
            "ada_probability": self.ada_probability,
        }

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
            self._building = stage
            traced = tf.function(lambda *arguments: self._run(stage, *arguments))
            traced.get_concrete_function(iterator, *[tf.TensorSpec([], tf.int64)] * 4)
            self._traced[stage], self._building = traced, None

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
            {name: (total, count)} of `step_statistics.sums`, whose quotient is the mean over the steps; R1 may be in none
            of them. And "input_wait": (seconds that they waited for data, seconds of them all).

        Raises:
            Diverged: a value is not finite, and the run is to end there.
            OutOfMemory: of the stage.
        """
        self.trace(stage, iterator)
        numbers = (tf.constant(number, tf.int64) for number in (steps, cur_nimg, *fade))
        started = time.monotonic()
        try:
            statistics = self._traced[stage](iterator, *numbers)
            sums = step_statistics.sums(statistics, steps)
        except tf.errors.OpError as error:
            if complaint := complaint_about_memory(error):
                model_config = self.generator.config
                size = model_config.level_sizes[stage.level]
                raise out_of_memory(complaint, stage, size, self.config, model_config.stddev_group) from error
            raise
        self._guard.check(statistics, steps)
        return sums | {"input_wait": (float(statistics.waited_sec), time.monotonic() - started)}

    def doing(self):
        """What `trace` or `run` is at, in words; may be asked by another thread."""
        if self._building:
            size = format_size(self.generator.config.level_sizes[self._building.level])
            return f"it builds the graph of {size}, which takes minutes for large pictures"
        if self._input_wait.now():
            return "it waits for data, which are slow to read or do not come at all"
        return "it waits for nothing but the step itself, on this machine's devices or on another worker's"

    def _run(self, stage, iterator, steps, cur_nimg, fade_start, fade_end):
        statistics = step_statistics.empty()
        for step in tf.range(steps):
            batch, waited_sec = self._input_wait.next(iterator, after=statistics)
            nimg = cur_nimg + step * stage.batch
            alpha = tf.cast((nimg - fade_start) / (fade_end - fade_start), tf.float32) if stage.fading else None
            values = self.step(stage, self._inputs(batch), nimg, alpha)
            statistics = step_statistics.added(statistics, values, self._has_r1(stage, nimg), nimg, waited_sec)
        return statistics

    def _has_r1(self, stage, cur_nimg):
        """Whether the step after so many images has R1, as a tensor: every `r1_interval`-th has."""
        return cur_nimg // stage.batch % self.config.r1_interval == 0

    @tf.autograph.experimental.do_not_convert  # As for `_phase`.
    def _inputs(self, batch):
        """Pictures come as bytes, and become floats on the replica."""
        return self.strategy.run(to_inputs, (batch,))

    def step(self, stage, batch, cur_nimg, alpha=None):
        """Trains on one global batch, in a graph. Returns the `STATISTICS` as a tensor."""
        found = self._phase(0, self.phases.discriminator_phase, stage, batch, cur_nimg, alpha)
        found["skipped_discriminator"], found["skipped_r1"] = found.pop("skipped"), 0.0
        if self.config.r1_interval > 1:
            penalty = skipped = 0.0
            if self._has_r1(stage, cur_nimg):
                r1 = self._phase(1, self.phases.r1_phase, stage, batch, cur_nimg, alpha)
                penalty, skipped = r1["r1_penalty"], r1["skipped"]
            found["r1_penalty"], found["skipped_r1"] = penalty, skipped
        found["r1_loss"] = found["r1_penalty"] * self.phases.r1_weight(stage)
        found |= self._phase(2, self.phases.generator_phase, stage, batch, cur_nimg, alpha)
        found["skipped_generator"] = found.pop("skipped")
        if self.config.ada_target:
            self.ada_probability.assign(adapted(self.ada_probability, found["sign_real"], stage.batch, self.config))
        found["ada_probability"] = self.ada_probability.read_value()
        self._move_averages(stage.batch, found["w"])
        return tf.stack([found[name] for name in STATISTICS])

    @tf.autograph.experimental.do_not_convert  # No loop or branch below needs it, and converting takes seconds.
    def _phase(self, number, phase, stage, batch, cur_nimg, alpha):
        """Runs a phase on every replica and applies its gradients.

        Returns its statistics over all replicas, and whether the update was "skipped" for not being finite.
        """
        # No other phase of this or another step draws with this key.
        key = self.config.seed * 2**40 + cur_nimg * 3 + number
        optimizer = self.generator_optimizer if number == 2 else self.discriminator_optimizer
        shapes = {}

        def on_replica(batch):
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group

            def in_turn(turn):
                virtual = replica + turn * stage.replicas  # Of so many times as many replicas: see above.
                draws = BatchDraws(key, stage.at_once, virtual, stage.turns * stage.replicas)
                entries = entries_of(turn, stage.turns, batch)
                statistics, gradients = phase(stage, entries, draws, alpha, optimizer.loss_scale)
                shapes.update((name, value.shape) for name, value in statistics.items())
                return optimizer.flatten(gradients, statistics.values())

            return summed(in_turn, stage.turns)

        means, skipped = optimizer.apply(self.strategy.run(on_replica, (batch,)))
        parts = tf.split(means, [shape.num_elements() for shape in shapes.values()])
        return {name: tf.reshape(part, shapes[name]) for name, part in zip(shapes, parts)} | {"skipped": skipped}

    @tf.autograph.experimental.do_not_convert  # As for `_phase`.
    def _move_averages(self, batch, w):
        """Moves the average of w, and then the average generator, to which what is not trained (w_avg) is copied."""
        self.generator.mapping.track(w)
        decay = 0.5 ** (batch / (self.config.ema_halflife_kimg * 1000))
        keep = [decay if weight.trainable else 0.0 for weight in self.generator.weights]
        networks = (self.average, self.generator)
        averages, currents = ([weight.value for weight in network.weights] for network in networks)

        def move(_, averages, currents):
            for average, current, kept in zip(averages, currents, keep):
                average.assign(current + (average - current) * kept)

        self.strategy.extended.update(averages[0], move, (averages, currents))


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
