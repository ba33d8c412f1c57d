"""Trains Simple Baselines: Keras's own loop, checkpoints that a kill cannot tear, and at the end an estimator.

RUN/config.json   RUN/log.txt   RUN/checkpoints/
RUN/estimator/    the SavedModel that `--pose-model` takes
RUN/pck.json      how well it finds the joints of the test split
"""

import json
import math
import time
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.pose.mpii import JOINTS
from tf_outfit_gan.pose.pck import THRESHOLD, correct_joints
from tf_outfit_gan.pose_estimation import load_estimator
from tf_outfit_gan.pose_estimation.simple_baselines import JointsLoss, build_estimator
from tf_outfit_gan.util.atomic import whole_folder, write_whole
from tf_outfit_gan.util.errors import UserError
from training.distribute.strategy import make_strategy
from training.pose_estimator.augment import augment

# Keras's epochs are ticks here: so many steps, then a line in the log.
TICK_STEPS = 50

# A checkpoint at least so often.
CHECKPOINT_SEC = 60

WARMUP = 0.05  # Of all steps.

BATCH = 64  # Of pictures that the trained estimator is measured on.


def train_pose(folder, dataset, config, weights=None, time_limit_sec=None, quiet=False):
    """Trains an estimator until its steps are done or the time is up; goes on where an earlier call ended.

    Args:
        folder: of the run.
        dataset: a prepared `Dataset` with keypoints.
        config: the `PoseConfig`.
        weights: file of the backbone's first weights, or None.
        time_limit_sec: stop after this long, with an estimator. None = no limit.
        quiet: nothing on the terminal.

    Returns PCK@0.1 on the test split, or None if that has no keypoints. Raises `UserError` for a size that does not
    fit, and a folder that holds a run with other settings.
    """
    end = math.inf if time_limit_sec is None else time.monotonic() + time_limit_sec
    folder = Path(folder)
    keras.utils.set_random_seed(config.seed)
    strategy = make_strategy()
    with strategy.scope():
        model = build_estimator(config.size, config.backbone, weights)
        rate = keras.optimizers.schedules.CosineDecay(
            0.0, config.steps, warmup_target=config.learning_rate, warmup_steps=max(1, round(WARMUP * config.steps))
        )
        # Convolutions are calls of a library with XLA or without it; without it the first step does not wait for it.
        model.compile(keras.optimizers.Adam(rate), JointsLoss(), jit_compile=False)
        model.optimizer.build(model.trainable_variables)
    folder.mkdir(parents=True, exist_ok=True)
    _keep_config(folder, config)

    with open(folder / "log.txt", "a", encoding="utf-8") as log:

        def say(text):
            log.write(text + "\n")
            log.flush()
            if not quiet:
                print(text, flush=True)

        watch = _Watch(model, folder, config.steps, end, say)
        done = watch.restore()
        say(
            f"{'resuming' if done else 'training'} {folder} at step {done} of {config.steps}: {config.backbone}, "
            f"{model.count_params():,} weights, {strategy.num_replicas_in_sync} replica(s)"
        )
        if done < config.steps:
            model.fit(
                _examples(dataset, config, done),
                epochs=-(-(config.steps - done) // TICK_STEPS),
                steps_per_epoch=TICK_STEPS,
                shuffle=False,
                callbacks=[watch],
                verbose=0,
            )
        with whole_folder(folder / "estimator") as partial:
            model.export(str(partial), verbose=False)
        return measure_pck(folder, dataset, config.size, say)


class _Watch(keras.callbacks.Callback):
    """Tells how it goes, saves checkpoints, and ends the training when its steps are done or the time is up."""

    def __init__(self, model, folder, steps, end, say):
        super().__init__()
        self._steps, self._end, self._say, self._done = steps, end, say, 0
        self._saved = self._told = time.monotonic()
        self._checkpoint = tf.train.Checkpoint(model=model, optimizer=model.optimizer)
        self._manager = tf.train.CheckpointManager(self._checkpoint, str(folder / "checkpoints"), max_to_keep=2)

    def restore(self):
        """Restores the newest checkpoint if there is one; returns how many steps were done before."""
        if self._manager.latest_checkpoint:
            self._checkpoint.restore(self._manager.latest_checkpoint).assert_existing_objects_matched()
            self._done = int(self._checkpoint.optimizer.iterations.numpy())
        return self._done

    def on_train_batch_end(self, batch, logs):
        self._done += 1
        self.model.stop_training = self._done >= self._steps or time.monotonic() >= self._end

    def on_epoch_end(self, epoch, logs):
        now = time.monotonic()
        rate, self._told = self.params["steps"] / (now - self._told), now
        left = timedelta(seconds=round((self._steps - self._done) / rate))
        self._say(f"step {self._done:<7} loss {logs['loss']:.6f}  {rate:.2f} steps/s  left {left}")
        if self.model.stop_training or now - self._saved >= CHECKPOINT_SEC:
            self._manager.save(checkpoint_number=self._done)
            self._saved = time.monotonic()


def _examples(dataset, config, done):
    """Streams (pictures, poses), changed at random, from the first that `done` steps have not seen."""
    # The outfits are not wanted, but poses come with them: the smallest ones cost nothing to decode.
    stream = batches(
        dataset, "train", config.size, dataset.levels[0], config.batch, seed=config.seed, mirror=True, start=done * config.batch
    )

    def example(number, batch):
        return augment(batch["image"], batch["keypoints"], tf.stack([config.seed, tf.cast(number, tf.int32)]))

    return stream.enumerate(done).map(example).prefetch(2)


def _keep_config(folder, config):
    """Writes config.json, or refuses a folder with other settings; the number of steps sets the schedule, too."""
    path = folder / "config.json"
    fields = json.loads(json.dumps(asdict(config)))
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name in fields if before.get(name) != fields[name]]
        if other:
            raise UserError(
                f"{path}: holds a run with {other[0]} {before.get(other[0])}, got {fields[other[0]]}; "
                "give the same settings or another folder"
            )
    else:
        write_whole(path, json.dumps(fields, indent=1) + "\n")


