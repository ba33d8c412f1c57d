"""Diagnostics of a training that goes wrong, on statistics written by hand."""

import json

import pytest

from training.monitor.diagnostics import Diagnostics
from training.monitor.logger import Logger
from training.schedule import Stage

HEALTHY = {
    "height": 64,
    "sign_real": 0.6,
    "sign_fake": -0.7,
    "loss_generator": 1.4,
    "r1_loss": 0.15,
    "spread_real": 0.4,
    "spread_fake": 0.35,
    "input_wait": 0.01,
    "skipped_updates": 0,
}


def news(*changes):
    """Names of the news of each tick; a tick is what differs from a healthy one, None where it lacks a number."""
    diagnostics = Diagnostics()
    ticks = ({name: value for name, value in (HEALTHY | change).items() if value is not None} for change in changes)
    return [list(diagnostics.update(tick)[1]) for tick in ticks]


SATURATED = {"sign_real": 0.96, "sign_fake": -0.99, "loss_generator": 5.1}
COLLAPSED, STARVED = {"spread_fake": 0.09}, {"input_wait": 0.3}


def test_a_healthy_run_is_left_alone():
    assert news(*[{}] * 30) == [[]] * 30


@pytest.mark.parametrize(
    "name, change, ticks",
    [
        ("saturated", SATURATED, 1),
        ("collapsed", COLLAPSED, 3),
        ("starved", STARVED, 2),
        ("skipped", {"skipped_updates": 1}, 1),
    ],
)
def test_each_diagnostic_is_reported_once_when_it_starts(name, change, ticks):
    once = [[]] * (ticks - 1) + [[name]]
    assert news(*[change] * 5) == once + [[]] * (5 - ticks)
    assert news(*[change] * ticks, {}, *[change] * ticks) == [*once, [], *once]


@pytest.mark.parametrize(
    "change",
    [
        SATURATED | {"sign_real": 0.9},
        SATURATED | {"sign_fake": -0.9},
        SATURATED | {"loss_generator": 4.0},
        {"spread_fake": 0.11},
        {"input_wait": 0.2},
        {"r1_loss": 1.4},
    ],
)
def test_values_below_the_thresholds_are_not_reported(change):
    assert news(*[{}] * 6, *[change] * 6) == [[]] * 12


def test_r1_explodes_against_its_median():
    """Five ticks make a median; one outlier before does not move it."""
    before = [{"r1_loss": loss} for loss in (0.1, 0.2, 9.0, 0.2, 0.3)]
    assert news(*before, {"r1_loss": 1.9}) == [[]] * 6
    assert news(*before, {"r1_loss": 2.1})[-1] == ["r1_explodes"]
    assert news(*before[:4], {"r1_loss": 100.0})[-1] == []
    assert news(*before[:4], {"r1_loss": None}, {"r1_loss": 100.0})[-1] == []


def test_r1_may_grow_as_long_as_it_does_not_rule_the_loss():
    assert news(*[{"r1_loss": 0.002}] * 9, {"r1_loss": 0.9}) == [[]] * 10
    assert news(*[{"r1_loss": 0.0}] * 9, {"r1_loss": 1.1})[-1] == ["r1_explodes"]


def test_r1_of_another_level_is_no_measure():
    assert news(*[{"height": 32, "r1_loss": 0.01}] * 9, {"height": 64, "r1_loss": 2.0}) == [[]] * 10


def test_an_old_record_without_the_numbers_shows_nothing():
    assert Diagnostics().update({"cur_nimg": 4096, "loss_generator": 9.0}) == ([], {})


def test_a_tick_logs_warnings_and_counts_skipped_updates(tmp_path):
    """Two calls of 4 and 2 steps. Means are over what was measured, and lazy R1 was in none of them."""
    report, stage = Logger(tmp_path, 1000, quiet=True), Stage(1, False, 8, 1)
    for steps, skipped, score in ((4, 2, 3.0), (2, 2, 6.0)):
        statistics = {name: (steps * value, steps) for name, value in (SATURATED | {"score_real": score}).items()}
        report.add(stage, statistics | {"skipped_updates": (skipped, steps), "r1_loss": (0, 0)}, steps, 1.0)
    report.tick(100, (64, 48), 1.0)
    (line,) = (tmp_path / "stats.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert record["skipped_updates"] == 4 and record["score_real"] == 4.0 and "r1_loss" not in record
    assert record["warnings"] == ["saturated", "skipped"]
    status, *warnings = (tmp_path / "log.txt").read_text().splitlines()
    assert "skipped 4" in status
    assert [line.split()[2] for line in (status, *warnings)] == ["INFO", "WARNING", "WARNING"]
    assert "try a higher r1_gamma" in warnings[0] and " WARNING 4 updates were skipped" in warnings[1]
