"""A client's calls: over whichever port it was given, again where the server is busy, and within one time limit."""

import time
from typing import TYPE_CHECKING, Any

import httpx

from tf_outfit_gan.client.endpoint import Endpoint, ServedModel
from tf_outfit_gan.client.errors import RefusedError, ServerError, StatusError
from tf_outfit_gan.client.inputs import Inputs, Output
from tf_outfit_gan.client.rest import RestTransport

if TYPE_CHECKING:
    from tf_outfit_gan.client.grpc import GrpcTransport

# Codes by which a server says that the request, not the server, is at fault.
USER_CODES = ("INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE")
# Codes of a server that has too much to do, or is not there yet: another try may succeed.
BUSY_CODES = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
FIRST_PAUSE_SEC = 0.5


class Connection:
    """Asks one model of one server. Threads can share it.

    Args:
        endpoint: where the server is.
        model: which model, and which version of it.
        timeout_sec: limit of a call, with all its tries and the pauses between them.
        retries: how often a call is made again where the server is busy or not there.

    Its methods raise `RefusedError` when the server reports a mistake in the request, and `ServerError` when it is not there
    or fails.
    """

    def __init__(self, endpoint: Endpoint, model: ServedModel, timeout_sec: float, retries: int) -> None:
        self._endpoint, self.model = endpoint, model
        self._timeout_sec, self._retries = timeout_sec, retries
        self._transport: RestTransport | GrpcTransport | None = None

    @property
    def place(self) -> str:
        """Host and port."""
        return self._endpoint.host_port

    def close(self) -> None:
        """Closes what is open; the next call opens it again."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.close()

    def predict(self, inputs: Inputs, output: str, signature: str) -> Output:
        """One output of a signature, a value a row."""
        return self._call("predict", inputs, output, signature)

    def status(self) -> list[dict[str, Any]]:
        """The model's versions, as TF Serving's REST API lists them."""
        return self._call("status")

    def metadata(self) -> dict[str, Any]:
        """The answer's "model_spec" and "signature_def"."""
        return self._call("metadata")

    def _call(self, method: str, *args: object) -> Any:
        end, pause_sec = time.monotonic() + self._timeout_sec, FIRST_PAUSE_SEC
        for tries_left in range(self._retries, -1, -1):
            try:
                return self._try(method, *args, timeout_sec=end - time.monotonic())
            except ServerError as error:
                can_wait = time.monotonic() + pause_sec < end
                if not tries_left or not can_wait or error.code not in (None, *BUSY_CODES):
                    raise
            time.sleep(pause_sec)
            pause_sec *= 2

    def _try(self, method: str, *args: object, timeout_sec: float) -> Any:
        """Calls the server once; reports any failure of it in one line."""
        try:
            if self._transport is None:
                self._transport = self._find_transport(timeout_sec)
            return getattr(self._transport, method)(self.model, *args, timeout_sec=timeout_sec)
        except StatusError as error:
            text = error.message.partition("\n")[0]
            if error.code == "NOT_FOUND":
                text += f"; check that it serves a model named {self.model.name!r} and has loaded it"
            kind = RefusedError if error.code in USER_CODES else ServerError
            raise kind(f"the server at {self.place} answers {error.code}: {text}", error.code) from None
        except httpx.TimeoutException:
            raise ServerError(f"no answer from {self.place} within {self._timeout_sec:g} s", "DEADLINE_EXCEEDED") from None
        except (httpx.HTTPError, OSError) as error:
            raise ServerError(
                f"no answer from {self.place}: {str(error) or type(error).__name__}; is the server running there?"
            ) from None

    def _find_transport(self, timeout_sec: float) -> "RestTransport | GrpcTransport":
        """That of the scheme; without one REST when the port speaks HTTP/1.1, otherwise gRPC."""
        if not self._endpoint.scheme.startswith("grpc"):
            rest = RestTransport(self._endpoint)
            if self._endpoint.scheme:
                return rest
            try:
                rest.status(self.model, timeout_sec)
                return rest
            except StatusError:
                return rest  # An error in words is an answer too: the call itself will say it.
            except (httpx.RemoteProtocolError, httpx.ReadError):
                rest.close()  # Something listens and does not speak HTTP/1.1.
        from tf_outfit_gan.client.grpc import GrpcTransport

        return GrpcTransport(self._endpoint)
