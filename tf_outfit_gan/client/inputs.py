"""What a client sends: rows of values by the input's name, the same for both transports."""

from typing import Any, TypeAlias

# What one row holds: a scalar, or nested lists of one shape.
Value: TypeAlias = bytes | int | float | list["Value"]
# (TensorFlow's name of the type, a value a row) by the input's name; all inputs have equally many rows.
Inputs: TypeAlias = dict[str, tuple[str, list[Value]]]
# An output: a list of bytes, or of nested lists of numbers, a value a row.
Output: TypeAlias = list[Any]


def repeated(inputs: Inputs, count: int) -> Inputs:
    """One row's inputs, `count` times."""
    return {name: (dtype, values * count) for name, (dtype, values) in inputs.items()}
