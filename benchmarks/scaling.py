"""Two processes on two cores against one process on one, and one replica with and without a distribution strategy.

    python benchmarks/scaling.py --preset 64x48 --json scaling.json

Each process has one core and one thread, and waits while another one is timed. A round times a step of, one after another:
one process alone; two that know nothing of each other, at the same time, which is as much as the machine can give; two
that train together, as workers of a cluster; and, on one core again, the same step without a strategy, on TensorFlow's
OneDeviceStrategy, which a training on one device uses, and on its MirroredStrategy over one device. The step is that of
`outfit-gan benchmark step`, with the same batch for each replica.

The tables have the fastest of all rounds, and medians. Whatever else a machine does can only make a step slower, and makes
two that wait for each other as slow as the slower of them: the more of it there is, the more rounds it takes until the
fastest show what the step itself costs, and the less the medians mean.
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
STATISTICS = {"fastest": min, "median": statistics.median}  # Of the rounds.


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="64x48", choices=PRESETS)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--batch", type=int, default=32, help="pictures of a replica (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=40, help="(default: %(default)s)")
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
    for number in range(args.rounds):
        for name, processes, strategy in (
            ("one", alone[:1], "one device"),
            ("two apart", alone, "one device"),
            ("two together", together, "cluster"),
            *((strategy, alone[:1], strategy) for strategy in STRATEGIES),
        ):
            time.sleep(PAUSE_SEC)
            for process in processes:
                process.ask(strategy)
            seconds[name].append([statistics.mean(kind) for kind in zip(*[process.answer() for process in processes])])
        latest = ", ".join(f"{name} {sum(found[-1]):.2f} s" for name, found in seconds.items())
        print(f"round {number + 1} of {args.rounds}: {latest}", file=sys.stderr, flush=True)
    for process in (*alone, *together):
        process.end()
    for process in (*alone, *together):
        process.wait()
    milliseconds = {
        name: {how: 1000 * sum(map(of, zip(*found))) for how, of in STATISTICS.items()} for name, found in seconds.items()
    }  # A step is the sum of shares of its kinds.
    report(milliseconds, args.batch)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(
                {
                    "preset": args.preset,
                    "set": args.set,
                    "batch": args.batch,
                    "seconds": seconds,
                    "milliseconds": milliseconds,
                    "machine": machine,
                },
                file,
                indent=2,
            )


def report(milliseconds, batch):
    """Prints the tables."""
    print("| a core each |" + "".join(f" images/s, {how} | of one process, times two |" for how in STATISTICS))
    print("|---" * (1 + 2 * len(STATISTICS)) + "|")
    for name, replicas in (("one", 1), ("two apart", 2), ("two together", 2)):
        cells = [(1000 * replicas * batch / time, milliseconds["one"][how] / time) for how, time in milliseconds[name].items()]
        print(f"| {name} |" + "".join(f" {rate:.1f} | {of_one:.1%} |" for rate, of_one in cells))
    print("\n| strategy of one replica |" + "".join(f" ms a step, {how} | takes longer by |" for how in STATISTICS))
    print("|---" * (1 + 2 * len(STATISTICS)) + "|")
    for name in STRATEGIES:
        cells = [(time, time / milliseconds["none"][how] - 1) for how, time in milliseconds[name].items()]
        print(f"| {name} |" + "".join(f" {time:.0f} | {more:+.1%} |" for time, more in cells))


class Process:
    """A process on one core, which times a step of the named strategy whenever it is asked."""

    def __init__(self, role, core, **environment):
        command = [sys.executable, __file__, *sys.argv[1:], "--worker", role, str(core)]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        )

    def ask(self, strategy):
        self._process.stdin.write(strategy + "\n")
        self._process.stdin.flush()

    def answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit(f"a process ended with {self._process.wait()}: its own words are above")
        return json.loads(line)

    def end(self):
        self._process.stdin.close()

    def wait(self):
        self._process.wait()  # Until the other workers of its cluster end, too.


def work(args, role, core):
    """What a process does: builds its steps, says so, and times them."""
    os.sched_setaffinity(0, {core})  # Before TensorFlow counts cores.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    import tensorflow as tf

    from training.benchmark.step import TimedStep, timed
    from training.distribute.cluster import resolve
    from training.distribute.devices import choose_devices, describe
    from training.distribute.strategy import make_strategy

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    choose_devices("cpu")
    strategies = (
        {"cluster": lambda: make_strategy(resolve())}
        if role == "together"
        else {
            "none": tf.distribute.get_strategy,
            "one device": make_strategy,
            "mirrored": lambda: tf.distribute.MirroredStrategy(["CPU:0"]),
        }
    )
    # All calls have one step: the workers of a cluster have to agree on how many.
    model_config, config = from_preset(args.preset, [*args.set, "steps_per_call=1"])
    steps = {
        name: TimedStep(model_config, config, model_config.num_levels - 1, args.batch, make())
        for name, make in strategies.items()
    }
    print(json.dumps(describe()), file=answers)
    for line in sys.stdin:
        # Of each kind of step, times its share of all steps.
        print(json.dumps([weight * timed(call) for weight, call in steps[line.strip()].calls()]), file=answers)


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
