"""The REST transport: TF Serving's predict, metadata and status, as an ASGI application.

Paths, codes and texts are those of TF Serving's REST API, quirks included: paths are matched whole with their query
string, whatever their case. Other than there, bodies have a largest size, and a time by which they must have come.
"""

import asyncio
import json
import re
import zlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

from google.protobuf import json_format
from google.protobuf.message import Message
from tensorflow_serving.apis import model_pb2

from serving.server.errors import StatusError
from serving.server.json_codec import parse_body, read_inputs, read_signature_name, write_outputs
from serving.server.metrics import Metrics
from serving.server.model_messages import model_metadata, model_status
from serving.server.models import Models
from serving.server.pages import Page, Pages
from serving.server.servable import DEFAULT_SIGNATURE, MAX_REQUEST_BYTES
from serving.server.versions import LARGEST_VERSION
from serving.server.workers import Workers, stopping

MODEL = r"([^/:]+)"
VERSION_OR_LABEL = r"(?:(?:/versions/(\d+))|(?:/labels/([^/:]+)))?"
POST_PATH = re.compile(rf"/v1/models/{MODEL}{VERSION_OR_LABEL}:(classify|regress|predict)", re.IGNORECASE | re.ASCII)
GET_PATH = re.compile(rf"/v1/models(?:/{MODEL})?{VERSION_OR_LABEL}(?:/(metadata))?", re.IGNORECASE | re.ASCII)

NOT_FOUND_PAGE = b"<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n<H1>Not Found</H1>\n</BODY></HTML>\n"
CORS_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST, GET",
    "Access-Control-Allow-Headers": "Content-Type",
}
DIGITS = len(str(LARGEST_VERSION))  # Python refuses to read a number of thousands of them.
RETRY_AFTER = {"Retry-After": "1"}  # Seconds, with each 503.

