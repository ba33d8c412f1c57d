"""The first minutes on a GPU: what cannot be measured without one, in one command.

    python benchmarks/gpu.py OUT                                  all parts, in 20 minutes at most
    python benchmarks/gpu.py OUT --parts levels,train --minutes 9    some of them, again
    python benchmarks/gpu.py OUT --preset tiny                    all parts on a processor, to try them out

Each part is a process with a limit of its own, at which it is killed; what a part leaves of its time goes to those after it.
Every row that a part has found is in OUT/gpu.json and on the page OUT/gpu.md within seconds, OUT/PART.log holds what the part
printed, and a part that fails does not stop the next one. `input`, `resume`, `train` and `serve` need what `data` has made,
and `serve` needs the run of `train`.

It runs from a checkout that is not installed, too; it needs the packages that setup.py lists.
"""

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "1")

from tf_outfit_gan.config import PRESETS, from_preset  # noqa: E402
from tf_outfit_gan.sizes import format_size  # noqa: E402
from tf_outfit_gan.util.atomic import write_whole  # noqa: E402
from tf_outfit_gan.util.command import OUTFIT_GAN  # noqa: E402

# Presets in the order in which their steps are timed; what the limit leaves out comes last.
LEVELS_OF = ("64x48", "256x192", "paper", "128x96", "512x384", "paper-unconditional", "dolls", "demo")
POLL_SEC = 2


def devices(args, record):
    """The machine, the versions, and how fast it multiplies matrices."""
    import tensorflow as tf

    from training.benchmark.step import timed
    from training.distribute.devices import describe

    for what, value in {**describe(), **tf.sysconfig.get_build_info()}.items():
        record(what=what, value=value)
    for gpu in tf.config.list_physical_devices("GPU"):
        record(what=gpu.name, value=tf.config.experimental.get_device_details(gpu))
    side = 256 if args.tiny else 8192
    for dtype, tf32 in (("float32", False), ("float32", True), ("bfloat16", False), ("float16", False)):
        tf.config.experimental.enable_tensor_float_32_execution(tf32)
        a = tf.cast(tf.random.normal([side, side]), dtype)
        multiply = tf.function(lambda a: a @ a)
        seconds = min(timed(lambda: multiply(a)) for _ in range(5))
        record(what=f"matrix product, {dtype}{', TF32' * tf32}", value=f"{2e-12 * side**3 / seconds:.3g} TFLOP/s")


def golden(args, record):
    """How far pictures and scores are from the official ones, in each precision; and the tests of numbers and graphs."""
    import tensorflow as tf

    from tests.helpers.official import rounding_errors

    names = ["stylegan1_r32", "stylegan1_r32_fused"]
    for name in names[:1] if args.tiny else names:
        for precision, tf32 in (("float32", False), ("float32", True), ("mixed_bfloat16", False), ("mixed_float16", False)):
            tf.config.experimental.enable_tensor_float_32_execution(tf32)
            record(what=name, precision=precision, tf32=tf32, **rounding_errors(name, precision))
    tests = ["tests/golden", "tests/unit/tf_outfit_gan/test_ops.py", "tests/unit/training/test_step_graph.py"]
    only = ["-k", "16_bits"] if args.tiny else []
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, *only]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    print(done.stdout)
    record(what="tests", exit_code=done.returncode, result=(done.stdout.splitlines() or [""])[-1])


def norm(args, record):
    """The kernels of instance norm, forward and backward."""
    import tensorflow as tf

    from tf_outfit_gan import ops
    from training.benchmark.step import timed

    shapes = [(4, 8, 6, 8)] if args.tiny else [(16, 64, 48, 256), (8, 256, 192, 64), (4, 1024, 768, 16)]
    for shape in shapes:
        for dtype in ("float32", "bfloat16"):
            x, scale = tf.cast(tf.random.normal(shape), dtype), tf.ones([shape[0], shape[-1]])
            milliseconds = {}
            for kernel in ops.NORM_KERNELS:

                @tf.function
                def gradient(x, scale):
                    with tf.GradientTape() as tape:
                        tape.watch([x, scale])
                        y = ops.styled_instance_norm(x, scale, scale, kernel)
                    return tape.gradient(y, [x, scale], x)

                gradient(x, scale)
                milliseconds[kernel] = 1000 * statistics.median(timed(lambda: gradient(x, scale)) for _ in range(10))
            record(shape=list(shape), dtype=dtype, **{f"{kernel}_ms": value for kernel, value in milliseconds.items()})


