"""The gRPC transport: answers, codes and texts are those of TF Serving; both transports give the same picture."""

import base64
import http.client
import json

import grpc
import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import classification_pb2, get_model_metadata_pb2, get_model_status_pb2, predict_pb2

from tests.helpers.serving_model import predict_request, request_arrays, running_server, stubs, wait_for, write_model


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("gen")
    write_model(base_path / "3")
    with running_server(base_path) as running:
        yield running


@pytest.fixture(scope="module")
def predictions(server):
    with stubs(server.port) as (predictions, _):
        yield predictions


@pytest.fixture(scope="module")
def models(server):
    with stubs(server.port) as (_, models):
        yield models


def test_predict_answers_with_typed_values_and_the_version(predictions):
    answer = predictions.Predict(predict_request(request_arrays(2)))
    assert answer.model_spec.name == "gen"
    assert answer.model_spec.version.value == 3
    assert answer.model_spec.signature_name == "serving_default"
    assert set(answer.outputs) == {"image_bytes", "seed"}
    assert list(answer.outputs["seed"].int64_val) == [7, 8]
    assert not answer.outputs["seed"].tensor_content
    one, two = answer.outputs["image_bytes"].string_val
    assert one.startswith(b"\x89PNG") and one != two
    # One seed is one picture, alone or in a batch.
    alone = predictions.Predict(predict_request(request_arrays(1, seed=8)))
    assert alone.outputs["image_bytes"].string_val[0] == two


def test_both_transports_give_the_same_picture(server, predictions):
    arrays = request_arrays()
    by_grpc = predictions.Predict(predict_request(arrays)).outputs["image_bytes"].string_val[0]
    inputs = arrays | {
        "article_images_bytes": [
            [{"b64": base64.b64encode(item).decode()} for item in row] for row in arrays["article_images_bytes"]
        ]
    }
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port)
    connection.request("POST", "/v1/models/gen:predict", json.dumps({"inputs": inputs}, default=lambda array: array.tolist()))
    by_rest = json.loads(connection.getresponse().read())["outputs"]["image_bytes"][0]["b64"]
    connection.close()
    assert base64.b64decode(by_rest) == by_grpc


def test_output_filter_and_typed_scalars(predictions):
    request = predict_request({"rounds": np.array([1], np.int32)}, "busy")
    request.output_filter.append("total_scalar")
    answer = predictions.Predict(request)
    assert set(answer.outputs) == {"total_scalar"}
    assert list(answer.outputs["total_scalar"].float_val) == pytest.approx([np.sin(1)])
    assert not answer.outputs["total_scalar"].tensor_shape.dim


def test_one_typed_value_stands_for_a_whole_tensor(predictions):
    request = predict_pb2.PredictRequest()
    request.model_spec.name = "gen"
    request.model_spec.signature_name = "numbers"
    request.inputs["x"].CopyFrom(tf.make_tensor_proto([20.0]))
    request.inputs["x"].tensor_shape.dim[0].size = 3
    assert list(predictions.Predict(request).outputs["y"].float_val) == [2, 2, 2]


ALL = "{article_images_bytes,keypoints,seed,truncation_psi}"


def _changed(**changes):
    arrays = request_arrays() | changes
    return {name: array for name, array in arrays.items() if array is not None}


