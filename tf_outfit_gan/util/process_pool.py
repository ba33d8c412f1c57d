"""Work shared out to processes: one a core, reporting progress as they go, and gone when their parent is."""

import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import get_context, parent_process
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Event
from typing import TypeVar

from tf_outfit_gan.util.quiet_import import import_quietly

Result = TypeVar("Result")

TICK_SEC = 0.2  # How often the parent checks the progress of its workers.

# In a worker, shared with the parent: how much the workers have finished, and whether they are to stop.
_finished: Synchronized
_stop: Event


def available_cores() -> int:
    """The number of cores that this process may run on: a container or batch system may have lent it a few of many."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_in_processes(
    function: Callable[..., Result], calls: Sequence[tuple], workers: int, advance: Callable[[int], object]
) -> list[Result]:
    """Runs function(*call, advance) for each of `calls` in so many worker processes; returns what it gave, in order.

    The function reports progress with advance(count), which arrives at the `advance` given here. With one worker all
    happens in this process. An error in a worker is raised here; then, and at Ctrl-C, others stop where they report.
    """
    if workers <= 1:
        return [function(*call, advance) for call in calls]
    # Workers start afresh: a fork of a process that runs threads (the bar's, TensorFlow's) may hang.
    context = get_context("spawn")
    finished, stop, shown = context.Value("Q"), context.Event(), 0
    pool = ProcessPoolExecutor(workers, context, _begin, (finished, stop))
    try:
        futures = [pool.submit(_call, function, call) for call in calls]
        waiting = set(futures)
        while waiting:
            ready, waiting = wait(waiting, TICK_SEC, FIRST_COMPLETED)
            now = finished.value
            advance(now - shown)
            shown = now
            for future in ready:
                future.result()
        return [future.result() for future in futures]
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _begin(finished: Synchronized, stop: Event) -> None:
    """Makes a worker leave Ctrl-C to the parent, and end with it even when that is killed."""
    global _finished, _stop
    _finished, _stop = finished, stop
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import_quietly()  # As in the parent, whose environment this is.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _call(function: Callable[..., Result], call: tuple) -> Result:
    return function(*call, _advance)


def _advance(count: int = 1) -> None:
    if _stop.is_set():
        raise RuntimeError("stopped")  # Not shown: the parent raises what stopped it.
    with _finished.get_lock():
        _finished.value += count
