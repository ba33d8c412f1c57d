"""A pose estimator's training that is killed, or asked to stop, ends bit for bit as the undisturbed one."""

import signal
import sys

import numpy as np
import pytest

from tests.helpers.catalogues import write_catalogue
from tests.helpers.runs import kill_when, memory, newest_checkpoint
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.util.errors import UserError
from training import checkpoint
from training.cli.train_pose import PoseConfig
from training.pose_estimator.trainer import TICK_STEPS, train_pose

BATCH = 2
CONFIG = PoseConfig("small", (16, 16), steps=3 * TICK_STEPS, batch=BATCH, learning_rate=0.004, seed=3)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("pose-kills")
    return prepare(write_catalogue(folder / "shop", 15, (16, 16)), folder / "data", workers=1, quiet=True)


def command(folder, dataset):
    words = f"train-pose {folder} {dataset.path} --backbone small --size 16x16 --steps {CONFIG.steps} --batch {BATCH} "
    words += f"--learning-rate {CONFIG.learning_rate} --seed {CONFIG.seed} --quiet"
    return [sys.executable, "-m", "tf_outfit_gan.cli.main", *words.split()]


def starts(folder):
    log = folder / "log.txt"
    return log.read_text().count(f" {folder} at step ") if log.exists() else 0


def test_a_killed_and_a_stopped_training_end_as_the_undisturbed_one(dataset, tmp_path):
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    train_pose(undisturbed, dataset, CONFIG, quiet=True)
    words = command(killed, dataset)

    # SIGKILL after the first checkpoint; SIGTERM as soon as it has resumed from there; then on to a damaged checkpoint.
    assert kill_when(words, lambda: newest_checkpoint(killed) > 0) == -signal.SIGKILL
    assert newest_checkpoint(killed) == TICK_STEPS * BATCH
    assert kill_when(words, lambda: starts(killed) == 2, number=signal.SIGTERM) == 128 + signal.SIGTERM
    stopped = newest_checkpoint(killed)
    assert TICK_STEPS * BATCH < stopped < CONFIG.steps * BATCH
    damaged = checkpoint.found(killed / "checkpoints")[-1]
    (damaged / "state.index").write_bytes(b"")
    train_pose(killed, dataset, CONFIG, quiet=True)

    log = (killed / "log.txt").read_text()
    assert f"{damaged}: is damaged" in log
    assert log.count(f"resuming {killed} at step {TICK_STEPS} of {CONFIG.steps}") == 2
    ours, theirs = memory(killed), memory(undisturbed)
    assert ours.keys() == theirs.keys() and len(ours) > 50
    for name, value in theirs.items():
        np.testing.assert_array_equal(ours[name], value, name)
    assert newest_checkpoint(killed) == CONFIG.steps * BATCH
    assert (killed / "pck.json").read_bytes() == (undisturbed / "pck.json").read_bytes()


def test_a_run_of_an_earlier_version_is_refused(dataset, tmp_path):
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "checkpoint").touch()
    with pytest.raises(UserError, match="holds a run of an earlier version"):
        train_pose(tmp_path, dataset, CONFIG, quiet=True)
