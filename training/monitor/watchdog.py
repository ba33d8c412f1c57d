"""A thread that says so when nothing moves: a silent run may be slow, starved of data, or waiting for a dead worker."""

import contextlib
import statistics
import threading
import time
from collections import deque

from tf_outfit_gan.util.progress import format_duration

PATIENCE = 10  # A block that takes less than so many times the usual is not reported, however long that is.


class Watchdog:
    """Watches blocks that normally take about the same time, and reports one that takes too long.

    Args:
        say: function that takes a line for people; the watchdog calls it from its own thread.
        stall_sec: a block that takes less is not reported.
    """

    def __init__(self, say, stall_sec):
        self._say, self._stall_sec = say, stall_sec
        self._usual = deque(maxlen=20)
        self._block = None  # (when it began, function that says what it does)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="watchdog", daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self._thread.join()

    @contextlib.contextmanager
    def watching(self, doing):
        """Watches a block; doing() says in words what it is at, and is asked from the watchdog's thread."""
        begun = time.monotonic()
        self._block = begun, doing
        try:
            yield
        finally:
            self._block = None
        self._usual.append(time.monotonic() - begun)

    def _watch(self):
        reported = limit = None
        while not self._over.wait(min(self._stall_sec / 4, 5)):
            block = self._block
            if reported and block is not reported:
                self._say("continuing")
                reported = None
            if block is None:
                continue
            if block is not reported:
                usual = statistics.median(self._usual) if self._usual else 0.0
                limit = max(self._stall_sec, PATIENCE * usual)
            begun, doing = block
            if (waited := time.monotonic() - begun) > limit:
                self._say(f"no step for {format_duration(waited)}: {doing()}")
                reported, limit = block, 2 * waited  # Again after twice the time: a stall over night fills no log.
