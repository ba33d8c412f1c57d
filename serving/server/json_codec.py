"""The bodies of REST predictions: a request's to arrays, and arrays to a response's, as TF Serving's REST API has them.

The rules, the order of the checks and the texts are those of TF Serving's REST API, whose parser of JSON is this one's.
Departures: a value quoted in any error is cut, not only some; of several mistakes in one tensor the one at the higher level
is named; and what would keep a server busy for long is refused: deep nesting, and more rows than any model takes.
"""

import base64
import binascii
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

import numpy as np
import rapidjson
from tensorflow.core.framework import types_pb2
from tensorflow.core.protobuf.meta_graph_pb2 import TensorInfo

from serving.server.errors import StatusError

# JSON integers are checked against these ranges; TF Serving lets the small types wrap, and so do we.
INT32_RANGE = (-(2**31), 2**31 - 1)
INTEGERS = {
    types_pb2.DT_INT8: (np.int8, INT32_RANGE),
    types_pb2.DT_INT16: (np.int16, INT32_RANGE),
    types_pb2.DT_UINT8: (np.uint8, INT32_RANGE),
    types_pb2.DT_INT32: (np.int32, INT32_RANGE),
    types_pb2.DT_INT64: (np.int64, (-(2**63), 2**63 - 1)),
    types_pb2.DT_UINT32: (np.uint32, (0, 2**32 - 1)),
    types_pb2.DT_UINT64: (np.uint64, (0, 2**64 - 1)),
}
FLOATS: dict[int, type[np.floating]] = {types_pb2.DT_FLOAT: np.float32, types_pb2.DT_DOUBLE: np.float64}

# The least integers that TF Serving takes for ones that a float type cannot hold.
FIRST_LOSSY = {dtype: 2 ** (np.finfo(kind).nmant + 1) for dtype, kind in FLOATS.items()}

# Integers, unsigned, bool, strings and floats can be written; the rest (bfloat16, complex ...) cannot, nor can half.
WRITABLE_KINDS = "iubOf"

QUOTED_CHARACTERS = 256
MAX_ROWS = 2**16
MAX_RANK = 63  # NumPy's limit is 64, with the batch.

Json = Any  # What `json` reads and writes.
Scalar = bool | int | float | bytes
Flat = tuple[tuple[int, ...], list[Scalar]]  # A tensor: its shape, and its values in a row.


def parse_body(body: bytes) -> dict[str, Json]:
    """Parses a request's body (bytes) to its top-level dict; what follows the object is ignored."""
    text = body.decode("utf-8-sig", errors="replace")
    if not text.strip(" \t\r\n"):
        raise invalid("JSON Parse error: The document is empty")
    try:
        document = _parse(text)
    except rapidjson.JSONDecodeError as error:
        where, what = _position_and_words(error)
        raise invalid(f"JSON Parse error: {what} at offset: {where}") from None
    except RecursionError:
        raise invalid("JSON Parse error: the document is nested too deeply") from None
    if not isinstance(document, dict):
        raise invalid(f"JSON Value: {quote(document)} Is not object")
    return document


def _parse(text: str) -> Json:
    """The first value of a text."""
    numbers = rapidjson.NM_NATIVE | rapidjson.NM_NAN
    try:
        return rapidjson.loads(text, number_mode=numbers)
    except rapidjson.JSONDecodeError as error:
        where, what = _position_and_words(error)
        if "must not be followed by other values" not in what:
            raise
        return rapidjson.loads(text.encode()[:where], number_mode=numbers)


def _position_and_words(error: rapidjson.JSONDecodeError) -> tuple[int, str]:
    found = re.fullmatch(r"Parse error at offset (\d+): (.*)", str(error), re.DOTALL)
    assert found is not None
    return int(found[1]), found[2]


def read_signature_name(document: dict[str, Json]) -> str:
    """Returns the request's signature name, "" for the default one."""
    name = document.get("signature_name", "")
    if not isinstance(name, str):
        raise invalid(f"JSON Value: {quote(document)} not formatted correctly. 'signature_name' key must be a string value.")
    return name


