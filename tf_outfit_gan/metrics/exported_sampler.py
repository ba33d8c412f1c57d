"""Draws the pictures that are measured by asking the signatures of an exported SavedModel, as a server does."""

import json

import numpy as np
import tensorflow as tf
from absl import logging

from tf_outfit_gan.metrics.article_encoding import encode_articles
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.model_versions import model_versions


class ExportedSampler:
    """Draws pictures of one exported version, without truncation.

    Args:
        path: the version's folder.
        num_layers: style layers that its pictures read.
        max_rows: pictures that it draws at once; None = any number, as exports of earlier versions do.

    Raises:
        UserError: for a SavedModel that does not load.
    """

    def __init__(self, path, num_layers, max_rows=None):
        try:
            self._model = _load(path)
        except (OSError, ValueError, tf.errors.OpError) as error:
            reason = str(error).partition("\n")[0]
            raise UserError(f"{path}: does not load ({reason}); export the model again") from None
        self._num_layers, self._max_rows = num_layers, max_rows

    def __call__(self, seeds, articles=None, keypoints=None):
        """Pictures uint8 [N, H, W, 3] of seeds int64 [N], articles [N, S, h, w, 3] and keypoints [N, K, 3]."""
        return self._ask("serving_default", _inputs(seeds, articles, keypoints))

    def transfer(self, upper, lower, split):
        """As `ParallelSampler.transfer`."""
        if split == self._num_layers:  # Nothing comes from the upper requests, which the signature does not ask for.
            return self(*lower)
        sides = _inputs(*upper, side="source_") | _inputs(*lower, side="target_")
        ends = {"layer_begin": split, "layer_end": self._num_layers}
        return self._ask("style_mix", sides | {name: tf.fill([len(lower[0])], layer) for name, layer in ends.items()})

    def _ask(self, signature, inputs):
        count = len(next(iter(inputs.values())))
        pictures, rows = [], self._max_rows or count
        for first in range(0, count, rows):
            part = {name: value[first : first + rows] for name, value in inputs.items()}
            answer = self._model.signatures[signature](**part, truncation_psi=tf.ones([min(rows, count - first)]))
            pictures += [tf.io.decode_png(png).numpy() for png in answer["image_bytes"]]
        return np.stack(pictures)


def _load(path):
    """The SavedModel, without a warning for every function that has no gradients, which metrics do not need."""
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        return tf.saved_model.load(str(path))
    finally:
        logging.set_verbosity(before)


def _inputs(seeds, articles=None, keypoints=None, side=""):
    """What a signature takes of requests, by its names."""
    inputs = {"seed": tf.convert_to_tensor(seeds, tf.int64)}
    if articles is not None:
        inputs["article_images_bytes"] = tf.constant(encode_articles(np.asarray(articles)))
        inputs["keypoints"] = tf.convert_to_tensor(keypoints, tf.float32)
    return {side + name: value for name, value in inputs.items()}


def newest_version(path):
    """The exported version that a folder means: itself, or the one of the highest number in it; None if there is none."""
    if (path / "saved_model.pb").is_file():
        return path
    versions = {number: folder for number, folder in model_versions(path).items() if (folder / "saved_model.pb").is_file()}
    return versions[max(versions)] if versions else None


def read_card(path):
    """What an exported version says of itself, as `outfit-gan export` writes it; raises `UserError` where it says nothing."""
    card = path / "assets.extra" / "model.json"
    try:
        return json.loads(card.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{card}: not readable ({error}); expected what `outfit-gan export` writes: export again") from None
