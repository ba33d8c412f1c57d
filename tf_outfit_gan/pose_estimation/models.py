"""Networks in files, seen alike: a size, a type of numbers, and a call from pictures to arrays."""

import hashlib
import warnings
from pathlib import Path

import numpy as np

from tf_outfit_gan.util.errors import UserError

# What networks take: quantized and integer ones want 0..255, for floats it depends on the layout.
TYPES = ("float32", "uint8", "int32")


def load_model(path):
    """Loads a .tflite file or a SavedModel folder; raises `UserError` that names it when it cannot be."""
    path = Path(path)
    if not path.exists():
        raise UserError(f"{path}: no such file; expected a pose model, a .tflite file or a SavedModel folder")
    return SavedModel(path) if path.is_dir() else LiteRtModel(path)


def digest(path):
    """The SHA-256 of a model's file, or of its folder's files: what a data set was made with."""
    path = Path(path)
    sha256 = hashlib.sha256()
    for file in sorted(path.rglob("*")) if path.is_dir() else [path]:
        if file.is_file():
            sha256.update(file.read_bytes())
    return sha256.hexdigest()


class LiteRtModel:
    """A .tflite file, run by ai-edge-litert when that is installed, otherwise by TensorFlow; a picture at a time."""

    def __init__(self, path):
        self.path = path
        try:
            self._interpreter = _interpreter()(model_path=str(path))
            self._interpreter.allocate_tensors()
        except (ValueError, RuntimeError) as error:
            raise UserError(f"{path}: expected a .tflite pose model, could not read it ({_line(error)})") from None
        inputs = self._interpreter.get_input_details()
        self._input, self._outputs = inputs[0]["index"], self._interpreter.get_output_details()
        self.dtype = np.dtype(inputs[0]["dtype"])
        _, self.size = _checked(path, len(inputs), inputs[0]["shape"].tolist(), self.dtype)

    def __call__(self, pictures):
        """Runs pictures [N, h, w, 3] of the model's `size` and `dtype`; returns all outputs, each [N, ...]."""
        results = []
        for picture in pictures:
            self._interpreter.set_tensor(self._input, picture[None])
            self._interpreter.invoke()
            results.append([self._interpreter.get_tensor(output["index"]) for output in self._outputs])
        return [np.concatenate(outputs) for outputs in zip(*results)]


class SavedModel:
    """The signature serving_default of a SavedModel folder; whole batches, if it does not insist on one picture.

    `signature` is the function itself.
    """

    def __init__(self, path):
        import tensorflow as tf

        self.path = path
        try:
            self._model = tf.saved_model.load(str(path))
            self.signature = self._model.signatures["serving_default"]
        except (OSError, ValueError, KeyError, tf.errors.OpError) as error:
            raise UserError(
                f"{path}: expected a SavedModel with the signature serving_default, could not load it ({_line(error)})"
            ) from None
        specs = self.signature.structured_input_signature[1]
        (self._name, spec), *_ = specs.items()
        shape = spec.shape.as_list() if spec.shape.rank is not None else []
        self.dtype = np.dtype(spec.dtype.as_numpy_dtype)
        self._one_by_one, self.size = _checked(path, len(specs), shape, self.dtype)

    def __call__(self, pictures):
        """Runs pictures [N, h, w, 3] of the model's `size` and `dtype`; returns all outputs, each [N, ...]."""
        import tensorflow as tf

        batches = np.split(pictures, len(pictures)) if self._one_by_one else [pictures]
        results = [self.signature(**{self._name: tf.constant(batch)}) for batch in batches]
        return [np.concatenate([result[name].numpy() for result in results]) for name in results[0]]


def _interpreter():
    """LiteRT's interpreter; TensorFlow's own copy is deprecated, but is there without another package."""
    try:
        from ai_edge_litert.interpreter import Interpreter

        return Interpreter
    except ImportError:
        import tensorflow as tf

        def interpreter(**arguments):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return tf.lite.Interpreter(**arguments)

        return interpreter


def _checked(path, num_inputs, shape, dtype):
    """Returns whether the model takes one picture at a time, and its (height, width)."""
    fits = num_inputs == 1 and len(shape) == 4 and shape[0] in (None, -1, 1) and shape[3] == 3
    if not fits or not all(side and side > 0 for side in shape[1:3]) or dtype.name not in TYPES:
        raise UserError(
            f"{path}: expected a pose model with one input [1 or any, height, width, 3] of "
            f"{', '.join(TYPES)}, found {num_inputs}, the first {shape} of {dtype.name}"
        )
    return shape[0] == 1, tuple(shape[1:3])


def _line(error):
    return " ".join(str(error).split())[:120]
