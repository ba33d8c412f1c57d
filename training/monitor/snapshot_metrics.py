"""Measures snapshots during a training, as `outfit-gan evaluate` would.

RUN/metrics.jsonl   a line for each measured snapshot
"""

import json
import time

from tf_outfit_gan.metrics.features import InceptionFeatures
from tf_outfit_gan.metrics.measure import measure
from tf_outfit_gan.metrics.protocol import Protocol
from tf_outfit_gan.metrics.subject import of_snapshot
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from training.checkpoint import set_aside_broken_lines
from training.monitor.image_grids import PIXELS_PER_CALL

MAX_BATCH = 64  # More pictures in one call save no time.


class SnapshotMetrics:
    """Measures the first snapshot after every `metrics_kimg`, and the last one.

    Args:
        folder: of the run.
        dataset: the prepared `Dataset`.
        config: the `TrainingConfig`.
        cur_nimg: where the run resumes; measurements of later moments are dropped, as these moments come again.
        inception: weights file of InceptionV3; None = untrained features.
        logger: the `Logger` of the run.
    """

    def __init__(self, folder, dataset, config, cur_nimg, inception, logger):
        self._path, self._dataset, self._inception, self._logger = folder / "metrics.jsonl", dataset, inception, logger
        self._interval, self._total_nimg = config.metrics_kimg * 1000, config.total_kimg * 1000
        if inception:
            if not self._interval:
                raise UserError(f"--inception {inception}: nothing is measured; add --set metrics_kimg=1000, say")
            InceptionFeatures(inception)  # A file that does not load is refused before the training.
        for line in set_aside_broken_lines(self._path):
            logger.say(line)
        lines = self._path.read_text(encoding="utf-8").splitlines() if self._path.exists() else []
        self._results = [result for result in map(json.loads, lines) if result["cur_nimg"] <= cur_nimg]

    @property
    def best_kimgs(self):
        """The moments in kimg of the best snapshots, one of each size and kind of measurement."""
        return [result["cur_nimg"] // 1000 for result in bests(self._results)]

    def measure(self, path, snapshot, stopped):
        """Measures a snapshot if it is time to; gives up when `stopped()` becomes true: a stop must not wait."""
        last = self._results[-1]["cur_nimg"] if self._results else 0
        due = snapshot.cur_nimg - last >= self._interval or snapshot.cur_nimg >= self._total_nimg
        if not self._interval or not due:
            return

        def advance(_):
            if stopped():
                raise _Stopped

        height, width = snapshot.size
        batch = max(1, min(MAX_BATCH, PIXELS_PER_CALL // (height * width)))
        protocol = Protocol(batch=batch, inception=self._inception)
        started = time.monotonic()
        try:
            measurement = measure(of_snapshot(path, snapshot), self._dataset, protocol, advance)
        except _Stopped:
            return
        result = measurement.to_dict()
        result["seconds"] = time.monotonic() - started
        self._results.append(result)
        write_whole(self._path, "".join(json.dumps(line) + "\n" for line in self._results))
        self._log(result, measurement.figures)

    def _log(self, result, figures):
        best = best_of(self._results)
        standing = "the best so far" if best is result else f"the best: {best['value']:.4f}, {best['snapshot']}"
        self._logger.say(
            f"{result['metric']} {result['value']:.4f} at {result['size']}, of {result['count']} pictures "
            f"in {result['seconds']:.0f} s, with {result['features']}; {standing}"
        )
        values = {name.replace(".", "/"): figure.value for name, figure in figures.items() if figure.value is not None}
        self._logger.board.scalars(result["cur_nimg"], {f"metrics/{name}": value for name, value in values.items()})


def best_of(results):
    """The best of the results that compare with the last one: distances of another size or of other features do not."""
    return next(best for best in bests(results) if _kind(best) == _kind(results[-1]))


def bests(results):
    """The best of each kind of results that compare; the earlier of equals."""
    found = {}
    for result in sorted(results, key=lambda result: result["value"]):
        found.setdefault(_kind(result), result)
    return list(found.values())


def _kind(result):
    return tuple(result[name] for name in ("metric", "features", "size", "count"))


class _Stopped(Exception):
    """The run is to stop."""
