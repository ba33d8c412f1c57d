"""A run is what the papers say: all that it holds and writes is what the reference computes, step after step."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.reference import data, schedule
from tests.test_order import ENTRIES, TOTAL, files, small_groups, take  # noqa: F401
from tf_outfit_gan.config import from_preset
from training import schedule as real_schedule

GOLDEN = Path(__file__).parent / "golden"
PAPER = ("condition_norm=joint", "pose_path=style", "article_path=style", "discriminator_pose=embedding")
# Each: the replicas, and what differs from a small conditional run of two levels whose conditions enter as maps, too.
# All go through a stable level and into a fade; the first one goes on to the stable level after it, in a second call.
RUNS = {
    "unconditional, lazy R1": (1, "conditional=false", "r1_interval=3", "total_kimg=0.044", "total_kimg=0.08"),
    "the paper's form": (1, *PAPER, "mismatch_weight=0.5", "total_kimg=0.04"),
    "spatial, lazy R1, in turns": (1, "r1_interval=2", "mismatch_weight=1", "mismatch=parts", "ada_target=0.6",
                                   "ada_kimg=0.1", "micro_batch=4", "total_kimg=0.04"),
    "two replicas in turns": (2, "mismatch_weight=0.5", "projection=inner", "mirror=false", "stddev_group=2",
                              "micro_batch=2", "total_kimg=0.04"),
    "StyleGAN's batches and rates": (1, "conditional=false", "size=128x96", "start_level=4", "fmap_max=4", "fused_from=64",
                                     "batch_size=0", "learning_rate=0", "stable_kimg=0.064", "fade_kimg=0.064",
                                     "total_kimg=0.096"),
}


@pytest.mark.parametrize("name", RUNS)
def test_a_run_is_the_reference(name, tmp_path):
    """Networks, averages, moments, checkpoints, snapshots and statistics, within what float32 rounds."""
    replicas, *settings = RUNS[name]
    command = [sys.executable, "-m", "tests.reference.comparison", str(tmp_path), str(replicas), *settings]
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "2"})
    assert done.returncode == 0, done.stderr[-3000:]
    errors = json.loads(done.stdout.splitlines()[-1])
    wrong = {what: error for what, error in errors.items() if not error < 1e-3}
    assert len(errors) > 20 and not wrong


@pytest.mark.parametrize("gpus", [1, 2, 4, 8])
def test_the_schedule_is_the_originals(gpus):
    """Level of detail, batch and learning rate at the image counts that StyleGAN's own code was asked for."""
    model, training = from_preset("paper-unconditional", ("size=1024x1024", "total_kimg=25000"))
    rows = [row for row in json.loads((GOLDEN / "stylegan1_schedule.json").read_text())["rows"] if row["num_gpus"] == gpus]
    assert len(rows) >= 20
    periods = real_schedule.periods(model, training, gpus)
    for row in rows:
        nimg = min(row["cur_nimg"], 24_999_999)
        moment, period = schedule.moment_at(model, training, gpus, nimg), real_schedule.period_at(nimg, periods)
        assert (period.level, period.batch, period.learning_rate) == (moment.level, moment.batch, moment.learning_rate)
        assert period.fading == (moment.alpha is not None) and period.alpha(nimg) == (1 if moment.alpha is None else moment.alpha)
        lod = model.num_levels - 1 - moment.level + (0 if moment.alpha is None else 1 - moment.alpha)
        assert lod == pytest.approx(row["lod"], abs=1e-5)
        if moment.alpha != 0:  # At the first image of a fade the original still trains the level below.
            assert (2 ** (moment.level + 2), moment.batch) == (row["resolution"], row["minibatch"])
            assert moment.learning_rate == row["learning_rate"]


def test_the_order_is_the_seeds(files):  # noqa: F811
    """Through several shards, groups and windows, and rounds."""
    found = [record for _, (record, _) in zip(range(2 * TOTAL), data.order(ENTRIES, 5, window=10, open_shards=4))]
    assert found == take(files, 2 * TOTAL)
