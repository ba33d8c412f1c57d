"""The embedded server: models in their versions behind both transports, gRPC and REST."""

import ssl
from collections.abc import Callable
from functools import partial

import grpc
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.server.batching import Batcher, BatchingParameters
from serving.server.connections import HttpServer
from serving.server.errors import UserError
from serving.server.grpc import GrpcServer
from serving.server.metrics import Metrics
from serving.server.models import Models
from serving.server.pages import Pages
from serving.server.rest import RestApp
from serving.server.servable import Servable
from serving.server.versions import Version
from serving.server.workers import Workers

GRACE_SEC = 30
MAX_BATCHING = 256  # Predictions at a time that wait for their batch or run in one.


class EmbeddedServer:
    """Opens its ports in `start`, when the models are loaded, and answers until `stop`.

    Args:
        config: the `ModelServerConfig` to begin with.
        on_change: callable(version), called on another thread when a version has loaded or failed to.
        host: address to listen on.
        port: port of gRPC; 0 = any free one, `self.port` says which.
        rest_port: port of REST; 0 = any free one, `self.rest_port` says which.
        rest_timeout_ms: limit of one prediction over REST, while it runs; None = none. Over gRPC the client sets its own.
        poll_sec: how often the base paths are looked at for newer versions.
        allow_labels_early: a new label may go to a version before it is available.
        pages: `Pages` beside the REST API; None = none.
        running, waiting: predictions at a time, of both transports, and how many more may wait; see `Workers`.
        cors: let pages of other servers read the answers of REST.
        credentials: for TLS on the port of gRPC; None = none.
        rest_tls: for TLS on the port of REST; None = none.
        socket_path: a UNIX socket for gRPC, too; None = none.
        metrics_path: where Prometheus reads on the port of REST; None = nowhere.
        batching: merge predictions by these parameters; None = none.

    Raises: `StatusError` for a configuration that is none.
    """

    def __init__(
        self,
        config: ModelServerConfig,
        on_change: Callable[[Version], object],
        host: str = "127.0.0.1",
        port: int = 0,
        rest_port: int = 0,
        rest_timeout_ms: int | None = 30000,
        poll_sec: float = 1.0,
        allow_labels_early: bool = False,
        pages: Pages | None = None,
        running: int = 1,
        waiting: int = 128,
        cors: bool = False,
        credentials: grpc.ServerCredentials | None = None,
        rest_tls: ssl.SSLContext | None = None,
        socket_path: str | None = None,
        metrics_path: str | None = None,
        batching: BatchingParameters | None = None,
    ) -> None:
        self._batcher = Batcher(batching) if batching else None
        if batching:
            # Threads mostly wait for their batch: as many as all batches hold, and one that is refused.
            running = min(batching.max_batch_size * (batching.threads + batching.max_enqueued_batches) + 1, MAX_BATCHING)
        self.models = Models(partial(Servable, batcher=self._batcher), on_change, poll_sec, allow_labels_early)
        self.models.check(config)
        self.port, self.rest_port = port, rest_port
        self._config = config
        self._workers = Workers(running, waiting)
        self._metrics = Metrics()
        self._app = RestApp(self.models, self._workers, self._metrics, rest_timeout_ms, pages or Pages({}), cors, metrics_path)
        self._host = host
        self._credentials, self._rest_tls, self._socket_path = credentials, rest_tls, socket_path
        self._rest: HttpServer | None = None
        self._grpc: GrpcServer | None = None

    def start(self) -> None:
        """Loads the models, which takes its time, and begins to answer.

        Until then no port is open, as with TF Serving: a client that comes too early waits and asks again, and does not take
        a model that is being loaded for one that does not exist.

        Raises: `StatusError` when a model does not load, `UserError` when a port cannot be had.
        """
        self.models.reload(self._config)
        try:
            self._grpc = GrpcServer(
                self.models, self._workers, self._metrics, self._host, self.port, self._credentials, self._socket_path
            )
            self._rest = HttpServer(self._app, self._host, self.rest_port, self._rest_tls)
        except (OSError, RuntimeError) as error:
            raise UserError(f"cannot listen: {error}; choose other ports, or another address") from None
        self.port, self.rest_port = self._grpc.port, self._rest.port

    def stop(self, grace_sec: float = GRACE_SEC) -> None:
        """Takes no more calls; those under way on both transports have `grace_sec` to finish, then they are cancelled."""
        ended = self._grpc.stop(grace_sec) if self._grpc else None
        if self._rest:
            self._rest.stop(grace_sec)
        if ended:
            ended.wait()
        self._workers.close()
        self.models.close()
