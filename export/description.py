"""What an exported model says of itself: to programs that ask its signature `describe`, and to people in model.json."""

import dataclasses
from collections.abc import Mapping

import tensorflow as tf

from export.evaluation import summary
from export.limits import Limits
from export.request_checks import KEYPOINT_RANGE, PSI_RANGE
from export.signatures import Signature
from tf_outfit_gan.config import to_dict
from tf_outfit_gan.metrics.measure import Measurement
from tf_outfit_gan.pose.mpii import JOINTS
from tf_outfit_gan.snapshot import Snapshot, weights_checksum
from tf_outfit_gan.styles import transfer_layers
from tf_outfit_gan.util.provenance import provenance

CARD_FORMAT = 2


def describe(snapshot: Snapshot, limits: Limits, evaluation: Measurement | None = None) -> dict[str, object]:
    """The description of a snapshot's export, a JSON object; how good the model is belongs to it where that is known."""
    config, made_by = snapshot.config, provenance()
    # Readers of earlier exports look for "colour".
    ranges = {what: transfer_layers(what, snapshot.num_layers) for what in ("color", "colour", "pose")}
    return {
        "slots": config.slots,
        "size": snapshot.size,
        "condition_size": config.condition_size,
        "conditional": config.conditional,
        "keypoints": {
            "joints": JOINTS,
            "each": ["x in widths", "y in heights", "1 = there, 0 = not there"],
            "range": KEYPOINT_RANGE,
        },
        "truncation_psi": PSI_RANGE,
        "layers": {"count": snapshot.num_layers, **ranges},
        "limits": dataclasses.asdict(limits),
        "cur_nimg": snapshot.cur_nimg,
        "weights_sha256": weights_checksum(snapshot),
        **{name: made_by[name] for name in ("version", "commit")},
        "tensorflow": tf.__version__,
        **({"evaluation": summary(evaluation)} if evaluation else {}),
    }


def card(snapshot: Snapshot, description: Mapping[str, object], functions: Mapping[str, Signature]) -> dict[str, object]:
    """The content of model.json: the description, the signatures and the configuration.

    Args:
        functions: the signatures, traced, by name.
    """
    return {
        "format": CARD_FORMAT,
        **description,
        "command": provenance()["command"],  # It may hold names of machines and folders: clients are not given it.
        "signatures": {name: _specs(function) for name, function in functions.items()},
        "level": snapshot.level,
        "alpha": snapshot.alpha,
        "config": to_dict(snapshot.config),
    }


def _specs(function: Signature) -> dict[str, object]:
    def describe(specs: Mapping[str, tf.TensorSpec]) -> dict[str, dict[str, object]]:
        return {name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()} for name, spec in specs.items()}

    return {"inputs": describe(input_specs(function)), "outputs": describe(function.structured_outputs)}


def input_specs(function: Signature) -> dict[str, tf.TensorSpec]:
    """The `TensorSpec`s of a signature's inputs, by name."""
    return {spec.name: spec for spec in tf.nest.flatten(function.structured_input_signature)}
