"""The embedded server: models in their versions behind both transports, gRPC and REST."""

import threading
from collections.abc import Callable

from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

from serving.server.grpc import make_grpc_server
from serving.server.models import Models
from serving.server.pages import Pages
from serving.server.rest import RestServer
from serving.server.servable import Servable
from serving.server.versions import Version

GRACE_SEC = 30


class EmbeddedServer:
    """Owns its ports from the constructor on, answers from `start` until `stop`.

    Args:
        config: the `ModelServerConfig` to begin with.
        on_change: callable(version), called on another thread when a version has loaded or failed to.
        host: address to listen on.
        port: port of gRPC; 0 = any free one, `self.port` says which.
        rest_port: port of REST; 0 = any free one, `self.rest_port` says which.
        rest_timeout_ms: limit of one prediction over REST; None = none. Over gRPC the client sets its own.
        poll_sec: how often the base paths are looked at for newer versions.
        allow_labels_early: a new label may go to a version before it is available.
        pages: `Pages` beside the REST API; None = none.

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
    ) -> None:
        self.models = Models(Servable, on_change, poll_sec, allow_labels_early)
        self._config = config
        self.models.check(config)
        self._rest = RestServer(self.models, host, rest_port, rest_timeout_ms, pages)
        self.rest_port = self._rest.server_address[1]
        self._grpc, self.port = make_grpc_server(self.models, host, port)

    def start(self) -> None:
        """Begins to answer, and to load versions, whose state can be asked meanwhile; returns immediately."""
        self._grpc.start()
        threading.Thread(target=self._rest.serve_forever, name="rest", daemon=True).start()
        self.models.reload(self._config, wait=False)

    def stop(self, grace_sec: float = GRACE_SEC) -> None:
        """Takes no more calls; those under way on both transports have `grace_sec` to finish, then they are cancelled."""
        grpc_stopped = self._grpc.stop(grace_sec)
        self._rest.stop(grace_sec)
        grpc_stopped.wait()
        self.models.close()
