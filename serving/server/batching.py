"""Batching on the server: requests of several clients become one run, under TF Serving's rules and texts.

A request waits in the batch of its kind until the batch is full, or its time is over and a thread is free. The first request
of a batch runs it, the others wait for their rows. Other than in TF Serving, tensors of other shapes go into other batches,
so that a row of a wrong shape fails alone.
"""

import threading
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field

import numpy as np

from serving.server.errors import StatusError

Arrays = Mapping[str, np.ndarray]
Run = Callable[[Arrays, float | None], dict[str, np.ndarray]]  # (inputs, timeout_ms) -> outputs.


@dataclass(frozen=True)
class BatchingParameters:
    """TF Serving's parameters, with its defaults but for the threads.

    `allowed_sizes`: a batch is filled up to the next of these; empty = no filling up.
    """

    max_batch_size: int = 1000
    timeout_sec: float = 0.0
    max_enqueued_batches: int = 10
    threads: int = 1
    allowed_sizes: tuple[int, ...] = ()


@dataclass
class _Batch:
    tasks: list[tuple[Arrays, int, float | None]] = field(default_factory=list)  # (inputs, rows, end of its time limit).
    rows: int = 0
    done: threading.Event = field(default_factory=threading.Event)
    outcome: dict[str, np.ndarray] | BaseException | None = None


class Batcher:
    """Merges runs.

    Args:
        parameters: the `BatchingParameters`.
    """

    def __init__(self, parameters: BatchingParameters) -> None:
        self.parameters = parameters
        self._free = threading.Semaphore(parameters.threads)
        self._changed = threading.Condition()
        self._open: dict[Hashable, _Batch] = {}
        self._enqueued: dict[Hashable, int] = {}

    def run(self, key: Hashable, run: Run, inputs: Arrays, timeout_ms: float | None) -> dict[str, np.ndarray]:
        """Runs one request within a batch.

        Args:
            key: what may be merged: model, version, signature and outputs.
            run: runs merged inputs.
            inputs: array by input name, all with the rows first.
            timeout_ms: limit from now on; None = none.

        Returns: this request's rows of the outputs.
        Raises: `StatusError`, also where another request of the batch is wrong.
        """
        rows = _count_rows(inputs)
        if rows > self.parameters.max_batch_size:
            raise _invalid(f"Task size {rows} is larger than maximum input batch size {self.parameters.max_batch_size}")
        key = (key, tuple(sorted((name, array.shape[1:], array.dtype.str) for name, array in inputs.items())))
        end = None if timeout_ms is None else time.monotonic() + timeout_ms / 1000
        batch, first_row = self._join(key, inputs, rows, end)
        if batch.tasks[0][0] is inputs:
            self._lead(key, batch, run)
        batch.done.wait()
        if isinstance(batch.outcome, dict):
            return {name: array[first_row : first_row + rows] for name, array in batch.outcome.items()}
        assert batch.outcome is not None
        raise batch.outcome

    def _join(self, key: Hashable, inputs: Arrays, rows: int, end: float | None) -> tuple[_Batch, int]:
        """Returns (batch, number of this request's first row in it)."""
        with self._changed:
            batch = self._open.get(key)
            if batch is None or batch.rows + rows > self.parameters.max_batch_size:
                if self._enqueued.get(key, 0) >= self.parameters.max_enqueued_batches:
                    raise StatusError("UNAVAILABLE", "The batch scheduling queue to which this task was submitted is full")
                batch = self._open[key] = _Batch()
                self._enqueued[key] = self._enqueued.get(key, 0) + 1
            first_row = batch.rows
            batch.tasks.append((inputs, rows, end))
            batch.rows += rows
            self._changed.notify_all()
            return batch, first_row

    def _lead(self, key: Hashable, batch: _Batch, run: Run) -> None:
        def is_closed() -> bool:
            return batch.rows == self.parameters.max_batch_size or self._open.get(key) is not batch

        with self._changed:
            self._changed.wait_for(is_closed, self.parameters.timeout_sec)
        with self._free:
            with self._changed:
                if self._open.get(key) is batch:
                    del self._open[key]
                self._enqueued[key] -= 1
                if not self._enqueued[key]:
                    del self._enqueued[key]
            try:
                batch.outcome = self._run(batch, run)
            except BaseException as error:
                batch.outcome = error
            batch.done.set()

    def _run(self, batch: _Batch, run: Run) -> dict[str, np.ndarray]:
        ends = [end for _, _, end in batch.tasks]
        remaining_sec = None if None in ends else max(end for end in ends if end is not None) - time.monotonic()
        if remaining_sec is not None and remaining_sec <= 0:
            raise StatusError("RESOURCE_EXHAUSTED", "Run() timeout exceeded while waiting in batching queue")
        size = min((size for size in self.parameters.allowed_sizes if size >= batch.rows), default=batch.rows)
        parts = [inputs for inputs, _, _ in batch.tasks]
        # Filled up with the first row of the last request, which is as right as the request is.
        parts += [{name: array[:1] for name, array in parts[-1].items()}] * (size - batch.rows)
        merged = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        outputs = run(merged, None if remaining_sec is None else remaining_sec * 1000)
        for array in outputs.values():
            if array.ndim == 0:
                raise StatusError("FAILED_PRECONDITION", "Batched output tensor has 0 dimensions")
            if len(array) != len(next(iter(merged.values()))):
                raise StatusError(
                    "FAILED_PRECONDITION",
                    "Batched output tensor's 0th dimension does not equal the sum of the 0th dimension sizes "
                    "of the input tensors",
                )
        return outputs


def _count_rows(inputs: Arrays) -> int:
    if any(array.ndim == 0 for array in inputs.values()):
        raise _invalid("Batching Run() input tensors must have at least one dimension")
    sizes = {len(array) for array in inputs.values()}
    if len(sizes) != 1:
        raise _invalid("Batching Run() input tensors must have equal 0th-dimension size")
    return sizes.pop()


def _invalid(message: str) -> StatusError:
    return StatusError("INVALID_ARGUMENT", message)
