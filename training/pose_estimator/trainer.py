"""Trains Simple Baselines: Keras's own loop in a run folder as `train` has it, and at the end an estimator.

RUN/config.json   RUN/log.txt   RUN/checkpoints/   RUN/lock
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
from training.checkpoint import Checkpoints, clear_leftovers
from training.distribute.strategy import Workers, make_strategy
from training.monitor.logger import RunLog
from training.monitor.preemption import Stop
from training.pose_estimator.augment import augment
from training.run_config import keep_config

# Keras's epochs are ticks here: so many steps, then a line in the log.
TICK_STEPS = 50

# A checkpoint at the first tick of all, then at the first one after so long.
CHECKPOINT_SEC = 60

WARMUP = 0.05  # Of all steps.

BATCH = 64  # Of pictures that the trained estimator is measured on.


def train_pose(folder, dataset, config, weights=None, time_limit_sec=None, quiet=False, accept_data=False):
    """Trains an estimator until its steps are done or the time is up; resumes where an earlier call ended.

    Args:
        folder: of the run.
        dataset: a prepared `Dataset` with keypoints.
        config: the `PoseConfig`.
        weights: file of the backbone's first weights, or None.
        time_limit_sec: stop after this long, with an estimator. None = no limit.
        quiet: nothing on the terminal.
        accept_data: go on with other data than the run was trained on so far.

    Returns:
        PCK@0.1 on the test split, or None if that has no keypoints.

    Raises:
        UserError: for a size that does not fit, and a folder that holds a run with other settings.
        SystemExit: when a signal asked it to stop, after a checkpoint was saved.
    """
    end = math.inf if time_limit_sec is None else time.monotonic() + time_limit_sec

    # Build everything, check and write down what this run is, and remember what an earlier call learned.
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
    if (folder / "checkpoints" / "checkpoint").exists():
        raise UserError(f"{folder}: holds a run of an earlier version, which cannot be resumed; choose a new folder")
    # No setting may change: the number of steps sets the schedule, too.
    settings = {"pose_estimator": json.loads(json.dumps(asdict(config)))}
    news = keep_config(folder, dataset, settings, {"weights": weights}, accept_data=accept_data)
    # By place: Keras numbers the names of layers through all models of a process.
    variables = {"weights": model.weights, "optimizer": model.optimizer.variables}
    memory = {name: [variable.value for variable in part] for name, part in variables.items()}
    checkpoints = Checkpoints(folder / "checkpoints", memory)
    cur_nimg, _, damages = checkpoints.restore()
    done = cur_nimg // config.batch
    clear_leftovers(folder)

    with RunLog(folder, quiet) as log:
        with Stop(Workers(strategy)) as stop:
            for line in news + damages:
                log.say(line)
            log.say(
                f"{'resuming' if done else 'training'} {folder} at step {done} of {config.steps}: {config.backbone}, "
                f"{model.count_params():,} weights, {strategy.num_replicas_in_sync} replica(s)"
            )
            if done < config.steps:
                model.fit(
                    _examples(dataset, config, done),
                    epochs=-(-(config.steps - done) // TICK_STEPS),
                    steps_per_epoch=TICK_STEPS,
                    shuffle=False,
                    callbacks=[_Ticks(config, done, end, stop, checkpoints, log)],
                    verbose=0,
                )
        stop.leave()
        with whole_folder(folder / "estimator") as partial:
            model.export(str(partial), verbose=False)
        return measure_pck(folder, dataset, config.size, log.say)


class _Ticks(keras.callbacks.Callback):
    """Logs, saves checkpoints, and ends the training when its steps are done, the time is up, or a signal asks for it."""

    def __init__(self, config, done, end, stop, checkpoints, log):
        super().__init__()
        self._config, self._done, self._end = config, done, end
        self._stop, self._checkpoints, self._log = stop, checkpoints, log
        self._ticked, self._saved = time.monotonic(), -math.inf

    def on_epoch_begin(self, epoch, logs):
        self._before = self._done

    def on_train_batch_end(self, batch, logs):
        self._done += 1
        self.model.stop_training = self._done >= self._config.steps or time.monotonic() >= self._end or self._stop.asked

    def on_epoch_end(self, epoch, logs):
        now = time.monotonic()
        rate, self._ticked = (self._done - self._before) / (now - self._ticked), now
        left = timedelta(seconds=round((self._config.steps - self._done) / rate))
        self._log.say(f"step {self._done:<7} loss {logs['loss']:.6f}  {rate:.2f} steps/s  left {left}")
        if self.model.stop_training or now - self._saved >= CHECKPOINT_SEC:
            self._checkpoints.save(self._done * self._config.batch)
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


def measure_pck(folder, dataset, size, say):
    """Measures RUN/estimator on the test split: says the PCK, writes pck.json, returns the part of correct joints.

    Returns None when the test split has no poses to compare with.
    """
    if not sum(shard["with_keypoints"] for shard in dataset.splits["test"]):
        say(f"{folder / 'estimator'}: not measured: no test entry has keypoints")
        return None
    estimator = load_estimator(folder / "estimator")
    correct = np.concatenate(
        [
            correct_joints(estimator(batch["image"]), batch["keypoints"], size)
            for batch in batches(dataset, "test", size, dataset.levels[0], BATCH).as_numpy_iterator()
        ]
    )  # [N, K]
    if np.isnan(correct).all():
        say(f"{folder / 'estimator'}: not measured: no test entry has a whole torso, the unit of PCK")
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
