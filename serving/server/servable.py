"""One loaded version of a model: a SavedModel's session, run as TF Serving runs it.

The runs go through the C API under `tf.compat.v1.Session.run`, because there the codes and the texts of errors are
those of TF Serving: `Session.run` and `tf.saved_model.load` check shapes in Python and word errors differently.
That call and the loader are private to TensorFlow, hence the narrow version range in setup.py.
"""

import functools
import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike
from tensorflow.core.framework import types_pb2
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow.core.protobuf import error_codes_pb2
from tensorflow.core.protobuf.config_pb2 import RunOptions
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef, TensorInfo
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.saved_model.loader_impl import SavedModelLoader
from tensorflow_serving.apis import prediction_log_pb2
from tensorflow_serving.apis.predict_pb2 import PredictRequest

from serving.server.batching import Batcher
from serving.server.errors import StatusError

DEFAULT_SIGNATURE = "serving_default"
WARMUP_FILE = "assets.extra/tf_serving_warmup_requests"
MAX_REQUEST_BYTES = 100 * 2**20  # Of a request over either transport, and of each tensor that it describes.


class Servable:
    """A SavedModel folder, loaded and warmed up: ready to answer when the constructor returns.

    Args:
        folder: that of a version.
        batcher: merges runs of several requests; None = each runs alone.

    Raises whatever TensorFlow raises for a folder that does not load, and `StatusError` for a warmup record that fails.
    """

    def __init__(self, folder: str | os.PathLike[str], batcher: Batcher | None = None) -> None:
        self._batcher = batcher
        config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
        # The whole memory of a GPU is not ours: during a swap two versions live side by side.
        config.gpu_options.allow_growth = True
        graph = tf.Graph()
        self._session = tf.compat.v1.Session(graph=graph, config=config)
        # Looked up once a tensor. It holds the graph and not the servable, which goes at once when its version retires.
        self._endpoint = functools.cache(lambda tensor: graph.get_tensor_by_name(tensor)._as_tf_output())
        try:
            self._meta_graph = SavedModelLoader(str(folder)).load(self._session, ["serve"])
            self._session._extend_graph()
            self._warm_up(Path(folder) / WARMUP_FILE)
        except BaseException:
            self.close()
            raise

    @property
    def signatures(self) -> Mapping[str, SignatureDef]:
        """The model's signatures by name, as `SignatureDef` messages."""
        return self._meta_graph.signature_def

    def close(self) -> None:
        """Frees the session; a run under way ends with CANCELLED."""
        self._session.close()

    def run(
        self,
        signature: SignatureDef,
        inputs: Mapping[str, np.ndarray],
        outputs: Iterable[str] | None = None,
        timeout_ms: float | None = None,
    ) -> dict[str, np.ndarray]:
        """Runs a signature.

        Args:
            signature: `SignatureDef`.
            inputs: array by input name; exactly the signature's inputs.
            outputs: names of the outputs wanted; None = all.
            timeout_ms: None = no limit.

        Returns: array by output name; strings are object arrays of bytes.
        Raises: `StatusError` with TensorFlow's own code and text.
        """
        fetches = {name: signature.outputs[name].name for name in (signature.outputs if outputs is None else outputs)}

        def run(arrays: Mapping[str, np.ndarray], limit_ms: float | None) -> dict[str, np.ndarray]:
            return self._run({signature.inputs[name].name: array for name, array in arrays.items()}, fetches, limit_ms)

        if self._batcher is None:
            return run(inputs, timeout_ms)
        feeds = frozenset(signature.inputs[name].name for name in inputs)
        return self._batcher.run((self, feeds, tuple(fetches.values())), run, inputs, timeout_ms)

    def _run(
        self, feeds: Mapping[str, np.ndarray], fetches: Mapping[str, str], timeout_ms: float | None
    ) -> dict[str, np.ndarray]:
        """Runs the graph: array by tensor in, tensor by output name to be fetched."""
        endpoints = {self._endpoint(name): array for name, array in feeds.items()}
        wanted = [self._endpoint(name) for name in fetches.values()]
        try:
            with _run_options(timeout_ms) as options:
                arrays = pywrap_tf_session.TF_SessionRun_wrapper(self._session._session, options, endpoints, wanted, [], None)
        except tf.errors.OpError as error:
            raise StatusError(error_codes_pb2.Code.Name(error.error_code), error.message) from None
        return {name: _as_array(value) for name, value in zip(fetches, arrays)}

    def predict(self, request: PredictRequest, timeout_ms: float | None = None) -> tuple[str, dict[str, np.ndarray]]:
        """Answers a `PredictRequest` with (name of the signature, array by output name), or raises `StatusError`."""
        signature_name = request.model_spec.signature_name or DEFAULT_SIGNATURE
        if not is_callable(self.signatures.get(signature_name)):
            raise StatusError("FAILED_PRECONDITION", f'Serving signature key "{signature_name}" not found.')
        signature = self.signatures[signature_name]
        inputs = _decode_inputs(request.inputs, signature.inputs)
        _check_outputs(request.output_filter, signature.outputs)
        return signature_name, self.run(signature, inputs, request.output_filter or None, timeout_ms)

    def _warm_up(self, path: Path) -> None:
        """Replays the recorded requests, so that the first customer does not pay for tuning; one failure fails all."""
        if not path.exists():
            return
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            log = prediction_log_pb2.PredictionLog.FromString(record)
            if log.HasField("predict_log"):
                self.predict(log.predict_log.request)


