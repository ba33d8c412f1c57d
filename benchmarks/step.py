"""Times the training step of a preset on random pictures: images a second, and what the first call costs.

    python benchmarks/step.py --preset demo --set precision=float32
    python benchmarks/step.py --preset demo --set precision=mixed_bfloat16

These figures are for ratios on one machine in one sitting: run what you compare right after each other.
"""

import argparse
import time

import tensorflow as tf

from tf_outfit_gan.config import PRESETS, from_preset
from tf_outfit_gan.sizes import format_size
from training import schedule
from training.distribution import make_strategy
from training.phases import Stage
from training.steps import Steps

CALLS = 5  # The fastest of so many calls counts: what is slower was disturbed.


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", default="demo", choices=PRESETS)
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--level", type=int, help="0 = the base (default: the highest)")
    args = parser.parse_args()

    model_config, config = from_preset(args.preset, args.set)
    level = model_config.num_levels - 1 if args.level is None else args.level
    size = model_config.level_sizes[level]
    strategy = make_strategy()
    replicas = strategy.num_replicas_in_sync
    batch = schedule.batch_size(config, size[0], replicas, model_config.stddev_group)
    stage = Stage(level, False, batch // replicas, replicas)
    steps = Steps(strategy, model_config, config)
    iterator = iter(strategy.distribute_datasets_from_function(lambda _: random_batches(model_config, stage)))

    count = max(config.steps_per_call, config.r1_interval)  # So that each call has its share of lazy R1.
    seconds = []
    for _ in range(1 + CALLS):
        start = time.perf_counter()
        steps.run(stage, iterator, count, 0, 1.0, 0.0)
        seconds.append(time.perf_counter() - start)
    step = min(seconds[1:]) / count
    print(f"{args.preset} {format_size(size)} batch {batch} on {replicas} replica(s), {config.precision}: "
          f"{step * 1e3:.1f} ms a step, {batch / step:.1f} images/s; first call {seconds[0]:.1f} s")


def random_batches(model_config, stage):
    """One random batch of a replica, again and again: no time goes into data."""
    batch = {"image": tf.random.uniform([stage.replica_batch, *model_config.level_sizes[stage.level], 3], -1, 1)}
    if model_config.conditional:
        slots = len(model_config.slots)
        batch["articles"] = tf.random.uniform([stage.replica_batch, slots, *model_config.condition_size, 3], -1, 1)
        batch["keypoints"] = tf.random.uniform([stage.replica_batch, 16, 3])
    return tf.data.Dataset.from_tensors(batch).repeat()


if __name__ == "__main__":
    main()
