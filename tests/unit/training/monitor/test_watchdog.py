"""The watchdog, in real time: it reports a stall with its cause, and no ordinary slowness."""

import time

from training.monitor.watchdog import Watchdog


def test_a_stall_is_reported_again_after_twice_the_time_and_so_is_its_end():
    lines = []
    with Watchdog(lines.append, stall_sec=0.2) as watchdog:
        with watchdog.watching(lambda: "waiting for data"):
            time.sleep(1.2)
        time.sleep(0.2)
    # Reported after 0.2 seconds, 0.4 and 0.8, each a little late.
    assert 2 <= len(lines) - 1 <= 3
    assert lines[0] == "no step for 0:00:00: waiting for data"
    assert lines[-2:] == ["no step for 0:00:01: waiting for data", "continuing"]


def test_what_takes_as_long_as_usual_is_not_reported():
    lines = []
    with Watchdog(lines.append, stall_sec=0.1) as watchdog:
        for seconds in (0.08, 0.08, 0.08, 0.4):
            with watchdog.watching(lambda: "in the step"):
                time.sleep(seconds)
        time.sleep(0.3)  # Between blocks nothing is expected.
    assert lines == []


def test_it_ends_with_its_block_when_that_fails():
    lines = []
    try:
        with Watchdog(lines.append, stall_sec=0.05) as watchdog, watchdog.watching(lambda: "in the step"):
            raise ValueError
    except ValueError:
        time.sleep(0.2)
    assert lines == []
