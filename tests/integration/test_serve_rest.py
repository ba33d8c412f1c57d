"""The REST transport: answers, shapes and error texts are those of TF Serving."""

import base64
import gzip
import http.client
import json

import numpy as np
import pytest

from tests.helpers.serving_model import request_arrays, running_server, write_model


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("gen")
    write_model(base_path / "3", warmup_psi=0.7)
    with running_server(base_path, rest_timeout_ms=2000) as running:
        yield running


@pytest.fixture(scope="module")
def ask(server):
    """ask(method, path, body) -> (HTTP status, parsed JSON or bytes), over one kept-alive connection."""
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port, timeout=30)

    def ask(method, path, body=None, headers=()):
        if not isinstance(body, (bytes, type(None))):
            body = json.dumps(body).encode()
        connection.request(method, path, body, dict(headers))
        response = connection.getresponse()
        content = response.read()
        is_json = response.headers["Content-Type"] == "application/json"
        return response.status, json.loads(content) if is_json else content

    yield ask
    connection.close()


def predict(ask, body, path="/v1/models/gen:predict"):
    return ask("POST", path, body)


def row(**changes):
    """One valid row of `serving_default`, with changes; None takes a key out."""
    arrays = request_arrays()
    values = {
        "article_images_bytes": ["", "text", {"b64": ""}, "", "", {"b64": "AAEC"}],
        "keypoints": arrays["keypoints"][0].tolist(),
        "seed": 7,
        "truncation_psi": 0.7,
    }
    return {key: value for key, value in (values | changes).items() if value is not None}


def test_row_and_columnar_give_the_same_picture_in_their_own_layout(ask):
    status, by_rows = predict(ask, {"instances": [row(seed=5), row(), row(seed=9)]})
    assert status == 200
    assert [prediction["seed"] for prediction in by_rows["predictions"]] == [5, 7, 9]
    columns = {key: [value] for key, value in row().items()}
    # Columnar input: what the signature does not know is ignored, and the prefix names version 3 in full.
    status, by_columns = predict(ask, {"inputs": columns | {"extra": 1}}, "/v1/models/gen/versions/3:predict")
    assert status == 200
    assert by_columns["outputs"]["seed"] == [7]
    assert by_columns["outputs"]["image_bytes"] == [by_rows["predictions"][1]["image_bytes"]]
    assert base64.b64decode(by_columns["outputs"]["image_bytes"][0]["b64"]).startswith(b"\x89PNG")


def test_one_input_and_one_output_need_no_names(ask):
    expected = [0.1, 1e8, -2.5]
    assert predict(ask, {"signature_name": "numbers", "instances": [1, 1e9, -25]}) == (200, {"predictions": expected})
    assert predict(ask, {"signature_name": "numbers", "inputs": [1, 1e9, -25]}) == (200, {"outputs": expected})
    assert predict(ask, {"signature_name": "numbers", "instances": [{"x": 1}]}) == (200, {"predictions": [0.1]})


def test_not_a_number_passes_in_both_directions(ask):
    status, answer = predict(ask, b'{"signature_name": "numbers", "inputs": [NaN, -Infinity]}')
    assert status == 200 and np.isnan(answer["outputs"][0]) and answer["outputs"][1] == -np.inf


@pytest.mark.parametrize(
    "body, headers",
    [
        (b'\xef\xbb\xbf {"signature_name": "numbers", "inputs": [10]} and what follows', {}),
        (gzip.compress(b'{"signature_name": "numbers", "inputs": [10]}', mtime=0), {"Content-Encoding": "gzip"}),
    ],
)
def test_bodies_that_are_read_all_the_same(ask, body, headers):
    assert ask("POST", "/V1/Models/gen:predict", body, headers) == (200, {"outputs": [1.0]})


def test_status_and_metadata_have_the_shape_of_tf_serving(ask):
    available = {"version": "3", "state": "AVAILABLE", "status": {"error_code": "OK", "error_message": ""}}
    for path in ("/v1/models/gen", "/v1/models/gen/versions/3", "/v1/models/gen/labels/any"):
        assert ask("GET", path) == (200, {"model_version_status": [available]})
    status, answer = ask("GET", "/v1/models/gen/metadata")
    assert status == 200
    assert answer["model_spec"] == {"name": "gen", "signature_name": "", "version": "3"}
    signatures = answer["metadata"]["signature_def"]["signature_def"]
    assert set(signatures) == {"serving_default", "generate_unconditional", "numbers", "busy", "__saved_model_init_op"}
    assert signatures["serving_default"]["method_name"] == "tensorflow/serving/predict"
    assert signatures["serving_default"]["inputs"]["seed"] == {
        "name": "serving_default_seed:0",
        "dtype": "DT_INT64",
        "tensor_shape": {"dim": [{"size": "-1", "name": ""}], "unknown_rank": False},
    }


