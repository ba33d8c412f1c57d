"""Times this project's training step and those of other StyleGANs in alternation, in one run. See peers.md.

    python benchmarks/peers.py --ours PYTHON --rosinality PYTHON CHECKOUT --uladzislau PYTHON CHECKOUT \
        --keras-io PYTHON CHECKOUT --json peers.json

Every project is a process of its own, which waits while another one runs a step.
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


class Worker:
    """The process of a project; `adapters/worker.py` is the other end."""

    def __init__(self, python, checkout, adapter, setting):
        self._log = Path(f"peers-{setting}-{adapter}.log")
        command = [python, str(ADAPTERS / "worker.py"), adapter, checkout, setting]
        with open(self._log, "w") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True)
        self._built = 0

    def build(self, precision, variant):
        """Builds a step. Returns its number and what it is."""
        self._built += 1
        return self._built - 1, self._ask(f"build {precision} {variant}")

    def step(self, number):
        """Runs a step. Returns seconds."""
        return self._ask(f"step {number}")["seconds"]

    def close(self):
        self._process.stdin.close()
        self._process.wait()

    def _ask(self, command):
        try:
            self._process.stdin.write(command + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())
        except (BrokenPipeError, json.JSONDecodeError):
            sys.exit(f"{command}: the process ended; {self._log} says why")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ours", metavar="PYTHON", default=sys.executable, help="default: the one that runs this")
    for name in ("rosinality", "uladzislau", "keras-io"):
        parser.add_argument(f"--{name}", nargs=2, metavar=("PYTHON", "CHECKOUT"))
    parser.add_argument("--setting", action="append", choices=("wide", "narrow", "trial"), help="default: wide, narrow")
    parser.add_argument("--repeats", type=int, default=3, help="steps of each that count (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    args = parser.parse_args()
    places = {
        "ours": (args.ours, PROJECT),
        "rosinality": args.rosinality,
        "uladzislau": args.uladzislau,
        "keras_io": args.keras_io,
    }

    found = {}
    for setting in args.setting or ("wide", "narrow"):
        found[setting] = compare(setting, {name: place for name, place in places.items() if place}, args.repeats)
        _show(setting, found[setting])
        if args.json:
            args.json.write_text(json.dumps(found, indent=2) + "\n")


def compare(setting, places, repeats):
    """Times all contenders of a setting in alternation.

    Args:
        setting: a key of the workers' `SETTINGS`.
        places: {adapter: (its Python, its checkout)}.
        repeats: steps of each that count.

    Returns:
        A list of rows, for JSON and the table.
    """
    workers = {adapter: Worker(*place, adapter, setting) for adapter, place in places.items()}
    rows = []
    for adapter, name, precision, variant in CONTENDERS:
        if adapter in workers:
            number, what = workers[adapter].build(precision, variant)
            rows.append({"name": name, **what, "adapter": adapter, "number": number, "seconds": []})
    # The first step of each builds its graph; it does not count.
    for count in range(1 + repeats):
        for row in rows:
            seconds = workers[row["adapter"]].step(row["number"])
            print(f"{setting}, round {count}: {row['name']}: {seconds:.2f} s", file=sys.stderr, flush=True)
            if count:
                row["seconds"].append(seconds)
            time.sleep(PAUSE_SEC)
    for worker in workers.values():
        worker.close()
    for row in rows:
        row["median_sec"] = statistics.median(row["seconds"])
        row["images_per_sec"] = row["batch"] / row["median_sec"]
    return rows


def _show(setting, rows):
    """Prints a table in Markdown, as docs/speed.md has it."""
    first = rows[0]["median_sec"]
    print(f"\n{setting}, batch {rows[0]['batch']}\n\n| | on | s a step | images/s | of ours |\n|---|---|---|---|---|")
    for row in rows:
        print(
            f"| {row['name']} | {row['version']} | {row['median_sec']:.2f} | {row['images_per_sec']:.2f} | "
            f"{first / row['median_sec']:.2f} |"
        )


if __name__ == "__main__":
    main()
