"""A client for pictures of outfits, for TF Serving and for `outfit-gan serve`, over whichever port it is given.

It needs neither TensorFlow nor Keras.
"""

import io
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from PIL import Image

from tf_outfit_gan.client.connection import FIRST_PAUSE_SEC, Connection
from tf_outfit_gan.client.endpoint import ServedModel, parse_endpoint
from tf_outfit_gan.client.errors import RefusedError, ServerError
from tf_outfit_gan.client.inputs import Inputs, Output, repeated
from tf_outfit_gan.outfit_request import OutfitLike, PoseLike, Request, check_layers, check_psi, check_seeds, read_request
from tf_outfit_gan.picture_styles import Styles
from tf_outfit_gan.slots import SLOTS, slot_index
from tf_outfit_gan.util.errors import UserError

IMAGE_OUTPUT = "image_bytes"
DEFAULT, DESCRIBE = "serving_default", "describe"  # Signatures.


class Client:
    """Asks one server for pictures. Threads can share it; `with` closes its connections.

    Args:
        address: "localhost:8501", the port of REST or of gRPC: the first call finds out which; or a URL: "https://HOST/PREFIX"
            and "http://..." for REST, "grpcs://HOST:PORT" (TLS) and "grpc://..." for gRPC.
        model_name: the model's name on the server.
        timeout_sec: limit of one request, the server's work and all further tries included.
        version: ask this version; None = the newest, or that of the label.
        label: ask the version that has this label, such as "stable".
        headers: go with each request, such as {"Authorization": "Bearer ..."}; over gRPC as metadata.
        ca_file: certificates, in PEM, of those who may sign the server's; None = the system's.
        retries: how often a request is made again, after growing pauses, where the server is busy or not there.
        batch_size: how many pictures of a call to ask for in one request. The time limit and the server's limits (rows, length
            of an answer) count by request.

    Arguments of its methods are those of `Model`'s. Every method raises `UserError` for a mistake in its arguments,
    `RefusedError`, which is one, when the server reports it, and `ServerError` when the server is not there or fails; the
    last two have a `code`.
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
        batch_size: int = 1,
    ) -> None:
        if version is not None and label is not None:
            raise UserError(f"version {version} and label {label!r}: expected one of them")
        if not (timeout_sec > 0 and retries >= 0 and batch_size >= 1):
            raise UserError(
                f"timeout_sec {timeout_sec}, retries {retries}, batch_size {batch_size}: expected a time above 0, no negative "
                "number of retries and a batch of one picture at least"
            )
        endpoint = parse_endpoint(address, headers or {}, Path(ca_file) if ca_file else None)
        if endpoint.ca_file and not endpoint.ca_file.is_file():
            raise UserError(f"{ca_file}: no such file; expected certificates in PEM")
        self._connection = Connection(endpoint, ServedModel(model_name, version, label), timeout_sec, retries)
        self._batch_size = batch_size
        self._slots: tuple[str, ...] | None = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections; a later call opens new ones."""
        self._connection.close()

    @property
    def model_name(self) -> str:
        """The model's name on the server."""
        return self._connection.model.name

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
            time.sleep(FIRST_PAUSE_SEC)

    def render(
        self,
        outfit: OutfitLike | None = None,
        seeds: int | Iterable[int] = 1,
        psi: float | None = None,
        pose: PoseLike | None = None,
    ) -> np.ndarray:
        """Draws a picture a seed, uint8 [N, H, W, 3]: those of `Model.render`.

        Entries of a data set, "DATA:ID", are read with TensorFlow and sent at the largest size that is stored.
        """
        return _decoded(self.render_png(outfit, seeds, psi, pose))

    def render_png(
        self,
        outfit: OutfitLike | None = None,
        seeds: int | Iterable[int] = 1,
        psi: float | None = None,
        pose: PoseLike | None = None,
    ) -> list[bytes]:
        """`render` as the server answers: a PNG file's bytes a seed."""
        return self._draw(DEFAULT, outfit, seeds, psi, pose)

    def render_jpeg(
        self,
        outfit: OutfitLike | None = None,
        seeds: int | Iterable[int] = 1,
        psi: float | None = None,
        pose: PoseLike | None = None,
    ) -> list[bytes]:
        """`render` as a JPEG file's bytes a seed: with a loss, a fraction of the length."""
        return self._draw("render_jpeg", outfit, seeds, psi, pose)

    def preview(
        self,
        outfit: OutfitLike | None = None,
        seeds: int | Iterable[int] = 1,
        psi: float | None = None,
        pose: PoseLike | None = None,
    ) -> np.ndarray:
        """Small, quick pictures of what `render` would draw, uint8 [N, h, w, 3]: those of a lower level of the network."""
        return _decoded(self._draw("preview", outfit, seeds, psi, pose))

    def styles(
        self,
        outfit: OutfitLike | None = None,
        seeds: int | Iterable[int] = 1,
        psi: float | None = None,
        pose: PoseLike | None = None,
    ) -> Styles:
        """The style vectors of what `render` would draw, and all else that is needed to draw it."""
        request, rows, psi = self._question(outfit, seeds, psi, pose)
        w = self._predict_rows(rows, self._conditions(request) | _numbers("float", truncation_psi=psi), "w", "style")
        return Styles(np.asarray(w, np.float32), tuple(rows), request)

    def synthesize(self, styles: Styles) -> np.ndarray:
        """Draws what `styles` returned, uint8 [N, H, W, 3]; to edit it in between, see `Styles.with_w`."""
        if not isinstance(styles, Styles) or not len(styles):
            raise UserError("expected what client.styles(...) returns, of one picture at least")
        taken = self._signature("synthesize")["inputs"]
        conditions = {name: value for name, value in self._conditions(styles.outfit).items() if name in taken}
        pictures: list[bytes] = []
        for part in _parts(range(len(styles)), self._batch_size):
            own: Inputs = {
                "w": ("float", [styles.w[row].tolist() for row in part]),
                "seed": ("int64", [styles.seeds[row] for row in part]),
            }
            pictures += self._connection.predict(own | repeated(conditions, len(part)), IMAGE_OUTPUT, "synthesize")
        return _decoded(pictures)

    def transfer(
        self,
        source: OutfitLike | int,
        target: OutfitLike | int,
        what: str,
        *,
        seed: int | None = None,
        psi: float | None = None,
        layers: tuple[int, int] | None = None,
    ) -> np.ndarray:
        """The target's picture with the color or the pose of the source's, uint8 [H, W, 3]; see `Model.transfer`.

        Without `layers`, the server's model says which layers carry the color and which the pose.
        """
        if what not in ("color", "pose"):
            raise UserError(f"unknown transfer {what!r}: expected color or pose")
        facts = self.describe()
        known, conditional = facts["layers"], facts["conditional"]
        begin, end = check_layers(known[what] if layers is None else layers, known["count"])
        if seed is not None and not conditional:
            raise UserError("this model is unconditional: source and target are seeds; leave out seed")
        inputs: Inputs = _numbers("int32", layer_begin=begin, layer_end=end)
        for side, given in (("source", source), ("target", target)):
            outfit, side_seed = (given, 1 if seed is None else seed) if conditional else (None, given)
            request, [row], psi_of_side = self._question(outfit, side_seed, psi)
            inputs |= {f"{side}_{name}": value for name, value in self._conditions(request).items()}
            inputs |= _numbers("int64", **{f"{side}_seed": row}) | _numbers("float", truncation_psi=psi_of_side)
        return _decoded(self._connection.predict(inputs, IMAGE_OUTPUT, "transfer"))[0]

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
                        f"the model {self.model_name!r} at {self._connection.place} has other slots than {', '.join(SLOTS)} and "
                        "does not describe them: export it again"
                    )
        return self._slots

    def describe(self) -> dict[str, Any]:
        """What the served model says of itself: slots, size and condition_size as [height, width], conditional, limits and more.

        docs/serving.md lists it. Raises `UserError` for an export that does not describe itself.
        """
        self._signature(DESCRIBE)
        return self._fact("")

    def status(self) -> list[dict[str, Any]]:
        """Returns the model's versions: [{"version": "1", "state": "AVAILABLE", "status": {...}}], newest first."""
        return self._connection.status()

    def metadata(self) -> dict[str, Any]:
        """Returns {"model_spec": {...}, "signature_def": {name: {"inputs": ..., "outputs": ...}}} of what serves."""
        return self._connection.metadata()

    def _signature(self, name: str) -> dict[str, Any]:
        """The inputs and outputs of a signature."""
        signatures = self.metadata()["signature_def"]
        if name not in signatures:
            raise UserError(
                f"the model {self.model_name!r} at {self._connection.place} has no signature {name!r}: export it again"
            )
        return signatures[name]

    def _fact(self, name: str) -> Any:
        """One member of the description, or all with an empty name, of a model that has the signature for it."""
        return json.loads(self._connection.predict({"what": ("string", [name.encode()])}, "description_bytes", DESCRIBE)[0])

    def _question(
        self, outfit: Any, seeds: Any, psi: float | None, pose: PoseLike | None = None
    ) -> tuple[Request | None, list[int], float]:
        """(`Request` or None, seeds, psi), read and checked."""
        rows, psi = check_seeds(seeds), check_psi(psi, conditional=outfit is not None)
        if outfit is not None:
            return read_request(outfit, pose=pose, slots=None).checked(), rows, psi
        if pose is not None:
            raise UserError("a pose without an outfit: expected both, or for an unconditional model neither")
        return None, rows, psi

    def _conditions(self, request: Request | None) -> Inputs:
        """The inputs of an outfit, one row; none for an unconditional model."""
        if request is None:
            return {}
        assert request.keypoints is not None
        slots = self.slots()
        for slot in request.articles:
            slot_index(slot, slots)
        return {
            "article_images_bytes": ("string", [[request.articles.get(slot, b"") for slot in slots]]),
            "keypoints": ("float", [request.keypoints.tolist()]),
        }

    def _draw(
        self, signature: str, outfit: OutfitLike | None, seeds: int | Iterable[int], psi: float | None, pose: PoseLike | None
    ) -> list[bytes]:
        request, rows, psi = self._question(outfit, seeds, psi, pose)
        return self._predict_rows(
            rows, self._conditions(request) | _numbers("float", truncation_psi=psi), IMAGE_OUTPUT, signature
        )

    def _predict_rows(self, seeds: Sequence[int], row: Inputs, output: str, signature: str) -> Output:
        """One output for each seed; all else is the same for each."""
        found: Output = []
        for part in _parts(seeds, self._batch_size):
            found += self._connection.predict(repeated(row, len(part)) | {"seed": ("int64", list(part))}, output, signature)
        return found


def _numbers(dtype: str, **values: float) -> Inputs:
    """Scalars as inputs of one row."""
    return {name: (dtype, [value]) for name, value in values.items()}


def _parts(rows: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))


def _decoded(pictures: Sequence[bytes]) -> np.ndarray:
    return np.stack([np.asarray(Image.open(io.BytesIO(picture)).convert("RGB")) for picture in pictures])
