"""The memory of a training step at each level of a preset: what a level takes in any case, and what each picture adds.

    python benchmarks/memory.py --preset paper --from 64x48
    python benchmarks/memory.py --preset paper --from 64x48 --set recompute_from=128
    python benchmarks/memory.py --preset paper --from 64x48 --set micro_batch=4

Every figure is the peak of a process that runs one step: of the GPU's memory as TensorFlow counts it where there is a
GPU, else of the process's memory above what it held before. Two batches give the part that grows with the batch: of 1
and 2 pictures, or with micro_batch of one micro-batch and of four, where "always" includes the pictures of a micro-batch.
"""

import argparse
import resource
import subprocess
import sys

from tf_outfit_gan.config import PRESETS, from_preset
from tf_outfit_gan.sizes import format_size

MB = 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="paper", choices=PRESETS)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--from", dest="first", metavar="HxW", help="the lowest level (default: the base)")
    parser.add_argument("--measure", nargs=2, type=int, metavar=("LEVEL", "BATCH"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    model_config, config = from_preset(args.preset, args.set)
    if args.measure:
        print(peak_of_a_step(model_config, config, *args.measure))
        return

    sizes = [format_size(size) for size in model_config.level_sizes]
    if args.first and args.first not in sizes:
        parser.error(f"--from {args.first}: the preset has no such level; choose one of {', '.join(sizes)}")
    print("| level | always, MB | each picture, MB |\n|---|---|---|")
    for level in range(sizes.index(args.first) if args.first else 0, len(sizes)):
        fewer, more = (1, 2) if not config.micro_batch else (config.micro_batch, 4 * config.micro_batch)
        less, most = (measured(sys.argv[1:], level, batch) / MB for batch in (fewer, more))
        each = (most - less) / (more - fewer)
        print(f"| {sizes[level]} | {less - fewer * each:.0f} | {each:.0f} |", flush=True)


def measured(arguments, level, batch):
    """The figure of a process of its own: a peak cannot be taken back."""
    command = [sys.executable, __file__, *arguments, "--measure", str(level), str(batch)]
    return int(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout.split()[-1])


def peak_of_a_step(model_config, config, level, batch):
    """Bytes."""
    import tensorflow as tf

    from training import schedule
    from training.benchmark.step import random_batch
    from training.schedule import Stage
    from training.step import Steps

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    steps = Steps(tf.distribute.get_strategy(), model_config, config)
    stage = Stage(level, False, batch, 1, schedule.micro_batch(config, batch, model_config.stddev_group))
    steps.run(stage, iter(tf.data.Dataset.from_tensors(random_batch(model_config, stage)).repeat()), 1, 0)
    if tf.config.get_visible_devices("GPU"):
        return tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before


if __name__ == "__main__":
    main()
