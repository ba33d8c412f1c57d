"""How good an exported model is: what `outfit-gan evaluate --json` found of the same weights, and a card for people."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tf_outfit_gan.metrics.measure import Measurement
from tf_outfit_gan.metrics.model_card import model_card
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.snapshot import Snapshot, weights_checksum
from tf_outfit_gan.util.errors import UserError

EVALUATION, MODEL_CARD = "assets.extra/evaluation.json", "assets.extra/model_card.md"


def read_evaluation(path: Path, snapshot: Snapshot) -> Measurement:
    """Reads the evaluation of a snapshot.

    Raises:
        UserError: when the file is none, or is of another model. An evaluation without a checksum, as that of a server, is
            compared by what it has.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        evaluation = Measurement.from_dict(found)
        evaluation.name, summary(evaluation), model_card(evaluation)
    except OSError as error:
        raise UserError(f"--evaluation {path}: {error.strerror}; expected what `outfit-gan evaluate --json` writes") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(
            f"--evaluation {path}: expected what `outfit-gan evaluate SNAPSHOT --json FILE` writes of one model"
        ) from None
    expected: dict[str, Any] = {
        "conditional": snapshot.config.conditional,
        "size": format_size(snapshot.size),
        "cur_nimg": snapshot.cur_nimg,
        "weights_sha256": weights_checksum(snapshot),
    }
    for name, value in expected.items():
        if evaluation.fields.get(name) not in (None, value):
            raise UserError(
                f"--evaluation {path}: is of another model, {evaluation.name}: its {name} is {evaluation.fields[name]}, that of "
                f"the snapshot is {value}; evaluate the snapshot that you export"
            )
    return evaluation


def summary(evaluation: Measurement) -> Mapping[str, object]:
    """What a description holds of it: the figures by name, and what they were measured on, without places of files."""
    about = {name: evaluation.fields[name] for name in ("split", "count", "seed")}
    return about | {"figures": {name: figure.value for name, figure in evaluation.figures.items()}}


def write_evaluation(version: Path, evaluation: Measurement) -> None:
    """Writes the evaluation and its card into the folder of a version."""
    (version / EVALUATION).write_text(json.dumps(evaluation.to_dict(), indent=1) + "\n", encoding="utf-8")
    (version / MODEL_CARD).write_text(model_card(evaluation), encoding="utf-8")
