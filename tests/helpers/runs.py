"""Training runs as processes that are killed, and what they leave."""

import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import tensorflow as tf

from tf_outfit_gan import snapshot as snapshots
from training import checkpoint

# Settings of a run whose graph is built in a second or two: one level, no conditions, four steps.
QUICK = ("conditional=false", "size=8x6", "stable_kimg=0.016", "fade_kimg=0.016", "total_kimg=0.032")


def train_command(folder, dataset, settings, *words):
    """The command that trains the tiny preset with other settings, and resumes it."""
    command = [sys.executable, "-m", "tf_outfit_gan.cli.main", "train", str(folder), "--data", str(dataset.path)]
    return [*command, "--preset", "tiny", "--quiet", *words, *(f"--set={setting}" for setting in settings)]


def kill_when(command, ready, delay_sec=0.0, number=signal.SIGKILL):
    """Starts a program, sends it a signal so long after ready() turned true; returns its exit code.

    A program that ends by itself before, and well, is left alone.
    """
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not ready() and running.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(delay_sec)
    if running.poll() is None:
        os.kill(running.pid, number)
    return running.wait(300)


def small_steps(size):
    """What a checkpoint takes from `Steps`, as one vector of zeros."""
    generator = tf.Variable(tf.zeros([size]))
    return SimpleNamespace(generator=generator, memory=lambda: {"generator": generator})


def newest_checkpoint(folder):
    """The image count of the newest checkpoint of a run; 0 = none."""
    found = checkpoint.found(folder / "checkpoints")
    return int(found[-1].name.removesuffix("img")) if found else 0


def memory(folder):
    """{name: value} of all that the newest checkpoint of a run holds."""
    reader = tf.train.load_checkpoint(str(checkpoint.found(folder / "checkpoints")[-1] / "state"))
    names = reader.get_variable_to_shape_map()
    return {name: reader.get_tensor(name) for name in names if "_OBJECT_GRAPH" not in name}


def assert_same_memory(folder, other):
    """Two runs ended with the same weights, optimizers and all else, bit for bit, and with the same last snapshot."""
    ours, theirs = memory(folder), memory(other)
    assert ours.keys() == theirs.keys() and len(ours) > 50
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, name)
    ours, theirs = (snapshots.load(run).generator.weights for run in (folder, other))
    for weight, expected in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(weight, expected, weight.path)
