"""A snapshot becomes the next version of a SavedModel, all or nothing.

    models/outfit_gan/                       what a server is pointed at
        1/saved_model.pb, variables/         the graph and the weights
        1/assets.extra/model.json            what the model is: for people and tools, servers do not read it
        1/assets.extra/tf_serving_warmup_requests, with the answers
        1/assets.extra/evaluation.json, model_card.md    how good it is, where the export was given that
        1/assets.extra/SHA256SUMS                of all files

A server takes a version as soon as its number exists. So it is written under a name that servers ignore, asked, flushed
to the disk, and renamed.
"""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from export.description import card, describe, input_specs
from export.evaluation import write_evaluation
from export.limits import Limits
from export.signatures import Signature, aliases, make_signatures
from export.verification import CARD, WARMUP, behavior_problems, loaded, same, write_checksums
from export.warmup import Sample, sample_inputs, write_samples
from tf_outfit_gan.metrics.measure import Measurement
from tf_outfit_gan.snapshot import Snapshot
from tf_outfit_gan.util.atomic import claim, flush_folder, upload_folder
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.model_versions import P, model_versions
from tf_outfit_gan.util.storage import RemotePath, as_path

_STAGING = ".tmp-"
_MAX_VERSION = 2**63 - 1


def write_savedmodel(
    snapshot: Snapshot,
    base_path: str | os.PathLike[str] | RemotePath,
    limits: Limits | None = None,
    version: int | None = None,
    batch_sizes: Iterable[int] = (1,),
    evaluation: Measurement | None = None,
) -> Path | RemotePath:
    """Exports a `Snapshot` to a version's folder in base_path and returns that folder.

    Args:
        snapshot: the `Snapshot`.
        base_path: the folder of the versions of one model; on an object store it is written here first, then copied.
        limits: `Limits`; None = those of the snapshot's size.
        version: its number; None = the next one.
        batch_sizes: rows of the requests for pictures that a server warms up with, beside one.
        evaluation: of this snapshot, from `read_evaluation`; None = how good it is stays unsaid.

    Raises:
        UserError: when the base path is no folder, a file, or itself a version; when the version exists.
        RuntimeError: when the written model does not answer as the snapshot does; then nothing is published.
    """
    limits = limits or Limits.of_size(snapshot.size)
    batch_sizes = sorted({1, *batch_sizes})
    if not 1 <= batch_sizes[0] <= batch_sizes[-1] <= limits.max_rows:
        raise UserError(
            f"--warmup-batch-sizes {','.join(map(str, batch_sizes))}: expected 1 to {limits.max_rows}, the rows that a request "
            "may have (--max-rows)"
        )
    base = as_path(base_path)
    if isinstance(base, RemotePath):
        return _write_remotely(base, snapshot, limits, version, batch_sizes, evaluation)
    base_path = _base_folder(base)
    if version is not None:
        _check_version(base_path, version)
    with _staging_folder(base_path) as staging:
        # Write. Keras's own archive would trace what is traced already.
        description = describe(snapshot, limits, evaluation)
        functions = make_signatures(snapshot, limits, description)
        functions |= {alias: functions[name] for name, alias in aliases(snapshot.config.conditional).items()}
        model = tf.Module()
        model.weights = _read_weights(snapshot, functions)
        # A served model is not trained: its graph needs no gradients.
        options = tf.saved_model.SaveOptions(experimental_custom_gradients=False)
        tf.saved_model.save(model, str(staging), functions, options)

        # Ask, and keep the answers with the questions.
        extra = staging / "assets.extra"
        extra.mkdir()
        main = "serving_default"
        requests = [(name, sample_inputs(input_specs(function))) for name, function in functions.items()]
        requests += [(main, sample_inputs(input_specs(functions[main]), rows)) for rows in batch_sizes if rows > 1]
        with loaded(staging) as ask:
            samples = [(name, inputs, ask(name, inputs)) for name, inputs in requests]
            text = json.dumps(card(snapshot, description, functions), indent=2) + "\n"
            problems = list(_picture_problems(samples, functions)) or list(behavior_problems(ask, json.loads(text), samples))
        if problems:
            raise RuntimeError(f"{'; '.join(problems)}; nothing was published")
        write_samples(staging / WARMUP, samples)
        (staging / CARD).write_text(text, encoding="utf-8")
        if evaluation:
            write_evaluation(staging, evaluation)
        write_checksums(staging)

        # Publish.
        flush_folder(staging)
        return _publish(staging, base_path, version)


