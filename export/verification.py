"""Whether an exported model is whole, and answers as its snapshot and its documentation say.

First the folder is read: files, graph, signatures, warmup requests. Then a session asks the model, as TensorFlow Serving
does: no XLA, nothing of Python in the graph. `export` does the second part before it publishes, `verify` does both.
"""

import contextlib
import io
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from google.protobuf.message import DecodeError
from PIL import Image
from tensorflow.core.protobuf.meta_graph_pb2 import SignatureDef
from tensorflow.core.protobuf.saved_model_pb2 import SavedModel
from tensorflow.python.client import pywrap_tf_session
from tensorflow.python.saved_model.loader_impl import SavedModelLoader  # Its public name announces its removal.

from export.request_checks import KEYPOINT_RANGE, PSI_RANGE
from export.signatures import STATUS
from export.warmup import FILENAME, Arrays, Sample, read_samples
from tf_outfit_gan.images.article_bytes import JPEG, MAX_SIDE, PNG
from tf_outfit_gan.inference import Renderer
from tf_outfit_gan.outfit_request import Request
from tf_outfit_gan.snapshot import Snapshot, weights_checksum
from tf_outfit_gan.util.files import sha256_of

CARD, SUMS = "assets.extra/model.json", "assets.extra/SHA256SUMS"
WARMUP = f"assets.extra/{FILENAME}"

# Steps of 255: what a graph that is optimized in another way, or for another number of rows, may round otherwise, and what
# JPEG makes of that.
PNG_STEPS, JPEG_STEPS = 1, 8
# Operations that need Python, XLA or a file of the exporting machine, or draw other numbers each time.
_FORBIDDEN = {"XlaCallModule", "XlaLaunch", "RandomStandardNormal", "RandomUniform", "RandomUniformInt", "TruncatedNormal"}
_FORBIDDEN |= {"PyFunc", "PyFuncStateless", "EagerPyFunc", "ReadFile", "StatefulUniform", "StatefulStandardNormalV2"}
_NO_SIGNATURE = "__saved_model_init_op"

Ask = Callable[[str, Mapping[str, np.ndarray]], Arrays]


def write_checksums(folder: Path) -> None:
    """Writes the SHA-256 of every file, as `sha256sum --check` reads it."""
    lines = [f"{sha256_of(path)}  {path.relative_to(folder)}\n" for path in sorted(folder.rglob("*")) if path.is_file()]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def verify(folder: Path, snapshot: Snapshot | None = None) -> list[str]:
    """What is wrong with a version, as sentences; none when it is as it was exported.

    Args:
        folder: the version.
        snapshot: what it was exported from, to compare its weights and a picture with; None = only with what was recorded.
    """
    problems = folder_problems(folder)
    if problems:
        return problems  # Whatever such a model answers.
    card, samples = json.loads((folder / CARD).read_text(encoding="utf-8")), read_samples(folder / WARMUP)
    with loaded(folder) as ask:
        problems = list(answer_problems(ask, samples)) or list(behavior_problems(ask, card, samples))
        answers = {name: (inputs, outputs) for name, inputs, outputs in reversed(samples)}
        if snapshot is not None:
            problems += snapshot_problems(*answers["serving_default"], card, snapshot)
    return problems


def folder_problems(folder: Path) -> list[str]:
    """What is wrong with the files of a version: sentences, in the order in which a server would meet it."""
    problems = list(_checksum_problems(folder))
    try:
        model = SavedModel.FromString((folder / "saved_model.pb").read_bytes())
        card = json.loads((folder / CARD).read_text(encoding="utf-8"))
        samples = read_samples(folder / WARMUP)
    except (OSError, ValueError, DecodeError, tf.errors.OpError) as error:
        return [*problems, f"does not read: {str(error).partition(chr(10))[0]}"]
    graph = model.meta_graphs[0]
    signatures = {name: found for name, found in graph.signature_def.items() if name != _NO_SIGNATURE}
    problems += _graph_problems(model)
    problems += _signature_problems(signatures, card["signatures"])
    answered = {name for name, _, outputs in samples if outputs}
    problems += [f"{WARMUP}: no request with its answer for signature {name}" for name in sorted(set(signatures) - answered)]
    return problems


def _checksum_problems(folder: Path) -> Iterator[str]:
    if not (folder / SUMS).is_file():
        yield f"{SUMS} is missing: was this exported by an earlier version?"
        return
    for line in (folder / SUMS).read_text(encoding="utf-8").splitlines():
        checksum, _, name = line.partition("  ")
        if not (folder / name).is_file():
            yield f"{name} is missing"
        elif sha256_of(folder / name) != checksum:
            yield f"{name} is not the file that was exported: its SHA-256 differs"


