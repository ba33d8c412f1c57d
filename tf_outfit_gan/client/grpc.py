"""The client's transport over gRPC. TF Serving's stubs import TensorFlow, which takes seconds: prefer REST where there is one."""

from typing import Any

import grpc
from google.protobuf import json_format
from google.protobuf.message import Message
from tensorflow.core.framework import tensor_pb2, types_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.apis.model_pb2 import ModelSpec

from tf_outfit_gan.client.endpoint import Endpoint, ServedModel
from tf_outfit_gan.client.errors import StatusError
from tf_outfit_gan.client.rest import Inputs, Value

FIELDS = {"float": "float_val", "int64": "int64_val", "string": "string_val"}


class GrpcTransport:
    """Talks gRPC to one server, as `RestTransport` talks HTTP: the same methods with the same results."""

    def __init__(self, endpoint: Endpoint, timeout_sec: float) -> None:
        self._timeout_sec = timeout_sec
        self._metadata = [(name.lower(), value) for name, value in endpoint.headers.items()]
        options = [
            ("grpc.max_receive_message_length", -1),  # By default answers above 4 MiB are refused.
            ("grpc.enable_http_proxy", 0),  # As over REST: the address given is the address asked.
        ]
        if endpoint.scheme == "grpcs":
            certificates = endpoint.ca_file.read_bytes() if endpoint.ca_file else None
            channel = grpc.secure_channel(endpoint.host_port, grpc.ssl_channel_credentials(certificates), options)
        else:
            channel = grpc.insecure_channel(endpoint.host_port, options)
        self._predictions = prediction_service_pb2_grpc.PredictionServiceStub(channel)
        self._models = model_service_pb2_grpc.ModelServiceStub(channel)

    def predict(self, model: ServedModel, inputs: Inputs, output: str, signature: str) -> bytes:
        """Returns one output (bytes) for one row; the arguments are those of `RestTransport.predict`."""
        request = predict_pb2.PredictRequest(output_filter=[output])
        request.model_spec.CopyFrom(_spec(model))
        request.model_spec.signature_name = signature
        for name, (dtype, value) in inputs.items():
            request.inputs[name].CopyFrom(_to_tensor(dtype, value))
        return self._call(self._predictions.Predict, request).outputs[output].string_val[0]

    def status(self, model: ServedModel) -> list[dict[str, Any]]:
        """Returns the model's versions, as TF Serving's REST API lists them."""
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=_spec(model))
        return _to_dict(self._call(self._models.GetModelStatus, request))["model_version_status"]

    def metadata(self, model: ServedModel) -> dict[str, Any]:
        """Returns the answer's "model_spec" and "signature_def" (signatures by name)."""
        request = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=_spec(model), metadata_field=["signature_def"])
        answer = self._call(self._predictions.GetModelMetadata, request)
        signatures = get_model_metadata_pb2.SignatureDefMap()
        answer.metadata["signature_def"].Unpack(signatures)
        return {"model_spec": _to_dict(answer.model_spec), "signature_def": _to_dict(signatures)["signature_def"]}

    def _call(self, method: grpc.UnaryUnaryMultiCallable, request: Message) -> Message:
        try:
            return method(request, timeout=self._timeout_sec, metadata=self._metadata)
        except grpc.RpcError as error:
            raise StatusError(error.code().name, error.details()) from None


def _spec(model: ServedModel) -> ModelSpec:
    spec = ModelSpec(name=model.name)
    if model.label is not None:
        spec.version_label = model.label
    elif model.version is not None:
        spec.version.value = model.version
    return spec


def _to_tensor(dtype: str, value: Value) -> tensor_pb2.TensorProto:
    """The TensorProto of one row's nested lists: a batch of one."""
    shape: list[int] = [1]
    flat: list[Any] = [value]
    while isinstance(flat[0], list):
        shape.append(len(flat[0]))
        flat = [item for part in flat for item in part]
    tensor = tensor_pb2.TensorProto(dtype=getattr(types_pb2, f"DT_{dtype.upper()}"))
    for size in shape:
        tensor.tensor_shape.dim.add(size=size)
    getattr(tensor, FIELDS[dtype]).extend(flat)
    return tensor


def _to_dict(message: Message) -> dict[str, Any]:
    return json_format.MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
