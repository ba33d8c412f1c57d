"""Settings in a file, JSON or YAML: a preset of one's own.

    {"preset": "256x192", "model": {"fmap_max": 256}, "training": {"r1_gamma": 5, "seed": 1}}

`preset` names the preset that the other settings come from; without it they are the defaults of `ModelConfig` and
`TrainingConfig`. `outfit-gan train --dry-run --json` writes such a file, and a run's config.json is one.
"""

import math
from collections.abc import Collection
from pathlib import Path
from typing import Any

from tf_outfit_gan.config import FIELDS, MODEL_FIELDS, PRESETS, TRAINING_FIELDS, example, parse_value, suggestion
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import json_object, read_file
from tf_outfit_gan.util.storage import Place, as_path

MAX_BYTES = 1 << 20
_PARTS = {"model": MODEL_FIELDS, "training": TRAINING_FIELDS}
# What a run's config.json says besides, which is no setting.
_OF_A_RUN = ("data", "data_checksum", "init", "overrides", "command", "version", "commit", "machine")


def read_settings(path: Place) -> tuple[str | None, dict[str, Any], dict[str, Any]]:
    """Reads the settings of a file.

    Returns:
        (name of the preset or None, settings of the model, settings of the training), the latter as {name: value}.

    Raises:
        UserError: names a file that cannot be read, an unknown key with keys that look like it, or a value of the wrong kind.
    """
    path = as_path(path)
    content = read_file(path, MAX_BYTES)
    try:
        fields = _yaml(content) if Path(path.name).suffix.lower() in (".yaml", ".yml") else json_object(content)
        _check_names(fields, ("preset", *_PARTS), ignored=_OF_A_RUN)
        preset = fields.get("preset")
        if preset is not None and preset not in PRESETS:
            raise UserError(f"unknown preset {preset!r}: {suggestion(str(preset), PRESETS)}")
        return preset, _part("model", fields.get("model")), _part("training", fields.get("training"))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _yaml(content: bytes) -> dict[Any, Any]:
    import yaml

    try:
        fields = yaml.safe_load(content)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise UserError(f"not valid YAML ({' '.join(str(error).split())})") from None
    if not isinstance(fields, dict):
        raise UserError(f"expected names and values, got {fields!r:.40}")
    return fields


def _part(part: str, values: Any) -> dict[str, Any]:
    values = {} if values is None else values
    if not isinstance(values, dict):
        raise UserError(f"{part}: expected names and values, got {values!r:.40}")
    _check_names(values, _PARTS[part])
    return {name: _value(name, value) for name, value in values.items()}


def _check_names(fields: dict[Any, Any], known: Collection[str], ignored: Collection[str] = ()) -> None:
    for name in fields:
        if name not in known and name not in ignored:
            part = next((part for part, names in _PARTS.items() if name in names), None)
            raise UserError(f"unknown key {name!r}: " + (f"it belongs in {part}" if part else suggestion(str(name), known)))


def _value(name: str, value: Any) -> Any:
    """The value of a setting; a string may be what --set takes, such as 256x192, for kinds that JSON does not have."""
    kind: Any = FIELDS[name]
    if isinstance(value, str) and kind is not str:
        return _named(name, value)
    if isinstance(value, list):
        value = tuple(value)
    fits = {
        bool: lambda: isinstance(value, bool),
        int: lambda: isinstance(value, int) and not isinstance(value, bool),
        float: lambda: isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value),
        str: lambda: isinstance(value, str),
        tuple[int, int]: lambda: isinstance(value, tuple) and len(value) == 2 and all(type(side) is int for side in value),
        tuple[str, ...]: lambda: isinstance(value, tuple) and all(isinstance(slot, str) for slot in value),
    }
    if not fits[kind]():
        raise UserError(f"{name}: expected a value such as {example(name)}, got {value!r:.40}")
    return value


def _named(name: str, text: str) -> object:
    try:
        return parse_value(name, text)
    except UserError as error:
        raise UserError(f"{name}: {error}, got {text!r:.40}") from None
