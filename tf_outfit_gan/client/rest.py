"""The client's transport over REST, to TF Serving or `outfit-gan serve`; the standard library is enough."""

import base64
import http.client
import json
import ssl
from typing import Any

from tf_outfit_gan.client.endpoint import Endpoint, ServedModel
from tf_outfit_gan.client.errors import ServerError, StatusError

# An input of one row: nested lists of what its type holds.
Value = bytes | int | float | list["Value"]
# (type, value) by the input's name; the type is TensorFlow's: string, float, int64.
Inputs = dict[str, tuple[str, Value]]

# What an HTTP status of TF Serving's REST API says, as the canonical code that gRPC would give; all else is INTERNAL.
CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    409: "ALREADY_EXISTS",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


# What a proxy before the server answers in HTML, where the server answers in JSON.
PROXY = {code: CODES[code] for code in (401, 403, 429, 503, 504)} | {413: "INVALID_ARGUMENT", 502: "UNAVAILABLE"}


class RestTransport:
    """Talks HTTP to one server; a connection for each call, so that threads can share it."""

    def __init__(self, endpoint: Endpoint, timeout_sec: float) -> None:
        self._endpoint = endpoint
        self._timeout_sec = timeout_sec
        self._tls = ssl.create_default_context(cafile=endpoint.ca_file) if endpoint.scheme == "https" else None

    def predict(self, model: ServedModel, inputs: Inputs, output: str, signature: str) -> bytes:
        """Returns one output (bytes) for one row.

        Args:
            model: which one of the server.
            inputs: (dtype, value) by input name; a value is nested lists of bytes, ints or floats, without the batch.
            output: name of an output that ends in `_bytes`.
            signature: name of the model's signature.
        """
        row = {name: _to_json(value) for name, (_, value) in inputs.items()}
        answer = self._call("POST", f"{model.path}:predict", {"signature_name": signature, "instances": [row]})
        try:
            return base64.b64decode(answer["predictions"][0][output]["b64"])
        except (KeyError, IndexError, TypeError, ValueError):
            raise ServerError(f"model {model.name!r} gives no {output!r}: it was not exported for outfits") from None

    def status(self, model: ServedModel) -> list[dict[str, Any]]:
        """Returns the model's versions, as TF Serving's REST API lists them."""
        return self._call("GET", model.path)["model_version_status"]

    def metadata(self, model: ServedModel) -> dict[str, Any]:
        """Returns the answer's "model_spec" and "signature_def" (signatures by name)."""
        answer = self._call("GET", f"{model.path}/metadata")
        return {"model_spec": answer["model_spec"], "signature_def": answer["metadata"]["signature_def"]["signature_def"]}

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Returns the parsed answer; raises `StatusError`, `OSError`, `http.client.HTTPException` or `ServerError`."""
        place = self._endpoint
        if self._tls is None:
            connection = http.client.HTTPConnection(place.host, place.port, timeout=self._timeout_sec)
        else:
            connection = http.client.HTTPSConnection(place.host, place.port, timeout=self._timeout_sec, context=self._tls)
        try:
            connection.request(
                method, place.prefix + path, None if body is None else json.dumps(body), headers=dict(place.headers)
            )
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        try:
            answer = json.loads(content)
        except ValueError:
            if response.status in PROXY:
                raise StatusError(PROXY[response.status], f"HTTP {response.status} {response.reason}") from None
            raise ServerError(
                f"the server at {place.host_port} is no TF Serving: it answers {method} {path} with HTTP {response.status}"
            ) from None
        if response.status != 200:
            raise StatusError(CODES.get(response.status, "INTERNAL"), str(answer.get("error", answer)))
        return answer


def _to_json(value: Value) -> object:
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return [_to_json(item) for item in value] if isinstance(value, list) else value
