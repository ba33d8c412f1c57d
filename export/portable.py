"""A snapshot's generator for runtimes outside TensorFlow, as ONNX or LiteRT files: phones, browsers, Triton.

    FOLDER/
        style.onnx         z, conditions, psi -> w
        synthesize.onnx    w, noise, conditions -> pictures
        model.json         inputs and outputs of both, and what the model is

Encoded photos, seeds and checks are left to the program that runs them: a random generator and decoders are other ones there.
Each file is run by its own runtime and compared with the snapshot before the folder gets its name.
"""

import json
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import tensorflow as tf

from export.description import describe
from export.limits import Limits
from export.signatures import map_inputs
from tf_outfit_gan import pixels
from tf_outfit_gan.inference import Sampler
from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.snapshot import Snapshot
from tf_outfit_gan.util.atomic import whole_folder
from tf_outfit_gan.util.errors import UserError

Arrays: TypeAlias = Mapping[str, np.ndarray]
Half: TypeAlias = tf.types.experimental.ConcreteFunction
OPSET = 17  # ONNX Runtime 1.12 and later, of 2022, read it.
ROWS = 2  # Of the pictures that are compared; every file takes any number.
MEANINGS = {
    "z": "the latent: normal random numbers; one draw is one person",
    "articles": "one picture a slot, fitted into the size and padded with its border's median color, RGB in [-1, 1]; 0 "
    "throughout where one is missing",
    "keypoints": "joints by docs/pose.md: x in widths, y in heights, 1 = there or 0 = not there",
    "truncation_psi": "0 = the average picture, 1 = full variety",
    "w": "style vectors by layer",
    "noise": "normal random numbers by layer, at the layer's size",
    "pictures": "RGB in 0..255",
}


def write_portable(snapshot: Snapshot, folder: str | os.PathLike[str], kind: str) -> Path:
    """Writes both halves of a snapshot's generator, all or nothing, and returns the folder.

    Args:
        snapshot: the `Snapshot`.
        folder: to be made; its name must be free.
        kind: one of `FORMATS`.

    Raises:
        UserError: when the folder is there already, or what converts is not installed.
        RuntimeError: when a file does not compute what the snapshot does; then nothing is written.
    """
    folder = Path(folder)
    if folder.exists():
        raise UserError(f"{folder}: exists; expected a new name")
    suffix, convert, run = FORMATS[kind]
    halves = {"style": style_half(snapshot), "synthesize": synthesis_half(snapshot)}
    about = {}
    with whole_folder(folder) as beside:
        for name, half in halves.items():
            file, content = f"{name}.{suffix}", convert(half)
            _compare(file, half, content, run)
            (beside / file).write_bytes(content)
            about[file] = {"inputs": _described(_specs(half)), "outputs": _described(half.structured_outputs)}
        description = describe(snapshot, Limits.of_size(snapshot.size))
        del description["limits"]  # Nothing checks them there.
        (beside / "model.json").write_text(json.dumps({"files": about, **description}, indent=2) + "\n", encoding="utf-8")
    return folder


