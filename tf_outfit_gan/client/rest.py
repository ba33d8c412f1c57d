"""The client's transport over REST, to TF Serving or `outfit-gan serve`."""

import base64
import json
import ssl
import time
from typing import Any

import httpx

from tf_outfit_gan.client.endpoint import Endpoint, ServedModel
from tf_outfit_gan.client.errors import ServerError, StatusError
from tf_outfit_gan.client.inputs import Inputs, Output

# What an HTTP status of TF Serving's REST API says, as the canonical code that gRPC would give; all else is INTERNAL.
CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    408: "DEADLINE_EXCEEDED",
    409: "ALREADY_EXISTS",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}

# What a proxy before the server answers in HTML, where the server answers in JSON.
PROXY = {code: CODES[code] for code in (401, 403, 413, 429, 503, 504)} | {502: "UNAVAILABLE"}


class RestTransport:
    """Talks HTTP to one server. Threads can share it; a connection is kept for the next call."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._place = endpoint.host_port
        self._http = httpx.Client(
            base_url=f"{endpoint.scheme or 'http'}://{endpoint.host_port}{endpoint.prefix}",
            headers=dict(endpoint.headers),
            verify=ssl.create_default_context(cafile=endpoint.ca_file) if endpoint.scheme == "https" else False,
            trust_env=False,  # As over gRPC: the address given is the address asked, whatever proxies the environment names.
            limits=httpx.Limits(max_connections=None),
        )

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def predict(self, model: ServedModel, inputs: Inputs, output: str, signature: str, timeout_sec: float) -> Output:
        """Returns one output, a value a row.

        Args:
            model: which one of the server.
            inputs: of some rows.
            output: its name; a name that ends in `_bytes` says that the values are bytes.
            signature: name of the model's signature.
            timeout_sec: when to give up.
        """
        columns = [[_to_json(value) for value in values] for _, values in inputs.values()]
        # Rows and not columns: TensorFlow Serving passes over a column that the signature does not have, and refuses such rows.
        body = {"signature_name": signature, "instances": [dict(zip(inputs, row)) for row in zip(*columns)]}
        answer = self._call("POST", f"{model.path}:predict", timeout_sec, body)
        try:
            # The value of a signature's only output comes without its name.
            several = isinstance(answer["predictions"][0], dict) and output in answer["predictions"][0]
            values = [row[output] if several else row for row in answer["predictions"]]
            return [base64.b64decode(value["b64"]) for value in values] if output.endswith("_bytes") else values
        except (KeyError, IndexError, TypeError, ValueError):
            raise ServerError(f"model {model.name!r} gives no {output!r}: it was not exported for outfits") from None

    def status(self, model: ServedModel, timeout_sec: float) -> list[dict[str, Any]]:
        """Returns the model's versions, as TF Serving's REST API lists them."""
        return self._call("GET", model.path, timeout_sec)["model_version_status"]

    def metadata(self, model: ServedModel, timeout_sec: float) -> dict[str, Any]:
        """Returns the answer's "model_spec" and "signature_def" (signatures by name)."""
        answer = self._call("GET", f"{model.path}/metadata", timeout_sec)
        return {"model_spec": answer["model_spec"], "signature_def": answer["metadata"]["signature_def"]["signature_def"]}

    def _call(self, method: str, path: str, timeout_sec: float, body: object = None) -> dict[str, Any]:
        """Returns the parsed answer; raises `StatusError`, `httpx.TransportError` or `ServerError`."""
        end = time.monotonic() + timeout_sec
        content = None if body is None else json.dumps(body)
        with self._http.stream(method, path, content=content, timeout=timeout_sec) as response:
            text = b""
            # The timeout of httpx counts anew for each part of an answer.
            for part in response.iter_bytes():
                text += part
                if time.monotonic() > end:
                    raise httpx.ReadTimeout(f"the answer is not whole after {timeout_sec:g} s")
        try:
            answer = json.loads(text)
        except ValueError:
            if response.status_code in PROXY:
                raise StatusError(PROXY[response.status_code], f"HTTP {response.status_code} {response.reason_phrase}") from None
            raise ServerError(
                f"the server at {self._place} is no TF Serving: it answers {method} {path} with HTTP {response.status_code}"
            ) from None
        if response.status_code != 200:
            raise StatusError(CODES.get(response.status_code, "INTERNAL"), str(answer.get("error", answer)))
        return answer


def _to_json(value: Any) -> object:
    if isinstance(value, bytes):
        return {"b64": base64.b64encode(value).decode()}
    return [_to_json(item) for item in value] if isinstance(value, list) else value
