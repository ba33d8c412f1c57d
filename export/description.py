"""What an exported model says of itself: to programs that ask its signature `describe`, and to people in model.json."""

import dataclasses
import hashlib
import importlib.metadata
import subprocess
from pathlib import Path

import numpy as np
import tensorflow as tf

from export.request_checks import KEYPOINT_RANGE, PSI_RANGE
from export.signatures import input_specs
from tf_outfit_gan.config import to_dict
from tf_outfit_gan.pose.mpii import JOINTS
from tf_outfit_gan.styles import transfer_layers

FORMAT = 2


def describe(snapshot, limits):
    """The description of a snapshot's export, a JSON object.

    Args:
        snapshot: the `Snapshot`.
        limits: `Limits`.
    """
    config = snapshot.config
    # Readers of earlier exports look for "colour".
    ranges = {what: transfer_layers(what, snapshot.num_layers) for what in ("color", "colour", "pose")}
    return {
        "format": FORMAT,
        "size": list(snapshot.size),
        "conditional": config.conditional,
        "slots": list(config.slots),
        "condition_size": list(config.condition_size),
        "keypoints": {"joints": list(JOINTS), "each": ["x in widths", "y in heights", "1 = there, 0 = not there"],
                      "range": list(KEYPOINT_RANGE)},
        "truncation_psi": list(PSI_RANGE),
        "layers": {"count": snapshot.num_layers, **{what: list(layers) for what, layers in ranges.items()}},
        "limits": dataclasses.asdict(limits),
        "cur_nimg": snapshot.cur_nimg,
        "weights_sha256": weights_checksum(snapshot.generator),
        "version": package_version(),
        "commit": source_commit(),
        "tensorflow": tf.__version__,
    }


def card(snapshot, description, functions, figures):
    """What somebody who has the exported folder alone needs to know: the description and what is behind it.

    Args:
        functions: the signatures, traced.
        figures: what `outfit-gan evaluate --json` wrote of this snapshot, or None.
    """
    return description | {
        "signatures": {name: _signature(function) for name, function in functions.items()},
        "level": snapshot.level,
        "alpha": snapshot.alpha,
        "config": to_dict(snapshot.config),
        "evaluation": figures,
    }


def weights_checksum(generator):
    """SHA-256 over the weights in the order of their paths: the same for the same weights, wherever they were exported."""
    digest = hashlib.sha256()
    for variable in sorted(generator.variables, key=lambda variable: variable.path):
        digest.update(f"{variable.path} {tuple(variable.shape)}\n".encode())
        digest.update(np.ascontiguousarray(variable.numpy(), "<f4").tobytes())
    return digest.hexdigest()


def package_version():
    """The version of this package, as it is installed."""
    return importlib.metadata.version("tf-outfit-gan")


def source_commit():
    """The commit of the source tree that this file belongs to, "-dirty" after it with local changes; None without one."""
    here = Path(__file__)

    def git(*words):
        return subprocess.run(["git", "-C", here.parent, *words], check=True, capture_output=True, text=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)  # An environment may lie in somebody else's repository.
        return git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.CalledProcessError):
        return None


def _signature(function):
    def specs(found):
        return {name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()} for name, spec in found.items()}

    inputs = {spec.name: spec for spec in input_specs(function)}
    return {"inputs": specs(inputs), "outputs": specs(function.structured_outputs)}
