"""The HTTP connections: uvicorn on a thread of its own, with bounds for slow clients in count and time.

The bounds in time change parts of uvicorn's connection that are private to it, hence the narrow version range in setup.py.
"""

import asyncio
import logging
import socket
import ssl
import threading
from typing import Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

# With more, requests are answered with 503. Below the 1,024 open files that a process has by default.
MAX_CONNECTIONS = 512
# For the head of a request, from the connection's begin or the answer before it, and for the client to read an answer.
IDLE_SEC = 120
# For a client to end its request after the last answer.
LINGER_SEC = 30


class HttpServer:
    """Answers from the constructor on, until `stop`.

    Args:
        app: the ASGI application.
        host, port: where to listen; port 0 = any free one, `self.port` says which.
        tls: for HTTPS; None = HTTP.

    Raises: `OSError` when the port cannot be had.
    """

    def __init__(self, app: Any, host: str, port: int, tls: ssl.SSLContext | None = None) -> None:
        listener = socket.create_server((host, port))
        # Accepted sockets inherit it. Without it an answer's body waits for the client to have confirmed its head: 40 ms.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.port = listener.getsockname()[1]
        config = uvicorn.Config(
            app,
            http=_Connection,
            ws="none",
            loop="asyncio",
            lifespan="off",
            interface="asgi3",
            limit_concurrency=MAX_CONNECTIONS,
            timeout_keep_alive=IDLE_SEC,
            ssl_context_factory=(lambda *_: tls) if tls else None,
            proxy_headers=False,
            server_header=False,
            # A line for each request, or for each broken one, would bury the server's own lines.
            access_log=False,
            log_config=None,
            log_level=logging.CRITICAL,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([listener],), name="rest", daemon=True)
        self._thread.start()

    def stop(self, grace_sec: float) -> None:
        """Takes no new connections and closes idle ones; requests under way have `grace_sec`, then they are cancelled."""
        self._server.config.timeout_graceful_shutdown = grace_sec  # type: ignore[assignment]
        self._server.should_exit = True
        self._thread.join()


class _Connection(H11Protocol):
    """uvicorn's connection, whose timer for idle clients also ends what a client draws out."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(_Transport(transport, self))  # type: ignore[arg-type]
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # What a client sends after the last answer.
        # As in uvicorn, but the timer goes on until a request's head is whole, not only until the first byte of it.
        self.conn.receive_data(data)
        self.handle_events()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._unread = self.loop.call_later(self.timeout_keep_alive, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._unread.cancel()

    def timeout_keep_alive_handler(self) -> None:
        self.transport.abort()  # Not uvicorn's `close`, which waits until the client has read all of the answer.

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():  # After the last answer there is no such timer.
            self.loop.call_later(self.timeout_keep_alive, self.transport.abort)


class _Transport:
    """A connection's transport whose `close` waits for a client that is still sending to end, and drops what it sends.

    A socket that is closed while bytes come resets the connection, and the client may lose the answer that says why (RFC
    9112, section 9.6). With TLS, asyncio's own `close` waits.
    """

    def __init__(self, transport: asyncio.Transport, connection: _Connection) -> None:
        self._transport, self._connection = transport, connection
        self._lingers = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def is_closing(self) -> bool:
        return self._lingers or self._transport.is_closing()

    def close(self) -> None:
        still_sends = self._connection.conn.their_state in (h11.SEND_BODY, h11.ERROR)
        if still_sends and not self.is_closing() and self._transport.can_write_eof():
            self._lingers = True
            self._transport.write_eof()
            self._transport.resume_reading()
            self._connection.loop.call_later(LINGER_SEC, self._transport.abort)
        else:
            self._transport.close()
