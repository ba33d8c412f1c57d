"""The schedule of growing, by hand."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference.schedule import moment_at
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.config import TrainingConfig, from_preset
from tf_outfit_gan.util.errors import UserError
from training import schedule

FOUR_LEVELS, CONFIG = from_preset("demo", ("total_kimg=10", "start_level=1", "fade_kimg=1", "stable_kimg=2"))


def test_periods_alternate_and_the_last_one_ends_the_run():
    found = [(p.level, p.fading, p.start_nimg, p.end_nimg) for p in schedule.periods(FOUR_LEVELS, CONFIG, 1)]
    assert found == [
        (1, False, 0, 2000),
        (2, True, 2000, 3000),
        (2, False, 3000, 5000),
        (3, True, 5000, 6000),
        (3, False, 6000, 10000),
    ]


def test_a_short_run_ends_before_the_top():
    config = TrainingConfig(total_kimg=2.5, start_level=1, fade_kimg=1, stable_kimg=2)
    assert [p.level for p in schedule.periods(FOUR_LEVELS, config, 1)] == [1, 2]


def test_a_run_that_ends_inside_a_fade_fades_as_fast_as_a_longer_one():
    """Its total may be raised later: until then it is the same run."""
    shorter = TrainingConfig(total_kimg=2.5, start_level=1, fade_kimg=1, stable_kimg=2)
    fade, longer = schedule.periods(FOUR_LEVELS, shorter, 1)[1], schedule.periods(FOUR_LEVELS, CONFIG, 1)[1]
    assert fade.end_nimg == 2500 and fade.fade_nimg == longer.fade_nimg == (2000, 3000)
    assert fade.alpha(2250) == longer.alpha(2250) == 0.25


def test_alpha_grows_from_0_to_1():
    fade = schedule.periods(FOUR_LEVELS, CONFIG, 1)[1]
    assert [fade.alpha(nimg) for nimg in (2000, 2500, 3000, 3016)] == [0, 0.5, 1, 1]


def test_the_period_of_an_image():
    all_periods = schedule.periods(FOUR_LEVELS, CONFIG, 1)
    assert [schedule.period_at(nimg, all_periods).index for nimg in (0, 1999, 2000, 5999, 9999)] == [0, 0, 1, 3, 4]


HEIGHTS = (4, 8, 16, 32, 64, 128, 256, 512, 1024)


# StyleGAN's own table, and what is made of it for other numbers of replicas: shares of whole groups of 4.
@pytest.mark.parametrize(
    "replicas, batches",
    [
        (1, (128, 128, 128, 64, 32, 16, 8, 4, 4)),
        (2, (256, 256, 128, 64, 32, 16, 8, 8, 8)),
        (4, (512, 256, 128, 64, 32, 16, 16, 16, 16)),
        (8, (512, 256, 128, 64, 32, 32, 32, 32, 32)),
        (3, (252, 252, 120, 60, 24, 12, 6, 6, 6)),
        (64, (512, 256, 128, 64, 64, 64, 64, 64, 64)),
    ],
)
def test_batch_sizes_are_stylegans(replicas, batches):
    found = tuple(schedule.batch_size(TrainingConfig(), height, replicas, 4) for height in HEIGHTS)
    assert found == batches
    assert all(batch % replicas == 0 for batch in batches)


def test_learning_rates_are_stylegans():
    rates = [schedule.learning_rate(TrainingConfig(), height) for height in HEIGHTS]
    assert rates == [0.001, 0.001, 0.001, 0.001, 0.001, 0.0015, 0.002, 0.003, 0.003]


def test_the_papers_schedule_is_stylegans():
    """8 pixels first; every 1,200 kimg another level, half of it fading in; the largest from 7,800 kimg to the end."""
    for preset in ("paper", "paper-unconditional"):
        found = schedule.periods(*from_preset(preset), 4)
        assert [period.size[0] for period in found] == [8, *(height for height in HEIGHTS[2:] for _ in range(2))]
        assert [period.start_nimg for period in found] == [600_000 * number for number in range(15)]
        epochs = {"paper": 115, "paper-unconditional": 160}[preset]
        assert found[-1].end_nimg == epochs * 380_000
        assert [period.fading for period in found] == [False, True] * 7 + [False]


@pytest.mark.parametrize("gpus", [1, 2, 4, 8])
def test_the_schedule_is_the_originals(gpus):
    """Level of detail, size, batch and learning rate, as StyleGAN's own code gave them for 1024x1024."""
    golden = json.loads((Path(__file__).parents[2] / "golden" / "stylegan1_schedule.json").read_text())["rows"]
    rows = [row for row in golden if row["num_gpus"] == gpus and row["cur_nimg"] < 25_000_000]
    assert len(rows) > 20
    model, training = from_preset("paper-unconditional", ("size=1024x1024", "total_kimg=25000"))
    all_periods = schedule.periods(model, training, gpus)
    for row in rows:
        nimg = row["cur_nimg"]
        moment, period = moment_at(model, training, gpus, nimg), schedule.period_at(nimg, all_periods)
        alpha = period.alpha(nimg)
        assert moment == (period.level, alpha if period.fading else None, period.batch, period.learning_rate)
        assert model.num_levels - period.level - alpha == pytest.approx(row["lod"], abs=1e-5)
        if alpha > 0:  # The original shows the first batch of a fade still at the level below, where ours has alpha 0.
            found = {"resolution": period.size[0], "minibatch": period.batch, "learning_rate": period.learning_rate}
            assert found.items() <= row.items()


