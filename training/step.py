"""The training step: the only file that calls `strategy.run`.

A step trains the discriminator, then the generator, then moves the average generator along. The phases divide their
losses by the global batch, once, and the optimizer sums gradients over replicas.

A batch that is too large for the memory is computed in micro-batches, whose results are summed (gradient accumulation).
Micro-batch m of M on replica r of R takes the entries m, m + M, ... of the replica's batch and draws what replica r + R m of R M
would draw: M micro-batches compute what M times as many replicas do, minibatch-stddev groups included.
"""

import time

import keras
import tensorflow as tf

from tf_outfit_gan.data.pipeline import to_inputs
from tf_outfit_gan.networks import build_generator, build_networks
from tf_outfit_gan.randomness import BatchDraws, DrawnOutside
from tf_outfit_gan.sizes import format_size
from training import step_statistics
from training.augment import adapted
from training.checkpoint import named_weights
from training.distribute.devices import set_numerics
from training.distribute.strategy import device_type
from training.monitor.divergence import FiniteGuard, complaint_about_memory, out_of_memory
from training.optimizer import Adam
from training.phases import Phases
from training.step_statistics import SKIPPED, InputWait

# Steps of a call, image count, and where a fade begins and ends. Whatever decides what runs next is an int32, which loops keep in
# the memory of the host, or is computed on "CPU:0": the host would have to wait for what a GPU computes.
NUMBERS = [tf.TensorSpec([], tf.int32)] * 4


