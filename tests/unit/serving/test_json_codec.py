"""Bodies of REST requests and answers, value by value; `tests/integration/test_serve_rest.py` asks a server."""

import json

import numpy as np
import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

from serving.server import json_codec
from serving.server.errors import StatusError
from serving.server.json_codec import parse_body, quote, read_inputs, write_outputs

TYPES = {name: getattr(types_pb2, f"DT_{name.upper()}") for name in ("int8", "uint8", "int32", "int64", "uint32", "uint64")}
TYPES |= {"float": types_pb2.DT_FLOAT, "double": types_pb2.DT_DOUBLE, "bool": types_pb2.DT_BOOL, "string": types_pb2.DT_STRING}


def read(document, **types):
    """The arrays of a body for inputs of some types, x=..., as lists."""
    arrays, rows = read_inputs(document, {name: TensorInfo(dtype=TYPES[kind]) for name, kind in types.items()})
    assert rows == ("instances" in document)
    return {name: array.tolist() for name, array in arrays.items()}


@pytest.mark.parametrize(
    "kind, value",
    [
        ("int64", [-(2**63), 2**63 - 1]),
        ("uint64", [0, 2**64 - 1]),
        ("int32", [[-(2**31)], [2**31 - 1]]),
        ("uint32", [0, 2**32 - 1]),
        ("float", [2**24 - 1, -(2**24) + 1, 0.5]),
        ("double", [2**53 - 1, 1e300]),
        ("float", [float(np.finfo(np.float32).max)]),
        ("bool", [True, False]),
        ("int64", []),
        ("float", 1.5),
    ],
)
def test_a_value_is_read_as_it_is(kind, value):
    assert read({"inputs": {"x": value}}, x=kind) == {"x": value} == read({"inputs": value}, x=kind)


@pytest.mark.parametrize(
    "kind, value",
    [
        ("int64", 2**63),
        ("int64", -(2**63) - 1),
        ("uint64", 2**64),
        ("uint64", -1),
        ("int32", 2**31),
        ("uint32", 2**32),
        ("float", 2**24),
        ("float", 1e39),
        ("float", 3.4028236e38),
        ("double", 2**53),
        ("int32", 1.0),
        ("int32", True),
        ("bool", 1),
        ("string", 1),
        ("float", "1"),
        ("float", None),
    ],
)
def test_a_value_beyond_its_type_is_refused(kind, value):
    words = (
        "without loss of precision" if kind in ("float", "double") and type(value) in (int, float) else "is not of expected type"
    )
    with pytest.raises(StatusError, match=words):
        read({"inputs": [value]}, x=kind)


def test_texts_and_bytes():
    # With and without padding, of every length; with blanks.
    sent = ["é", {"b64": "AA=="}, {"b64": "AAE"}, {"b64": " AA\nEC"}, {"b64": ""}]
    assert read({"inputs": sent}, x="string") == {"x": ["é".encode(), b"\0", b"\0\1", b"\0\1\2", b""]}
    for wrong in ({"b64": "A"}, {"b64": "A*=="}):
        with pytest.raises(StatusError, match="Unable to base64 decode"):
            read({"inputs": [wrong]}, x="string")
    for wrong in ({"b64": 1}, {"b65": "AA"}):
        with pytest.raises(StatusError, match="not formatted correctly for base64 data"):
            read({"inputs": [wrong]}, x="string")


def test_rows_are_the_batch():
    rows = [{"x": [1, 2], "y": "a"}, {"y": {"b64": "AA"}, "x": [3, 4]}]
    assert read({"instances": rows}, x="int32", y="string") == {"x": [[1, 2], [3, 4]], "y": [b"a", b"\0"]}
    assert read({"instances": [[1, 2], [3, 4]]}, x="int32") == {"x": [[1, 2], [3, 4]]}
    assert read({"instances": [{"b64": "AA"}]}, x="string") == {"x": [b"\0"]}


