"""A full disk: whatever is being written, one line says so, nothing half-written stays, and the run goes on later."""

import contextlib
import resource
import subprocess

import numpy as np
import pytest
from PIL import Image

from tests.helpers.catalogues import write_catalogue
from tests.helpers.exported import make_snapshot
from tests.helpers.runs import newest_checkpoint, small_steps, train_command
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.viz.montage import save_whole
from training import checkpoint
from training.checkpoint import Checkpoints
from training.monitor.logger import Logger
from training.run_folder import explain_full_disk

LIMIT = 4096
SETTINGS = (
    "size=4x3",
    "condition_size=4x3",
    "conditional=false",
    "mapping_layers=1",
    "total_kimg=0.032",
    "checkpoint_kimg=0.008",
    "tick_kimg=0.008",
    "snapshot_kimg=1",
)


@contextlib.contextmanager
def files_up_to(size):
    """No file can grow beyond so many bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def save_checkpoint(folder):
    Checkpoints(folder, small_steps(LIMIT).memory()).save(8, 0)


def log(folder):
    (folder / "log.txt").write_text("x" * LIMIT)
    Logger(folder, 1000, quiet=True).say("one more line")


WRITES = {
    "checkpoint": save_checkpoint,
    "snapshot": lambda folder: snapshots.save(folder / "000001kimg", make_snapshot("size=4x3", "conditional=false")),
    "grid": lambda folder: save_whole(
        Image.fromarray(np.random.default_rng(0).integers(0, 255, (99, 99, 3), np.uint8)), folder / "grid.png"
    ),
    "settings": lambda folder: write_whole(folder / "config.json", "x" * 2 * LIMIT),
    "log": log,
}


@pytest.mark.parametrize("what", WRITES)
def test_whatever_does_not_fit_is_reported_and_leaves_nothing(what, tmp_path):
    with pytest.raises(UserError) as error, explain_full_disk(tmp_path), files_up_to(LIMIT):
        WRITES[what](tmp_path)
    assert str(error.value).startswith(f"{tmp_path}: cannot be written (file too large; ")
    assert " MB are free); " in str(error.value) and "\n" not in str(error.value)
    assert not [path for path in tmp_path.iterdir() if path.name not in ("log.txt", "stats.jsonl", "tensorboard")]


def test_other_errors_stay_what_they_are(tmp_path):
    with pytest.raises(KeyError), explain_full_disk(tmp_path):
        raise KeyError("no space")


@pytest.fixture
def disk(tmp_path):
    """A small file system of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(folder)], capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_run_on_a_full_disk_stops_and_goes_on(disk, tmp_path, capsys):
    data = prepare(write_catalogue(tmp_path / "shop", 45, (4, 3)), tmp_path / "data", workers=1, quiet=True)
    run, arguments = disk / "run", train_command(disk / "run", data, SETTINGS)[3:]
    assert main([*arguments, "--time-limit=0.001"]) == 0
    saved = newest_checkpoint(run)
    assert saved == 8

    # Enough to start, too little for another checkpoint.
    free = subprocess.run(["df", "--output=avail", "-B1", str(disk)], capture_output=True, text=True).stdout.split()[-1]
    (disk / "filler").write_bytes(bytes(int(free) - (run / "reals.png").stat().st_size - 40_000))
    capsys.readouterr()
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert f"{run}: cannot be written (no space left on device; 0" in said and said.count("\n") == 1
    assert newest_checkpoint(run) == saved
    assert not any(map(checkpoint.damage_of, checkpoint.found(run / "checkpoints")))
    assert not list(run.rglob(".*"))

    (disk / "filler").unlink()
    assert main(arguments) == 0
    assert newest_checkpoint(run) == 32
