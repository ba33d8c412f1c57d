"""Sample requests: TF Serving replays them before a version answers, and the export asks them before it publishes.

They make the server load, plan and tune everything that a first customer would otherwise wait for.
"""

import io
from collections.abc import Iterable, Mapping
from pathlib import Path

import tensorflow as tf
from PIL import Image
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

FILENAME = "tf_serving_warmup_requests"
_KINDS = ("PNG", "JPEG", "WEBP")


def sample_inputs(specs: Mapping[str, tf.TensorSpec], rows: int = 1) -> dict[str, tf.Tensor]:
    """Good rows for `TensorSpec`s, as tensors by input name. The articles of a row are of every kind; one is missing."""
    gray = Image.new("RGB", (6, 8), "gray")
    images = [*(_encoded(gray, kind) for kind in _KINDS), b""]
    inputs = {}
    for name, spec in specs.items():
        shape = [rows, *spec.shape[1:]]
        if name.endswith("article_images_bytes"):
            row = (images * shape[1])[: shape[1]]
            inputs[name] = tf.constant([row] * rows)
        elif spec.dtype == tf.string:
            inputs[name] = tf.fill(shape, "")
        elif name == "layer_begin":
            inputs[name] = tf.zeros(shape, spec.dtype)
        else:
            # A seed, psi, the end of a range of layers, style vectors, and a pose whose joints are all there: one is good
            # for each.
            inputs[name] = tf.ones(shape, spec.dtype)
    return inputs


def _encoded(image: Image.Image, kind: str) -> bytes:
    out = io.BytesIO()
    image.save(out, kind)
    return out.getvalue()


def write_warmup(path: Path, samples: Iterable[tuple[str, Mapping[str, tf.Tensor]]]) -> None:
    """Writes the records that TF Serving replays.

    Args:
        path: the file, in the SavedModel's assets.extra.
        samples: (signature, tensors by input name) of each request.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in samples:
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = signature
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
