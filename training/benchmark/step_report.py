"""What `outfit-gan benchmark step` measures, and the table that tells it."""

import dataclasses
import statistics

import tensorflow as tf
from rich.console import Console
from rich.table import Table

from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.progress import progress
from training import schedule
from training.benchmark.step import FloorOfStep, TimedStep, flops_by_type, milliseconds_by_operation, timed
from training.distribute.strategy import make_strategy

# How the types of operations are told, by the start of their names.
_FAMILIES = {"convolutions": "Conv", "matrix_products": ("MatMul", "BatchMatMul"), "depthwise": "Depthwise"}


def measure(model_config, config, level, replica_batch, repeats, profile=False):
    """Times a training step, its phases and its floor in turns.

    Args:
        model_config, config: the `ModelConfig` and `TrainingConfig`.
        level: 0 = the base.
        replica_batch: pictures a replica; None = what a run would take.
        repeats: rounds.
        profile: also tell what the step spends its time on.

    Returns:
        A dictionary for JSON; times in milliseconds, each {"median", "min"} over the rounds or a median.

    Raises:
        UserError: for a batch that the model cannot take, one in turns, or a profile on a GPU.
    """
    if profile and tf.config.get_visible_devices("GPU"):
        raise UserError("--profile: the profile is of processors; add --devices cpu, or see a GPU's in TensorBoard's profiler")
    if config.micro_batch:
        raise UserError("micro_batch: a step is timed on pictures that are computed at once; leave it out, and give --batch "
                        f"{config.micro_batch} for the time of a turn")
    size = model_config.level_sizes[level]
    replicas = make_strategy().num_replicas_in_sync
    if replica_batch:
        config = dataclasses.replace(config, batch_size=replica_batch * replicas)
    batch = schedule.batch_size(config, size[0], replicas, model_config.stddev_group)
    step = TimedStep(model_config, config, level, batch // replicas)

    # Build what is compared with the step; the first call of each is not timed.
    graphs = step.graphs()
    floor, phases = FloorOfStep(graphs), step.phases()
    calls = {"step": step.seconds, "floor": floor.seconds}
    calls |= {name: lambda phase=phase: timed(phase) for name, phase in phases.items()}
    for call in calls.values():
        call()

    # In turns, so that what disturbs the machine disturbs all of them.
    seconds = {name: [] for name in calls}
    with progress("timing", repeats, "rounds") as advance:
        for _ in range(repeats):
            for name, call in calls.items():
                seconds[name].append(call())
            advance()

    step_ms, floor_ms = _summary(seconds["step"]), _summary(seconds["floor"])
    flops = {type_: count / batch for type_, count in sorted(flops_by_type(graphs).items())}
    return {
        "size": format_size(size), "level": level, "batch": batch, "replicas": replicas, "precision": config.precision,
        "conditional": model_config.conditional, "r1_interval": config.r1_interval,
        "repeats": repeats, "steps_per_call": step.steps_per_call, "first_call_sec": step.first_call_sec,
        "images_per_sec": batch / step_ms["median"] * 1e3,
        "step_ms": step_ms, "floor_ms": floor_ms,
        "floor_ratio": {which: step_ms[which] / floor_ms[which] for which in step_ms},
        "phases_ms": _phases(step_ms, seconds, config.r1_interval),
        "gflop_per_image": {
            "total": sum(flops.values()) / 1e9,
            **{family: sum(count for type_, count in flops.items() if type_.startswith(start)) / 1e9
               for family, start in _FAMILIES.items()},
        },
        "flop_per_image_by_operation": flops,
        "floor_gflop_per_sec": _floor_gflop(flops, batch) / floor_ms["min"] * 1e3,
        "seconds": seconds,
        "profile_ms": milliseconds_by_operation(step.calls()) if profile else {},
    }


def _summary(seconds):
    return {"median": statistics.median(seconds) * 1e3, "min": min(seconds) * 1e3}


def _phases(step_ms, seconds, r1_interval):
    """Median milliseconds of each phase in a step. The last one is what is left of the step."""
    found = {name: _summary(values)["median"] for name, values in seconds.items() if name not in ("step", "floor")}
    if r1_interval == 1:
        found["r1"] = found.pop("discriminator_r1") - found["discriminator"]
    else:
        found["r1"] /= r1_interval
    return found | {"optimizers_average_and_rest": step_ms["median"] - sum(found.values())}


def _floor_gflop(flops, batch):
    return sum(count for type_, count in flops.items() if not type_.startswith(_FAMILIES["depthwise"])) * batch / 1e9


def show(found):
    """Prints what was measured."""
    labels = {
        "discriminator": "discriminator, without R1", "r1": "R1" if found["r1_interval"] == 1 else "R1, its share",
        "generator": "generator", "optimizers_average_and_rest": "optimizers, average, the rest",
    }
    title = (
        f"{found['preset']} {found['size']}, batch {found['batch']} on {found['replicas']} replica(s), "
        f"{found['precision']}, R1 every {found['r1_interval']} step(s)"
    )
    result = Table("", "ms a step", "share", title=title, title_justify="left")
    step_ms, floor_ms, gflop = found["step_ms"], found["floor_ms"], found["gflop_per_image"]
    for name, label in labels.items():
        milliseconds = found["phases_ms"][name]
        result.add_row(label, f"{milliseconds:.1f}", f"{milliseconds / step_ms['median']:.0%}")
    result.add_row("the whole step", f"{step_ms['median']:.1f}", "100%", end_section=True)
    result.add_row("floor: its products alone", f"{floor_ms['median']:.1f}", f"{floor_ms['median'] / step_ms['median']:.0%}")
    for column in result.columns[1:]:
        column.justify = "right"
    console = Console()
    console.print(result)
    console.print(
        f"{found['images_per_sec']:.2f} images/s; {found['floor_ratio']['median']:.2f} times the floor by medians, "
        f"{found['floor_ratio']['min']:.2f} by the fastest of {found['repeats']} rounds\n"
        f"{gflop['total']:.3g} GFLOP an image: convolutions {gflop['convolutions']:.3g}, matrix products "
        f"{gflop['matrix_products']:.3g}, depthwise {gflop['depthwise']:.3g} (not in the floor); the floor runs at "
        f"{found['floor_gflop_per_sec']:.3g} GFLOP/s", highlight=False,
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
