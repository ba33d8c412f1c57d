"""The client's transport over REST, to TF Serving or `outfit-gan serve`; the standard library is enough."""

import base64
import http.client
import json
from typing import Any
from urllib.parse import quote

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


class RestTransport:
    """Talks HTTP to one server; a connection for each call, so that threads can share it."""

    def __init__(self, host: str, port: int, timeout_sec: float) -> None:
        self._address = host, port
        self._timeout_sec = timeout_sec

    def predict(self, model_name: str, inputs: Inputs, output: str, signature: str) -> bytes:
        """Returns one output (bytes) for one row.

        Args:
            model_name: name of the model on the server.
            inputs: (dtype, value) by input name; a value is nested lists of bytes, ints or floats, without the batch.
            output: name of an output that ends in `_bytes`.
            signature: name of the model's signature.
        """
        row = {name: _to_json(value) for name, (_, value) in inputs.items()}
        answer = self._call(
            "POST", f"/v1/models/{quote(model_name, safe='')}:predict", {"signature_name": signature, "instances": [row]}
        )
        try:
            return base64.b64decode(answer["predictions"][0][output]["b64"])
        except (KeyError, IndexError, TypeError, ValueError):
            raise ServerError(f"model {model_name!r} gives no {output!r}: it was not exported for outfits") from None

    def status(self, model_name: str) -> list[dict[str, Any]]:
        """Returns the model's versions, as TF Serving's REST API lists them."""
        return self._call("GET", f"/v1/models/{quote(model_name, safe='')}")["model_version_status"]

    def metadata(self, model_name: str) -> dict[str, Any]:
        """Returns the answer's "model_spec" and "signature_def" (signatures by name)."""
        answer = self._call("GET", f"/v1/models/{quote(model_name, safe='')}/metadata")
        return {"model_spec": answer["model_spec"], "signature_def": answer["metadata"]["signature_def"]["signature_def"]}

    def _call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        """Returns the parsed answer; raises `StatusError`, `OSError`, `http.client.HTTPException` or `ServerError`."""
        connection = http.client.HTTPConnection(*self._address, timeout=self._timeout_sec)
        try:
            connection.request(method, path, None if body is None else json.dumps(body))
            response = connection.getresponse()
            content = response.read()
        finally:
            connection.close()
        try:
            answer = json.loads(content)
        except ValueError:
            raise ServerError(
                f"the server at {self._address[0]}:{self._address[1]} is no TF Serving: "
                f"it answers {method} {path} with HTTP {response.status}"
            ) from None
        if response.status != 200:
            raise StatusError(CODES.get(response.status, "INTERNAL"), str(answer.get("error", answer)))
        return answer


def _to_json(value: Value) -> object:
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return [_to_json(item) for item in value] if isinstance(value, list) else value