def levels(args, record):
    """A step of every preset, the largest level first, with and without XLA, beside its roofline."""
    todo = []
    for order, preset in enumerate([args.preset] if args.tiny else LEVELS_OF):
        model_config, config = from_preset(preset)
        depths = range(model_config.num_levels - config.start_level)
        # The precision that is meant for GPUs of today first, then the preset's own.
        precisions = list(dict.fromkeys(["mixed_bfloat16", config.precision]))
        if args.tiny:
            depths, precisions = depths[-1:], precisions[-1:]  # XLA takes minutes of a processor for what is larger.
        for below in depths:
            for other, precision in enumerate(precisions):
                settings = [f"precision={precision}"]
                todo += [((below, other, order), preset, model_config.num_levels - 1 - below, settings, xla) for xla in (0, 1)]
    for _, preset, level, settings, xla in sorted(todo):
        time_step(args, record, preset, level, [*settings, f"xla={xla}"], args.limit_sec / 3)


def batches(args, record):
    """Larger and larger batches of the largest pictures, until the memory ends."""
    preset, most = (args.preset, 8) if args.tiny else ("paper", 1024)
    level = from_preset(preset)[0].num_levels - 1
    batch, enough = 4, True
    while batch <= most and enough:
        settings = ["precision=mixed_bfloat16", f"batch_size={batch}"]
        enough = time_step(args, record, preset, level, settings, args.limit_sec / 2)
        batch *= 2


def time_step(args, record, preset, level, settings, limit_sec):
    """Records a step's time and memory, measured by a process of its own: XLA may compile for long, and memory may end.

    Returns whether it was measured.
    """
    row = dict(preset=preset, size=format_size(from_preset(preset)[0].level_sizes[level]), settings=" ".join(settings))
    command = [sys.executable, __file__, str(args.out), "--step", preset, str(level), *settings]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=limit_sec, check=True)
    except subprocess.TimeoutExpired:
        record(**row, error=f"stopped after {limit_sec:.0f} s")
    except subprocess.CalledProcessError as error:
        record(**row, error=(error.stdout.splitlines() or [f"exit code {error.returncode}"])[-1])
    else:
        record(**row, **json.loads(done.stdout.splitlines()[-1]))
        return True
    return False


def step(preset, level, settings):
    """What the process of `time_step` does: prints figures as JSON, or an error, as its last line."""
    import tensorflow as tf

    from training import schedule
    from training.benchmark.step import StepRoofline, TimedStep
    from training.distribute.strategy import make_strategy
    from training.monitor.divergence import OutOfMemory
    from training.monitor.memory import training_bytes

    tf.config.set_visible_devices(tf.config.list_physical_devices("GPU")[:1], "GPU")
    model_config, config = from_preset(preset, settings)
    batch = schedule.batch_size(config, model_config.level_sizes[level][0], 1, model_config.stddev_group)
    try:
        timed_step = TimedStep(model_config, config, level, batch, make_strategy())
        seconds = statistics.median(timed_step.seconds() for _ in range(3))
    except (OutOfMemory, tf.errors.ResourceExhaustedError) as error:
        print(str(error).partition("\n")[0])
        raise SystemExit(1) from None
    row = dict(batch=batch, step_ms=1000 * seconds, sec_per_kimg=1000 * seconds / batch, memory_gb=training_bytes() / 1e9)
    row["first_call_sec"] = timed_step.first_call_sec
    if not config.xla:
        roofline = StepRoofline(timed_step.graphs())
        roofline.seconds()
        row["roofline_ratio"] = seconds / roofline.seconds()
    print(json.dumps(row))