def read_inputs(document: dict[str, Json], tensor_infos: Mapping[str, TensorInfo]) -> tuple[dict[str, np.ndarray], bool]:
    """Returns (array by input name, whether the answer is to be in rows) from a parsed body.

    Args:
        document: what `parse_body` returned.
        tensor_infos: `TensorInfo` by input name; every one is required.
    """
    rows = "instances" in document
    if rows and "inputs" in document:
        raise invalid(
            f"JSON Value: {quote(document)} Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist "
        )
    if not rows and "inputs" not in document:
        raise invalid("Missing 'inputs' or 'instances' key")
    dtypes = {name: tensor_infos[name].dtype for name in sorted(tensor_infos)}
    if not rows:
        return _read_columns(document["inputs"], dtypes), rows
    instances = document["instances"]
    if not isinstance(instances, list):
        raise invalid(f"JSON Value: {quote(document)} Expecting 'instances' to be an list/array")
    if not instances:
        raise invalid(f"JSON Value: {quote(document)} No values in 'instances' array")
    if len(instances) > MAX_ROWS:
        raise invalid(f"Too many rows in 'instances': {len(instances)}, expected at most {MAX_ROWS}")
    return _read_rows(instances, dtypes), rows


def _read_columns(value: Json, dtypes: dict[str, int]) -> dict[str, np.ndarray]:
    if not isinstance(value, dict) or _is_base64(value):
        if len(dtypes) > 1:
            raise invalid(
                "inputs is a plain value/list, but expecting an object as multiple input tensors required as per tensorinfo_map"
            )
        ((name, dtype),) = dtypes.items()
        return {name: _to_array(_read_tensor(value, dtype), dtype)}
    arrays = {}
    for name, dtype in dtypes.items():
        if name not in value:
            raise invalid(f"Missing named input: {name} in 'inputs' object.")
        arrays[name] = _to_array(_read_tensor(value[name], dtype), dtype)
    return arrays


def _read_rows(instances: list[Json], dtypes: dict[str, int]) -> dict[str, np.ndarray]:
    """Reads one tensor a row and input, all rows alike, and stacks them: the rows are the batch."""
    if len(dtypes) > 1 and not _is_plain_object(instances[0]):
        raise invalid(
            "instances is a plain list, but expecting list of objects as multiple input tensors required as per tensorinfo_map"
        )
    as_objects = _is_plain_object(instances[0])
    columns: dict[str, list[Flat]] = {name: [] for name in dtypes}
    for position, row in enumerate(instances):
        if _is_plain_object(row) != as_objects:
            expected, got = ("object", "list") if as_objects else ("value/list", "object")
            raise invalid(f"Expecting {expected} but got {got} at item {position} of input list")
        if not as_objects:
            (name,) = dtypes
            _append(columns, name, row, dtypes, f"Failed to process element: {position} of 'instances' list.")
            continue
        for name, value in row.items():
            _append(columns, name, value, dtypes, f"Failed to process element: {position} key: {name} of 'instances' list.")
        if row.keys() != dtypes.keys():
            raise invalid(
                f"Failed to process element: {position} of 'instances' list. JSON object: {quote(row)} "
                f"keys must be equal to: {','.join(dtypes)}"
            )
    arrays = {}
    for name, tensors in columns.items():
        values = [value for _, flat in tensors for value in flat]
        arrays[name] = _to_array(((len(tensors), *tensors[0][0]), values), dtypes[name])
    return arrays


def _append(columns: dict[str, list[Flat]], name: str, value: Json, dtypes: dict[str, int], where: str) -> None:
    """Adds one row's tensor to its column; an error names its place."""
    try:
        if name not in dtypes:
            raise invalid(f"JSON object: does not have named input: {name}")
        shape, values = _read_tensor(value, dtypes[name])
        if columns[name]:
            first_shape, first_values = columns[name][0]
            if len(values) != len(first_values):
                raise invalid(f"Expecting tensor size: {len(first_values)} but got: {len(values)}")
            if shape != first_shape:
                raise invalid(f"Expecting shape {_shape_text(first_shape)} but got: {_shape_text(shape)}")
    except StatusError as error:
        raise invalid(f"{where} Error: {error}") from None
    columns[name].append((shape, values))