MAX_HELD_BYTES = 2**30  # Of the bodies of all requests together.
BODY_SEC = 60

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class RestApp:
    """Answers HTTP requests.

    Args:
        models: the `Models`.
        workers: where predictions run.
        metrics: where they are counted.
        timeout_ms: limit of one run, without the time that it waits for its turn; None = no limit.
        pages: `Pages` beside the API.
        cors: let pages of any other server read the answers.
        metrics_path: where Prometheus reads; None = nowhere.
    """

    def __init__(
        self,
        models: Models,
        workers: Workers,
        metrics: Metrics,
        timeout_ms: int | None,
        pages: Pages,
        cors: bool = False,
        metrics_path: str | None = None,
    ) -> None:
        self._models = models
        self._workers = workers
        self._metrics, self._metrics_path = metrics, metrics_path
        self._timeout_ms = timeout_ms
        self._pages = pages
        self._headers = CORS_HEADERS if cors else {}
        self._held_bytes = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answers one request; see the ASGI specification."""
        target = scope["raw_path"].decode() + ("?" + scope["query_string"].decode() if scope["query_string"] else "")
        status, kind, content, headers = await self._answer(scope["method"], target, dict(scope["headers"]), receive)
        headers = {"Content-Type": kind, "Content-Length": str(len(content))} | dict(headers)
        encoded = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": encoded})
        await send({"type": "http.response.body", "body": content})

    async def _answer(self, method: str, target: str, headers: Mapping[bytes, bytes], receive: Receive) -> Page:
        if method == "GET" and target == self._metrics_path:
            return Page(200, "text/plain; version=0.0.4; charset=utf-8", self._metrics.text(), {})
        if not target.lower().startswith("/v1/"):
            page = self._pages.answer(target) if method in ("GET", "HEAD") else None
            return page or Page(404, "text/html", NOT_FOUND_PAGE, {"Connection": "close"})
        if method == "OPTIONS":
            status = 200 if re.search(rb"https?://", headers.get(b"origin", b"")) else 400
            return Page(status, "application/json", b"", self._headers)
        body = bytearray()
        try:
            await self._read(body, headers, receive)
            content = await self._content(method, target, body, headers.get(b"content-encoding", b""), receive)
            return Page(200, "application/json", content, self._headers)
        except StatusError as error:
            status, message = error.http_status, error.message
        except asyncio.CancelledError:
            status, message = 503, stopping().message
        except Exception as error:
            status, message = 500, f"{type(error).__name__}: {error}"
        finally:
            self._held_bytes -= len(body)
        return Page(status, "application/json", _error_body(message), {**self._headers, **(RETRY_AFTER if status == 503 else {})})

    async def _read(self, body: bytearray, headers: Mapping[bytes, bytes], receive: Receive) -> None:
        """Appends what is sent to `body`; raises `StatusError` for more than there is room for, and for a slow client."""
        too_large = StatusError("INVALID_ARGUMENT", f"the body is larger than {MAX_REQUEST_BYTES >> 20} MB", 413)
        if int(headers.get(b"content-length", b"0")) > MAX_REQUEST_BYTES:
            raise too_large
        try:
            async with asyncio.timeout(BODY_SEC):
                more = True
                while more:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise gone()
                    body += message["body"]
                    self._held_bytes += len(message["body"])
                    more = message["more_body"]
                    if len(body) > MAX_REQUEST_BYTES:
                        raise too_large
                    if self._held_bytes > MAX_HELD_BYTES:
                        raise StatusError("RESOURCE_EXHAUSTED", "the bodies of all requests are too large; try again later", 503)
        except TimeoutError:
            raise StatusError("DEADLINE_EXCEEDED", f"the body did not come within {BODY_SEC} s", 408) from None

    async def _content(self, method: str, target: str, body: bytearray, encoding: bytes, receive: Receive) -> bytes:
        post = POST_PATH.fullmatch(target) if method == "POST" else None
        get = GET_PATH.fullmatch(target) if method == "GET" else None
        if post:
            *place, call = post.groups()
            if call == "predict":
                spec = _model_spec(*place)
                with self._metrics.request(spec.name, "REST"):
                    return await self._in_turn(lambda: self._predict(spec, _inflated(body, encoding)), receive)
            if call in ("classify", "regress"):
                raise StatusError("UNIMPLEMENTED", f"{call} is not served here; ask for predict")
        if get:
            *place, metadata = get.groups()
            if place[0] is None:
                raise StatusError("INVALID_ARGUMENT", "Missing model name in request.")
            # Not among the predictions: who asks for a state wants it now.
            return await asyncio.to_thread(_metadata if metadata else _status, self._models, _model_spec(*place))
        raise StatusError("INVALID_ARGUMENT", f"Malformed request: {method} {target}")

    async def _in_turn(self, work: Callable[[], bytes], receive: Receive) -> bytes:
        """The result of work that waits for its turn, unless the client goes before."""
        answer = asyncio.wrap_future(self._workers.submit(work))
        leaves = asyncio.ensure_future(receive())  # The body is read: nothing else can come.
        leaves.add_done_callback(lambda _: answer.cancel())
        try:
            return await answer
        except asyncio.CancelledError:
            raise (gone() if leaves.done() else stopping()) from None
        finally:
            leaves.cancel()

    def _predict(self, spec: model_pb2.ModelSpec, body: bytes) -> bytes:
        # The order of the checks is part of the contract: an unknown model with a broken body is 400, not 404.
        document = parse_body(body)
        asked = read_signature_name(document)
        with self._models.borrow(spec) as version:
            servable = version.loaded
            name = asked or DEFAULT_SIGNATURE
            if name not in servable.signatures:
                raise StatusError("INVALID_ARGUMENT", f'Serving signature name: "{name}" not found in signature def')
            signature = servable.signatures[name]
            if not signature.inputs:
                raise StatusError("INVALID_ARGUMENT", f"Failed to get input map for signature: {asked or 'DEFAULT'}")
            inputs, rows = read_inputs(document, signature.inputs)
            with self._metrics.run(spec.name):
                outputs = servable.run(signature, inputs, timeout_ms=self._timeout_ms)
        return write_outputs(outputs, rows)


def gone() -> StatusError:
    """The error of a client that does not wait for its answer."""
    return StatusError("CANCELLED", "the client is gone")


def _inflated(body: bytearray, encoding: bytes) -> bytes:
    """A body as it was before it was compressed; one that cannot be inflated counts as empty, as in TF Serving."""
    if encoding.lower() != b"gzip":
        return bytes(body)
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        inflated = inflater.decompress(body, MAX_REQUEST_BYTES)
    except zlib.error:
        return b""
    return inflated if inflater.eof else b""


def _model_spec(name: str, version: str | None, label: str | None) -> model_pb2.ModelSpec:
    spec = model_pb2.ModelSpec(name=unquote(name))
    if version:
        if len(version.lstrip("0")) > DIGITS or int(version) > LARGEST_VERSION:
            raise StatusError("INVALID_ARGUMENT", f"Failed to convert version: {version} to numeric.")
        spec.version.value = int(version)
    elif label:
        spec.version_label = unquote(label)
    return spec


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
