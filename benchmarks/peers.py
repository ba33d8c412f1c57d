"""Times this project's training step and those of other StyleGANs in turns, in one run. See peers.md.

    python benchmarks/peers.py --ours PYTHON --rosinality PYTHON CHECKOUT --uladzislau PYTHON CHECKOUT \
        --keras-io PYTHON CHECKOUT --json peers.json

Every implementation is a process of its own, which waits while another one runs its step.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from pathlib import Path

ADAPTERS = Path(__file__).resolve().parent / "adapters"
PROJECT = str(ADAPTERS.parent.parent)

# (adapter, what it is called in the table, precision, variant)
CONTENDERS = (
    ("ours", "tf-outfit-gan", "float32", "1"),
    ("ours", "tf-outfit-gan, bfloat16", "mixed_bfloat16", "1"),
    ("ours", "tf-outfit-gan, R1 every 16th step", "float32", "16"),
    ("ours", "tf-outfit-gan, bfloat16, R1 every 16th step", "mixed_bfloat16", "16"),
    ("rosinality", "rosinality/style-based-gan-pytorch", "float32", "contiguous"),
    ("rosinality", "the same, bfloat16 autocast", "mixed_bfloat16", "contiguous"),
    ("rosinality", "the same, bfloat16 autocast, channels last", "mixed_bfloat16", "channels_last"),
    ("uladzislau", "uladzislau-varabei/stylegan-tf2", "float32", "-"),
    ("keras_io", "keras.io example, as published (eager)", "float32", "eager"),
    ("keras_io", "the same in a tf.function", "float32", "graph"),
)
PAUSE_SEC = 0.5  # Between two steps: the threads of the last one spin for a while before they sleep.


class Contender:
    """A worker process; `adapters/worker.py` is the other end."""

    def __init__(self, python, checkout, adapter, name, precision, variant, setting):
        self.name, self.seconds = name, []
        command = [python, str(ADAPTERS / "worker.py"), adapter, checkout, setting, precision, variant]
        self._log = Path(f"peers-{setting}-{adapter}-{precision}-{variant}.log")
        with open(self._log, "w") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        answer = self._answer()
        self.batch, self.version = answer["batch"], answer["version"]

    def step(self):
        """Runs one step. Returns seconds."""
        self._process.stdin.write("step\n")
        self._process.stdin.flush()
        return self._answer()["seconds"]

    def close(self):
        self._process.stdin.close()
        self._process.wait()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            sys.exit(f"{self.name}: its process ended; {self._log} says why")
        return json.loads(line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", metavar="PYTHON", default=sys.executable, help="default: the one that runs this")
    for name in ("rosinality", "uladzislau", "keras-io"):
        parser.add_argument(f"--{name}", nargs=2, metavar=("PYTHON", "CHECKOUT"))
    parser.add_argument("--setting", action="append", choices=("wide", "narrow", "trial"), help="default: wide, narrow")
    parser.add_argument("--repeats", type=int, default=3, help="steps of each that count (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    places = {"ours": (args.ours, PROJECT), "rosinality": args.rosinality, "uladzislau": args.uladzislau,
              "keras_io": args.keras_io}

    found = {}
    for setting in args.setting or ("wide", "narrow"):
        contenders = [Contender(*places[row[0]], *row, setting) for row in CONTENDERS if places[row[0]]]
        # The first step of each builds its graph; it does not count.
        for count in range(1 + args.repeats):
            for contender in contenders:
                seconds = contender.step()
                print(f"{setting}, round {count}: {contender.name}: {seconds:.2f} s", file=sys.stderr, flush=True)
                if count:
                    contender.seconds.append(seconds)
                time.sleep(PAUSE_SEC)
        for contender in contenders:
            contender.close()
        found[setting] = [_row(contender) for contender in contenders]
        _show(setting, found[setting])
        if args.json:
            args.json.write_text(json.dumps(found, indent=2) + "\n")


def _row(contender):
    seconds = statistics.median(contender.seconds)
    return {
        "name": contender.name, "version": contender.version, "batch": contender.batch, "seconds": contender.seconds,
        "median_sec": seconds, "images_per_sec": contender.batch / seconds,
    }


def _show(setting, rows):
    """Prints a table in Markdown, as docs/speed.md has it."""
    first = rows[0]["median_sec"]
    print(f"\n{setting}, batch {rows[0]['batch']}\n\n| | on | s a step | images/s | of ours |\n|---|---|---|---|---|")
    for row in rows:
        print(f"| {row['name']} | {row['version']} | {row['median_sec']:.2f} | {row['images_per_sec']:.2f} | "
              f"{first / row['median_sec']:.2f} |")


if __name__ == "__main__":
    main()