def _write_remotely(base: RemotePath, snapshot: Snapshot, limits: Limits, version: int | None, *options: Any) -> RemotePath:
    """Exports here, and copies the version, saved_model.pb last: without it, a server does not load the folder."""
    if (base / "saved_model.pb").exists():
        raise UserError(f"{base} is one version of a model; give the folder that it lies in: {base.parent}")
    version = version or max(model_versions(base), default=0) + 1
    _check_version(base, version)
    with tempfile.TemporaryDirectory() as local:
        folder = write_savedmodel(snapshot, local, limits, version, *options)
        upload_folder(Path(local) / folder.name, base / version, last="saved_model.pb")
    return base / version


def _base_folder(base_path: Path) -> Path:
    """The local folder of the versions, made if it is not there."""
    if (base_path / "saved_model.pb").exists():
        raise UserError(f"{base_path} is one version of a model; give the folder that it lies in: {base_path.parent}")
    try:
        base_path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{base_path}: expected a folder for the versions of a model ({error.strerror})") from None
    return base_path


@contextlib.contextmanager
def _staging_folder(base_path: Path) -> Iterator[Path]:
    """Yields a folder that servers ignore; removes it, unless it was renamed, and those of exports that were killed.

    An export holds a lock on its folder, which ends with the process: a folder that can be locked is a leftover.
    """
    for leftover in base_path.glob(f"{_STAGING}*"):
        with contextlib.suppress(OSError), _locked(leftover):
            shutil.rmtree(leftover)
    staging = base_path / f"{_STAGING}{uuid.uuid4().hex}"
    staging.mkdir()
    try:
        with contextlib.ExitStack() as locks:
            with contextlib.suppress(OSError):  # A file system without locks, such as some network disks, keeps leftovers.
                locks.enter_context(_locked(staging))
            yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _read_weights(snapshot: Snapshot, functions: Mapping[str, Signature]) -> list[tf.Variable]:
    """The weights that the functions read, each once: Keras's own tracking would store each twice."""
    handles = {id(tensor) for function in functions.values() for tensor in function.captured_inputs}
    return [variable.value for variable in snapshot.generator.variables if id(variable.value.handle) in handles]


def _picture_problems(samples: Iterable[Sample], functions: Mapping[str, Signature]) -> Iterator[str]:
    """Compares the written model's pictures with those of the function that was written."""
    for name, inputs, outputs in samples:
        if name == "serving_default":
            expected = functions[name](**{key: tf.constant(array) for key, array in inputs.items()})
            if not same(outputs["image_bytes"], expected["image_bytes"].numpy()):
                yield f"signature {name} draws another picture than the snapshot"


def _check_version(base_path: P, version: int) -> None:
    if not 0 < version <= _MAX_VERSION:
        raise UserError(f"--version {version}: expected a number from 1 to {_MAX_VERSION}")
    published = model_versions(base_path)
    if version in published:
        raise UserError(
            f"--version {version}: {base_path} has that version already, and a published version never changes; choose another "
            f"one, or leave --version out for {max(published) + 1}"
        )


def _publish(staging: Path, base_path: Path, version: int | None) -> Path:
    """Renames to the version, or to the next free number; another export may take it meanwhile, then the one after."""
    while True:
        if version is not None:
            _check_version(base_path, version)
        folder = base_path / str(version or max(model_versions(base_path), default=0) + 1)
        if claim(staging, folder):
            return folder