def _graph_problems(model: SavedModel) -> Iterator[str]:
    graph = model.meta_graphs[0].graph_def
    operations = {node.op for part in (graph.node, *(f.node_def for f in graph.library.function)) for node in part}
    for operation in sorted(operations & _FORBIDDEN):
        yield f"the graph has the operation {operation}, which a server does not have or which draws other numbers each time"
    for function in graph.library.function:
        if any(node.attr["_XlaMustCompile"].b for node in [function, *function.node_def] if "_XlaMustCompile" in node.attr):
            yield f"the function {function.signature.name} must be compiled by XLA, which a server does not do"


def _signature_problems(found: Mapping[str, SignatureDef], described: Mapping[str, Any]) -> Iterator[str]:
    for name in sorted(found.keys() ^ described.keys()):
        yield f"signature {name} is {'not in model.json' if name in found else 'missing, and model.json has it'}"
    for name in sorted(found.keys() & described.keys()):
        for side, infos in (("inputs", found[name].inputs), ("outputs", found[name].outputs)):
            shapes = {key: _shape(info) for key, info in infos.items()}
            if shapes != {key: [spec["dtype"], *spec["shape"]] for key, spec in described[name][side].items()}:
                yield f"signature {name} has other {side} than model.json says: {shapes}"
            for key, (_, *shape) in shapes.items():
                if not shape or shape[0] is not None:
                    yield f"signature {name}: {key} has no row for each row of a request, which a server's batching needs"


def _shape(info: Any) -> list[str | int | None]:
    sizes = [None if dim.size < 0 else dim.size for dim in info.tensor_shape.dim]
    return [tf.as_dtype(info.dtype).name, *sizes]


@contextlib.contextmanager
def loaded(folder: Path) -> Iterator[Ask]:
    """Loads a version as a server does; yields ask(signature, arrays by input name) -> arrays by output name."""
    config = tf.compat.v1.ConfigProto(allow_soft_placement=True)
    config.graph_options.optimizer_options.global_jit_level = tf.compat.v1.OptimizerOptions.OFF
    graph = tf.Graph()
    # Not `with session`: its graph would become the default one of the caller, too.
    with contextlib.closing(tf.compat.v1.Session(graph=graph, config=config)) as session:
        signatures = SavedModelLoader(str(folder)).load(session, ["serve"]).signature_def
        session._extend_graph()

        def ask(name: str, inputs: Mapping[str, np.ndarray]) -> Arrays:
            signature = signatures[name]
            feeds = {endpoint(signature.inputs[key]): array for key, array in inputs.items()}
            fetches = [endpoint(info) for info in signature.outputs.values()]
            # The call under `Session.run`, which would put words of its own before a server's.
            arrays = pywrap_tf_session.TF_SessionRun_wrapper(session._session, None, feeds, fetches, [], None)
            return dict(zip(signature.outputs, arrays))

        def endpoint(info: Any) -> object:
            return graph.get_tensor_by_name(info.name)._as_tf_output()

        yield ask


def answer_problems(ask: Ask, samples: Iterable[Sample]) -> Iterator[str]:
    """Which signatures answer otherwise than was recorded."""
    for name, inputs, expected in samples:
        try:
            answer = ask(name, inputs)
        except tf.errors.OpError as error:
            yield f"signature {name} fails: {_first_line(error)}"
            continue
        for key in sorted(expected):
            if not same(answer[key], expected[key]):
                yield f"signature {name} has another {key} than was recorded"


def snapshot_problems(inputs: Arrays, outputs: Arrays, card: Mapping[str, Any], snapshot: Snapshot) -> Iterator[str]:
    """Compares the weights, and an answer of `serving_default`, with a snapshot's."""
    if weights_checksum(snapshot) != card["weights_sha256"]:
        yield f"the weights are not those of the snapshot {snapshot.name}"
    request = None
    if snapshot.config.conditional:
        articles = dict(zip(snapshot.config.slots, inputs["article_images_bytes"][0]))
        request = Request("", articles, inputs["keypoints"][0])
    expected = Renderer(snapshot).picture(request, int(inputs["seed"][0]), float(inputs["truncation_psi"][0]))
    found = np.asarray(Image.open(io.BytesIO(outputs["image_bytes"][0])))
    if found.shape != expected.shape or np.abs(found.astype(int) - expected).max() > PNG_STEPS:
        yield f"the pictures are not those of the snapshot {snapshot.name}"