def style_half(snapshot: Snapshot) -> Half:
    """z [N, Z], articles [N, S, h, w, 3], keypoints [N, K, 3], truncation_psi [N] -> w [N, L, D]; see `MEANINGS`."""
    config, sampler = snapshot.config, Sampler(snapshot)
    conditions = _condition_specs(snapshot) if config.conditional else {}
    specs = {"z": tf.TensorSpec([None, config.latent_dim]), **conditions, "truncation_psi": tf.TensorSpec([None])}

    def style(given: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        z, psi = given["z"], given["truncation_psi"]
        w = sampler.style_vectors_of_latents(z, given.get("articles"), given.get("keypoints"), psi)
        return {"w": w[:, : snapshot.num_layers]}

    return _traced(style, specs)


def synthesis_half(snapshot: Snapshot) -> Half:
    """w [N, L, D], noise_0 ... [N, H, W, 1] where it is injected, and what enters as maps -> pictures, uint8 [N, H, W, 3]."""
    config, sampler = snapshot.config, Sampler(snapshot)
    short = {"article_images_bytes": "articles"}
    enter = [short.get(name, name) for name in map_inputs(config)]
    sizes = [size for size in config.level_sizes[: snapshot.level + 1] for _ in range(2)] if config.noise_injection else []
    specs = {"w": tf.TensorSpec([None, snapshot.num_layers, config.style_dim])}
    specs |= {name: spec for name, spec in _condition_specs(snapshot).items() if name in enter}
    specs |= {f"noise_{layer}": tf.TensorSpec([None, *size, 1]) for layer, size in enumerate(sizes)}

    def synthesize(given: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        maps = sampler.condition_maps(given.get("articles"), given.get("keypoints")) if enter else None
        noise = [given[f"noise_{layer}"] for layer in range(len(sizes))] or None
        steps = tf.round((sampler.draw_with_noise(given["w"], noise, maps) + 1) * pixels.HALF_RANGE)
        # As `pixels.to_uint8`, whose saturating cast the converters do not know.
        return {"pictures": tf.cast(tf.maximum(tf.minimum(steps, 255.0), 0.0), tf.uint8)}

    return _traced(synthesize, specs)


def _condition_specs(snapshot: Snapshot) -> dict[str, tf.TensorSpec]:
    config = snapshot.config
    return {
        "articles": tf.TensorSpec([None, len(config.slots), *config.condition_size, 3]),
        "keypoints": tf.TensorSpec([None, NUM_JOINTS, 3]),
    }


def _traced(function: Callable[[Mapping[str, tf.Tensor]], dict[str, tf.Tensor]], specs: Mapping[str, tf.TensorSpec]) -> Half:
    """A function of plain arguments with the names of `specs`, which is what converters read."""
    signature = [tf.TensorSpec(spec.shape, spec.dtype, name) for name, spec in specs.items()]
    traced = tf.function(lambda *values: function(dict(zip(specs, values))), input_signature=signature, autograph=False)
    return traced.get_concrete_function()


def _specs(half: Half) -> dict[str, tf.TensorSpec]:
    return {spec.name: spec for spec in half.structured_input_signature[0]}


def _compare(file: str, half: Half, content: bytes, run: Callable[[bytes, Arrays], np.ndarray]) -> None:
    """Raises `RuntimeError` where a file computes another result: more than one step of 255, or a ten-thousandth."""
    draw = np.random.default_rng(0)
    arrays = {key: draw.normal(size=(ROWS, *spec.shape[1:])).astype("f4") for key, spec in _specs(half).items()}
    if "keypoints" in arrays:
        arrays["keypoints"] = draw.uniform(0.1, 0.9, arrays["keypoints"].shape).round(2).astype("f4")
        arrays["keypoints"][..., 2] = draw.integers(0, 2, arrays["keypoints"].shape[:-1])
    if "articles" in arrays:
        arrays["articles"] = np.tanh(arrays["articles"])
    [expected] = (value.numpy() for value in half(*map(tf.constant, arrays.values())).values())
    found = run(content, arrays)
    worst = np.abs(found.astype("f4") - expected.astype("f4")).max() if found.shape == expected.shape else np.inf
    if not worst <= (1 if expected.dtype == np.uint8 else 1e-4 * max(1.0, np.abs(expected).max())):
        raise RuntimeError(f"{file}: differs from the snapshot by {worst:g} at worst; nothing was written")


def _described(specs: Mapping[str, tf.TensorSpec]) -> dict[str, dict[str, object]]:
    return {
        name: {"dtype": spec.dtype.name, "shape": spec.shape.as_list(), "meaning": MEANINGS[re.sub(r"_\d+$", "", name)]}
        for name, spec in specs.items()
    }


def _to_onnx(half: Half) -> bytes:
    try:
        import onnxruntime  # noqa: F401  # What the file is checked with; asked for before minutes are spent.
        import tf2onnx
    except ImportError as error:
        raise UserError(f"ONNX files need the package {error.name}: pip install 'tf-outfit-gan[onnx]'") from None
    specs = list(_specs(half).values())
    again = tf.function(lambda *values: half(*values), input_signature=specs, autograph=False)
    handlers: dict[str, tuple[Callable[..., None], list]] = {"SelectV2": (_select, [])}
    model, _ = tf2onnx.convert.from_function(again, input_signature=specs, opset=OPSET, custom_op_handlers=handlers)
    return model.SerializeToString()


def _select(graph: Any, node: Any, name: str, arguments: list) -> None:
    """tf.where as ONNX has it: tf2onnx multiplies the choices by 0 and 1, and a place that is NaN, for nowhere, stays NaN."""
    node.type = "Where"


def _run_onnx(content: bytes, arrays: Arrays) -> np.ndarray:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return session.run(None, dict(arrays))[0]


def _to_litert(half: Half) -> bytes:
    return tf.lite.TFLiteConverter.from_concrete_functions([half], trackable_obj=None).convert()


def _run_litert(content: bytes, arrays: Arrays) -> np.ndarray:
    interpreter = tf.lite.Interpreter(model_content=content)
    inputs = interpreter.get_input_details()
    for detail in inputs:
        interpreter.resize_tensor_input(detail["index"], arrays[detail["name"]].shape)
    interpreter.allocate_tensors()
    for detail in inputs:
        interpreter.set_tensor(detail["index"], arrays[detail["name"]])
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


# Of each format: the files' suffix, how a half becomes a file, and how a file is run.
FORMATS: dict[str, tuple[str, Callable[[Half], bytes], Callable[[bytes, Arrays], np.ndarray]]] = {
    "onnx": ("onnx", _to_onnx, _run_onnx),
    "litert": ("tflite", _to_litert, _run_litert),
}
