"""Data across a kill: a run that goes on sees exactly what the undisturbed run would have seen."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.catalogues import write_catalogue
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.data.prepare import prepare
from training.loop import train

SIZE, SMALLER = (16, 12), (8, 6)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume")
    return prepare(write_catalogue(folder / "shop", 45, SIZE), folder / "data", workers=1, quiet=True)


def entries(dataset, count, *, size=SIZE, batch=4, start=0):
    """What a stream yields one after another: ids and pictures."""
    stream = batches(dataset, "train", size, SIZE, batch, seed=3, mirror=True, start=start)
    found = list(stream.take(count // batch).as_numpy_iterator())
    return np.concatenate([item["ids"] for item in found]), np.concatenate([item["image"] for item in found])


def test_a_new_stream_goes_on_where_the_old_one_was(dataset):
    ids, images = entries(dataset, 80)
    for start in (8, 44):  # In the first round of 36 and in the second.
        again_ids, again_images = entries(dataset, 16, start=start)
        assert again_ids.tolist() == ids[start:start + 16].tolist()
        np.testing.assert_array_equal(again_images, images[start:start + 16])


def test_another_level_and_batch_keep_the_place_and_the_mirrored(dataset):
    ids, images = entries(dataset, 48)
    smaller_ids, smaller = entries(dataset, 24, size=SMALLER, batch=8, start=20)
    assert smaller_ids.tolist() == ids[20:44].tolist()
    means = images[20:44].reshape(24, 8, 2, 6, 2, 3).mean((2, 4))
    assert np.abs(smaller - means).max() < 0.01


SETTINGS = ("size=4x3", "condition_size=4x3", "total_kimg=0.064", "checkpoint_kimg=0.016", "snapshot_kimg=1")


def weights(run):
    reader = tf.train.load_checkpoint(str(run / "checkpoints"))
    keys = reader.get_variable_to_shape_map()
    return {key: reader.get_tensor(key) for key in keys if "_OBJECT_GRAPH" not in key}


def test_a_killed_run_ends_with_the_weights_of_an_undisturbed_one(dataset, tmp_path):
    """SIGKILL at whatever step it is after the first checkpoint; the same command then ends the run, bit for bit."""
    command = [sys.executable, "-m", "tf_outfit_gan.cli", "train", str(tmp_path / "killed"), "--data", str(dataset.path),
               "--preset", "tiny", "--quiet", *(word for setting in SETTINGS for word in ("--set", setting))]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    undisturbed = tmp_path / "undisturbed"
    assert train(undisturbed, dataset, *from_preset("tiny", SETTINGS), quiet=True) == 64

    deadline = time.monotonic() + 120
    while not (tmp_path / "killed" / "checkpoints" / "checkpoint").exists():
        assert running.poll() is None and time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(running.pid, signal.SIGKILL)
    running.wait()
    assert train(tmp_path / "killed", dataset, *from_preset("tiny", SETTINGS), quiet=True) == 64

    ours, theirs = weights(tmp_path / "killed"), weights(undisturbed)
    assert ours.keys() == theirs.keys() and len(ours) > 50
    for key, value in theirs.items():
        np.testing.assert_array_equal(ours[key], value, key)
