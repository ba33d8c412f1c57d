"""What a step waits for its data where each request to the store takes long: a bucket of the loopback, delayed on purpose.

    python -m benchmarks.late_store DATA --delay-ms 100 --step-ms 100

DATA, a prepared data set of some megabytes, is copied to gs:// of an emulator in this process. Then the training stream is
read from disk and from there, by a loop that sleeps as long as a step would take.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.helpers.gcs_store import COPY, gcs_store

BATCH = 32


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", metavar="DATA")
    parser.add_argument("--delay-ms", type=float, default=100)
    parser.add_argument("--step-ms", type=float, default=100)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--here", action="store_true", help="read DATA where it lies, and nothing else")
    args = parser.parse_args()
    if args.here:
        print(read(args.data, args.step_ms / 1000, args.steps))
        return
    options = ["--step-ms", str(args.step_ms), "--steps", str(args.steps), "--here"]
    with tempfile.TemporaryDirectory() as folder, gcs_store(Path(folder), "shop", args.delay_ms / 1000) as (environment, _):
        environment["TF_CPP_MIN_LOG_LEVEL"] = "2"
        subprocess.run([sys.executable, "-c", COPY, args.data, "gs://shop/data"], env=environment, check=True)
        for data in (args.data, "gs://shop/data"):
            print(f"{data}: ", end="", flush=True)
            subprocess.run([sys.executable, "-m", "benchmarks.late_store", data, *options], env=environment, check=True)


def read(data, step_sec, steps):
    """Reads batches at the data's full size between sleeps; returns what was waited, in words."""
    from tf_outfit_gan.data.pipeline import compact_batches
    from tf_outfit_gan.data.records import open_dataset

    dataset = open_dataset(data)
    sizes = dataset.levels[-1], dataset.article_levels[-1]
    stream, waits = iter(compact_batches(dataset, "train", *sizes, BATCH, seed=0)), []
    for _ in range(steps + 1):
        started = time.perf_counter()
        next(stream)
        waits.append(time.perf_counter() - started)
        time.sleep(step_sec)
    first, *others = waits
    return (
        f"first batch of {BATCH} after {first:.1f} s; then {sum(others):.2f} s of waiting in {steps} steps, "
        f"{sum(others) / (sum(others) + steps * step_sec):.1%} of the time, {max(others):.2f} s at most"
    )


if __name__ == "__main__":
    main()
