"""A client for pictures of outfits, for TF Serving and for `outfit-gan serve`, over whichever port it is given.

Over REST it needs neither TensorFlow nor Keras. Over gRPC it imports TF Serving's stubs, and with them TensorFlow.
"""

import http.client
import io
import json
import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from tf_outfit_gan.client.endpoint import ServedModel, parse_endpoint
from tf_outfit_gan.client.errors import RefusedError, ServerError, StatusError
from tf_outfit_gan.client.rest import Inputs, RestTransport
from tf_outfit_gan.outfit_request import OutfitLike, PoseLike, check_psi, check_seeds, read_request
from tf_outfit_gan.slots import SLOTS, slot_index
from tf_outfit_gan.util.errors import UserError

if TYPE_CHECKING:
    from tf_outfit_gan.client.grpc import GrpcTransport

IMAGE_OUTPUT = "image_bytes"
DEFAULT, DESCRIBE = "serving_default", "describe"  # Signatures.
FACTS = ("slots", "size", "condition_size", "conditional")  # What a model describes of itself.

# Codes by which a server says that the request, not the server, is at fault.
USER_CODES = ("INVALID_ARGUMENT", "NOT_FOUND", "FAILED_PRECONDITION", "OUT_OF_RANGE")


# Codes of a server that has too much to do, or is not there yet: another try may succeed.
BUSY_CODES = ("UNAVAILABLE", "RESOURCE_EXHAUSTED")
_FIRST_PAUSE_SEC = 0.5


