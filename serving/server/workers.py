"""The threads that run predictions, of both transports: a few at a time, a bounded number that waits, the rest refused.

One run takes all processors: of several at a time each takes as much longer, and may not keep the time limit that it keeps alone.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

from serving.server.errors import StatusError

T = TypeVar("T")


class Workers:
    """Runs predictions in the order of their arrival.

    Args:
        running: predictions at a time.
        waiting: how many more may wait for their turn.
    """

    def __init__(self, running: int, waiting: int) -> None:
        self.places = running + waiting
        self._free = threading.BoundedSemaphore(self.places)
        self._pool = ThreadPoolExecutor(running, thread_name_prefix="predict")

    def submit(self, work: Callable[[], T]) -> Future[T]:
        """Returns the future of `work()`, which gives up its place when cancelled; raises `StatusError` for a full queue."""
        if not self._free.acquire(blocking=False):
            raise StatusError("RESOURCE_EXHAUSTED", f"{self.places} predictions run or wait already; try again later", 503)
        held = [work]  # With the body of a request; the pool keeps what was cancelled in its queue.
        try:
            future = self._pool.submit(lambda: held.pop()())
        except RuntimeError:
            self._free.release()
            raise stopping() from None

        def give_up_place(_: Future[T]) -> None:
            held.clear()
            self._free.release()

        future.add_done_callback(give_up_place)
        return future

    def close(self) -> None:
        """Cancels what waits; what runs goes on."""
        self._pool.shutdown(wait=False, cancel_futures=True)


def stopping() -> StatusError:
    """The error of a prediction that the end of the server leaves without an answer."""
    return StatusError("UNAVAILABLE", "the server is stopping")
