"""A training step on random pictures, ready to be timed: whole, phase by phase, and as its floor."""

import collections
import copy
import dataclasses
import functools
import tempfile
import time
from pathlib import Path

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from tf_outfit_gan.data.pipeline import to_inputs
from tf_outfit_gan.randomness import BatchDraws
from training import schedule
from training.benchmark.roofline import Floor, flops, products
from training.distribute.strategy import make_strategy
from training.loop import CALL_SEC
from training.schedule import Stage
from training.step import Steps

# These only contain other operations, or wait.
_CONTAINERS = ("While", "If", "StatefulPartitionedCall", "PartitionedCall", "IteratorGetNext")


class TimedStep:
    """The step of `outfit-gan train` at one stable level, on pictures that are in memory already.

    With lazy R1 some steps have it and most have not: what is told of a step is then the mean over an interval.

    Args:
        model_config, config: the `ModelConfig` and `TrainingConfig`.
        level: 0 = the base.
        replica_batch: pictures a replica.
        strategy: None = of the visible devices. The workers of a cluster all call the same methods in the same order, with
            `steps_per_call` 1 in the config.
    """

    def __init__(self, model_config, config, level, replica_batch, strategy=None):
        self.config, strategy = config, strategy or make_strategy()
        self.stage = Stage(level, False, replica_batch, strategy.num_replicas_in_sync)
        self._steps = Steps(strategy, model_config, config)
        self._steps.set_learning_rate(schedule.learning_rate(config, model_config.level_sizes[level][0]))
        compact = random_batch(model_config, self.stage)
        self._batch = to_inputs(compact)
        dataset = tf.data.Dataset.from_tensors(compact).repeat()
        self._iterator = iter(strategy.distribute_datasets_from_function(lambda _: dataset))

        # The kinds of step, each with its share of all steps and the image count that selects it: the first step of
        # an interval has R1.
        interval = config.r1_interval
        self._kinds = [(1 / interval, 0)]
        if interval > 1:
            self._kinds.append((1 - 1 / interval, self.stage.batch))

        # The first call of each kind builds its graph; the second one tells how many steps a call should have.
        self.steps_per_call = 1
        started = time.perf_counter()
        self.seconds()
        self.first_call_sec = time.perf_counter() - started
        self.steps_per_call = max(1, min(config.steps_per_call, int(CALL_SEC / self.seconds())))

    def seconds(self):
        """Runs a call of each kind of step. Returns the time of a step."""
        return sum(weight * timed(call) for weight, call in self.calls())

    def calls(self):
        """[(weight, function)]: a call of each kind of step, weighted so that the weighted sum of what they take is a step."""
        found = []
        for share, cur_nimg in self._kinds:
            count = self.steps_per_call
            if self.config.r1_interval > 1:
                count = 1 if cur_nimg == 0 else min(count, self.config.r1_interval - 1)
            found.append((share / count, functools.partial(
                self._steps.run, self.stage, self._iterator, count, cur_nimg)))
        return found

    def graphs(self):
        """[(share of all steps, graph)] of each kind of step, traced for batches of a known size."""
        specs = tf.nest.map_structure(tf.TensorSpec.from_tensor, self._batch)
        found = []
        for share, cur_nimg in self._kinds:
            step = tf.function(lambda batch: self._steps.step(self.stage, batch, cur_nimg))
            found.append((share, step.get_concrete_function(specs).graph))
        return found

    def phases(self):
        """What a step computes before it changes anything, as functions to be timed; on one replica.

        "discriminator" is without R1. "discriminator_r1" is with it and "r1" is R1 alone: the one that the step uses
        is there.
        """
        phases = self._steps.phases
        plain = copy.copy(phases)
        plain.config = dataclasses.replace(self.config, r1_interval=2)  # R1 is then a phase of its own.
        found = {"discriminator": plain.discriminator_phase, "generator": phases.generator_phase}
        if self.config.r1_interval == 1:
            found["discriminator_r1"] = phases.discriminator_phase
        else:
            found["r1"] = phases.r1_phase
        return {name: self._alone(phase) for name, phase in found.items()}

    def _alone(self, phase):
        function = tf.function(lambda batch, key: phase(self.stage, batch, BatchDraws(key, self.stage.replica_batch), None))
        return lambda: function(self._batch, tf.constant(0, tf.int64))


def timed(call):
    """Runs a call and waits until its devices have done all of it. Returns seconds."""
    started = time.perf_counter()
    result = call()
    if tf.config.list_logical_devices("GPU"):  # A processor has done it when the call returns.
        tf.test.experimental.sync_devices()
    seconds = time.perf_counter() - started
    del result  # Releasing it is not part of the time.
    return seconds


def flops_by_type(graphs):
    """Floating point operations of a step by type of operation; `graphs` from `TimedStep.graphs`."""
    found = collections.Counter()
    for share, graph in graphs:
        for op in products(graph):
            found[op.type] += share * flops(op)
    return found


class FloorOfStep:
    """The floor of a step, the mean over an interval where R1 is lazy; `graphs` from `TimedStep.graphs`."""

    def __init__(self, graphs):
        self._floors = [(share, Floor(graph)) for share, graph in graphs]

    def seconds(self):
        return sum(share * timed(floor) for share, floor in self._floors)


def random_batch(model_config, stage):
    """One random batch of a replica, as `compact_batches` yields it, without ids."""
    def pictures(*shape):
        return tf.cast(tf.random.uniform([stage.replica_batch, *shape, 3], 0, 256, tf.int32), tf.uint8)

    batch = {"image": pictures(*model_config.level_sizes[stage.level])}
    if model_config.conditional:
        slots = len(model_config.slots)
        batch["articles"] = tuple(pictures(*model_config.condition_size) for _ in range(slots))
        batch["worn"] = tf.ones([stage.replica_batch, slots], tf.bool)
        batch["keypoints"] = tf.random.uniform([stage.replica_batch, 16, 3])
    return batch


def milliseconds_by_operation(calls):
    """Profiles calls on a processor.

    Args:
        calls: [(weight, function)].

    Returns:
        {type of operation: milliseconds}, the longest first: what the operations took on whatever thread, times the
        weight of their call. Operations run side by side, so the sum may be more than the calls took.
    """
    found = collections.Counter()
    for weight, call in calls:
        with tempfile.TemporaryDirectory() as folder:
            with tf.profiler.experimental.Profile(folder):
                call()
            (path,) = Path(folder).rglob("*.xplane.pb")
            for type_, milliseconds in _operations(xplane_pb2.XSpace.FromString(path.read_bytes())):
                found[type_] += weight * milliseconds
    return dict(found.most_common())


def _operations(space):
    """Yields (type, milliseconds) of every operation in a profile; their events are named "name:Type"."""
    for plane in space.planes:
        if "CPU" not in plane.name:
            continue
        for line in plane.lines:
            for event in line.events:
                name, colon, type_ = plane.event_metadata[event.metadata_id].name.rpartition(":")
                # The runtime's own events have a colon as well, but two of them, or a blank.
                if colon and type_.isidentifier() and not name.endswith(":") and type_ not in _CONTAINERS:
                    yield type_, event.duration_ps / 1e9