@pytest.mark.parametrize("batch, replicas, better", [(7, 2, 8), (6, 1, 4), (12, 2, 8)])
def test_a_batch_that_does_not_divide_is_refused(batch, replicas, better):
    with pytest.raises(UserError, match=f"batch_size {batch} over {replicas} .* try --set batch_size={better}$"):
        schedule.batch_size(TrainingConfig(batch_size=batch), 32, replicas, 4)


@pytest.mark.parametrize(
    "micro_batch, share, expected",
    [
        (0, 16, 16),
        (8, 16, 8),
        (4, 16, 4),
        (16, 16, 16),
        (32, 16, 16),
        (8, 2, 2),
    ],
)
def test_a_micro_batch_has_the_size_asked_for(micro_batch, share, expected):
    assert schedule.micro_batch(TrainingConfig(micro_batch=micro_batch), share, 4) == expected


@pytest.mark.parametrize("micro_batch, share, better", [(6, 16, 4), (12, 32, 4), (2, 4, 4), (1, 3, 0)])
def test_micro_batches_of_unequal_size_or_without_whole_groups_are_refused(micro_batch, share, better):
    message = f"micro_batch {micro_batch}: expected to divide the {share} pictures of a replica.*micro_batch={better}$"
    with pytest.raises(UserError, match=message):
        schedule.micro_batch(TrainingConfig(micro_batch=micro_batch), share, 4)


def test_a_batch_of_a_level_to_come_is_refused_at_the_start():
    """24 fits StyleGAN's first batches of this size in none of its levels: 128 is no multiple of it."""
    with pytest.raises(UserError, match="micro_batch 24"):
        schedule.periods(*from_preset("paper", ("micro_batch=24",)), 1)


@pytest.mark.parametrize(
    "setting",
    [
        "start_level=-1",
        "fade_kimg=-1",
        "micro_batch=-4",
        "stall_sec=0",
        "nonfinite=ignore",
    ],
)
def test_a_setting_out_of_its_range_is_refused_by_name(setting):
    with pytest.raises(UserError, match=setting.partition("=")[0]):
        from_preset("tiny", (setting,))


def test_a_dry_run_shows_the_schedule_and_what_it_needs(capsys, tmp_path):
    words = ["train", str(tmp_path / "new" / "run"), "--data", "data", "--preset", "64x48", "--dry-run", "--replicas", "2"]
    words += ["--set", "batch_size=32", "--set", "micro_batch=8"]
    assert main(words) == 0
    *_, fourth, third, second, _, memory, disk = capsys.readouterr().out.splitlines()
    assert [line.split() for line in (fourth, third, second)] == [
        "0 3 32x24 stable 0 to 160 32 2 x 8 0.004".split(),
        "1 4 64x48 fading in 160 to 200 32 2 x 8 0.004".split(),
        "2 4 64x48 stable 200 to 400 32 2 x 8 0.004".split(),
    ]
    size = re.search(r"; each device keeps (.* MB) of weights, averages and moments; ", memory)[1]
    assert f"2 grids (not counted), 2 checkpoints of {size}; " in disk and not (tmp_path / "new").exists()
    assert main([*words, "--devices", "gpu:9"]) == 2
    assert "--devices gpu:9: TensorFlow finds no such device here; choose one of cpu" in capsys.readouterr().err


def test_the_settings_of_a_dry_run_need_no_tensorflow():
    command = [sys.executable, "-X", "importtime", "-m", "tf_outfit_gan.cli.main", "train", "run", "--data", "data"]
    done = subprocess.run([*command, "--dry-run", "--json"], capture_output=True, text=True, check=True)
    assert "tensorflow" not in done.stderr


@pytest.mark.parametrize(
    "settings, expected",
    [
        # Maps 8, 8, 4 at 4x3, 8x6, 16x12: 12 x 8 x (8 + 8), then 48 x 8 x (8 + 8) more, then 192 x 4 x (8 + 4) more.
        (("conditional=false",), [1536, 7680, 16896]),
        # The embedding networks: 12 x 8 x 8 + 48 x 8 x 8.
        (("condition_size=8x6",), [1536 + 3840, 7680 + 3840, 16896 + 3840]),
    ],
)
def test_what_a_picture_costs_by_hand(settings, expected):
    model_config, _ = from_preset("tiny", ("fmap_base=32", *settings))
    assert [schedule.picture_cost(model_config, level) for level in range(3)] == expected


def test_the_time_left_by_hand():
    """Of 152 images at 8x6 100 are left, and all 448 at 16x12, which cost 16896 / 7680 = 2.2 times as much."""
    model_config, config = from_preset(
        "tiny", ("fmap_base=32", "conditional=false", "stable_kimg=0.152", "fade_kimg=0.048", "total_kimg=0.6")
    )
    found = schedule.periods(model_config, config, 1)
    assert [(period.start_nimg, period.end_nimg) for period in found] == [(0, 152), (152, 200), (200, 600)]
    expected = (100 + (48 + 400) * 2.2) / 10
    assert schedule.left_sec(model_config, found, 52, level=1, images_per_sec=10.0) == pytest.approx(expected)
    assert schedule.left_sec(model_config, found, 300, level=2, images_per_sec=10.0) == pytest.approx(30)
    assert schedule.left_sec(model_config, found, 600, level=2, images_per_sec=10.0) == 0
