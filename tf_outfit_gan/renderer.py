"""Single pictures, drawn by the same graph that an export of the snapshot serves: the same request, the same pixels."""

import re

import tensorflow as tf

from tf_outfit_gan import pixels
from tf_outfit_gan.article_bytes import decode_articles
from tf_outfit_gan.inference import Painter
from tf_outfit_gan.util.errors import UserError


class Renderer:
    """Draws one picture a call, as a client asks a server for one.

    Args:
        snapshot: a `Snapshot`.

    Arguments of its methods:
        request: a `Request` with keypoints; None for an unconditional model.
        seed: an integer.
        psi: truncation.

    Pictures are uint8 [H, W, 3]. Raises `UserError` for an article that does not decode.
    """

    def __init__(self, snapshot):
        self._config = snapshot.config
        painter = Painter(snapshot)

        def conditions(request):
            articles, keypoints = request
            return None if articles is None else decode_articles(articles, self._config.condition_size), keypoints

        @tf.function
        def picture(request, seed, psi):
            return pixels.to_uint8(painter.picture(seed, *conditions(request), psi))

        @tf.function
        def transfer(source, target, source_seed, target_seed, psi, layers):
            sides = (source_seed, *conditions(source)), (target_seed, *conditions(target))
            return pixels.to_uint8(painter.transfer(*sides, layers, psi))

        self._picture, self._transfer = picture, transfer

    def picture(self, request, seed, psi):
        """The picture of a request."""
        return _run(self._picture, self._tensors(request), _row(seed, tf.int64), _row(psi))

    def transfer(self, source, target, source_seed, target_seed, psi, layers):
        """The target's picture with all that enters some layers taken from the source, and with the target's noise.

        Args:
            source, target: as `request`.
            layers: (begin, end), 0-based and half-open.
        """
        begin, end = layers
        return _run(
            self._transfer, self._tensors(source), self._tensors(target), _row(source_seed, tf.int64),
            _row(target_seed, tf.int64), _row(psi), (_row(begin, tf.int32), _row(end, tf.int32)))

    def _tensors(self, request):
        """(article bytes [1, S], keypoints [1, K, 3]), or two times None."""
        if request is None:
            return None, None
        articles = [request.articles.get(slot, b"") for slot in self._config.slots]
        return tf.constant([articles]), _row(request.keypoints)


def _row(value, dtype=tf.float32):
    return tf.constant(value, dtype)[tf.newaxis]


def _run(function, *args):
    try:
        return function(*args)[0].numpy()
    except tf.errors.InvalidArgumentError as error:
        # What went wrong stands before the name of the node; around it stands where.
        found = re.search(r"(.*)\n\t \[\[", error.message)
        raise UserError(f"an article does not decode: {found[1] if found else error.message}") from None
