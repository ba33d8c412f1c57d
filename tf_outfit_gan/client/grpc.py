"""The client's transport over gRPC, to TF Serving or `outfit-gan serve`."""

from typing import Any, TypeVar

import grpc
import numpy as np
from google.protobuf import json_format
from google.protobuf.message import Message

from tf_outfit_gan.client import wire_pb2 as wire
from tf_outfit_gan.client.endpoint import Endpoint, ServedModel
from tf_outfit_gan.client.errors import ServerError, StatusError
from tf_outfit_gan.client.inputs import Inputs, Output

FIELDS = {"float": "float_val", "int32": "int_val", "int64": "int64_val", "string": "string_val"}
Answer = TypeVar("Answer", bound=Message)


class GrpcTransport:
    """Talks gRPC to one server, as `RestTransport` talks HTTP: the same methods with the same results."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._metadata = [(name.lower(), value) for name, value in endpoint.headers.items()]
        options = [
            ("grpc.max_receive_message_length", -1),  # By default answers above 4 MiB are refused.
            ("grpc.enable_http_proxy", 0),  # As over REST: the address given is the address asked.
        ]
        if endpoint.scheme == "grpcs":
            certificates = endpoint.ca_file.read_bytes() if endpoint.ca_file else None
            self._channel = grpc.secure_channel(endpoint.host_port, grpc.ssl_channel_credentials(certificates), options)
        else:
            self._channel = grpc.insecure_channel(endpoint.host_port, options)

    def close(self) -> None:
        """Closes the channel."""
        self._channel.close()

    def predict(self, model: ServedModel, inputs: Inputs, output: str, signature: str, timeout_sec: float) -> Output:
        """Returns one output, a value a row; the arguments are those of `RestTransport.predict`."""
        request = wire.PredictRequest(model_spec=_spec(model, signature), output_filter=[output])
        for name, (dtype, values) in inputs.items():
            request.inputs[name].CopyFrom(_to_tensor(dtype, values))
        answer = self._call("PredictionService/Predict", request, wire.PredictResponse, timeout_sec)
        if output not in answer.outputs:
            raise ServerError(f"model {model.name!r} gives no {output!r}: it was not exported for outfits")
        return _to_rows(answer.outputs[output])

    def status(self, model: ServedModel, timeout_sec: float) -> list[dict[str, Any]]:
        """Returns the model's versions, as TF Serving's REST API lists them."""
        request = wire.GetModelStatusRequest(model_spec=_spec(model))
        answer = self._call("ModelService/GetModelStatus", request, wire.GetModelStatusResponse, timeout_sec)
        return _to_dict(answer)["model_version_status"]

    def metadata(self, model: ServedModel, timeout_sec: float) -> dict[str, Any]:
        """Returns the answer's "model_spec" and "signature_def" (signatures by name)."""
        request = wire.GetModelMetadataRequest(model_spec=_spec(model), metadata_field=["signature_def"])
        answer = self._call("PredictionService/GetModelMetadata", request, wire.GetModelMetadataResponse, timeout_sec)
        signatures = wire.SignatureDefMap.FromString(answer.metadata["signature_def"].value)
        return {"model_spec": _to_dict(answer.model_spec), "signature_def": _to_dict(signatures)["signature_def"]}

    def _call(self, method: str, request: Message, answer: type[Answer], timeout_sec: float) -> Answer:
        call = self._channel.unary_unary(
            f"/tensorflow.serving.{method}",
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
        try:
            return call(request, timeout=timeout_sec, metadata=self._metadata)
        except grpc.RpcError as error:
            raise StatusError(error.code().name, error.details()) from None


def _spec(model: ServedModel, signature: str = "") -> wire.ModelSpec:
    spec = wire.ModelSpec(name=model.name, signature_name=signature)
    if model.label is not None:
        spec.version_label = model.label
    elif model.version is not None:
        spec.version.value = model.version
    return spec


def _to_tensor(dtype: str, values: list[Any]) -> wire.TensorProto:
    """The TensorProto of nested lists of one shape."""
    shape, flat = [len(values)], values
    while isinstance(flat[0], list):
        shape.append(len(flat[0]))
        flat = [item for part in flat for item in part]
    dims = [wire.TensorShapeProto.Dim(size=size) for size in shape]
    tensor = wire.TensorProto(dtype=f"DT_{dtype.upper()}", tensor_shape=wire.TensorShapeProto(dim=dims))
    getattr(tensor, FIELDS[dtype]).extend(flat)
    return tensor


def _to_rows(tensor: wire.TensorProto) -> Output:
    """The values of a TensorProto of strings or of float32, [N, ...], as nested lists."""
    if tensor.dtype == wire.DT_STRING:
        return list(tensor.string_val)
    # Servers write numbers as the bytes of an array, or one by one.
    flat = np.frombuffer(tensor.tensor_content, "<f4") if tensor.tensor_content else np.array(tensor.float_val, np.float32)
    return flat.reshape([dim.size for dim in tensor.tensor_shape.dim]).tolist()


def _to_dict(message: Message) -> dict[str, Any]:
    return json_format.MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