@pytest.mark.parametrize(
    "document, words",
    [
        ({}, "Missing 'inputs' or 'instances' key"),
        ({"inputs": 1, "instances": [1]}, "expecting only one of 'inputs' or 'instances' keys"),
        ({"instances": 1}, "Expecting 'instances' to be an list/array"),
        ({"instances": []}, "No values in 'instances' array"),
        ({"inputs": [1]}, "inputs is a plain value/list, but expecting an object"),
        ({"inputs": {"x": 1}}, "Missing named input: y in 'inputs' object."),
        ({"instances": [1]}, "instances is a plain list, but expecting list of objects"),
        ({"instances": [{"x": 1, "y": 1}, 1]}, "Expecting object but got list at item 1 of input list"),
        ({"instances": [{"x": 1}]}, "(?s)Failed to process element: 0 .* keys must be equal to: x,y"),
        ({"instances": [{"x": 1, "z": 1}]}, "Failed to process element: 0 key: z of .* does not have named input: z"),
        ({"instances": [{"x": [1], "y": 1}, {"x": [1, 2], "y": 1}]}, "element: 1 key: x .* Expecting tensor size: 1 but got: 2"),
        ({"instances": [{"x": [[1, 2]], "y": 1}, {"x": [1, 2], "y": 1}]}, r"Expecting shape \[1,2\] but got: \[2\]"),
        ({"inputs": {"x": [1, [2]], "y": 1}}, "Encountered list at unexpected level: 1 expected < 1"),
        ({"inputs": {"x": [[1], 2], "y": 1}}, "JSON Value: 2 found at incorrect level: 2 in the JSON DOM. Expected at level: 2"),
        ({"inputs": {"x": [[1], [2, 3]], "y": 1}}, "list at unexpected size: 2 at level: 1 expected size: 1"),
    ],
)
def test_a_body_of_another_form_is_refused(document, words):
    with pytest.raises(StatusError, match=words):
        read(document, x="int32", y="int32")


@pytest.mark.parametrize(
    "body, words",
    [
        (b" \n", "The document is empty"),
        (b"{", "at offset: 1"),
        (b"[1]", r"JSON Value: \[1\] Is not object"),
        (b"[" * 9999, "too deeply"),
    ],
)
def test_a_body_that_is_no_object_is_refused(body, words):
    with pytest.raises(StatusError, match=words):
        parse_body(body)


def test_answers():
    texts, numbers = np.array([b"a", b"\xff"], object), np.float32([0.1, 2])
    answer = write_outputs({"image_bytes": texts, "score": numbers}, rows=True).decode()
    first = '{\n            "image_bytes": {\n                "b64": "YQ=="\n            },\n            "score": 0.1\n        }'
    assert answer.startswith('{\n    "predictions": [' + first + ", {")
    assert json.loads(answer)["predictions"][1] == {"image_bytes": {"b64": "/w=="}, "score": 2}
    # In columns; one output stands alone; texts that are no UTF-8 are mended.
    assert json.loads(write_outputs({"names": texts}, rows=False)) == {"outputs": ["a", "\ufffd"]}
    assert json.loads(write_outputs({"a": numbers, "b": np.int8([1])}, rows=False)) == {"outputs": {"a": [0.1, 2], "b": [1]}}
    assert json.loads(write_outputs({"a": np.float32([1 / 3])}, rows=True)) == {"predictions": [0.333333343]}


@pytest.mark.parametrize(
    "arrays, words",
    [
        ({"x": np.float32(1)}, "x has no shape information"),
        ({"x": np.ones(2), "y": np.ones(3)}, "y has inconsistent batch size: 3 expecting: 2"),
        ({"x": np.ones(2, np.float16)}, "tensor type: half"),
        ({"x": np.ones(2, np.complex64)}, "tensor type: complex64"),
    ],
)
def test_an_answer_that_cannot_be_written_is_refused(arrays, words):
    with pytest.raises(StatusError, match=words):
        write_outputs(arrays, rows=True)


@pytest.mark.parametrize("value", [[["a", "b"]] * 10_000, {"a": [1] * 10_000}, [[]] * 10_000])
def test_of_a_large_value_no_more_is_formatted_than_is_quoted(monkeypatch, value):
    formatted, dumps = [], json_codec._dumps
    monkeypatch.setattr(json_codec, "_dumps", lambda item: formatted.append(item) or dumps(item))
    quote(value)
    assert len(formatted) < 300  # A quote has 256 characters, and each piece one at least.


@pytest.mark.parametrize("last, text", [([1], "list at unexpected size: 1"), (1, "found at incorrect level: 2")])
def test_no_number_of_a_ragged_list_is_read(monkeypatch, last, text):
    monkeypatch.setattr(json_codec, "_read_value", lambda *_: pytest.fail("a number was read"))
    with pytest.raises(StatusError, match=text):
        read({"inputs": [[0.5, 0.5, 1]] * 10_000 + [last]}, x="float")


def test_a_quoted_value_is_cut():
    assert quote(["a" * 300]) == '["' + "a" * 254
