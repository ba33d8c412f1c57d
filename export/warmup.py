"""Sample requests with their answers: TF Serving replays them before a version answers, and `verify` compares them.

They make the server load, plan and tune everything that a first customer would otherwise wait for.
"""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import prediction_log_pb2
from tensorflow_serving.apis.predict_pb2 import PredictRequest, PredictResponse

FILENAME = "tf_serving_warmup_requests"
_KINDS = ("PNG", "JPEG", "WEBP")

Arrays = dict[str, np.ndarray]
Sample = tuple[str, Arrays, Arrays]  # A signature, its inputs and its outputs, by name.


def sample_inputs(specs: Mapping[str, tf.TensorSpec], rows: int = 1) -> Arrays:
    """Good rows for `TensorSpec`s, by input name. The articles of a row are of every kind; one is missing."""
    rng = np.random.default_rng(0)
    images = [*(_photo(rng, kind) for kind in _KINDS), b""]
    inputs = {}
    for name, spec in specs.items():
        shape, dtype = [rows, *spec.shape[1:]], spec.dtype.as_numpy_dtype
        if name.endswith("article_images_bytes"):
            inputs[name] = np.array([(images * shape[1])[: shape[1]]] * rows, object)
        elif name.endswith("keypoints"):
            inputs[name] = np.concatenate([rng.uniform(0.2, 0.8, [*shape[:2], 2]), np.ones([*shape[:2], 1])], axis=2).astype(
                dtype
            )
        elif name.endswith("seed"):
            inputs[name] = np.arange(1, rows + 1, dtype=dtype)
        elif name == "w":
            inputs[name] = rng.standard_normal(shape).astype(dtype)
        elif name == "what":
            inputs[name] = np.full(shape, b"", object)
        else:  # The layers of a transfer are the first one; psi is 1.
            inputs[name] = np.full(shape, name != "layer_begin", dtype)
    return inputs


def _photo(rng: np.random.Generator, kind: str) -> bytes:
    out = io.BytesIO()
    coarse = Image.fromarray(rng.integers(0, 256, (4, 3, 3), np.uint8))
    coarse.resize((6, 8), Image.Resampling.BICUBIC).save(out, kind)
    return out.getvalue()


def write_samples(path: Path, samples: Iterable[Sample]) -> None:
    """Writes the records that TF Serving replays; it passes the answers over."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs, outputs in samples:
            request, response = PredictRequest(), PredictResponse()
            request.model_spec.signature_name = signature
            for tensors, arrays in ((request.inputs, inputs), (response.outputs, outputs)):
                for name, array in arrays.items():
                    tensors[name].CopyFrom(tf.make_tensor_proto(array))
            log = prediction_log_pb2.PredictLog(request=request, response=response)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())


def read_samples(path: Path) -> list[Sample]:
    """What `write_samples` wrote; the answers are empty in a file of another program."""
    samples = []
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        log = prediction_log_pb2.PredictionLog.FromString(record).predict_log
        tensors = (log.request.inputs, log.response.outputs)
        inputs, outputs = ({name: tf.make_ndarray(tensor) for name, tensor in part.items()} for part in tensors)
        samples.append((log.request.model_spec.signature_name, inputs, outputs))
    return samples