class Steps:
    """The networks, their optimizers and the average generator, and the step that trains them.

    Args:
        strategy: a `tf.distribute.Strategy`.
        model_config, config: the `ModelConfig` and `TrainingConfig`.
    """

    def __init__(self, strategy, model_config, config):
        self.strategy, self.config = strategy, config
        set_numerics(config)
        with strategy.scope():
            keras.utils.set_random_seed(config.seed)
            # XLA's batch norm takes the variance as a difference of means, which loses that of nearly constant features.
            kernel = "moments" if config.xla or device_type(strategy) == "GPU" else "batch_norm"
            self.generator, self.discriminator = build_networks(
                model_config, config.precision, recompute_from=config.recompute_from, norm_kernel=kernel
            )
            # Pictures are made with the average, in float32.
            self.average = build_generator(model_config, norm_kernel=kernel)
            self.average.set_weights(self.generator.get_weights())
            # Lazy R1 makes interval + 1 updates where there were interval: the optimizer goes slower to match
            # (arXiv 1912.04958, appendix B).
            lazy = 1 if config.r1_interval == 1 else config.r1_interval / (config.r1_interval + 1)
            self.generator_optimizer = self._optimizer(self.generator, 1)
            self.discriminator_optimizer = self._optimizer(self.discriminator, lazy)
            self.ada_probability = tf.Variable(0.0, trainable=False, name="ada_probability")
        self._learning_rates = ((self.generator_optimizer, 1), (self.discriminator_optimizer, lazy))
        self.phases = Phases(self.generator, self.discriminator, config, self.ada_probability)
        self._guard, self._input_wait = FiniteGuard(config.nonfinite), InputWait(not config.deterministic)
        self._optimizers = {"generator": self.generator_optimizer, "discriminator": self.discriminator_optimizer}
        self._traced, self._building = {}, None
        self._names = {}  # Of each stage that is traced: {statistic: phase}, in the order of their computation.

    def _optimizer(self, network, lazy):
        variables = [variable.value for variable in network.trainable_variables]
        scaling = self.config.precision == "mixed_float16"
        return Adam(self.strategy, variables, self.config.adam_beta2**lazy, loss_scaling=scaling)

    def memory(self):
        """{name: what tf.train.Checkpoint saves} of everything that training changes.

        Weights are named one by one: of layers in lists, as Keras keeps them, a checkpoint of the network has none.
        """
        networks = {"generator": self.generator, "discriminator": self.discriminator, "average": self.average}
        weights = {
            name: {place: weight.value for place, weight in named_weights(network).items()} for name, network in networks.items()
        }
        return weights | {
            "generator_optimizer": self.generator_optimizer,
            "discriminator_optimizer": self.discriminator_optimizer,
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
            traced.get_concrete_function(iterator, *NUMBERS)
            self._traced[stage], self._building = traced, None

    def traced(self, stage):
        """The `tf.function` of a stage that `trace` has built: a function of an iterator and `NUMBERS`."""
        return self._traced[stage]

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
            {name: (total, count)} as of `step_statistics.by_name`; what lazy R1 reports may be in none of the steps. And
            "input_wait": (seconds that they waited for data, seconds of them all), unless `deterministic` is set.

        Raises:
            Diverged: a value is not finite, and the run is to end there.
            OutOfMemory: of the stage.
        """
        self.trace(stage, iterator)
        numbers = (tf.constant(number, spec.dtype) for number, spec in zip((steps, cur_nimg, *fade), NUMBERS))
        started = time.monotonic()
        try:
            sums = self.traced(stage)(iterator, *numbers)
            found = step_statistics.by_name(sums, self._names[stage], steps)
        except tf.errors.OpError as error:
            if complaint := complaint_about_memory(error):
                model_config = self.generator.config
                size = model_config.level_sizes[stage.level]
                raise out_of_memory(complaint, stage, size, self.config, model_config.stddev_group) from error
            raise
        self._guard.check(sums, self._names[stage], steps)
        if not self.config.deterministic:
            found["input_wait"] = float(sums.waited_sec), time.monotonic() - started
        return found

    def doing(self):
        """What `trace` or `run` is at, in words; may be asked by another thread."""
        if self._building:
            size = format_size(self.generator.config.level_sizes[self._building.level])
            return f"building the graph of {size}, which takes minutes for large pictures"
        if self._input_wait.now():
            return "waiting for data: reading is slow or has stopped"
        return "in the step itself, on a device of this machine or another worker's"

    @tf.autograph.experimental.do_not_convert  # No loop or branch below needs it, and converting takes seconds.
    def _run(self, stage, iterator, steps, cur_nimg, fade_start, fade_end):
        def one_more(step, sums):
            batch, waited_sec = self._input_wait.next(iterator, after=sums)
            with tf.device("CPU:0"):
                nimg = cur_nimg + step * stage.batch
                alpha = tf.cast((nimg - fade_start) / (fade_end - fade_start), tf.float32) if stage.fading else None
            found = self.step(stage, self._inputs(batch), nimg, alpha)
            self._names[stage] = {name: phase for name, (phase, _) in found.items()}
            statistics = {name: pair for name, (_, pair) in found.items()}
            return step + 1, step_statistics.added(sums, statistics, nimg, waited_sec)

        start = tf.zeros([], tf.int32), step_statistics.empty()
        shapes = tf.TensorShape([]), step_statistics.SHAPES
        return tf.while_loop(lambda step, _: step < steps, one_more, start, shapes)[1]

    @tf.autograph.experimental.do_not_convert  # As for `_run`.
    def _inputs(self, batch):
        """Pictures come as bytes, and become floats on the replica."""
        return self.strategy.run(to_inputs, (batch,))

    @tf.autograph.experimental.do_not_convert  # As for `_run`.
    def step(self, stage, batch, cur_nimg, alpha=None):
        """Trains on one global batch, in a graph: each phase that is due, then the averages.

        Returns:
            {statistic: (phase, (value, count))} in the order of their computation; a count of 0 where the phase was not due.
        """
        found = {}
        for phase in self.phases.all:
            if not phase.interval:
                continue
            with tf.device("CPU:0"):
                due = cur_nimg // stage.batch % phase.interval == 0
            statistics = self._if_due(phase, due, stage, batch, cur_nimg, alpha)
            count = tf.cast(due, tf.float32)
            found |= {name: (phase.name, (value, count)) for name, value in statistics.items()}
        _, (w, _) = found.pop("w")

        if self.config.ada_target:
            _, (sign_real, _) = found["sign_real"]
            self.ada_probability.assign(adapted(self.ada_probability, sign_real, stage.batch, self.config))
            found["ada_probability"] = "augmentation", (self.ada_probability.read_value(), 1.0)
        self._move_averages(stage.batch, w)
        return found

    def _if_due(self, phase, due, stage, batch, cur_nimg, alpha):
        """The statistics of a phase that is due, and zeros of one that is not.

        Where the image count is a Python integer, as in a benchmark, the phase is in the graph or is not.
        """
        if phase.interval == 1 or due is True:
            return self._phase(phase, stage, batch, cur_nimg, alpha)
        if due is False:
            return {}
        shapes = {}

        def update():
            statistics = self._phase(phase, stage, batch, cur_nimg, alpha)
            shapes.update((name, value.shape) for name, value in statistics.items())
            return statistics

        # The first branch is traced first, so that the second one knows what the first returns.
        return tf.cond(due, update, lambda: {name: tf.zeros(shape) for name, shape in shapes.items()})

    def _phase(self, phase, stage, batch, cur_nimg, alpha):
        """Computes a phase on every replica and applies its gradients.

        Returns its statistics over all replicas, and whether the update was skipped for not being finite.
        """
        optimizer, shapes = self._optimizers[phase.network], {}

        def on_replica(batch):
            replica = tf.distribute.get_replica_context().replica_id_in_sync_group

            def compute(index):
                virtual = replica + index * stage.replicas  # Of so many times as many replicas: see `summed`.
                key = self._key(phase, cur_nimg)
                draws = BatchDraws(key, stage.micro_batch_size, virtual, stage.num_micro_batches * stage.replicas)
                entries = micro_batch(index, stage.num_micro_batches, batch)

                def flat_gradients(draws):
                    statistics, gradients = phase.loss(stage, entries, draws, alpha, optimizer.loss_scale)
                    shapes.update((name, value.shape) for name, value in statistics.items())
                    return optimizer.flatten(gradients, statistics.values())

                if not self.config.xla:
                    return flat_gradients(draws)
                draws = DrawnOutside(draws)
                return tf.function(lambda: flat_gradients(draws), jit_compile=True, autograph=False)()

            return summed(compute, stage.num_micro_batches)

        vector, skipped = optimizer.apply(self.strategy.run(on_replica, (batch,)))
        parts = tf.split(vector, [shape.num_elements() for shape in shapes.values()])
        statistics = {name: tf.reshape(part, shapes[name]) for name, part in zip(shapes, parts)}
        return statistics | {f"{SKIPPED}{phase.name}": skipped}

    def _key(self, phase, cur_nimg):
        """What a phase of a step draws with: no other phase of this or another step has the same key."""
        with tf.device("CPU:0"):
            number = tf.cast(cur_nimg, tf.int64) * len(self.phases.all) + self.phases.all.index(phase)
            return self.config.seed * 2**40 + number

    @tf.autograph.experimental.do_not_convert  # As for `_run`.
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


def micro_batch(index, count, batch):
    """One of `count` micro-batches of a replica's batch: a structure of [N, ...] -> [N / count, ...]."""
    if count == 1:
        return batch
    return tf.nest.map_structure(lambda x: tf.reshape(x, [-1, count, *x.shape[1:]])[:, index], batch)


def summed(compute, count):
    """compute(0) + compute(1) + ..., one after another, so that one of them at a time takes memory.

    Args:
        compute: function of a number from 0 (a scalar tensor where there are several) that returns a vector.
        count: how many; a Python integer.
    """
    if count == 1:
        return compute(0)
    shapes = []

    def add(index, total):
        vector = compute(index)
        shapes.append(vector.shape)
        return index + 1, total + vector

    # A loop in the graph is traced once, however often it runs. Before that the length of the vector is unknown:
    # the sum starts as a scalar.
    shapes_of_loop = (tf.TensorShape([]), tf.TensorShape(None))
    _, total = tf.while_loop(lambda index, _: index < count, add, (0, 0.0), shapes_of_loop, parallel_iterations=1)
    return tf.reshape(total, shapes[0])