def _shape_text(shape: tuple[int, ...]) -> str:
    return "[" + ",".join(map(str, shape)) + "]"


def _read_tensor(value: Json, dtype: int) -> Flat:
    """Returns (shape, flat list of values) of nested lists; the first element of each level gives its size."""
    shape = []
    first = value
    while isinstance(first, list):
        shape.append(len(first))
        if not first:
            break
        first = first[0]
    rank = len(shape)
    if rank > MAX_RANK:
        raise invalid(f"Encountered {rank} levels of lists, expected at most {MAX_RANK}")
    items = [value]
    for level, size in enumerate(shape):  # All of a level at once: a request may hold millions of numbers.
        if set(map(type, items)) != {list}:
            wrong = next(item for item in items if not isinstance(item, list))
            raise invalid(
                f"JSON Value: {quote(wrong)} found at incorrect level: {level + 1} in the JSON DOM. Expected at level: {rank}"
            )
        if set(map(len, items)) != {size}:
            other = next(len(item) for item in items if len(item) != size)
            raise invalid(f"Encountered list at unexpected size: {other} at level: {level} expected size: {size}")
        items = list(chain.from_iterable(items))
    kinds = set(map(type, items))
    if list in kinds:
        raise invalid(f"Encountered list at unexpected level: {rank} expected < {rank}")
    if kinds <= {int, float} and (first_lossy := FIRST_LOSSY.get(dtype)):
        if all(-first_lossy < number < first_lossy for number in items):  # Not NaN, nor what may be refused.
            return tuple(shape), items
    return tuple(shape), [_read_value(item, dtype) for item in items]


def _read_value(value: Json, dtype: int) -> Scalar:
    """Checks and converts one JSON value; a bool is not a number, though Python thinks so."""
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if dtype == types_pb2.DT_STRING:
        if isinstance(value, dict):
            return _read_base64(value)
        if isinstance(value, str):
            return value.encode("utf-8", errors="surrogatepass")
    elif dtype == types_pb2.DT_BOOL:
        if isinstance(value, bool):
            return value
    elif dtype in INTEGERS:
        low, high = INTEGERS[dtype][1]
        if is_number and isinstance(value, int) and low <= value <= high:
            return value
    elif dtype in FLOATS:
        if is_number:
            _check_precision(value, dtype)
            return value
    elif not isinstance(value, dict):
        raise StatusError("UNIMPLEMENTED", f"Conversion of JSON Value: {quote(value)} to type: {dtype_text(dtype)}")
    kind = {dict: "Object", str: "String", int: "Number", float: "Number", bool: str(value), type(None): "Null"}
    raise invalid(f"JSON Value: {quote(value)} Type: {kind[type(value)]} is not of expected type: {dtype_text(dtype)}")


def _check_precision(value: int | float, dtype: int) -> None:
    """Refuses integers that a float cannot hold exactly, and numbers beyond its range."""
    if isinstance(value, int):
        lossless = abs(value) < FIRST_LOSSY[dtype]
    else:
        lossless = not math.isfinite(value) or abs(value) <= float(np.finfo(FLOATS[dtype]).max)
    if not lossless:
        raise invalid(f"Cannot convert JSON value: {quote(value)} to {dtype_text(dtype)} without loss of precision.")


def _is_base64(value: Json) -> bool:
    return isinstance(value, dict) and value.keys() == {"b64"} and isinstance(value["b64"], str)


def _is_plain_object(value: Json) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _read_base64(value: dict[str, Json]) -> bytes:
    """Decodes {"b64": ...}: the standard alphabet, whitespace skipped, padding optional."""
    if not _is_base64(value):
        raise invalid(f"JSON Value: {quote(value)} not formatted correctly for base64 data")
    text = "".join(value["b64"].split()).rstrip("=")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise invalid("Unable to base64 decode") from None


