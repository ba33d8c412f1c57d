"""How many steps one call into the graph has: enough to keep Python out of the way, few enough to stop in time."""

CALL_SEC = 1.0  # A call lasts about this long at most: a run that is told to stop does so after it.


class Pace:
    """Learns how fast the steps of each stage are.

    Args:
        most: steps of a call, however fast they are.
    """

    def __init__(self, most):
        self._most, self._steps = most, {}

    def steps(self, stage):
        """How many steps the next call should have: one where nothing is known yet."""
        return self._steps.get(stage, 1)

    def add(self, stage, steps, seconds):
        """Takes how long the steps of a call took."""
        self._steps[stage] = max(1, min(self._most, int(CALL_SEC * steps / seconds)))
