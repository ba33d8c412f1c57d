"""Stopping when asked to: what Ctrl-C, and SIGTERM of a machine that is taken away, mean to a run."""

import signal
import sys

from training.distribute.restart import is_worker_loss


class Stop:
    """Turns the first Ctrl-C or SIGTERM into a request to save and stop; a second one interrupts immediately.

    Args:
        workers: the `Workers` of which this process is one.
    """

    def __init__(self, workers):
        self._workers = workers

    def __enter__(self):
        self._signal = None
        self._before = {number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, kind, error, _):
        for number, handler in self._before.items():
            signal.signal(number, handler)
        # A preemption of several machines stops them one by one: this one must not wait until another is back.
        if self.asked and self._workers.count > 1 and is_worker_loss(error):
            print(
                f"worker {self._workers.index}: lost connection to a peer while stopping; no new checkpoint is written",
                file=sys.stderr,
                flush=True,
            )
            self.leave()

    @property
    def asked(self):
        return self._signal is not None

    def agree(self):
        """Makes a signal that one of the workers got that of all."""
        self._signal = max(self._workers.numbers(self._signal or 0)) or None

    def leave(self):
        """Ends a program that was asked to stop as the signal would have: to a shell or a cluster the run must not look finished.

        Raises:
            SystemExit: with 128 + the signal's number, as shells report it.
        """
        if self.asked:
            raise SystemExit(128 + self._signal)

    def _ask(self, number, frame):
        if self.asked:
            raise KeyboardInterrupt
        self._signal = number
