"""What Prometheus reads of a server: TF Serving's metrics of requests, under its names, with its labels and buckets."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics, generate_latest

from serving.server.errors import StatusError

# Microseconds, from 10 to 1.5e9.
BUCKETS = [10 * 1.8**power for power in range(33)]


class Metrics:
    """Counts requests and measures their times, over both transports."""

    def __init__(self) -> None:
        disable_created_metrics()
        self._registry = CollectorRegistry()
        self._requests = Counter(
            ":tensorflow:serving:request_count",
            "The total number of requests.",
            ["model_name", "status"],
            registry=self._registry,
        )
        self._latency = self._histogram("request_latency", "Time of a request that succeeds, in microseconds.", "entrypoint")
        self._runtime = self._histogram("runtime_latency", "Time of TensorFlow's part in it, in microseconds.", "runtime")

    def _histogram(self, name: str, text: str, label: str) -> Histogram:
        labels = ["model_name", "API", label]
        return Histogram(f":tensorflow:serving:{name}", text, labels, registry=self._registry, buckets=BUCKETS)

    @contextmanager
    def request(self, model_name: str, entrypoint: str) -> Iterator[None]:
        """Counts one prediction, with its outcome, and its time where it succeeds; `entrypoint` is REST or GRPC."""
        begin = time.perf_counter()
        status = "INTERNAL"
        try:
            yield
            status = "OK"
            self._latency.labels(model_name, "Predict", entrypoint).observe(1e6 * (time.perf_counter() - begin))
        except StatusError as error:
            status = error.code
            raise
        finally:
            # Names that clients make up would be kept for ever.
            self._requests.labels("" if status == "NOT_FOUND" else model_name, status).inc()

    @contextmanager
    def run(self, model_name: str) -> Iterator[None]:
        """Measures what TensorFlow takes for one prediction."""
        begin = time.perf_counter()
        yield
        self._runtime.labels(model_name, "Predict", "TF1").observe(1e6 * (time.perf_counter() - begin))

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""
        # The client's library ends the names of all counters so; TF Serving does not.
        return generate_latest(self._registry).replace(b":request_count_total", b":request_count")
