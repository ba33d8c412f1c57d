"""The client's own gRPC messages: their fields are those of TF Serving's, and wire.proto is what is compiled."""

import pytest
from tensorflow.core.framework import tensor_pb2, tensor_shape_pb2, types_pb2
from tensorflow.core.protobuf import error_codes_pb2, meta_graph_pb2
from tensorflow_serving.apis import get_model_metadata_pb2, get_model_status_pb2, model_pb2, predict_pb2, status_pb2

from tests.helpers.compiled_messages import check_compiled
from tf_outfit_gan.client import wire_pb2


def with_inner(messages):
    """{name: descriptor} of messages and of those inside them, such as the entries of maps."""
    found = {message.full_name.removeprefix(f"{message.file.package}."): message for message in messages}
    for message in messages:
        found |= with_inner(message.nested_types)
    return found


def of_modules(*modules):
    return with_inner([message for module in modules for message in module.DESCRIPTOR.message_types_by_name.values()])


OURS = of_modules(wire_pb2)
THEIRS = of_modules(
    tensor_pb2,
    tensor_shape_pb2,
    meta_graph_pb2,
    model_pb2,
    predict_pb2,
    get_model_metadata_pb2,
    get_model_status_pb2,
    status_pb2,
)


def fields(message):
    """{name: what decides about a field's bytes}."""
    return {
        field.name: (field.number, field.type, field.is_repeated, field.message_type and field.message_type.name)
        for field in message.fields
    }


@pytest.mark.parametrize("name", OURS)
def test_a_message_has_the_fields_of_the_original(name):
    assert fields(OURS[name]).items() <= fields(THEIRS[name]).items()


@pytest.mark.parametrize(
    "ours, original",
    [
        (wire_pb2.DataType, types_pb2.DataType),
        (wire_pb2.Code, error_codes_pb2.Code),
        (wire_pb2.ModelVersionStatus.State, get_model_status_pb2.ModelVersionStatus.State),
    ],
)
def test_an_enumeration_has_the_numbers_of_the_original(ours, original):
    assert dict(ours.items()).items() <= dict(original.items()).items()


def test_the_compiled_messages_are_those_of_the_source():
    check_compiled(wire_pb2, "tf_outfit_gan/client/wire.proto")