def test_the_layout_of_the_answers_is_tf_servings(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.rest_port)
    connection.request("GET", "/v1/models/gen")
    response = connection.getresponse()
    assert response.headers["Server"] is None
    assert response.read().startswith(b'{\n "model_version_status": [\n  {\n   "version": "3",\n')
    connection.request("GET", "/v1/models")
    assert connection.getresponse().read() == b'{\n    "error": "Missing model name in request."\n}'
    connection.close()


WRONG_SEED = "Failed to process element: 0 key: seed of 'instances' list. Error: INVALID_ARGUMENT: "


@pytest.mark.parametrize(
    "body, error",
    [
        (b"", "JSON Parse error: The document is empty"),
        (b'{"instances": [}', "JSON Parse error: Invalid value. at offset: 15"),
        (b"[" * 100_000, "JSON Parse error: the document is nested too deeply"),
        ([1, 2], "JSON Value: [1, 2] Is not object"),
        (b'["\\ud800"]', "JSON Parse error: The surrogate pair in string is invalid. at offset: 2"),
        (
            {"signature_name": 3, "instances": [1]},
            (
                'JSON Value: {\n    "signature_name": 3,\n    "instances": [1]\n} not formatted correctly. '
                "'signature_name' key must be a string value."
            ),
        ),
        ({"signature_name": "nope", "instances": [1]}, 'Serving signature name: "nope" not found in signature def'),
        (
            {"signature_name": "__saved_model_init_op", "instances": [1]},
            "Failed to get input map for signature: __saved_model_init_op",
        ),
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"instances": []}, "JSON Value: {\n    \"instances\": []\n} No values in 'instances' array"),
        ({"instances": 1}, "JSON Value: {\n    \"instances\": 1\n} Expecting 'instances' to be an list/array"),
        (
            {"instances": [1], "inputs": 1},
            (
                'JSON Value: {\n    "instances": [1],\n    "inputs": 1\n} Not formatted correctly expecting only one of '
                "'inputs' or 'instances' keys to exist "
            ),
        ),
        (
            {"instances": [1]},
            ("instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map"),
        ),
        (
            {"inputs": [1]},
            ("inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map"),
        ),
        ({"instances": [row(), [1]]}, "Expecting object but got list at item 1 of input list"),
        (
            {"signature_name": "numbers", "instances": [1, {"x": 1}]},
            "Expecting value/list but got object at item 1 of input list",
        ),
        (
            {"instances": [row(foo=1)]},
            (
                "Failed to process element: 0 key: foo of 'instances' list. Error: "
                "INVALID_ARGUMENT: JSON object: does not have named input: foo"
            ),
        ),
        (
            {"inputs": {"article_images_bytes": [], "keypoints": [], "seed": []}},
            "Missing named input: truncation_psi in 'inputs' object.",
        ),
        ({"instances": [row(seed="x")]}, WRONG_SEED + 'JSON Value: "x" Type: String is not of expected type: int64'),
        ({"instances": [row(seed=7.0)]}, WRONG_SEED + "JSON Value: 7.0 Type: Number is not of expected type: int64"),
        ({"instances": [row(seed=True)]}, WRONG_SEED + "JSON Value: true Type: True is not of expected type: int64"),
        (
            {"inputs": {key: [value] for key, value in row(seed=2**63).items()}},
            "JSON Value: 9223372036854775808 Type: Number is not of expected type: int64",
        ),
        (
            {"signature_name": "numbers", "inputs": [2**24]},
            "Cannot convert JSON value: 16777216 to float without loss of precision.",
        ),
        (
            {"signature_name": "numbers", "inputs": [[1, 2, 3], [4, 5]]},
            "Encountered list at unexpected size: 2 at level: 1 expected size: 3",
        ),
        ({"signature_name": "numbers", "inputs": [1, [2]]}, "Encountered list at unexpected level: 1 expected < 1"),
        (
            {"signature_name": "numbers", "inputs": [[1], 2]},
            "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2",
        ),
        (
            {"instances": [row(), row(article_images_bytes=[""] * 5)]},
            (
                "Failed to process element: 1 key: article_images_bytes of 'instances' list. Error: INVALID_ARGUMENT: "
                "Expecting tensor size: 6 but got: 5"
            ),
        ),
        (
            {"signature_name": "numbers", "instances": [[[1, 2, 3]], [[1], [2], [3]]]},
            ("Failed to process element: 1 of 'instances' list. Error: INVALID_ARGUMENT: Expecting shape [1,3] but got: [3,1]"),
        ),
        ({"signature_name": "busy", "instances": [1]}, "Tensor name: total_scalar has no shape information "),
    ],
)
def test_a_wrong_body_is_answered_in_the_words_of_tf_serving(ask, body, error):
    assert predict(ask, body) == (400, {"error": error})


