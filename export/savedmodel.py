"""A snapshot becomes the next version of a SavedModel, all or nothing.

    models/outfit_gan/                       what a server is pointed at
        1/saved_model.pb, variables/         the graph and the weights
        1/assets.extra/model.json            what the model is: for people and tools, servers do not read it
        1/assets.extra/tf_serving_warmup_requests

A server takes a version as soon as its number exists. So it is written under a name that servers ignore, asked, flushed
to the disk, and renamed.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import shutil
import uuid
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow.python.saved_model.loader_impl import SavedModelLoader  # Its public name announces its removal.

from export.description import card, describe
from export.limits import Limits
from export.signatures import input_specs, make_signatures
from export.warmup import FILENAME, sample_inputs, write_warmup
from tf_outfit_gan.images.header_in_graph import JPEG, PNG
from tf_outfit_gan.inference import Painter
from tf_outfit_gan.networks import build_generator
from tf_outfit_gan.util.atomic import flush_folder, sync
from tf_outfit_gan.util.errors import UserError

_STAGING = ".tmp-"
_MAX_VERSION = 2**63 - 1

# In steps of 255, what a graph that was optimized in another way may round otherwise, and what JPEG makes of that.
_PNG_STEPS, _JPEG_STEPS = 1, 8


def write_savedmodel(snapshot, base_path, limits=None, version=None, batch_sizes=(1,), figures=None):
    """Exports a `Snapshot` to a version folder in base_path and returns that folder.

    Args:
        snapshot: the `Snapshot`.
        base_path: the folder of the versions of one model.
        limits: `Limits`; None = those of the snapshot's size.
        version: its number; None = the next one.
        batch_sizes: rows of the requests that a server warms up with.
        figures: what `outfit-gan evaluate --json` wrote of this snapshot, or None; kept with the model.

    Raises:
        UserError: when the base path is no local folder, a file, or itself a version; when the version exists.
        RuntimeError: when the written model does not answer as the snapshot does; then nothing is published.
    """
    limits = limits or Limits.of_size(snapshot.size)
    if not 1 <= min(batch_sizes) <= max(batch_sizes) <= limits.max_rows:
        raise UserError(f"--warmup-batch-sizes {','.join(map(str, batch_sizes))}: expected 1 to {limits.max_rows}, the "
                        "rows that a request may have (--max-rows)")
    base_path = _base_folder(base_path)
    if version is not None:
        _check_version(base_path, version)
    with _staging_folder(base_path) as staging:
        # Write. The graph is the same whatever devices this machine has. Concrete functions, because others would be traced
        # again; and Keras's own archive has no way for these.
        painter = Painter(dataclasses.replace(snapshot, generator=_portable(snapshot)))
        description = describe(snapshot, limits)
        functions = make_signatures(painter, limits, description)
        model = tf.Module()
        model.weights = _read_weights(painter.generator, functions.values())
        # Nobody trains through a served model.
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(model, str(staging), functions, options)

        extra = staging / "assets.extra"
        extra.mkdir()
        write_warmup(extra / FILENAME, [(name, sample_inputs(input_specs(function), rows))
                                        for rows in batch_sizes for name, function in functions.items()])
        text = json.dumps(card(snapshot, description, functions, figures), indent=2)
        (extra / "model.json").write_text(text + "\n", encoding="utf-8")

        # Ask, and publish.
        _verify(staging, functions)
        flush_folder(staging)
        return _publish(staging, base_path, version)


def _base_folder(base_path):
    """The local folder of the versions, made if it is not there."""
    if "://" in str(base_path):
        raise UserError(f"{base_path}: an export goes to a folder of this machine. Export there, then copy the version's "
                        "folder to the bucket, saved_model.pb last: a server may look at any moment")
    base_path = Path(base_path)
    if (base_path / "saved_model.pb").exists():
        raise UserError(f"{base_path} is one version of a model; give the folder that it lies in: {base_path.parent}")
    try:
        base_path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{base_path}: expected a folder for the versions of a model ({error.strerror})") from None
    return base_path


@contextlib.contextmanager
def _staging_folder(base_path):
    """Yields a folder that servers ignore; removes it, unless it was renamed, and those of exports that were killed.

    An export holds a lock on its folder, which ends with the process: a folder that can be locked belongs to nobody.
    """
    for leftover in base_path.glob(f"{_STAGING}*"):
        with contextlib.suppress(OSError), _locked(leftover):
            shutil.rmtree(leftover)
    staging = base_path / f"{_STAGING}{uuid.uuid4().hex}"
    staging.mkdir()
    try:
        with contextlib.ExitStack() as locks:
            with contextlib.suppress(OSError):  # Without locks, as on some network disks, nobody clears up either.
                locks.enter_context(_locked(staging))
            yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder):
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _read_weights(generator, functions):
    """The weights that the functions read, each once."""
    handles = {id(tensor) for function in functions for tensor in function.captured_inputs}
    return [variable.value for variable in generator.variables if id(variable.value.handle) in handles]


def _portable(snapshot):
    """The snapshot's generator, whose operations do not depend on this machine."""
    generator = build_generator(snapshot.config, portable=True)
    for variable, source in zip(generator.variables, snapshot.generator.variables, strict=True):
        variable.assign(source)
    return generator


def _verify(folder, functions):
    """Asks every signature of the written model, in a session as servers do, and of the snapshot's own functions."""
    samples = {name: sample_inputs(input_specs(function)) for name, function in functions.items()}
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        written = SavedModelLoader(str(folder)).load(session, ["serve"]).signature_def
        answers = {}
        for name, inputs in samples.items():
            feeds = {written[name].inputs[key].name: value.numpy() for key, value in inputs.items()}
            outputs = {key: info.name for key, info in written[name].outputs.items()}
            answers[name] = session.run(outputs, feeds)
    for name, answer in answers.items():
        for key, expected in functions[name](**samples[name]).items():
            if not _same(answer[key], expected.numpy()):
                raise RuntimeError(f"signature {name} has another {key} than the snapshot; nothing was published")


def _same(found, expected):
    """Whether two arrays are the same output, but for rounding; encoded pictures are compared as pictures."""
    steps = _PNG_STEPS
    if expected.dtype == object and expected[0].startswith((PNG, JPEG)):
        steps = _PNG_STEPS if expected[0].startswith(PNG) else _JPEG_STEPS
        found, expected = (tf.io.decode_image(array[0]).numpy() for array in (found, expected))
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    if expected.dtype == np.uint8:
        return np.abs(found.astype(int) - expected).max() <= steps
    return np.allclose(found, expected, rtol=1e-3, atol=1e-4) if expected.dtype == np.float32 else (found == expected).all()


def _numbers(base_path):
    return [int(path.name) for path in base_path.iterdir() if path.name.isascii() and path.name.isdigit()]


def _check_version(base_path, version):
    if not 0 < version <= _MAX_VERSION:
        raise UserError(f"--version {version}: expected a number from 1 to {_MAX_VERSION}")
    if version in _numbers(base_path):
        raise UserError(f"--version {version}: {base_path} has that version already, and a published version never changes; "
                        f"choose another one, or leave --version out for {max(_numbers(base_path)) + 1}")


def _publish(staging, base_path, version):
    """Renames to the version, or to the next free number; another export may take that meanwhile, then the one after."""
    while True:
        if version is not None:
            _check_version(base_path, version)
        target = base_path / str(version or max(_numbers(base_path), default=0) + 1)
        try:
            os.rename(staging, target)
        except OSError:
            if not target.exists():
                raise
            continue
        sync(base_path)
        return target
