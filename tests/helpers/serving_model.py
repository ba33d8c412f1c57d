"""A small real SavedModel with the signatures of the export and a cheap picture in it, and a server of it.

For the tests of `serving`: nothing is mocked, every question goes through a socket.
"""

import os
import time
from contextlib import contextmanager

import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import model_service_pb2_grpc, predict_pb2, prediction_log_pb2, prediction_service_pb2_grpc

from serving.model_config import single_model
from serving.server.server import EmbeddedServer

HEIGHT, WIDTH = 8, 6


class _FlatColor(tf.Module):
    """Paints a flat color that depends on everything a request holds, so that a mix-up of inputs shows."""

    def __init__(self, brightness):
        super().__init__()
        self.brightness = tf.Variable(brightness)

    def paint(self, articles, keypoints, seed, psi):
        sizes = tf.cast(tf.strings.length(articles), tf.float32)  # [6]
        draw = tf.random.stateless_normal([3], seed=tf.stack([seed, tf.constant(0, tf.int64)]), alg="philox")
        # Each number has a weight of its own: exchanged axes show.
        pose = tf.reduce_sum(keypoints * tf.reshape(tf.range(1.0, 49.0), [16, 3]))
        condition = tf.stack([tf.reduce_sum(sizes * tf.range(1.0, 7.0)), pose, 1.0]) / 100
        color = tf.sin(condition + psi * draw) * self.brightness * 0.5 + 0.5
        image = tf.saturate_cast(tf.round(color * 255), tf.uint8) + tf.zeros([HEIGHT, WIDTH, 3], tf.uint8)
        return tf.io.encode_png(image, compression=1)


def _checked_psi(psi, least=0):
    psi = tf.ensure_shape(psi, [None])
    good = tf.debugging.Assert(tf.reduce_all((psi >= least) & (psi <= 2)), ["truncation_psi must be in [0, 2], got", psi])
    with tf.control_dependencies([good]):
        return tf.identity(psi)


def write_model(folder, brightness=1.0, warmup_psi=None, least_psi=0):
    """Writes the SavedModel into `folder` under a temporary name, then renames it, as an export does.

    Args:
        folder: a numbered version folder to be.
        brightness: makes versions distinguishable.
        least_psi: the least psi that it takes.
        warmup_psi: writes one warmup record with this psi; None = none.
    """
    model = _FlatColor(brightness)

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, 6], tf.string, "article_images_bytes"),
            tf.TensorSpec([None, 16, 3], tf.float32, "keypoints"),
            tf.TensorSpec([None], tf.int64, "seed"),
            tf.TensorSpec([None], tf.float32, "truncation_psi"),
        ]
    )
    def generate(article_images_bytes, keypoints, seed, truncation_psi):
        rows = (
            tf.ensure_shape(article_images_bytes, [None, 6]),
            tf.ensure_shape(keypoints, [None, 16, 3]),
            tf.ensure_shape(seed, [None]),
            _checked_psi(truncation_psi, least_psi),
        )
        images = tf.map_fn(lambda row: model.paint(*row), rows, fn_output_signature=tf.TensorSpec([], tf.string))
        return {"image_bytes": images, "seed": rows[2]}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int64, "seed"), tf.TensorSpec([None], tf.float32, "truncation_psi")])
    def generate_unconditional(seed, truncation_psi):
        count = tf.shape(seed)[0]
        return generate(tf.fill([count, 6], ""), tf.zeros([count, 16, 3]), seed, truncation_psi)

    @tf.function(input_signature=[tf.TensorSpec([None], tf.float32, "x")])
    def numbers(x):
        """One input, one output: REST writes such values without their names."""
        return {"y": x / 10}

    @tf.function(input_signature=[tf.TensorSpec([None], tf.int32, "rounds")])
    def busy(rounds):
        """Works for as many rounds as the request asks for, so that a deadline can pass."""
        total = tf.while_loop(lambda i, _: i < rounds[0], lambda i, x: (i + 1, tf.sin(x)), (0, 1.0))[1]
        return {"total": total[tf.newaxis], "total_scalar": total}

    staging = f"{folder}.tmp"
    signatures = {"serving_default": generate, "generate_unconditional": generate_unconditional, "numbers": numbers, "busy": busy}
    tf.saved_model.save(model, staging, {name: f.get_concrete_function() for name, f in signatures.items()})
    if warmup_psi is not None:
        _write_warmup(staging, warmup_psi)
    os.rename(staging, folder)


def request_arrays(count=1, seed=7, psi=0.7):
    """The inputs of `serving_default` for `count` rows with seeds from `seed` upwards."""
    articles = np.full([count, 6], b"", object)
    articles[:, 1] = b"not looked into"
    return {
        "article_images_bytes": articles,
        "keypoints": np.full([count, 16, 3], 0.5, np.float32),
        "seed": np.arange(seed, seed + count),
        "truncation_psi": np.full([count], psi, np.float32),
    }


def predict_request(arrays, signature_name="", model_name="gen"):
    """The `PredictRequest` of arrays by input name."""
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model_name
    request.model_spec.signature_name = signature_name
    for name, array in arrays.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(array))
    return request


def _write_warmup(folder, psi):
    os.makedirs(f"{folder}/assets.extra")
    with tf.io.TFRecordWriter(f"{folder}/assets.extra/tf_serving_warmup_requests") as writer:
        log = prediction_log_pb2.PredictionLog()
        log.predict_log.request.CopyFrom(predict_request(request_arrays(psi=psi)))
        writer.write(log.SerializeToString())


@contextmanager
def running_server(base_path, model_name="gen", **options):
    """Yields an `EmbeddedServer` of one model in this process."""
    server = EmbeddedServer(single_model(model_name, base_path), lambda version: None, poll_sec=0.05, **options)
    try:
        server.start()
        yield server
    finally:
        server.stop()


@contextmanager
def stubs(port):
    """Yields the (prediction, model) stubs of a real gRPC channel."""
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield (prediction_service_pb2_grpc.PredictionServiceStub(channel), model_service_pb2_grpc.ModelServiceStub(channel))


def wait_for(condition, timeout_sec=120):
    """Waits until a condition holds; fails the test when it does not come true."""
    end = time.monotonic() + timeout_sec
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.01)
