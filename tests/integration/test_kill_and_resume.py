"""A run that is killed at any moment and started again ends bit for bit as the undisturbed one."""

import json
import random
import time

import pytest

from tests.helpers.catalogues import write_catalogue
from tests.helpers.runs import assert_same_memory, kill_when, newest_checkpoint, train_command
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.data.preparation.prepare import prepare
from training import checkpoint
from training.loop import train
from training.run_options import RunOptions

# Everything that a run has to remember: fades, augmentation that adapts, a loss scale, lazy R1.
SETTINGS = (
    "precision=mixed_float16",
    "ada_target=0.6",
    "ada_kimg=0.1",
    "r1_interval=3",
    "tick_kimg=0.008",
    "checkpoint_kimg=0.016",
    "snapshot_kimg=0.064",
    "start_level=0",
)
STYLE = ("pose_path=style", "article_path=style", "discriminator_pose=embedding")  # Whose graphs are the smallest.
FEW = (*SETTINGS, *STYLE, "size=8x6", "condition_size=4x3", "fade_kimg=0.048", "stable_kimg=0.032", "total_kimg=0.08")
MANY = (*SETTINGS, "fade_kimg=0.2", "stable_kimg=0.2", "total_kimg=2")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("kills")
    return prepare(write_catalogue(folder / "shop", 45, (16, 12)), folder / "data", workers=1, quiet=True)


def statistics_of(folder):
    """The lines of stats.jsonl without what the clock decides: times, and the warning that the input was slow."""
    clock = ("time", "sec_per_kimg", "memory_bytes", "images_per_sec", "left_sec", "input_wait")
    lines = [json.loads(line) for line in (folder / "stats.jsonl").read_text().splitlines()]
    for line in lines:
        line["warnings"] = [name for name in line["warnings"] if name != "starved"]
    return [{name: value for name, value in line.items() if name not in clock} for line in lines]


def test_a_killed_run_ends_as_the_undisturbed_one(dataset, tmp_path):
    """Killed after its first checkpoint and after a later one, which the disk has then damaged."""
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    assert train(undisturbed, dataset, *from_preset("tiny", FEW), RunOptions(quiet=True)) == 80
    command = train_command(killed, dataset, FEW)
    assert kill_when(command, lambda: newest_checkpoint(killed) >= 16) == -9
    assert kill_when(command, lambda: newest_checkpoint(killed) >= 48, 0.03) == -9
    damaged = checkpoint.found(killed / "checkpoints")[-1]
    (damaged / "state.data-00000-of-00001").write_bytes(b"")
    assert train(killed, dataset, *from_preset("tiny", FEW), RunOptions(quiet=True)) == 80
    assert f"{damaged}: is damaged" in (killed / "log.txt").read_text()
    assert_same_memory(killed, undisturbed)
    assert statistics_of(killed) == statistics_of(undisturbed)


@pytest.mark.slow
def test_twenty_kills(dataset, tmp_path):
    """At random moments: a quarter of them anywhere from the start on, the others once something was trained."""
    killed, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
    train(undisturbed, dataset, *from_preset("tiny", MANY), RunOptions(quiet=True))
    draw, command = random.Random(20), train_command(killed, dataset, MANY)
    for kill in range(20):
        before, begun = newest_checkpoint(killed), time.time()
        at_work = (lambda: True) if kill % 4 == 3 else (lambda: logged_since(killed, begun))
        assert kill_when(command, at_work, draw.uniform(0, 20 if kill % 4 == 3 else 0.7)) == -9
        partials = [path.relative_to(killed).parts[0] for path in killed.rglob(".*.partial")]
        lines = (killed / "stats.jsonl").read_bytes().count(b"\n")
        reached = newest_checkpoint(killed)
        print(f"kill {kill + 1}: checkpoint {before} -> {reached}, {lines} ticks, half-written {partials}")
    assert train(killed, dataset, *from_preset("tiny", MANY), RunOptions(quiet=True)) == 2000
    assert_same_memory(killed, undisturbed)
    assert statistics_of(killed) == statistics_of(undisturbed)


def logged_since(folder, moment):
    """Whether a run has logged a step since."""
    stats = folder / "stats.jsonl"
    lines = stats.read_text().split("\n")[:-1] if stats.exists() else []  # Without what is still being written.
    return bool(lines) and json.loads(lines[-1])["time"] > moment
