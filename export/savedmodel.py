"""A snapshot becomes the next version of a SavedModel, all or nothing.

    models/outfit_gan/                       what a server is pointed at
        1/saved_model.pb, variables/         the graph and the weights
        1/assets.extra/model.json            what the model is: for people and tools, servers do not read it
        1/assets.extra/tf_serving_warmup_requests

A server takes a version as soon as its number exists. So it is written under a name that servers ignore, asked, flushed
to the disk, and renamed.
"""

import dataclasses
import json
import os
import shutil
import uuid
from pathlib import Path

import keras
import tensorflow as tf
from tensorflow.python.saved_model.loader_impl import SavedModelLoader  # Its public name announces its removal.

from export.signatures import DESCRIBE, PSI_RANGE, make_description, make_signatures
from export.warmup import FILENAME, sample_inputs, write_warmup
from tf_outfit_gan.inference import Sampler
from tf_outfit_gan.pose.mpii import JOINTS
from tf_outfit_gan.snapshot import Snapshot
from tf_outfit_gan.styles import transfer_layers
from tf_outfit_gan.util.atomic import claim, flush_folder
from tf_outfit_gan.util.errors import UserError

CARD_FORMAT = 1


def write_savedmodel(snapshot: Snapshot, base_path: str | os.PathLike[str]) -> Path:
    """Exports a `Snapshot` to base_path/<next number> and returns that folder.

    Raises:
        UserError: when the base path is a file or itself a version.
        RuntimeError: when the written model does not answer as the snapshot does; then nothing is published.
    """
    base_path = Path(base_path)
    if (base_path / "saved_model.pb").exists():
        raise UserError(f"{base_path} is one version of a model; give the folder that it lies in: {base_path.parent}")
    try:
        base_path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{base_path}: expected a folder for the versions of a model ({error.strerror})") from None
    staging = base_path / f".tmp-{uuid.uuid4().hex}"
    try:
        # Write. Nothing is tracked by hand: the endpoints' weights are found, and tracked ones would be stored twice.
        archive = keras.export.ExportArchive()
        signatures = make_signatures(Sampler(snapshot))
        functions = {name: archive.add_endpoint(name, *signature) for name, signature in signatures.items()}
        description = archive.add_endpoint(DESCRIBE, *make_description(snapshot))
        archive.write_out(str(staging), verbose=False)
        samples = {name: sample_inputs(specs) for name, (_, specs) in signatures.items()}
        extra = staging / "assets.extra"
        extra.mkdir()
        write_warmup(extra / FILENAME, samples)
        card = _card(snapshot, functions | {DESCRIBE: description})
        (extra / "model.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")

        # Ask, and publish.
        _verify(staging, samples, functions)
        flush_folder(staging)
        return _publish(staging, base_path)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _card(snapshot: Snapshot, functions: dict[str, tf.types.experimental.PolymorphicFunction]) -> dict[str, object]:
    """What somebody who has this folder alone needs to know."""
    # Readers of earlier exports look for "colour".
    ranges = {what: transfer_layers(what, snapshot.num_layers) for what in ("color", "colour", "pose")}
    return {
        "format": CARD_FORMAT,
        "size": snapshot.size,
        "conditional": snapshot.config.conditional,
        "slots": snapshot.config.slots,
        "condition_size": snapshot.config.condition_size,
        "keypoints": {"joints": JOINTS, "each": ["x in widths", "y in heights", "1 = there, 0 = not there"]},
        "truncation_psi": PSI_RANGE,
        "layers": {"count": snapshot.num_layers, **ranges},
        "signatures": {name: _describe(function) for name, function in functions.items()},
        "cur_nimg": snapshot.cur_nimg,
        "level": snapshot.level,
        "alpha": snapshot.alpha,
        "config": dataclasses.asdict(snapshot.config),
        "tensorflow": tf.__version__,
    }


def _describe(function: tf.types.experimental.PolymorphicFunction) -> dict[str, object]:
    def describe(specs: dict[str, tf.TensorSpec]) -> dict[str, dict[str, object]]:
        return {name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list()} for name, spec in specs.items()}

    inputs = {spec.name: spec for spec in function.input_signature}
    return {"inputs": describe(inputs), "outputs": describe(function.get_concrete_function().structured_outputs)}


def _verify(
    folder: Path, samples: dict[str, dict[str, tf.Tensor]], functions: dict[str, tf.types.experimental.PolymorphicFunction]
) -> None:
    """Asks every sample of the written model, in a session as servers do, and of the snapshot's own functions."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        written = SavedModelLoader(str(folder)).load(session, ["serve"]).signature_def
        answers = {}
        for name, inputs in samples.items():
            feeds = {written[name].inputs[key].name: value.numpy() for key, value in inputs.items()}
            answers[name] = session.run(written[name].outputs["image_bytes"].name, feeds)[0]
    for name, answer in answers.items():
        expected = functions[name](*samples[name].values())["image_bytes"][0]
        picture, expected = (tf.cast(tf.io.decode_png(image), tf.int32) for image in (answer, expected))
        # One step of 255 is what a graph that was optimized in another way may round otherwise.
        if picture.shape != expected.shape or tf.reduce_max(tf.abs(picture - expected)) > 1:
            raise RuntimeError(f"signature {name} draws another picture than the snapshot; nothing was published")


def _publish(staging: Path, base_path: Path) -> Path:
    """Renames to the next free number; another export may take it meanwhile, then the one after."""
    while True:
        numbers = [int(path.name) for path in base_path.iterdir() if path.name.isascii() and path.name.isdigit()]
        version = base_path / str(max(numbers, default=0) + 1)
        if claim(staging, version):
            return version
