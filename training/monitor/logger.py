"""How a run is doing: one line on the terminal and in log.txt, one in stats.jsonl, and TensorBoard, every tick;
and in the end, where the time went.
"""

import json
import logging
import time
from contextlib import contextmanager

from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.progress import format_duration
from training.monitor.diagnostics import Diagnostics
from training.monitor.memory import training_bytes
from training.monitor.tensorboard import TensorBoard
from training.step_statistics import means

# Of the status line: (label, name of the statistic, format, the least that is shown). What a tick lacks is left out.
STATUS_FIELDS = (
    ("G", "loss_generator", ".3f", 0),
    ("D", "loss_discriminator", ".3f", 0),
    ("R1", "r1_penalty", ".4f", 0),
    ("ADA", "ada_probability", ".2f", 0.005),
    ("data wait", "input_wait", ".0%", 0.05),
    ("skipped", "skipped_updates", "d", 1),
)

# What a run spends its time on besides the steps, in the order in which it first does so.
START, GRAPHS, STEPS = "start", "building graphs", "steps"


class RunLog:
    """RUN/log.txt, with time and level, and the terminal: lines for people. As a context, it logs an error that ends the run.

    Args:
        folder: of the run; its log is appended to when it is resumed.
        quiet: nothing on the terminal.
    """

    def __init__(self, folder, quiet=False):
        handler = _LogFile(folder / "log.txt", encoding="utf-8")
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s", "%Y-%m-%d %H:%M:%S"))
        self._log, self._quiet = logging.Logger("run"), quiet  # Not a registered one: a program may hold many runs.
        self._log.addHandler(handler)

    def __enter__(self):
        return self

    def __exit__(self, kind, error, _):
        if error:
            self._log.error(f"ended by {kind.__name__}: {error}")

    def say(self, text):
        """A line for people."""
        self._log.info(text)
        self._print(text)

    def warn(self, text):
        """A line about what may go wrong."""
        self._log.warning(text)
        self._print(f"warning: {text}")

    def _print(self, text):
        if not self._quiet:
            print(text, flush=True)


class _LogFile(logging.FileHandler):
    """A line that cannot be written ends the run, as with any other file: the disk is full."""

    def handleError(self, record):
        raise


class Logger(RunLog):
    """Gathers the statistics of the steps and logs them every tick.

    Args:
        folder: of the run; its files are appended to when it is resumed.
        total_nimg: real images of the whole run.
        quiet: nothing on the terminal.
        size: (height, width) of the grown pictures; None = they do not grow.
        started: when the run was asked for, as `time.monotonic` has it; None = now.
    """

    def __init__(self, folder, total_nimg, quiet=False, size=None, started=None):
        super().__init__(folder, quiet)
        self.times = WallTimes(started)
        self._stats = open(folder / "stats.jsonl", "a", encoding="utf-8")
        self.board = TensorBoard(folder)
        self._total_nimg, self._size = total_nimg, size
        self._traced, self._diagnostics = set(), Diagnostics()
        self.images_per_sec = None  # Of the steps alone, since the last line; None = not known yet.
        self._restart()

    def _restart(self):
        self._sums, self._steps, self._images = {}, 0, 0
        self._timed_images, self._timed_sec, self._last_tick = 0, 0.0, time.monotonic()

    def add(self, stage, statistics, steps, seconds):
        """Takes the statistics of some steps, {name: (total, count)}, and how long they took."""
        for name, sums in statistics.items():
            self._sums[name] = tuple(map(sum, zip(self._sums.get(name, (0, 0)), sums)))
        self._steps += steps
        self._images += steps * stage.batch
        # The first call of a stage traces its graph, which says nothing of the speed.
        if stage in self._traced:
            self._timed_images += steps * stage.batch
            self._timed_sec += seconds
        self.times.add(STEPS if stage in self._traced else GRAPHS, seconds)
        self._traced.add(stage)

    def tick(self, cur_nimg, size, alpha):
        """Logs the means since the last tick; nothing if there was no step."""
        record = self.status(cur_nimg, size, alpha)
        if not record:
            return
        shown, news = self._diagnostics.update(record)
        for line in news.values():
            self.warn(line)
        self._stats.write(json.dumps({"time": time.time(), **record, "warnings": shown}) + "\n")
        self._stats.flush()
        self.board.scalars(cur_nimg, record)
        self._restart()

    def status(self, cur_nimg, size, alpha):
        """Says how the run is doing since the last tick, and returns it; nothing if there was no step."""
        if not self._steps:
            return None
        statistics = means(self._sums)
        if "skipped_updates" in statistics:  # All of them, not as many as a step skipped.
            statistics["skipped_updates"] = self._sums["skipped_updates"][0]
        record = {"cur_nimg": cur_nimg, "height": size[0], "alpha": alpha, **self._speed(cur_nimg), **statistics}
        self.say(status_line(record, size, growing=size != (self._size or size)))
        return record

    def _speed(self, cur_nimg):
        """Images a second of the steps alone; seconds a kimg, time left and memory with all that goes on beside them."""
        if self._timed_images:
            self.images_per_sec = self._timed_images / self._timed_sec
        sec_per_kimg = (time.monotonic() - self._last_tick) / self._images * 1000
        speed = {"sec_per_kimg": sec_per_kimg, "memory_bytes": training_bytes()}
        if self.images_per_sec:
            left_nimg = max(self._total_nimg - cur_nimg, 0)  # The last batch may go beyond the end.
            speed |= {"images_per_sec": self.images_per_sec, "left_sec": left_nimg / self.images_per_sec}
        return speed


def status_line(record, size, growing):
    """Writes a tick's record as one line for people, in at most 140 columns.

    Args:
        record: as it goes to stats.jsonl; cur_nimg and alpha are always there.
        size: (height, width) of the pictures now.
        growing: whether resolution will still increase, so that the time left is a lower bound.
    """
    alpha = record["alpha"]
    parts = [f"kimg {record['cur_nimg'] / 1000:<8.1f} {format_size(size)} {f'fade {alpha:.0%}' if alpha < 1 else 'stable':<9}"]
    if "images_per_sec" in record:
        parts.append(f"{record['images_per_sec']:>6.1f} img/s")
    if "sec_per_kimg" in record:
        parts.append(f"{record['sec_per_kimg']:>7.2f} s/kimg")
    if "left_sec" in record:
        parts.append(f"left {'>' if growing else ''}{format_duration(record['left_sec'])}")
    if record.get("memory_bytes"):
        parts.append(f"{record['memory_bytes'] / 2**30:.1f} GiB")
    for label, name, form, least in STATUS_FIELDS:
        if record.get(name, -1) >= least:
            parts.append(f"{label} {record[name]:{form}}")
    return "  ".join(parts)


class WallTimes:
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
        """{kind: part of the time so far}, adding up to 1; "the rest" is what was not measured."""
        total = time.monotonic() - self._started
        spent = self._spent | {"the rest": max(0.0, total - sum(self._spent.values()))}
        return {kind: seconds / total for kind, seconds in spent.items()}

    def summary(self):
        """One line for the log: how long until the first step, and the shares, largest first."""
        if self._first_step_sec is None:
            return "no step was taken"
        shares = sorted(self.shares().items(), key=lambda item: -item[1])
        parts = ", ".join(f"{kind} {share:.1%}" for kind, share in shares if share >= 0.0005)
        return f"first step after {self._first_step_sec:.1f} s; the time went to: {parts}"
