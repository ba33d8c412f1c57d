"""The gRPC transport: TF Serving's calls for predictions, metadata, status and reload, health checks and reflection.

Any other call is UNIMPLEMENTED.
"""

import threading
from collections.abc import Callable
from concurrent import futures
from functools import partial

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf.message import Message
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from tensorflow.core.framework.tensor_pb2 import TensorProto
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_management_pb2, predict_pb2
from tensorflow_serving.apis.model_pb2 import ModelSpec

from serving.server.errors import StatusError
from serving.server.metrics import Metrics
from serving.server.model_messages import model_metadata, model_status
from serving.server.models import Models
from serving.server.servable import MAX_REQUEST_BYTES
from serving.server.workers import Workers, stopping

# TF Serving cuts the text of a status here.
MESSAGE_BYTES = 1024
TRUNCATED = "...TRUNCATED"

# Threads beside those of calls that wait for their prediction: for states, reloads, health checks.
OTHER_THREADS = 8

# gRPC gives a call without a deadline centuries, more than a run's options can hold.
NO_DEADLINE_SEC = 10 * 365 * 86400

OPTIONS = [
    ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
    ("grpc.max_send_message_length", -1),
    # Without this a second server would share the port, and each would get half of the calls.
    ("grpc.so_reuseport", 0),
]

# Where a TensorProto holds the values of a type. Answers hold typed values, never `tensor_content`, into which
# `tf.make_tensor_proto` packs numbers: clients written for TF Serving read `float_val`.
FIELDS = {
    tf.float32: "float_val",
    tf.float64: "double_val",
    tf.bool: "bool_val",
    tf.string: "string_val",
    tf.int8: "int_val",
    tf.int16: "int_val",
    tf.int32: "int_val",
    tf.uint8: "int_val",
    tf.uint16: "int_val",
    tf.int64: "int64_val",
    tf.uint32: "uint32_val",
    tf.uint64: "uint64_val",
    tf.half: "half_val",
    tf.bfloat16: "half_val",
}