def measure_pck(folder, dataset, size, say):
    """Measures RUN/estimator on the test split: says the PCK, writes pck.json, returns the part of correct joints.

    Returns None when the test split has no poses to compare with.
    """
    if not sum(shard["with_keypoints"] for shard in dataset.splits["test"]):
        say(f"{folder / 'estimator'}: not measured, for no test entry has keypoints")
        return None
    estimator = load_estimator(folder / "estimator")
    correct = np.concatenate(
        [
            correct_joints(estimator(batch["image"]), batch["keypoints"], size)
            for batch in batches(dataset, "test", size, dataset.levels[0], BATCH).as_numpy_iterator()
        ]
    )  # [N, K]
    if np.isnan(correct).all():
        say(f"{folder / 'estimator'}: not measured, for no test entry has the torso to measure with")
        return None
    kinds = list(dict.fromkeys(joint.removeprefix("right_").removeprefix("left_") for joint in JOINTS))
    by_kind = {kind: correct[:, [joint.endswith(kind) for joint in JOINTS]] for kind in kinds}
    shares = {kind: float(np.nanmean(hits)) for kind, hits in by_kind.items() if not np.isnan(hits).all()}
    total, people = float(np.nanmean(correct)), int((~np.isnan(correct)).any(axis=1).sum())
    say(
        f"{folder / 'estimator'}: PCK@{THRESHOLD} {total:.1%} on {people} test entries ("
        + ", ".join(f"{kind} {share:.0%}" for kind, share in shares.items())
        + ")"
    )
    fields = {"threshold": THRESHOLD, "test_entries": people, "pck": total, "joints": shares}
    write_whole(folder / "pck.json", json.dumps(fields, indent=1) + "\n")
    return total