@pytest.mark.parametrize(
    "article, error",
    [
        ({"b64": "a-_="}, "Unable to base64 decode"),
        ({"b64": "", "x": 1}, 'JSON Value: {\n    "b64": "",\n    "x": 1\n} not formatted correctly for base64 data'),
    ],
)
def test_wrong_base64_is_refused(ask, article, error):
    status, answer = predict(ask, {"instances": [row(article_images_bytes=[article] + [""] * 5)]})
    assert status == 400
    assert answer["error"] == (
        "Failed to process element: 0 key: article_images_bytes of 'instances' list. Error: INVALID_ARGUMENT: " + error
    )


def test_a_missing_key_is_named_with_the_beginning_of_its_row(ask):
    status, answer = predict(ask, {"instances": [row(truncation_psi=None)]})
    assert status == 400
    assert answer["error"].startswith("Failed to process element: 0 of 'instances' list. JSON object: {\n")
    assert answer["error"].endswith(" keys must be equal to: article_images_bytes,keypoints,seed,truncation_psi")
    assert len(answer["error"]) < 500


def test_errors_of_the_graph_keep_their_text(ask):
    status, answer = predict(ask, {"instances": [row(truncation_psi=9)]})
    assert status == 400
    assert answer["error"].startswith("assertion failed: [truncation_psi must be in [0, 2], got] [9]\n\t [[{{function_")
    status, answer = predict(ask, {"instances": [row(keypoints=[[0.5, 0.5, 1]] * 15)]})
    assert status == 400
    assert answer["error"].startswith(
        "Shape of tensor _arg_serving_default_keypoints_0_1 [1,15,3] is not compatible with expected shape [?,16,3]."
    )


def test_a_run_that_takes_too_long_is_stopped(ask):
    status, answer = predict(ask, {"signature_name": "busy", "inputs": [2**31 - 1]})
    assert (status, answer) == (504, {"error": "Timed out waiting for notification"})


@pytest.mark.parametrize(
    "method, path, status, error",
    [
        ("POST", "/v1/models/nope:predict", 404, "Servable not found for request: Latest(nope)"),
        ("POST", "/v1/models/gen/versions/9:predict", 404, "Servable not found for request: Specific(gen, 9)"),
        (
            "POST",
            "/v1/models/gen/versions/18446744073709551615:predict",
            400,
            "Failed to convert version: 18446744073709551615 to numeric.",
        ),
        ("POST", "/v1/models/gen/labels/beta:predict", 400, "Unrecognized servable version label: beta"),
        ("GET", "/v1/models/gen/labels/beta/metadata", 400, "Unrecognized servable version label: beta"),
        ("GET", "/v1/models/nope/metadata", 404, "Servable not found for request: Latest(nope)"),
        ("GET", "/v1/models/nope", 404, "Could not find any versions of model nope"),
        ("GET", "/v1/models/gen/versions/9", 404, "Could not find version 9 of model gen"),
        ("GET", "/v1/models/gen?x=1", 404, "Could not find any versions of model gen?x=1"),
        ("GET", "/v1/models", 400, "Missing model name in request."),
        ("POST", "/v1/models/gen:predict?x=1", 400, "Malformed request: POST /v1/models/gen:predict?x=1"),
        ("POST", "/v1/models/gen:Predict", 400, "Malformed request: POST /v1/models/gen:Predict"),
        ("GET", "/v1/models/gen/", 400, "Malformed request: GET /v1/models/gen/"),
        ("PUT", "/v1/models/gen", 400, "Malformed request: PUT /v1/models/gen"),
    ],
)
def test_paths(ask, method, path, status, error):
    assert ask(method, path, b"{}" if method == "POST" else None) == (status, {"error": error})


def test_a_broken_body_is_reported_before_an_unknown_model(ask):
    assert predict(ask, b"{", "/v1/models/nope:predict")[0] == 400


def test_outside_of_the_api_is_a_page_not_found(ask):
    assert ask("GET", "/healthz") == (
        404,
        (b"<HTML><HEAD>\n<TITLE>404 Not Found</TITLE>\n</HEAD><BODY>\n<H1>Not Found</H1>\n</BODY></HTML>\n"),
    )