@pytest.mark.parametrize(
    "request_, code, text",
    [
        (predict_pb2.PredictRequest(), "INVALID_ARGUMENT", "Missing ModelSpec"),
        (predict_request({}, model_name="", signature_name="x"), "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        (predict_request({}, model_name="nope"), "NOT_FOUND", "Servable not found for request: Latest(nope)"),
        (predict_request({}, "nope"), "FAILED_PRECONDITION", 'Serving signature key "nope" not found.'),
        (
            predict_request({}, "__saved_model_init_op"),
            "FAILED_PRECONDITION",
            'Serving signature key "__saved_model_init_op" not found.',
        ),
        (
            predict_request({"seed": np.array([1])}),
            "INVALID_ARGUMENT",
            (
                f"input size does not match signature: 1!=4 len({{seed}}) != len({ALL}). Sent extra: {{}}. "
                "Missing but required: {article_images_bytes,keypoints,truncation_psi}."
            ),
        ),
        (
            predict_request(_changed(seed=None, sed=np.array([1]))),
            "INVALID_ARGUMENT",
            (
                "Signature input alias: seed(feed name: serving_default_seed:0) not found in request and no default value "
                f"provided. Inputs expected to be in the request {ALL}, or default input alias set: "
            ),
        ),
        (
            predict_request(_changed(seed=np.array([1], np.int32))),
            "INVALID_ARGUMENT",
            "Expects arg[2] to be int64 but int32 is provided",
        ),
    ],
)
def test_a_wrong_request_is_answered_in_the_words_of_tf_serving(predictions, request_, code, text):
    with pytest.raises(grpc.RpcError) as error:
        predictions.Predict(request_)
    assert (error.value.code().name, error.value.details()) == (code, text)


def _refusal(call, request, **kwargs):
    with pytest.raises(grpc.RpcError) as error:
        call(request, **kwargs)
    return error.value.code().name, error.value.details()


def test_wrong_tensors_and_outputs_are_refused(predictions):
    request = predict_request(request_arrays())
    request.inputs["keypoints"].tensor_content = b"short"
    assert _refusal(predictions.Predict, request) == ("INVALID_ARGUMENT", "tensor parsing error: keypoints")
    request = predict_request(request_arrays())
    request.output_filter.append("zzz")
    assert _refusal(predictions.Predict, request) == (
        "INVALID_ARGUMENT",
        ("output tensor alias not found in signature: zzz Outputs expected to be in the set {image_bytes,seed}."),
    )
    request.output_filter[:] = ["seed", "seed"]
    assert _refusal(predictions.Predict, request) == ("INVALID_ARGUMENT", "duplicate output tensor alias: seed")


def test_a_long_text_is_cut(predictions):
    code, text = _refusal(predictions.Predict, predict_request({}, "x" * 2000))
    assert code == "FAILED_PRECONDITION" and len(text) == 1024 + len("...TRUNCATED") and text.endswith("...TRUNCATED")


def test_the_clients_deadline_stops_the_run(server, predictions):
    request = predict_request({"rounds": np.array([2**31 - 1], np.int32)}, "busy")
    assert _refusal(predictions.Predict, request, timeout=0.5)[0] == "DEADLINE_EXCEEDED"
    # The run itself has ended too, not only the call: nobody uses the version any more.
    wait_for(lambda: server.models["gen"].current.users == 0, timeout_sec=5)


def test_metadata(predictions):
    request = get_model_metadata_pb2.GetModelMetadataRequest(metadata_field=["signature_def"])
    request.model_spec.name = "gen"
    answer = predictions.GetModelMetadata(request)
    assert (answer.model_spec.name, answer.model_spec.version.value) == ("gen", 3)
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["serving_default"].inputs["seed"].name == "serving_default_seed:0"
    request.metadata_field[:] = ["foo"]
    assert _refusal(predictions.GetModelMetadata, request) == ("INVALID_ARGUMENT", "Metadata field foo is not supported")
    del request.metadata_field[:]
    assert _refusal(predictions.GetModelMetadata, request) == (
        "INVALID_ARGUMENT",
        "GetModelMetadataRequest must specify at least one metadata_field",
    )


def test_status(models):
    request = get_model_status_pb2.GetModelStatusRequest()
    request.model_spec.name = "gen"
    (version,) = models.GetModelStatus(request).model_version_status
    assert (version.version, version.state, version.status.error_code) == (3, version.AVAILABLE, 0)
    request.model_spec.version.value = 9
    assert _refusal(models.GetModelStatus, request) == ("NOT_FOUND", "Could not find version 9 of model gen")


def test_what_is_not_served_is_unimplemented(predictions):
    assert _refusal(predictions.Classify, classification_pb2.ClassificationRequest())[0] == "UNIMPLEMENTED"
