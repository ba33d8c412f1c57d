"""The REST transport: TF Serving's predict, metadata and status over HTTP/1.1.

Paths, codes and texts are those of TF Serving's REST API, quirks included: paths are matched whole with their query
string, whatever their case, and a model's status is found while nothing can be asked of it yet.
"""

import json
import re
import socketserver
import sys
import threading
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from google.protobuf import json_format
from google.protobuf.message import Message
from tensorflow_serving.apis import model_pb2

from serving.server.errors import StatusError
from serving.server.json_codec import parse_body, read_inputs, read_signature_name, write_outputs
from serving.server.model_messages import model_metadata, model_status
from serving.server.models import Models
from serving.server.pages import Pages
from serving.server.servable import DEFAULT_SIGNATURE
from serving.server.versions import LARGEST_VERSION

MODEL = r"([^/:]+)"
VERSION_OR_LABEL = r"(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?"
POST_PATH = re.compile(rf"/v1/models/{MODEL}{VERSION_OR_LABEL}:(classify|regress|predict)", re.IGNORECASE | re.ASCII)
GET_PATH = re.compile(rf"/v1/models(?:/{MODEL})?{VERSION_OR_LABEL}(?:/(metadata))?", re.IGNORECASE | re.ASCII)

NOT_FOUND_PAGE = b"<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n<H1>Not Found</H1>\n</BODY></HTML>\n"
MAX_INFLATED_BYTES = 100 * 2**20
IDLE_TIMEOUT_SEC = 120


class RestServer(socketserver.ThreadingTCPServer):
    """Answers on a thread for each connection, from `serve_forever` until `stop`.

    Args:
        models: the `Models`.
        host, port: where to listen; port 0 = any free one, see `server_address`.
        timeout_ms: limit of one run; None = no limit.
        pages: `Pages` beside the API; None = none.
    """

    allow_reuse_address = True  # A port whose last connections still linger is free.
    daemon_threads = True  # Idle keep-alive connections do not hold up the exit; `stop` waits for those at work.
    request_queue_size = 128

    def __init__(self, models: Models, host: str, port: int, timeout_ms: int | None, pages: Pages | None = None) -> None:
        self.models = models
        self.timeout_ms = timeout_ms
        self.pages = pages or Pages({})
        self._working = 0
        self._changed = threading.Condition()
        super().__init__((host, port), RestHandler)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Marks a request at work, for `stop` to wait for."""
        with self._changed:
            self._working += 1
        try:
            yield
        finally:
            with self._changed:
                self._working -= 1
                self._changed.notify_all()

    def stop(self, grace_sec: float) -> None:
        """Takes no new connections, lets the requests at work finish, closes the port."""
        self.shutdown()
        with self._changed:
            self._changed.wait_for(lambda: self._working == 0, grace_sec)
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is ordinary; anything else is shown."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class RestHandler(BaseHTTPRequestHandler):
    """One connection; keeps it alive between requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_TIMEOUT_SEC
    server: RestServer

    def answer(self) -> None:
        """Answers one request of any method."""
        with self.server.working():
            if not self.path.lower().startswith("/v1/"):
                self._answer_page()
                return
            try:
                status, content = 200, self._content(self._read_body())
            except StatusError as error:
                status, content = error.http_status, _error_body(error.message)
            except Exception as error:
                self.close_connection = True  # Who knows how much of the request was read.
                status, content = 500, _error_body(f"{type(error).__name__}: {error}")
            self._send(status, "application/json", content)

    do_GET = do_POST = do_PUT = do_DELETE = do_PATCH = do_HEAD = do_OPTIONS = answer

    def _answer_page(self) -> None:
        page = self.server.pages.answer(self.path) if self.command in ("GET", "HEAD") else None
        if page is None:
            self.close_connection = True
            self._send(404, "text/html", NOT_FOUND_PAGE)
        else:
            self._send(*page)

    def _content(self, body: bytes) -> bytes:
        post = POST_PATH.fullmatch(self.path) if self.command == "POST" else None
        get = GET_PATH.fullmatch(self.path) if self.command == "GET" else None
        if post:
            *place, method = post.groups()
            if method == "predict":
                return _predict(self.server, _model_spec(*place), body)
            if method in ("classify", "regress"):
                raise StatusError("UNIMPLEMENTED", f"{method} is not served here; ask for predict")
        if get:
            *place, metadata = get.groups()
            if place[0] is None:
                raise StatusError("INVALID_ARGUMENT", "Missing model name in request.")
            return (_metadata if metadata else _status)(self.server.models, _model_spec(*place))
        raise StatusError("INVALID_ARGUMENT", f"Malformed request: {self.command} {self.path}")

    def _read_body(self) -> bytes:
        """Reads the body; one that cannot be inflated counts as empty, as in TF Serving."""
        if "Transfer-Encoding" in self.headers:
            self.close_connection = True  # Chunks are not read, so what follows on this connection is no request.
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.headers.get("Content-Encoding", "").lower() != "gzip":
            return body
        inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            body = inflater.decompress(body, MAX_INFLATED_BYTES)
        except zlib.error:
            return b""
        return body if inflater.eof else b""

    def _send(self, status: int, content_type: str, content: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", content_type)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Date", self.date_time_string())
        self.send_header("Content-Length", str(len(content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Stays silent: a line for each request would bury the server's own lines."""


def _model_spec(name: str, version: str | None, label: str | None) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=unquote(name))
    if version:
        if int(version) > LARGEST_VERSION:
            raise StatusError("INVALID_ARGUMENT", f"Failed to convert version: {version} to numeric.")
        spec.version.value = int(version)
    elif label:
        spec.version_label = unquote(label)
    return spec


def _predict(server: RestServer, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
    # The order of the checks is part of the contract: an unknown model with a broken body is 400, not 404.
    document = parse_body(body)
    asked = read_signature_name(document)
    with server.models.borrow(spec) as version:
        servable = version.loaded
        name = asked or DEFAULT_SIGNATURE
        if name not in servable.signatures:
            raise StatusError("INVALID_ARGUMENT", f'Serving signature name: "{name}" not found in signature def')
        signature = servable.signatures[name]
        if not signature.inputs:
            raise StatusError("INVALID_ARGUMENT", f"Failed to get input map for signature: {asked or 'DEFAULT'}")
        inputs, rows = read_inputs(document, signature.inputs)
        outputs = servable.run(signature, inputs, timeout_ms=server.timeout_ms)
    return write_outputs(outputs, rows)


def _status(models: Models, spec: model_pb2.ModelSpec) -> bytes:
    return (_to_json(model_status(models, spec)) + "\n").encode()


def _metadata(models: Models, spec: model_pb2.ModelSpec) -> bytes:
    number, signatures = model_metadata(models, spec)
    served = model_pb2.ModelSpec(name=spec.name)
    served.version.value = number
    # TF Serving prints two messages into a frame of text: hence "signature_def" twice, and the odd line breaks.
    return (f'{{\n"model_spec":{_to_json(served)}\n,\n"metadata": {{"signature_def": {_to_json(signatures)}\n}}\n}}\n').encode()


def _to_json(message: Message) -> str:
    return json_format.MessageToJson(
        message, indent=1, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
    )


def _error_body(message: str) -> bytes:
    # A request may quote half a surrogate pair, which no encoding can write.
    return json.dumps({"error": message}, indent=4, ensure_ascii=False).encode(errors="replace")
