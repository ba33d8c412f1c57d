"""The first minutes of a run, on a clock that the test moves."""

import pytest
import tensorflow as tf

from tf_outfit_gan.config import from_preset
from training import schedule
from training.distribute.strategy import Workers
from training.monitor.first_minutes import FirstMinutes

DAY_SEC = 24 * 3600


class FakeLogger:
    def __init__(self, images_per_sec=None):
        self.images_per_sec, self.lines = images_per_sec, []

    def status(self, cur_nimg, size, alpha):
        self.lines.append((cur_nimg, size, alpha))

    def warn(self, text):
        self.lines.append(text)


def follow(seconds, images_per_sec=None, on_processors=True):
    """What is said when calls end at these seconds; 8 images each, of 100,000 in all, of one level."""
    model_config, config = from_preset("tiny", ("start_level=2", "total_kimg=100"))
    periods = schedule.periods(model_config, config, 1)
    logger, clock = FakeLogger(images_per_sec), iter(seconds)
    now = [0.0]
    minutes = FirstMinutes(logger, model_config, periods, on_processors, clock=lambda: now[0])
    for call, now[0] in enumerate(clock, start=1):
        minutes.update(periods[0], 8 * call)
    return logger.lines


def statuses(*calls):
    return [(8 * call, (16, 12), 1.0) for call in calls]


def test_lines_come_by_time_after_the_first_step():
    # The first step ends at 100 s; the lines are due at 105, 130 and 220.
    assert follow([100, 104, 105, 106, 129, 131, 219, 220, 500]) == statuses(3, 6, 8)


def test_a_slow_step_has_one_line_for_all_that_passed_meanwhile():
    assert follow([100, 140, 180, 221]) == statuses(2, 4)


@pytest.mark.parametrize("days", [1.9, 2.1, 30.0])
def test_a_processor_that_takes_days_is_warned_of_after_half_a_minute(days):
    images_per_sec = (100_000 - 16) / (days * DAY_SEC)
    lines = follow([0, 31, 200], images_per_sec)
    warnings = [line for line in lines if isinstance(line, str)]
    assert [line for line in lines if line not in warnings] == statuses(2, 3)
    if days < 2:
        assert not warnings
    else:
        (line,) = warnings
        assert line.startswith(f"on this processor the rest of the run takes about {days:.0f} days, ")
        assert "--preset 64x48" in line and lines[1] == line
    assert follow([0, 31, 200], images_per_sec, on_processors=False) == statuses(2, 3)


def test_before_half_a_minute_and_without_a_rate_nothing_is_estimated():
    assert follow([0, 6, 29], images_per_sec=1e-6) == statuses(2)
    assert follow([0, 31]) == statuses(2)


@pytest.mark.parametrize("device", ["/cpu:0", "/gpu:0"])
def test_a_run_knows_whether_it_has_a_gpu(device):
    assert Workers(tf.distribute.OneDeviceStrategy(device)).on_processors == (device == "/cpu:0")
