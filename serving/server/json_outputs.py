"""Arrays, to the body of a REST prediction response, as TF Serving's REST API writes it."""

import base64

import numpy as np

from serving.server.json_text import invalid, pretty

# Integers, unsigned, bool, strings and floats can be written; the rest (bfloat16, complex ...) cannot, nor can half.
WRITABLE_KINDS = "iubOf"


def write_outputs(arrays, rows):
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
    values = {name: _write_array(array, name) for name, array in arrays.items()}
    if len(values) == 1:
        (values,) = values.values()
    elif rows:
        values = [dict(zip(values, row)) for row in zip(*values.values())]
    return pretty({"predictions" if rows else "outputs": values}).encode()


def _write_array(array, name):
    if array.dtype.kind not in WRITABLE_KINDS or array.dtype == np.float16:
        text = "half" if array.dtype == np.float16 else array.dtype.name
        raise invalid(f"Failed to write JSON value for tensor type: {text}")
    if array.dtype == object:
        return _write_nested(array.tolist(), _base64_object if name.endswith("_bytes") else _text)
    if array.dtype == np.float32:
        return _write_nested(array.tolist(), _shortest_float32)
    return array.tolist()


def _write_nested(value, write):
    return [_write_nested(item, write) for item in value] if isinstance(value, list) else write(value)


def _base64_object(value):
    return {"b64": base64.b64encode(value).decode()}


def _text(value):
    return value.decode("utf-8", errors="replace")


def _shortest_float32(value):
    """The double with the fewest digits that is this float32 again: 0.1, not 0.10000000149011612."""
    short = float(f"{value:g}")
    return short if np.float32(short) == np.float32(value) else float(f"{value:.9g}")
