"""The embedded server: the versions of one model behind both transports, gRPC and REST."""

import os
import threading
from collections.abc import Callable

from serving.server.grpc import make_grpc_server
from serving.server.pages import Pages
from serving.server.rest import RestServer
from serving.server.servable import Servable
from serving.server.versions import Version, Versions

GRACE_SEC = 30


class EmbeddedServer:
    """Owns its ports from the constructor on, answers from `start` until `stop`.

    Args:
        model_name: the name that clients ask for.
        base_path: folder of the numbered version folders.
        on_change: callable(version), called on another thread when a version has loaded or failed to.
        host: address to listen on.
        port: port of gRPC; 0 = any free one, `self.port` says which.
        rest_port: port of REST; 0 = any free one, `self.rest_port` says which.
        rest_timeout_ms: limit of one prediction over REST; None = none. Over gRPC the client sets its own.
        poll_sec: how often the base path is looked at for a newer version.
        pages: `Pages` beside the REST API; None = none.
    """

    def __init__(
        self,
        model_name: str,
        base_path: str | os.PathLike[str],
        on_change: Callable[[Version], object],
        host: str = "127.0.0.1",
        port: int = 0,
        rest_port: int = 0,
        rest_timeout_ms: int | None = 30000,
        poll_sec: float = 1.0,
        pages: Pages | None = None,
    ) -> None:
        self.versions = Versions(model_name, base_path, Servable, on_change, poll_sec)
        self._rest = RestServer(self.versions, host, rest_port, rest_timeout_ms, pages)
        self.rest_port = self._rest.server_address[1]
        self._grpc, self.port = make_grpc_server(self.versions, host, port)

    def start(self) -> None:
        """Begins to answer, and to load the newest version, whose state can be asked meanwhile; returns immediately."""
        self._grpc.start()
        threading.Thread(target=self._rest.serve_forever, name="rest", daemon=True).start()
        self.versions.start()

    def stop(self, grace_sec: float = GRACE_SEC) -> None:
        """Takes no more calls; those under way on both transports have `grace_sec` to finish, then they are cancelled."""
        grpc_stopped = self._grpc.stop(grace_sec)
        self._rest.stop(grace_sec)
        grpc_stopped.wait()
        self.versions.close()
