"""JSON in the layout of TF Serving's answers, and the error that quotes it."""

import json

from tensorflow.core.framework import types_pb2

from serving.server.errors import StatusError

QUOTED_CHARACTERS = 256


def pretty(value, indent=0):
    """Formats JSON with an object's members on lines of their own, indented by four, and lists on one line."""
    if isinstance(value, dict) and value:
        pad = " " * (indent + 4)
        members = (f"{pad}{_dumps(key)}: {pretty(member, indent + 4)}" for key, member in value.items())
        return "{\n" + ",\n".join(members) + "\n" + " " * indent + "}"
    if isinstance(value, list):
        return "[" + ", ".join(pretty(item, indent + 4) for item in value) + "]"
    return _dumps(value)


def quote(value):
    """Formats a value for an error's text, cut, so that nobody gets an image back as base64."""
    return pretty(value)[:QUOTED_CHARACTERS]


def invalid(message):
    """The error of a request that cannot be read."""
    return StatusError("INVALID_ARGUMENT", message)


def dtype_text(dtype):
    """TensorFlow's C++ name of a type: float, not float32."""
    return types_pb2.DataType.Name(dtype).removeprefix("DT_").lower()


def _dumps(value):
    return json.dumps(value, ensure_ascii=False)