def is_callable(signature: SignatureDef | None) -> bool:
    """Whether a signature computes something; the initialization that every SavedModel lists among them does not."""
    return signature is not None and all(info.dtype != types_pb2.DT_INVALID for info in signature.outputs.values())


def _as_array(value: ArrayLike) -> np.ndarray:
    """Results of rank 0 arrive as scalars or bytes; numpy's own string type would drop zeros at the end of these."""
    return np.array(value, object) if isinstance(value, bytes) else np.asarray(value)


@contextmanager
def _run_options(timeout_ms: float | None) -> Iterator[object]:
    """Yields the C buffer of the options of a run, or None without a limit."""
    if timeout_ms is None:
        yield None
        return
    options = RunOptions(timeout_in_ms=max(1, int(timeout_ms)))
    buffer = pywrap_tf_session.TF_NewBufferFromString(options.SerializeToString())
    try:
        yield buffer
    finally:
        pywrap_tf_session.TF_DeleteBuffer(buffer)


def _decode_inputs(sent: Mapping[str, TensorProto], expected: Mapping[str, TensorInfo]) -> dict[str, np.ndarray]:
    """Turns the request's TensorProtos into arrays; exactly the expected names must be there."""
    if len(sent) != len(expected):
        raise StatusError(
            "INVALID_ARGUMENT",
            f"input size does not match signature: {len(sent)}!={len(expected)} "
            f"len({_names(sent)}) != len({_names(expected)}). Sent extra: {_names(set(sent) - set(expected))}. "
            f"Missing but required: {_names(set(expected) - set(sent))}.",
        )
    for name in sorted(expected):
        if name not in sent:
            raise StatusError(
                "INVALID_ARGUMENT",
                f"Signature input alias: {name}(feed name: {expected[name].name}) not found in request and no "
                f"default value provided. Inputs expected to be in the request {_names(expected)}, "
                "or default input alias set: ",
            )
    arrays = {}
    for name, tensor in sent.items():
        try:
            _check_shape(name, tensor)
            arrays[name] = tf.make_ndarray(tensor)
        except (IndexError, TypeError, ValueError):
            raise StatusError("INVALID_ARGUMENT", f"tensor parsing error: {name}") from None
    return arrays


def _check_shape(name: str, tensor: TensorProto) -> None:
    """Refuses what a few bytes describe and gigabytes would hold: in a TensorProto one value may stand for any number."""
    sizes = [dim.size for dim in tensor.tensor_shape.dim]
    if min(sizes, default=0) < 0:
        raise StatusError("INVALID_ARGUMENT", f"tensor parsing error: {name}")
    value_bytes = tf.as_dtype(tensor.dtype).size or np.dtype(object).itemsize
    if math.prod(sizes) * value_bytes > MAX_REQUEST_BYTES:
        raise StatusError(
            "INVALID_ARGUMENT", f"tensor parsing error: {name}, whose shape {sizes} takes more than {MAX_REQUEST_BYTES >> 20} MB"
        )


def _check_outputs(wanted: Sequence[str], known: Collection[str]) -> None:
    for position, name in enumerate(wanted):
        if name not in known:
            raise StatusError(
                "INVALID_ARGUMENT",
                f"output tensor alias not found in signature: {name} Outputs expected to be in the set {_names(known)}.",
            )
        if name in wanted[:position]:
            raise StatusError("INVALID_ARGUMENT", f"duplicate output tensor alias: {name}")


def _names(names: Iterable[str]) -> str:
    return "{" + ",".join(sorted(names)) + "}"