def _to_array(tensor: Flat, dtype: int) -> np.ndarray:
    shape, values = tensor
    if dtype == types_pb2.DT_STRING:
        # Not numpy's own string type: that one drops the zero bytes at the end.
        array = np.empty(len(values), object)
        array[:] = values
    elif dtype == types_pb2.DT_BOOL:
        array = np.array(values, bool)
    elif dtype in FLOATS:
        array = np.array(values, FLOATS[dtype])
    elif dtype == types_pb2.DT_UINT64:
        array = np.array(values, np.uint64)
    else:
        array = np.array(values, np.int64).astype(INTEGERS[dtype][0])
    return array.reshape(shape)


def write_outputs(arrays: dict[str, np.ndarray], rows: bool) -> bytes:
    """Returns the response's body (bytes) for arrays by output name.

    An output whose name ends in `_bytes` is written as {"b64": ...}, any other string as text.
    """
    if rows:
        batch = None
        for name, array in arrays.items():
            if array.ndim == 0:
                raise invalid(f"Tensor name: {name} has no shape information ")
            batch = len(array) if batch is None else batch
            if len(array) != batch:
                raise invalid(f"Tensor name: {name} has inconsistent batch size: {len(array)} expecting: {batch}")
    values: Json = {name: _write_array(array, name) for name, array in arrays.items()}
    if len(values) == 1:
        (values,) = values.values()
    elif rows:
        values = [dict(zip(values, row)) for row in zip(*values.values())]
    return pretty({"predictions" if rows else "outputs": values}).encode()


def _write_array(array: np.ndarray, name: str) -> Json:
    if array.dtype.kind not in WRITABLE_KINDS or array.dtype == np.float16:
        text = "half" if array.dtype == np.float16 else array.dtype.name
        raise invalid(f"Failed to write JSON value for tensor type: {text}")
    if array.dtype == object:
        return _write_nested(array.tolist(), _base64_object if name.endswith("_bytes") else _text)
    if array.dtype == np.float32:
        return _write_nested(array.tolist(), _shortest_float32)
    return array.tolist()


def _write_nested(value: Json, write: Callable[[Json], Json]) -> Json:
    return [_write_nested(item, write) for item in value] if isinstance(value, list) else write(value)


def _base64_object(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode()}


def _text(value: bytes) -> str:
    return value.decode("utf-8", errors="replace")


def _shortest_float32(value: float) -> float:
    """The double with the fewest digits that is this float32 again: 0.1, not 0.10000000149011612."""
    short = float(f"{value:g}")
    return short if np.float32(short) == np.float32(value) else float(f"{value:.9g}")


def pretty(value: Json) -> str:
    """Formats JSON with an object's members on lines of their own, indented by four, and lists on one line."""
    return "".join(_pieces(value, 0))


def quote(value: Json) -> str:
    """Formats a value for an error's text, cut: an image must not come back as base64."""
    text = ""
    for piece in _pieces(value, 0):  # No more of it than is wanted: it may have millions.
        text += piece[:QUOTED_CHARACTERS]
        if len(text) >= QUOTED_CHARACTERS:
            break
    return text[:QUOTED_CHARACTERS]


def _pieces(value: Json, indent: int) -> Iterator[str]:
    if isinstance(value, dict) and value:
        separator = "{\n"
        for key, member in value.items():
            yield f"{separator}{' ' * (indent + 4)}{_dumps(key)}: "
            yield from _pieces(member, indent + 4)
            separator = ",\n"
        yield "\n" + " " * indent + "}"
    elif isinstance(value, list) and value:
        separator = "["
        for item in value:
            yield separator
            yield from _pieces(item, indent + 4)
            separator = ", "
        yield "]"
    else:
        yield _dumps(value)


def invalid(message: str) -> StatusError:
    """The error of a request that cannot be read."""
    return StatusError("INVALID_ARGUMENT", message)


def dtype_text(dtype: int) -> str:
    """TensorFlow's C++ name of a type: float, not float32."""
    return types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()


_dumps = json.JSONEncoder(ensure_ascii=False).encode
