"""The training step on random pictures, timed whole, phase by phase, and as its roofline (see `roofline`)."""

import collections
import copy
import dataclasses
import functools
import statistics
import tempfile
import time
from pathlib import Path

import tensorflow as tf
from rich.console import Console
from rich.table import Table
from tensorflow.tsl.profiler.protobuf import xplane_pb2

from tf_outfit_gan.data.pipeline import to_inputs
from tf_outfit_gan.randomness import BatchDraws
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.progress import progress
from training import schedule
from training.benchmark.roofline import Roofline, flops, products
from training.distribute.strategy import make_strategy
from training.loop import CALL_SEC
from training.schedule import Stage
from training.step import Steps

# These only contain other operations, or wait.
_CONTAINERS = ("While", "If", "StatefulPartitionedCall", "PartitionedCall", "IteratorGetNext")

# The families of operations in tables and JSON, by the start of their names.
_FAMILIES = {"convolutions": "Conv", "matrix_products": ("MatMul", "BatchMatMul"), "depthwise": "Depthwise"}


class TimedStep:
    """The step of `outfit-gan train` at one stable level, on pictures that are in memory already.

    With lazy R1 some steps have it and most have not: the figures of a step are then means over an interval.

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

        # The first call of each kind builds its graph; the second one shows how many steps a call should have.
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
            found.append((share / count, functools.partial(self._steps.run, self.stage, self._iterator, count, cur_nimg)))
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


class StepRoofline:
    """The roofline of a step, the mean over an interval where R1 is lazy; `graphs` from `TimedStep.graphs`."""

    def __init__(self, graphs):
        self._rooflines = [(share, Roofline(graph)) for share, graph in graphs]

    def seconds(self):
        return sum(share * timed(roofline) for share, roofline in self._rooflines)


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


def measure_step(model_config, config, level, replica_batch, repeats, profile=False):
    """Times a training step, its phases and its roofline in alternation.

    Args:
        model_config, config: the `ModelConfig` and `TrainingConfig`.
        level: 0 = the base.
        replica_batch: pictures a replica; None = what a run would take.
        repeats: rounds.
        profile: also profile the step by type of operation.

    Returns:
        A dictionary for JSON; times in milliseconds, each {"median", "min"} over the rounds or a median.

    Raises:
        UserError: for a batch that the model cannot take, one in micro-batches, or a profile on a GPU.
    """
    if profile and tf.config.get_visible_devices("GPU"):
        raise UserError("--profile: the profile is of processors; add --devices cpu, or see a GPU's in TensorBoard's profiler")
    if config.micro_batch:
        raise UserError(
            "micro_batch: a step is timed without micro-batches; leave micro_batch out, and give --batch "
            f"{config.micro_batch} for the time of one micro-batch"
        )
    size = model_config.level_sizes[level]
    replicas = make_strategy().num_replicas_in_sync
    if replica_batch:
        config = dataclasses.replace(config, batch_size=replica_batch * replicas)
    batch = schedule.batch_size(config, size[0], replicas, model_config.stddev_group)
    step = TimedStep(model_config, config, level, batch // replicas)

    # Build what is compared with the step; the first call of each is not timed.
    graphs = step.graphs()
    roofline, phases = StepRoofline(graphs), step.phases()
    calls = {"step": step.seconds, "roofline": roofline.seconds}
    calls |= {name: lambda phase=phase: timed(phase) for name, phase in phases.items()}
    for call in calls.values():
        call()

    # In alternation, so that what disturbs the machine disturbs all of them.
    seconds = {name: [] for name in calls}
    with progress("timing", repeats, "rounds") as advance:
        for _ in range(repeats):
            for name, call in calls.items():
                seconds[name].append(call())
            advance()

    step_ms, roofline_ms = _summary(seconds["step"]), _summary(seconds["roofline"])
    flop_per_image = {type_: count / batch for type_, count in sorted(flops_by_type(graphs).items())}
    return {
        "size": format_size(size),
        "level": level,
        "batch": batch,
        "replicas": replicas,
        "precision": config.precision,
        "conditional": model_config.conditional,
        "r1_interval": config.r1_interval,
        "repeats": repeats,
        "steps_per_call": step.steps_per_call,
        "first_call_sec": step.first_call_sec,
        "images_per_sec": batch / step_ms["median"] * 1e3,
        "step_ms": step_ms,
        "roofline_ms": roofline_ms,
        "roofline_ratio": {which: step_ms[which] / roofline_ms[which] for which in step_ms},
        "phases_ms": _phases(step_ms, seconds, config.r1_interval),
        "gflop_per_image": {
            "total": sum(flop_per_image.values()) / 1e9,
            **{
                family: sum(count for type_, count in flop_per_image.items() if type_.startswith(start)) / 1e9
                for family, start in _FAMILIES.items()
            },
        },
        "flop_per_image_by_operation": flop_per_image,
        "roofline_gflop_per_sec": _roofline_gflop(flop_per_image, batch) / roofline_ms["min"] * 1e3,
        "seconds": seconds,
        "profile_ms": milliseconds_by_operation(step.calls()) if profile else {},
    }


def _summary(seconds):
    return {"median": statistics.median(seconds) * 1e3, "min": min(seconds) * 1e3}


def _phases(step_ms, seconds, r1_interval):
    """Median milliseconds of each phase in a step. The last one is the rest of the step."""
    found = {name: _summary(values)["median"] for name, values in seconds.items() if name not in ("step", "roofline")}
    if r1_interval == 1:
        found["r1"] = found.pop("discriminator_r1") - found["discriminator"]
    else:
        found["r1"] /= r1_interval
    return found | {"optimizers_average_and_rest": step_ms["median"] - sum(found.values())}


def _roofline_gflop(flop_per_image, batch):
    return sum(count for type_, count in flop_per_image.items() if not type_.startswith(_FAMILIES["depthwise"])) * batch / 1e9


def show_step(found):
    """Prints what was measured."""
    labels = {
        "discriminator": "discriminator, without R1",
        "r1": "R1" if found["r1_interval"] == 1 else "R1, its share",
        "generator": "generator",
        "optimizers_average_and_rest": "optimizers, average, the rest",
    }
    title = (
        f"{found['preset']} {found['size']}, batch {found['batch']} on {found['replicas']} replica(s), "
        f"{found['precision']}, R1 every {found['r1_interval']} step(s)"
    )
    result = Table("", "ms a step", "share", title=title, title_justify="left")
    step_ms, roofline_ms, gflop = found["step_ms"], found["roofline_ms"], found["gflop_per_image"]
    for name, label in labels.items():
        milliseconds = found["phases_ms"][name]
        result.add_row(label, f"{milliseconds:.1f}", f"{milliseconds / step_ms['median']:.0%}")
    result.add_row("the whole step", f"{step_ms['median']:.1f}", "100%", end_section=True)
    result.add_row(
        "roofline: its products alone", f"{roofline_ms['median']:.1f}", f"{roofline_ms['median'] / step_ms['median']:.0%}"
    )
    for column in result.columns[1:]:
        column.justify = "right"
    console = Console()
    console.print(result)
    console.print(
        f"{found['images_per_sec']:.2f} images/s; {found['roofline_ratio']['median']:.2f} times the roofline by medians, "
        f"{found['roofline_ratio']['min']:.2f} by the fastest of {found['repeats']} rounds\n"
        f"{gflop['total']:.3g} GFLOP an image: convolutions {gflop['convolutions']:.3g}, matrix products "
        f"{gflop['matrix_products']:.3g}, depthwise {gflop['depthwise']:.3g} (not in the roofline); the roofline runs at "
        f"{found['roofline_gflop_per_sec']:.3g} GFLOP/s",
        highlight=False,
    )
    if found["profile_ms"]:
        console.print(_profile_table(found["profile_ms"]))


def _profile_table(milliseconds):
    """What takes at least half a percent of the time of all operations."""
    table = Table("operation", "ms a step, over all threads", "share")
    total = sum(milliseconds.values())
    for type_, value in milliseconds.items():
        if value >= total / 200:
            table.add_row(type_, f"{value:.1f}", f"{value / total:.1%}")
    for column in table.columns[1:]:
        column.justify = "right"
    return table