class GrpcServer:
    """Answers from the constructor on, until `stop`.

    Args:
        models: the `Models`.
        workers: where predictions run.
        metrics: where they are counted.
        host, port: where to listen; port 0 = any free one, `self.port` says which.
        credentials: for TLS; None = none.
        socket_path: a UNIX socket to listen on, too, without TLS; None = none.

    Raises: `RuntimeError` when the port or the socket cannot be had.
    """

    def __init__(
        self,
        models: Models,
        workers: Workers,
        metrics: Metrics,
        host: str,
        port: int,
        credentials: grpc.ServerCredentials | None = None,
        socket_path: str | None = None,
    ) -> None:
        services = {
            "tensorflow.serving.PredictionService": {
                "Predict": _handler(partial(_predict, models, workers, metrics), predict_pb2.PredictRequest),
                "GetModelMetadata": _handler(partial(_metadata, models), get_model_metadata_pb2.GetModelMetadataRequest),
            },
            "tensorflow.serving.ModelService": {
                "GetModelStatus": _handler(partial(_status, models), get_model_status_pb2.GetModelStatusRequest),
                "HandleReloadConfigRequest": _handler(partial(_reload, models), model_management_pb2.ReloadConfigRequest),
            },
        }
        threads = workers.places + OTHER_THREADS
        self._server = grpc.server(
            futures.ThreadPoolExecutor(threads, thread_name_prefix="grpc"), options=OPTIONS, maximum_concurrent_rpcs=threads
        )
        self._server.add_generic_rpc_handlers(
            [grpc.method_handlers_generic_handler(name, handlers) for name, handlers in services.items()]
        )
        self._health = health.HealthServicer()
        for name in services:
            self._health.set(name.rpartition(".")[2], health_pb2.HealthCheckResponse.SERVING)  # TF Serving's names.
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection((*services, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server)
        address = f"{host}:{port}"
        if credentials is None:
            self.port = self._server.add_insecure_port(address)
        else:
            self.port = self._server.add_secure_port(address, credentials)
        if socket_path is not None:
            self._server.add_insecure_port(f"unix:{socket_path}")
        self._server.start()

    def stop(self, grace_sec: float) -> threading.Event:
        """Takes no new calls; those under way have `grace_sec`, then they are cancelled. Returns the event of the end."""
        self._health.enter_graceful_shutdown()
        return self._server.stop(grace_sec)


def _handler(answer: Callable[[Message, grpc.ServicerContext], Message], request_class: type[Message]) -> grpc.RpcMethodHandler:
    """Wraps answer(request, context) -> response: a `StatusError` becomes the call's status."""

    def handle(request: Message, context: grpc.ServicerContext) -> Message:
        try:
            return answer(request, context)
        except StatusError as error:
            status, message = error.code, error.message
        except futures.CancelledError:
            status, message = stopping().code, stopping().message
        except Exception as error:
            status, message = "INTERNAL", f"{type(error).__name__}: {error}"
        context.abort(grpc.StatusCode[status], _cut(message))

    return grpc.unary_unary_rpc_method_handler(
        handle,
        request_deserializer=request_class.FromString,
        response_serializer=lambda response: response.SerializeToString(),
    )


def _predict(
    models: Models,
    workers: Workers,
    metrics: Metrics,
    request: predict_pb2.PredictRequest,
    context: grpc.ServicerContext,
) -> predict_pb2.PredictResponse:
    name = request.model_spec.name

    def work() -> predict_pb2.PredictResponse:
        remaining_sec = context.time_remaining()  # The wait for the turn counts: the client's clock does not stop.
        timeout_ms = remaining_sec * 1000 if remaining_sec < NO_DEADLINE_SEC else None
        with models.borrow(_spec(request)) as version, metrics.run(name):
            signature_name, arrays = version.loaded.predict(request, timeout_ms)
        response = predict_pb2.PredictResponse()
        response.model_spec.name = name
        response.model_spec.version.value = version.number
        response.model_spec.signature_name = signature_name
        for output, array in arrays.items():
            response.outputs[output].CopyFrom(to_tensor_proto(array))
        return response

    with metrics.request(name, "GRPC"):
        answer = workers.submit(work)
        if not context.add_callback(answer.cancel):  # For a client that has gone, or whose time is over.
            answer.cancel()
        return answer.result()


def _metadata(
    models: Models, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
) -> get_model_metadata_pb2.GetModelMetadataResponse:
    spec = _spec(request)
    if not request.metadata_field:
        raise StatusError("INVALID_ARGUMENT", "GetModelMetadataRequest must specify at least one metadata_field")
    for field in request.metadata_field:
        if field != "signature_def":
            raise StatusError("INVALID_ARGUMENT", f"Metadata field {field} is not supported")
    number, signatures = model_metadata(models, spec)
    response = get_model_metadata_pb2.GetModelMetadataResponse()
    response.model_spec.name = spec.name
    response.model_spec.version.value = number
    response.metadata["signature_def"].Pack(signatures)
    return response


def _status(
    models: Models, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
) -> get_model_status_pb2.GetModelStatusResponse:
    return model_status(models, _spec(request))


def _reload(
    models: Models, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
) -> model_management_pb2.ReloadConfigResponse:
    models.reload(request.config)
    return model_management_pb2.ReloadConfigResponse()


def _spec(request: Message) -> ModelSpec:
    if not request.HasField("model_spec"):
        raise StatusError("INVALID_ARGUMENT", "Missing ModelSpec")
    return request.model_spec


def _cut(message: str) -> str:
    data = message.encode()
    return message if len(data) <= MESSAGE_BYTES else data[:MESSAGE_BYTES].decode(errors="ignore") + TRUNCATED


def to_tensor_proto(array: np.ndarray) -> TensorProto:
    """Returns the TensorProto of an array; raises `KeyError` for a type without a field of its own."""
    dtype = tf.as_dtype(array.dtype)
    proto = TensorProto(dtype=dtype.as_datatype_enum, tensor_shape=tf.TensorShape(array.shape).as_proto())
    values = array.view(np.uint16) if FIELDS[dtype] == "half_val" else array
    getattr(proto, FIELDS[dtype]).extend(values.ravel().tolist())
    return proto
