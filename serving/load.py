"""Load on a server: how many pictures a second it gives, and how long each request takes, by requests at a time."""

import http.client
import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FAILED_PAUSE_SEC = 0.1

Rows = dict[str, np.ndarray]  # Array by input name, the rows first.


@dataclass
class Load:
    """What came of a time under load; times in seconds."""

    seconds: float = 0.0
    times: list[float] = field(default_factory=list)  # Of the requests that were answered.
    refused: int = 0  # With 503: too much at once.
    failed: int = 0

    def per_sec(self, batch: int) -> float:
        """Pictures a second."""
        return batch * len(self.times) / self.seconds

    def percentile(self, percent: float) -> float:
        """The time within which so many percent of the answers came; NaN without any."""
        return float(np.percentile(self.times, percent)) if self.times else float("nan")


def example_rows(specs: dict[str, Any], count: int) -> Rows:
    """Rows without articles, each with a seed of its own, for a signature's inputs (`tf.TensorSpec` by name)."""
    rows: Rows = {}
    for name, spec in specs.items():
        shape = (count, *spec.shape[1:])
        rows[name] = np.full(shape, "", object) if spec.dtype == "string" else np.full(shape, 0.5, spec.dtype.as_numpy_dtype)
    rows["seed"] = np.arange(count)
    return rows


def put_load(host: str, port: int, model_name: str, rows: Rows, concurrency: int, seconds: float) -> Load:
    """Lets `concurrency` clients ask over REST, each again as soon as it has its answer, or when a refusal says so."""
    body = json.dumps({"inputs": {name: array.tolist() for name, array in rows.items()}})
    load = Load()
    begin = time.perf_counter()

    def ask(_: int) -> None:
        connection = http.client.HTTPConnection(host, port)
        while (sent := time.perf_counter()) < begin + seconds:
            try:
                connection.request("POST", f"/v1/models/{model_name}:predict", body)
                response = connection.getresponse()
                response.read()
            except (OSError, http.client.HTTPException):
                load.failed += 1
                connection.close()  # The next request opens it again.
                time.sleep(FAILED_PAUSE_SEC)
                continue
            if response.status == 200:
                load.times.append(time.perf_counter() - sent)
            elif response.status == 503:
                load.refused += 1
                time.sleep(float(response.headers.get("Retry-After", 1)))
            else:
                load.failed += 1
        connection.close()

    with ThreadPoolExecutor(concurrency) as clients:
        list(clients.map(ask, range(concurrency)))
    load.seconds = time.perf_counter() - begin
    return load