def replicas(args, record):
    """One device as two replicas: they learn what one does, and hold the same variables."""
    command = [sys.executable, "-m", "tests.helpers.replicas", str(args.out)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    errors = {f"error of {name}": error for name, error in found["errors"].items()}
    for what, value in (errors | {name: found[name] for name in ("replicas", "replica_difference", "reductions")}).items():
        record(what=what, value=value)


def data(args, record):
    """Paper dolls, drawn and prepared for the parts that follow."""
    size = format_size(from_preset(args.preset)[0].size)
    count = 64 if args.tiny else 8000
    for words in (
        ["paperdoll", args.out / "catalogue", "--count", count, "--size", size],
        ["prepare", args.out / "catalogue", args.out / "data", "--size", size],
    ):
        started = time.monotonic()
        outfit_gan(*words, "--quiet")
        record(verb=words[0], entries=count, size=size, seconds=time.monotonic() - started)


def feed(args, record):
    """Whether reading and decoding keep up with the step at the last level."""
    dataset = made(args, "data")
    from training.benchmark.step import TimedStep
    from training.schedule import batch_size

    model_config, config = from_preset(args.preset)
    batch = batch_size(config, model_config.size[0], 1, model_config.stddev_group)
    sizes = ["--level", format_size(model_config.size), "--condition-size", format_size(model_config.condition_size)]
    json_file = args.out / "input.json"
    outfit_gan("benchmark", "input", dataset, *sizes, "--batch", batch, "--repeats", 1 if args.tiny else 3, "--json", json_file)
    found = json.loads(json_file.read_text())
    a_core, cores = found["levels"][0]["examples_per_sec_a_core"]["median"], found["machine"]["cores"]
    timed_step = TimedStep(model_config, config, model_config.num_levels - 1, batch)
    images = batch / statistics.median(timed_step.seconds() for _ in range(3))
    record(size=sizes[1], entries_per_sec_a_core=a_core, cores=cores, step_images_per_sec=images, cores_needed=images / a_core)


def resume(args, record):
    """A run that stops halfway and goes on, against one that does not: what their checkpoints hold."""
    dataset = made(args, "data")
    import numpy as np

    from tests.helpers.runs import memory

    model_config, config = from_preset(args.preset)
    kimg = 4 * config.batch_size / 1000
    for deterministic in ("true", "false"):
        settings = [f"--set=start_level={model_config.num_levels - 1}", f"--set=deterministic={deterministic}"]
        runs = [args.out / f"{name}-{deterministic}" for name in ("once", "twice")]
        for run in runs:
            shutil.rmtree(run, ignore_errors=True)  # Of an earlier call.
        for run, total_kimg in zip((runs[0], runs[1], runs[1]), (kimg, kimg / 2, kimg)):
            words = ["train", run, "--data", dataset, "--preset", args.preset, f"--set=total_kimg={total_kimg:g}"]
            outfit_gan(*words, *settings, "--quiet")
        once, twice = map(memory, runs)
        differences = [np.abs(np.float64(once[name]) - np.float64(twice[name])).max() for name in once]
        record(deterministic=deterministic, values=len(differences), largest_difference=float(max(differences)))


def train(args, record):
    """A training of some minutes with its sheets."""
    minutes = max(0.2, args.limit_sec / 60 - 0.75)  # Graphs, a snapshot and its sheet come on top.
    run = args.out / "run"
    words = ["train", run, "--data", made(args, "data"), "--preset", args.preset, "--time-limit", f"{minutes:.2f}"]
    outfit_gan(*words, "--set=snapshot_kimg=20")
    for line in map(json.loads, (run / "stats.jsonl").read_text().splitlines()[-1:]):
        for name, value in line.items():
            record(what=name, value=value)
    record(what="sheet", value=str(sorted(run.glob("fakes_*.png"))[-1].relative_to(args.out)))
    record(what="log", value=(run / "log.txt").read_text().splitlines()[-2])


def serve(args, record):
    """Export, a server, and how many pictures it gives in a second."""
    run, models = made(args, "run"), args.out / "models" / "outfit_gan"
    from tf_outfit_gan.client import Client

    started = time.monotonic()
    outfit_gan("export", run, models)
    record(what="export", seconds=time.monotonic() - started)
    entry = json.loads((args.out / "catalogue" / "manifest.jsonl").read_text().splitlines()[0])
    outfit = args.out / "catalogue" / "outfit.json"
    outfit.write_text(json.dumps({name: entry[name] for name in ("articles", "keypoints")}))
    with serving(models) as address:

        def ask(seeds):
            return len(Client(address).render_png(outfit, seeds))

        started = time.monotonic()
        ask([1])
        record(what="first request", seconds=time.monotonic() - started)
        for clients, seeds in ((1, 1), (1, 16), (8, 4)):
            started = time.monotonic()
            with ThreadPoolExecutor(clients) as threads:
                pictures = sum(threads.map(ask, [list(range(seeds))] * (2 if args.tiny else 10) * clients))
            seconds = time.monotonic() - started
            record(what="throughput", clients=clients, pictures_a_request=seeds, pictures_per_sec=pictures / seconds)


@contextlib.contextmanager
def serving(models):
    """The embedded server, for as long as the block lasts; the block gets HOST:PORT."""
    command = [*OUTFIT_GAN, "serve", str(models), "--port", "0", "--rest_api_port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield re.search(r"REST http://([^/]+)/", server.stdout.readline())[1]
    finally:
        server.terminate()
        server.wait()


def outfit_gan(*words):
    subprocess.run([*OUTFIT_GAN, *map(str, words)], check=True)


def made(args, name):
    """A folder that an earlier part has made."""
    if not (args.out / name).is_dir():
        raise SystemExit(f"{args.out / name}: no such folder; the part {'train' if name == 'run' else 'data'} makes it")
    return args.out / name


# Each with its share of the time, in minutes of twenty.
PARTS = {
    "devices": (devices, 0.5),
    "golden": (golden, 1.75),
    "norm": (norm, 0.5),
    "data": (data, 1),
    "train": (train, 5.75),
    "levels": (levels, 4.5),
    "batches": (batches, 1.5),
    "replicas": (replicas, 1.25),
    "input": (feed, 0.75),
    "resume": (resume, 1.5),
    "serve": (serve, 1),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT", type=Path, help="folder of the results")
    parser.add_argument("--minutes", type=float, default=20, help="for all parts together (default: %(default)s)")
    parser.add_argument("--parts", default=",".join(PARTS), help="which, in this order (default: %(default)s)")
    parser.add_argument("--preset", choices=PRESETS, default="64x48", help="of the training; tiny makes all parts small")
    parser.add_argument("--step", nargs="+", help=argparse.SUPPRESS)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--limit-sec", type=float, help=argparse.SUPPRESS)
    args = parser.parse_args()
    args.tiny = args.preset == "tiny"
    if args.step:
        preset, level, *settings = args.step
        step(preset, int(level), settings)
        return
    if args.part:
        PARTS[args.part][0](args, lambda **row: add_row(args.out / f"{args.part}.jsonl", row))
        return
    names = args.parts.split(",")
    if unknown := set(names) - set(PARTS):
        parser.error(f"--parts: unknown {', '.join(sorted(unknown))}; expected some of {', '.join(PARTS)}")
    args.out = args.out.resolve()
    args.out.mkdir(parents=True, exist_ok=True)

    report = Report(args.out)
    ends = time.monotonic() + 60 * args.minutes
    for number, name in enumerate(names):
        share = PARTS[name][1] / sum(PARTS[other][1] for other in names[number:])
        run_part(args, name, share * (ends - time.monotonic()), report)


def run_part(args, name, limit_sec, report):
    """Runs a part as a process, ends it at its limit, and shows its rows meanwhile."""
    rows = args.out / f"{name}.jsonl"
    rows.write_text("")
    command = [sys.executable, __file__, str(args.out), "--preset", args.preset, "--part", name, "--limit-sec", str(limit_sec)]
    started, status = time.monotonic(), "running"
    with (args.out / f"{name}.log").open("w") as log:
        # A session of its own, so that what the part has started ends with it.
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
        while status == "running":
            with contextlib.suppress(subprocess.TimeoutExpired):
                code = process.wait(min(POLL_SEC, max(0, started + limit_sec - time.monotonic())))
                status = "done" if code == 0 else f"failed with exit code {code}, see {name}.log"
            if status == "running" and time.monotonic() >= started + limit_sec:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                status = "stopped at its limit"
            report.show(name, status, time.monotonic() - started, list(map(json.loads, rows.read_text().splitlines())))
    print(f"{name}: {status} after {time.monotonic() - started:.0f} of {limit_sec:.0f} s", flush=True)


def add_row(path, row):
    """Appends a row in one write: whoever reads meanwhile finds whole lines."""
    with path.open("a") as file:
        file.write(json.dumps(row, default=str) + "\n")


class Report:
    """OUT/gpu.json and OUT/gpu.md; parts of an earlier call that are not run again stay in them."""

    def __init__(self, out):
        self._out, path = out, out / "gpu.json"
        self._parts = json.loads(path.read_text()) if path.exists() else {}

    def show(self, name, status, seconds, rows):
        self._parts[name] = {"status": status, "seconds": round(seconds, 1), "rows": rows}
        write_whole(self._out / "gpu.json", json.dumps(self._parts, indent=1) + "\n")
        write_whole(self._out / "gpu.md", "\n".join(["# On a GPU", *map(self._section, self._parts)]) + "\n")

    def _section(self, name):
        part = self._parts[name]
        columns = list(dict.fromkeys(column for row in part["rows"] for column in row))
        lines = [f"\n## {name}\n", f"{PARTS[name][0].__doc__} {part['status'].capitalize()} after {part['seconds']:g} s.\n"]
        if columns:
            lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
            lines += [f"| {' | '.join(cell(row.get(column, '')) for column in columns)} |" for row in part["rows"]]
        return "\n".join(lines)


def cell(value):
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")


if __name__ == "__main__":
    main()
