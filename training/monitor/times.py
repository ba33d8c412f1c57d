"""Where the seconds of a run go: the steps should have nearly all of them, and whatever else takes some is named."""

import time
from contextlib import contextmanager

# What a run spends its time on besides the steps, in the order in which it first does so.
START, GRAPHS, STEPS = "start", "building graphs", "steps"


class Times:
    """Adds up seconds by kind, on a clock that runs from `started` (as `time.monotonic` has it; None = now).

    Everything before the first step is the start, but for what is measured by itself.
    """

    def __init__(self, started=None):
        self._started = time.monotonic() if started is None else started
        self._spent, self._first_step_sec = {}, None

    @contextmanager
    def spent(self, kind):
        """Measures a block."""
        begun = time.monotonic()
        try:
            yield
        finally:
            self.add(kind, time.monotonic() - begun)

    def add(self, kind, seconds):
        if kind in (GRAPHS, STEPS) and self._first_step_sec is None:
            self._first_step_sec = time.monotonic() - self._started
            self._spent[START] = self._first_step_sec - seconds - sum(self._spent.values())
        self._spent[kind] = self._spent.get(kind, 0.0) + seconds

    def shares(self):
        """{kind: part of the time so far}, adding up to 1; "the rest" is what nobody measured."""
        total = time.monotonic() - self._started
        spent = self._spent | {"the rest": max(0.0, total - sum(self._spent.values()))}
        return {kind: seconds / total for kind, seconds in spent.items()}

    def summary(self):
        """One line for the log: how long until the first step, and the shares, largest first."""
        if self._first_step_sec is None:
            return "no step was taken"
        shares = sorted(self.shares().items(), key=lambda item: -item[1])
        told = ", ".join(f"{kind} {share:.1%}" for kind, share in shares if share >= 0.0005)
        return f"first step after {self._first_step_sec:.1f} s; the time went to: {told}"
