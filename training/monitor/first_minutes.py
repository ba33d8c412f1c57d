"""The first minutes of a run: how it is doing by time, as the first tick may take hours, and whether it would take days."""

import time

from training import schedule

STATUS_SEC = (5, 30, 120)  # Status lines so long after the first step.
ESTIMATE_SEC = 30  # With this one comes the warning: until then the caches are warm.
MANY_DAYS = 2  # A run of as many days or more is warned of.
DAY_SEC = 24 * 3600


class FirstMinutes:
    """Says status lines that ticks do not, and warns of a run that a processor is too slow for.

    Args:
        logger: of the run.
        model_config: the `ModelConfig`.
        all_periods: of the schedule.
        on_processors: whether the run has no GPU.
        clock: seconds from any moment on.
    """

    def __init__(self, logger, model_config, all_periods, on_processors, clock=time.monotonic):
        self._logger, self._model_config, self._all_periods = logger, model_config, all_periods
        self._on_processors, self._clock = on_processors, clock
        self._first_step, self._due = None, STATUS_SEC

    def update(self, period, cur_nimg):
        """Takes note that the steps up to an image count are done."""
        if self._first_step is None:
            self._first_step = self._clock()
        since_sec = self._clock() - self._first_step
        passed = [due for due in self._due if due <= since_sec]
        if not passed:
            return
        self._due = self._due[len(passed) :]
        self._logger.status(cur_nimg, period.size, period.alpha(cur_nimg))
        if ESTIMATE_SEC in passed and self._on_processors and self._logger.images_per_sec:
            self._warn(period, cur_nimg)

    def _warn(self, period, cur_nimg):
        rate = self._logger.images_per_sec
        days = schedule.left_sec(self._model_config, self._all_periods, cur_nimg, period.level, rate) / DAY_SEC
        if days >= MANY_DAYS:
            self._logger.warn(
                f"on this processor the rest of the run takes about {days:,.0f} days, as its first half minute went; "
                "train on a GPU, or choose --preset 64x48 (hours on two cores) or demo (minutes), or a lower total_kimg"
            )
