"""Sample requests: TF Serving replays them before a version answers, and the export asks them before it publishes.

They make the server load, plan and tune everything that a first customer would otherwise wait for.
"""

from pathlib import Path

import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

FILENAME = "tf_serving_warmup_requests"


def sample_inputs(specs: list[tf.TensorSpec]) -> dict[str, tf.Tensor]:
    """One good row for each `TensorSpec`, as tensors by input name. Of the articles one is a PNG, one a JPEG."""
    gray = tf.fill([8, 6, 3], tf.constant(128, tf.uint8))
    images = [tf.io.encode_png(gray), tf.io.encode_jpeg(gray)]
    inputs = {}
    for spec in specs:
        shape = [1, *spec.shape[1:]]
        if spec.dtype == tf.string:
            inputs[spec.name] = tf.reshape(tf.stack((images + [tf.constant(b"")] * shape[1])[: shape[1]]), shape)
        elif spec.name == "layer_begin":
            inputs[spec.name] = tf.zeros(shape, spec.dtype)
        else:
            # A seed, psi, the end of a range of layers, and a pose whose joints are all there: one is good for each.
            inputs[spec.name] = tf.ones(shape, spec.dtype)
    return inputs


def write_warmup(path: Path, samples: dict[str, dict[str, tf.Tensor]]) -> None:
    """Writes the records that TF Serving replays.

    Args:
        path: the file, in the SavedModel's assets.extra.
        samples: by signature, tensors by input name.
    """
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in samples.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.signature_name = signature
            for name, value in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
