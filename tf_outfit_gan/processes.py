"""Work shared out to processes: one a core, reporting progress as they go, and gone when their parent is."""

import itertools
import os
import signal
import threading
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from multiprocessing import get_context, parent_process

TICK_SEC = 0.2  # How often the parent looks at how far its workers are.

_finished = None  # In a worker: a number shared with the parent, of all that the workers have finished.


def available_cores():
    """The number of cores that this process may run on: a container or a batch system may have lent it a few of many."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def in_processes(function, calls, workers, advance):
    """Yields function(*call, advance) for each of `calls`, as they come to an end, from so many worker processes.

    The function reports progress with advance(count), which arrives at the `advance` given here. With one worker all
    happens in this process. An error in a worker is raised here and ends the others' work.
    """
    if workers <= 1:
        yield from itertools.starmap(function, ((*call, advance) for call in calls))
        return
    # Workers start afresh: a fork of a process that runs threads (the bar's, TensorFlow's) may hang.
    context = get_context("spawn")
    finished, shown = context.Value("Q"), 0
    pool = ProcessPoolExecutor(workers, context, _begin, (finished,))
    try:
        waiting = {pool.submit(_call, function, call) for call in calls}
        while waiting:
            ready, waiting = wait(waiting, TICK_SEC, FIRST_COMPLETED)
            now = finished.value
            advance(now - shown)
            shown = now
            yield from (future.result() for future in ready)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(finished):
    """Makes a worker leave Ctrl-C to the parent, and end with it even when that is killed."""
    global _finished
    _finished = finished
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()


def _call(function, call):
    return function(*call, _advance)


def _advance(count=1):
    with _finished.get_lock():
        _finished.value += count
