"""Stopping when asked to: what Ctrl-C, and SIGTERM of a machine that is taken away, mean to a run."""

import signal
import sys

from training.rejoin import tells_of_loss

# An exception that is raised while Python deletes an object, or in a call from C++, may go nowhere: it is raised again.
_AGAIN_SEC = 0.1


class Stop:
    """Turns the first Ctrl-C or SIGTERM into a request to save and stop; a second one interrupts at once.

    Args:
        workers: the `Workers` of which this process is one.
    """

    def __init__(self, workers):
        self._workers = workers

    def __enter__(self):
        self._signal, self._at_once = None, False
        handlers = {signal.SIGINT: self._ask, signal.SIGTERM: self._ask, signal.SIGALRM: self._cut_short}
        self._before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        return self

    def __exit__(self, kind, error, _):
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)
        # Machines that are taken away together go one by one: this one is not to wait until another is back.
        if self.asked and self._workers.count > 1 and tells_of_loss(error):
            print(f"worker {self._workers.index}: lost another one when it was to stop, and stops without a new checkpoint",
                  file=sys.stderr, flush=True)
            self.leave()

    @property
    def asked(self):
        return self._signal is not None

    def interruptible(self, call):
        """Makes a call that may be cut short, as nothing is lost. Returns whether no stop is asked for."""
        try:
            try:
                self._at_once = True
                if not self.asked:
                    call()
            finally:
                self._at_once = False
        except _Now:
            self._at_once = False  # Which it still is when the exception came just before it was said above.
        return not self.asked

    def agree(self):
        """Makes a signal that one of the workers got that of all."""
        self._signal = max(self._workers.numbers(self._signal or 0)) or None

    def leave(self):
        """Ends a program that was asked to stop as the signal would have: nobody shall take the run for finished.

        Raises:
            SystemExit: with 128 + the signal's number, as shells tell it.
        """
        if self.asked:
            raise SystemExit(128 + self._signal)

    def _ask(self, number, _):
        if self.asked:
            raise KeyboardInterrupt
        self._signal = number
        self._cut_short()

    def _cut_short(self, *_):
        if self._at_once:
            signal.setitimer(signal.ITIMER_REAL, _AGAIN_SEC)
            raise _Now


class _Now(BaseException):
    """Leaves an interruptible call; nobody on the way may take it for an error of their own."""
