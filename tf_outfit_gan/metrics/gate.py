"""The gate: what a model's figures must reach, as a file that a build server can check.

    {"pose.pck": {"of_ceiling": 0.9},
     "articles.top.color": {"standing": 0.667},
     "edits.top.ratio": {"at_least": 5},
     "distribution.frechet_distance": {"at_most": 12}}

A standing is the part of the way from the floor to the ceiling.
"""

import json
import numbers

from tf_outfit_gan.util.errors import UserError

# What can be asked of a figure: each from (`Figure`, limit) to whether it is reached; None if that cannot be said.
_DEMANDS = {
    "at_least": lambda figure, limit: figure.value >= limit,
    "at_most": lambda figure, limit: figure.value <= limit,
    "of_ceiling": lambda figure, limit: None if figure.ceiling is None else figure.value >= limit * figure.ceiling,
    "standing": lambda figure, limit: None if figure.standing is None else figure.standing >= limit,
}


class GateError(Exception):
    """A figure below its demand: the command worked, the model does not pass."""

    exit_code = 1


def read_gate(path):
    """Reads a gate, {figure's name: {demand: limit}}; raises `UserError` for another file."""
    try:
        gate = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"--gate {path}: {error.strerror}; expected a JSON file of thresholds") from None
    except ValueError as error:
        raise UserError(f"--gate {path}: expected JSON ({error})") from None
    if not isinstance(gate, dict):
        raise UserError(f'--gate {path}: expected an object, such as {{"pose.pck": {{"at_least": 0.8}}}}')
    for name, demands in gate.items():
        if not isinstance(demands, dict) or not demands:
            raise UserError(f'--gate {path}: {name}: expected an object of demands, such as {{"at_least": 0.8}}')
        for demand, limit in demands.items():
            if demand not in _DEMANDS or not isinstance(limit, numbers.Real) or isinstance(limit, bool):
                raise UserError(
                    f"--gate {path}: {name}: expected one of {', '.join(_DEMANDS)} and a number, found {demand!r}: {limit!r}"
                )
    return gate


def check_gate(gate, figures):
    """Raises `GateError` that names every figure that misses its demand; one that was not measured misses it, too."""
    missed = []
    for name, demands in gate.items():
        figure = figures.get(name)
        for demand, limit in demands.items():
            if figure is None or figure.value is None:
                missed.append(f"{name} was not measured")
            elif not _DEMANDS[demand](figure, limit):
                bounds = f" (ceiling {number(figure.ceiling)}, floor {number(figure.floor)})"
                missed.append(f"{name} {number(figure.value)}{bounds}, expected {demand.replace('_', ' ')} {limit:g}")
    if missed:
        raise GateError(f"the model does not pass: {'; '.join(missed)}")


def number(value):
    """A figure's number as text, four digits of it."""
    return "-" if value is None else f"{value:.4g}"
