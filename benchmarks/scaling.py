"""Two processes on two cores against one process on one, and one replica with and without a distribution strategy.

    python benchmarks/scaling.py --preset 64x48 --json scaling.json

Each process has one core and one thread, and waits while another one is timed. A turn times, one after another:
one process alone; two that know nothing of each other, at the same time, which is as much as the machine can give; two
that train together, as workers of a cluster; and, on one core again, the same step without a strategy, on TensorFlow's
OneDeviceStrategy, which a training on one device uses, and on its MirroredStrategy over one device. The step is that of
`outfit-gan benchmark step`, with the same batch for each replica. The tables have medians over the turns, by the clock
and in seconds of processor time: on a machine that does other work, too, only the latter mean something, though they
miss what a worker waits for the other.
"""

import argparse
import json
import os
import socket
import statistics
import subprocess
import sys
import time

from tf_outfit_gan.config import PRESETS, from_preset

PAUSE_SEC = 0.3  # The threads of the process before spin for a while before they sleep.
STRATEGIES = ("none", "one device", "mirrored")
STEPS = 3  # Of a turn.


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="64x48", choices=PRESETS)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--batch", type=int, default=32, help="pictures of a replica (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=9, help="(default: %(default)s)")
    parser.add_argument("--json", metavar="FILE", help="write all figures and the machine here")
    parser.add_argument("--worker", nargs=2, metavar=("ROLE", "CORE"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.worker:
        work(args, args.worker[0], int(args.worker[1]))
        return

    first, second = sorted(os.sched_getaffinity(0))[:2]
    pair = [f"localhost:{port}" for port in free_ports(2)]
    alone = [Process("alone", core) for core in (first, second)]
    tasks = [{"cluster": {"worker": pair}, "task": {"type": "worker", "index": index}} for index in range(2)]
    together = [Process("together", core, TF_CONFIG=json.dumps(task)) for core, task in zip((first, second), tasks)]
    machine, *_ = [process.answer() for process in (*alone, *together)]
    seconds = {name: [] for name in ("one", "two apart", "two together", *STRATEGIES)}
    for turn in range(args.turns):
        for name, processes, strategy in (
            ("one", alone[:1], "one device"), ("two apart", alone, "one device"), ("two together", together, "cluster"),
            *((strategy, alone[:1], strategy) for strategy in STRATEGIES),
        ):
            time.sleep(PAUSE_SEC)
            for process in processes:
                process.ask(strategy)
            seconds[name].append([statistics.mean(kind) for kind in zip(*[process.answer() for process in processes])])
        told = ", ".join(f"{name} {found[-1][0]:.2f} s" for name, found in seconds.items())
        print(f"turn {turn + 1} of {args.turns}: {told}", file=sys.stderr, flush=True)
    for process in (*alone, *together):
        process.close()
    found = report(seconds, args.batch)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"preset": args.preset, "set": args.set, "batch": args.batch, "seconds": seconds, **found,
                       "machine": machine}, file, indent=2)


def report(seconds, batch):
    """Prints the tables. Returns their ratios, taken turn by turn, as the machine may be slower in the next one."""
    def ratios(above, below):
        """By the clock, and in processor time."""
        turns = [[a / b for a, b in zip(*pair)] for pair in zip(seconds[above], seconds[below])]
        return [statistics.median(kind) for kind in zip(*turns)]

    found = {
        "efficiency": ratios("one", "two together"), "efficiency_apart": ratios("one", "two apart"),
        "overhead_one_device": [ratio - 1 for ratio in ratios("one device", "none")],
        "overhead_mirrored": [ratio - 1 for ratio in ratios("mirrored", "none")],
    }
    print("| a core each | images/s | of one process, times two | the same in processor time |\n|---|---|---|---|")
    rows = (("one", 1, None), ("two apart", 2, "efficiency_apart"), ("two together", 2, "efficiency"))
    for name, replicas, key in rows:
        rate = replicas * batch / statistics.median(clock for clock, _ in seconds[name])
        print(f"| {name} | {rate:.2f} | " + " | ".join(f"{ratio:.1%}" for ratio in found.get(key, ())) + " |")
    print("\n| strategy of one replica | ms a step | takes longer by | the same in processor time |\n|---|---|---|---|")
    for name, key in zip(STRATEGIES, (None, "overhead_one_device", "overhead_mirrored")):
        milliseconds = 1000 * statistics.median(clock for clock, _ in seconds[name])
        print(f"| {name} | {milliseconds:.0f} | " + " | ".join(f"{more:+.1%}" for more in found.get(key, ())) + " |")
    return found


class Process:
    """A process on one core, which times a step of the named strategy whenever it is asked."""

    def __init__(self, role, core, **environment):
        command = [sys.executable, __file__, *sys.argv[1:], "--worker", role, str(core)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                         env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment})

    def ask(self, strategy):
        self._process.stdin.write(strategy + "\n")
        self._process.stdin.flush()

    def answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a process ended with {self._process.wait()}: its own words are above")
        return json.loads(line)

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def work(args, role, core):
    """What a process does: builds its steps, says so, and times them."""
    os.sched_setaffinity(0, {core})  # Before TensorFlow counts cores.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    import tensorflow as tf

    from training.cluster import resolve
    from training.distribution import make_strategy
    from training.machine import choose_devices, describe
    from training.timed_step import TimedStep

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    choose_devices("cpu")
    strategies = {"cluster": lambda: make_strategy(resolve())} if role == "together" else {
        "none": tf.distribute.get_strategy, "one device": make_strategy,
        "mirrored": lambda: tf.distribute.MirroredStrategy(["CPU:0"]),
    }
    # All calls have one step: the workers of a cluster have to agree on how many.
    model_config, config = from_preset(args.preset, [*args.set, "steps_per_call=1"])
    steps = {name: TimedStep(model_config, config, model_config.num_levels - 1, args.batch, make())
             for name, make in strategies.items()}
    print(json.dumps(describe()), file=answers)
    for line in sys.stdin:
        print(json.dumps(seconds_of(steps[line.strip()])), file=answers)


def seconds_of(step):
    """What a `TimedStep` takes, the mean of some: by the clock, and of the processor."""
    clock = processor = 0.0
    for weight, call in step.calls():
        began = time.perf_counter(), time.process_time()
        for _ in range(STEPS):
            call()
        clock += weight * (time.perf_counter() - began[0]) / STEPS
        processor += weight * (time.process_time() - began[1]) / STEPS
    return clock, processor


def free_ports(count):
    """Ports that nobody listens at."""
    sockets = [socket.socket() for _ in range(count)]
    for free in sockets:
        free.bind(("localhost", 0))
    ports = [free.getsockname()[1] for free in sockets]
    for free in sockets:
        free.close()
    return ports


if __name__ == "__main__":
    main()