class Client:
    """Asks one server for pictures.

    Args:
        address: "localhost:8501", the port of REST or of gRPC: the first call finds out which; or a URL: "https://HOST/PREFIX"
            and "http://..." for REST, "grpcs://HOST:PORT" (TLS) and "grpc://..." for gRPC.
        model_name: the model's name on the server.
        timeout_sec: limit of one call, the server's work included.
        version: ask this version; None = the newest, or that of the label.
        label: ask the version that has this label, such as "stable".
        headers: go with each call, such as {"Authorization": "Bearer ..."}; over gRPC as metadata.
        ca_file: certificates, in PEM, of those who may sign the server's; None = the system's.
        retries: how often a call is made again, after growing pauses, where the server is busy or not there.

    Every method raises `UserError` for a mistake in its arguments, `RefusedError`, which is one, when the server reports it,
    and `ServerError` when the server is not there or fails; the last two have a `code`.
    """

    def __init__(
        self,
        address: str,
        model_name: str = "outfit_gan",
        timeout_sec: float = 120.0,
        *,
        version: int | None = None,
        label: str | None = None,
        headers: Mapping[str, str] | None = None,
        ca_file: str | os.PathLike[str] | None = None,
        retries: int = 0,
    ) -> None:
        if version is not None and label is not None:
            raise UserError(f"version {version} and label {label!r}: expected one of them")
        self._endpoint = parse_endpoint(address, headers or {}, Path(ca_file) if ca_file else None)
        if self._endpoint.ca_file and not self._endpoint.ca_file.is_file():
            raise UserError(f"{ca_file}: no such file; expected certificates in PEM")
        self._place = self._endpoint.host_port
        self._model = ServedModel(model_name, version, label)
        self._timeout_sec = timeout_sec
        self._retries = retries
        self._transport: RestTransport | GrpcTransport | None = None
        self._slots: tuple[str, ...] | None = None

    @property
    def model_name(self) -> str:
        """The model's name on the server."""
        return self._model.name

    def wait_ready(self, timeout_sec: float = 300.0) -> None:
        """Returns when the model, in the version that was asked for, can draw; raises `ServerError` when it does not by then."""
        end = time.monotonic() + timeout_sec
        while True:
            try:
                self.metadata()
                return
            except (RefusedError, ServerError) as error:
                if time.monotonic() > end:
                    raise ServerError(f"not ready after {timeout_sec:g} s: {error}", error.code) from None
            time.sleep(_FIRST_PAUSE_SEC)

    def render(
        self,
        outfit: OutfitLike | None = None,
        seeds: int | Iterable[int] = 1,
        psi: float | None = None,
        pose: PoseLike | None = None,
    ) -> np.ndarray:
        """Draws a picture a seed, uint8 [N, H, W, 3]; the arguments are those of `Model.render`, and so is the result.

        Entries of a data set, "DATA:ID", are read with TensorFlow and sent at the largest size that is stored.
        """
        pictures = self.render_png(outfit, seeds, psi, pose)
        return np.stack([np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")) for picture in pictures])

    def render_png(
        self,
        outfit: OutfitLike | None = None,
        seeds: int | Iterable[int] = 1,
        psi: float | None = None,
        pose: PoseLike | None = None,
    ) -> list[bytes]:
        """`render` as the server answers: a PNG file's bytes a seed."""
        conditions: Inputs = {}
        seeds, psi = check_seeds(seeds), check_psi(psi, conditional=outfit is not None)
        if outfit is not None:
            request = read_request(outfit, pose=pose, slots=None).checked()
            assert request.keypoints is not None
            slots = self.slots()
            for slot in request.articles:
                slot_index(slot, slots)
            conditions = {
                "article_images_bytes": ("string", [request.articles.get(slot, b"") for slot in slots]),
                "keypoints": ("float", request.keypoints.tolist()),
            }
        elif pose is not None:
            raise UserError("a pose without an outfit: expected both, or for an unconditional model neither")
        # A call for each seed and not one batch: the server's time limit and the size of an answer count per call.
        return [
            self._call("predict", conditions | {"seed": ("int64", seed), "truncation_psi": ("float", psi)}, IMAGE_OUTPUT, DEFAULT)
            for seed in seeds
        ]

    def slots(self) -> tuple[str, ...]:
        """The names of the served model's slots, in its order; asked for once."""
        if self._slots is None:
            signatures = self.metadata()["signature_def"]
            if DESCRIBE in signatures:
                self._slots = tuple(self._fact("slots"))
            else:  # Of an export that describes nothing, only the number of its slots is known.
                self._slots = SLOTS
                articles = signatures.get(DEFAULT, {}).get("inputs", {}).get("article_images_bytes")
                if articles and int(articles["tensor_shape"]["dim"][1]["size"]) != len(SLOTS):
                    raise UserError(
                        f"the model {self.model_name!r} at {self._place} has other slots than {', '.join(SLOTS)} and does "
                        "not describe them: export it again"
                    )
        return self._slots

    def describe(self) -> dict[str, Any]:
        """What the served model is: slots, size and condition_size as [height, width], and conditional, a bool.

        Raises `UserError` for an export that does not describe itself.
        """
        if DESCRIBE not in self.metadata()["signature_def"]:
            raise UserError(f"the model {self.model_name!r} at {self._place} does not describe itself: export it again")
        return {name: self._fact(name) for name in FACTS}

    def _fact(self, name: str) -> Any:
        """One of `FACTS`, of a model that has the signature for it."""
        return json.loads(self._call("predict", {"what": ("string", name.encode())}, "description_bytes", DESCRIBE))

    def status(self) -> list[dict[str, Any]]:
        """Returns the model's versions: [{"version": "1", "state": "AVAILABLE", "status": {...}}], newest first."""
        return self._call("status")

    def metadata(self) -> dict[str, Any]:
        """Returns {"model_spec": {...}, "signature_def": {name: {"inputs": ..., "outputs": ...}}} of what serves."""
        return self._call("metadata")

    def _call(self, method: str, *args: object) -> Any:
        """Calls the server, again where it is busy; reports any failure of it in one line."""
        for attempt in range(self._retries + 1):
            try:
                return self._try(method, *args)
            except ServerError as error:
                if attempt == self._retries or error.code not in (None, *BUSY_CODES):
                    raise
            time.sleep(_FIRST_PAUSE_SEC * 2**attempt)

    def _try(self, method: str, *args: object) -> Any:
        try:
            if self._transport is None:
                self._transport = self._find_transport()
            return getattr(self._transport, method)(self._model, *args)
        except StatusError as error:
            text = error.message.partition("\n")[0]
            if error.code == "NOT_FOUND":
                text += f"; check that it serves a model named {self.model_name!r} and has loaded it"
            kind = RefusedError if error.code in USER_CODES else ServerError
            raise kind(f"the server at {self._place} answers {error.code}: {text}", error.code) from None
        except (OSError, http.client.HTTPException) as error:
            raise ServerError(
                f"no answer from {self._place}: {str(error) or type(error).__name__}; is the server running there?"
            ) from None

    def _find_transport(self) -> "RestTransport | GrpcTransport":
        """That of the scheme; without one REST when the port speaks HTTP/1.1, otherwise gRPC."""
        if not self._endpoint.scheme.startswith("grpc"):
            rest = RestTransport(self._endpoint, self._timeout_sec)
            if self._endpoint.scheme:
                return rest
            try:
                rest.status(self._model)
                return rest
            except StatusError:
                return rest  # An error in words is an answer too: the call itself will say it.
            except (http.client.HTTPException, ConnectionResetError):
                pass  # Something listens and does not speak HTTP/1.1.
        # The stubs take seconds to import, so only now.
        from tf_outfit_gan.client.grpc import GrpcTransport

        return GrpcTransport(self._endpoint, self._timeout_sec)
