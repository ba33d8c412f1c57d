"""processes: every call is made, progress arrives, and an error or Ctrl-C ends all of it."""

import os
import subprocess
import sys
import time

import pytest

from tf_outfit_gan.util.process_pool import available_cores, run_in_processes


def note(folder, number, advance):
    (folder / f"{number}-{os.getpid()}").touch()
    advance(number)


def fail(folder, number, advance):
    if number == 0:
        raise ValueError("number 0 is bad")
    for _ in range(600):  # A minute, if nobody stops it.
        time.sleep(0.1)
        advance(1)


@pytest.mark.parametrize("workers", [1, 2])
def test_all_calls_are_made_and_progress_arrives(tmp_path, workers):
    reported = []
    run_in_processes(note, [(tmp_path, number) for number in range(6)], workers, reported.append)
    numbers, processes = zip(*(path.name.split("-") for path in tmp_path.iterdir()))
    assert sorted(numbers) == list("012345") and sum(reported) == 15
    assert (str(os.getpid()) in processes) == (workers == 1)


def test_an_error_stops_the_others(tmp_path):
    started = time.monotonic()
    with pytest.raises(ValueError, match="number 0 is bad"):
        run_in_processes(fail, [(tmp_path, 0), (tmp_path, 1)], 2, lambda count: None)
    assert time.monotonic() - started < 40


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not tie processes to cores")
def test_only_the_cores_lent_to_the_process_count():
    code = (
        "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})\n"
        "from tf_outfit_gan.util.process_pool import available_cores; print(available_cores())"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "1\n"
    assert available_cores() >= 1