def behavior_problems(ask: Ask, card: Mapping[str, Any], samples: Iterable[Sample]) -> Iterator[str]:
    """Which promises of the documentation the model breaks: rows that stay apart, limits, messages.

    Args:
        ask: of `loaded`.
        card: the content of model.json.
        samples: of `read_samples`.
    """
    inputs, answers = {}, {}
    for signature, arrays, outputs in samples:
        if len(next(iter(arrays.values()))) == 1:
            inputs[signature], answers[signature] = arrays, outputs
    name = "serving_default"
    alone, batches = answers[name]["image_bytes"], card["limits"]["max_rows"] > 1
    if batches:
        other = inputs[name] | {"seed": inputs[name]["seed"] + 1}
        pictures = ask(name, _joined(other, inputs[name]))["image_bytes"]
        if not same(pictures[1:], alone):
            yield "a row's picture depends on the other rows of its request"
        if same(pictures[:1], pictures[1:]):
            yield "two seeds have the same picture"

    for what, bad, sentence in _bad_inputs(inputs[name], card):
        try:
            ask(name, bad)
            yield f"{what}: not refused"
        except tf.errors.InvalidArgumentError as error:
            if sentence not in error.message or not error.message.isascii():
                yield f"{what}: refused with another message than {sentence!r}: {_first_line(error)}"
    if batches and STATUS in inputs:
        answer = ask(STATUS, _joined(_with_psi(inputs[STATUS], PSI_RANGE[1] + 1), inputs[STATUS]))
        if not answer["status"][0] or answer["status"][1] or not same(answer["image_bytes"][1:], alone):
            yield f"{STATUS}: a bad row changes the others, or is not reported"


def _bad_inputs(good: Mapping[str, np.ndarray], card: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, np.ndarray], str]]:
    """(what is wrong, such inputs of one row, the sentence that a client should read)."""
    rows = card["limits"]["max_rows"] + 1
    too_many = {key: np.repeat(value, rows, axis=0) for key, value in good.items()}
    yield "more rows than are allowed", too_many, "a request may have"
    yield "psi out of its range", _with_psi(good, PSI_RANGE[1] + 1), "truncation_psi must be in"
    if not card["conditional"]:
        return
    keypoints = good["keypoints"].copy()
    keypoints[0, 0, :2] = 100 * KEYPOINT_RANGE[1]
    yield "keypoints in pixels", {**good, "keypoints": keypoints}, "If these are pixels"
    side = MAX_SIDE + 1
    header = PNG + struct.pack(">I4sII", 13, b"IHDR", side, side) + bytes(9)
    for what, data, sentence in (
        ("a photo that is too large", header, f"has {side}x{side} pixels"),
        ("a photo of another kind", b"GIF89a" + bytes(20), "is a GIF picture"),
        ("bytes that are no text", b"\xff\xfe\xfd" * 9, "is no picture"),
    ):
        articles = good["article_images_bytes"].copy()
        articles[0, 0] = data
        yield what, {**good, "article_images_bytes": articles}, sentence


def _joined(first: Mapping[str, np.ndarray], second: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The rows of two requests as one."""
    return {name: np.concatenate([value, second[name]]) for name, value in first.items()}


def _with_psi(inputs: Mapping[str, np.ndarray], psi: float) -> dict[str, np.ndarray]:
    return {**inputs, "truncation_psi": np.full_like(inputs["truncation_psi"], psi)}


def same(found: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two outputs are the same but for rounding; encoded pictures are compared as pictures, numbers to a thousandth."""
    if expected.dtype == object:
        return len(found) == len(expected) and all(map(_same_bytes, found, expected))
    if found.shape != expected.shape or found.dtype != expected.dtype:
        return False
    return np.allclose(found, expected, rtol=1e-3, atol=1e-3) if expected.dtype == np.float32 else np.array_equal(found, expected)


def _same_bytes(found: bytes, expected: bytes) -> bool:
    for kind, steps in ((PNG, PNG_STEPS), (JPEG, JPEG_STEPS)):
        if found.startswith(kind) and expected.startswith(kind):
            pictures = [np.asarray(Image.open(io.BytesIO(data)), np.int32) for data in (found, expected)]
            return pictures[0].shape == pictures[1].shape and np.abs(pictures[0] - pictures[1]).max() <= steps
    return found == expected


def _first_line(error: tf.errors.OpError) -> str:
    return error.message.partition("\n")[0]
