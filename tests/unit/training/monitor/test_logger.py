"""The status line of a run, and the breakdown of its wall time."""

import json
import time

import pytest

from tf_outfit_gan.util.progress import format_duration
from training.monitor import logger
from training.monitor.logger import GRAPHS, STEPS, Logger, WallTimes, status_line
from training.schedule import Stage

RECORD = {
    "cur_nimg": 12_345_600,
    "height": 1024,
    "alpha": 0.375,
    "images_per_sec": 75.31,
    "sec_per_kimg": 13.3,
    "left_sec": 200_000.0,
    "memory_bytes": 3 * 2**30,
    "loss_generator": 1.3,
    "loss_discriminator": 1.68,
    "r1_penalty": 0.0519,
    "ada_probability": 0.25,
    "score_real": 0.1,
}


def test_the_status_line_says_all_in_one_line():
    line = status_line(RECORD, (1024, 768), growing=True)
    assert line == (
        "kimg 12345.6  1024x768 fade 38%     75.3 img/s    13.30 s/kimg  left >2d 07:33  3.0 GiB  G 1.300  "
        "D 1.680  R1 0.0519  ADA 0.25"
    )
    assert len(line) <= 140


def test_unknown_values_are_left_out():
    line = status_line({"cur_nimg": 64, "alpha": 1.0, "ada_probability": 0.0, "r1_penalty": 0.0}, (8, 6), growing=False)
    assert line == "kimg 0.1      8x6 stable     R1 0.0000"


def test_no_time_is_left_when_the_last_batch_went_beyond_the_end(tmp_path):
    with Logger(tmp_path, 100, True, (8, 6), time.monotonic()) as report:
        for _ in range(2):
            report.add(Stage(1, False, 64, 1), {}, 1, 0.5)
        report.tick(128, (8, 6), 1.0)
    (line,) = (tmp_path / "stats.jsonl").read_text().splitlines()
    assert json.loads(line)["left_sec"] == 0


@pytest.mark.parametrize(
    "seconds,text",
    [
        (0, "0:00:00"),
        (3599.6, "1:00:00"),
        (86399, "23:59:59"),
        (200_000, "2d 07:33"),
    ],
)
def test_durations(seconds, text):
    assert format_duration(seconds) == text


def test_the_times_of_a_run_by_hand(monkeypatch):
    clock = iter(
        [
            100.0,  # The run is asked for.
            103.0,
            104.0,  # Opening the data takes 1 s,
            110.0,  # and the first call, which begins at 106 and ends at 110, 4 s.
            150.0,
            200.0,
        ]
    )
    monkeypatch.setattr(logger.time, "monotonic", lambda: next(clock))
    found = WallTimes()
    with found.spent("opening the data"):
        pass
    found.add(GRAPHS, 4.0)
    found.add(STEPS, 85.0)
    assert found.shares() == pytest.approx(
        {  # At 150: of 50 s, which is less than what was added.
            "opening the data": 0.02,
            "start": 0.1,
            GRAPHS: 0.08,
            STEPS: 1.7,
            "the rest": 0.0,
        }
    )
    assert found.summary() == (
        "first step after 10.0 s; the time went to: steps 85.0%, start 5.0%, the rest 5.0%, "
        "building graphs 4.0%, opening the data 1.0%"
    )


def test_a_run_without_a_step_has_no_shares():
    assert WallTimes().summary() == "no step was taken"
