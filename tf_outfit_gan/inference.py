"""From a request to a picture: the one path that rendering, measuring and serving share.

Everything here runs in a graph, and every row depends on its own seed and conditions alone: one seed is one picture,
alone or in any batch, rendered here or served. Alone or in a batch, kernels may sum in another order: up to one step of
255, in a pixel of a thousand.
"""

import re
from collections.abc import Callable, Sequence

import numpy as np
import tensorflow as tf
from numpy.typing import ArrayLike

from tf_outfit_gan import pixels, styles
from tf_outfit_gan.images.decode_in_graph import decode_articles
from tf_outfit_gan.outfit_request import Request
from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.randomness import seeded_latents, seeded_noise
from tf_outfit_gan.slots import slot_index
from tf_outfit_gan.snapshot import Snapshot
from tf_outfit_gan.util.errors import UserError

# Seeds, articles and keypoints of pictures; the last two are None for an unconditional model.
Side = tuple[tf.Tensor, tf.Tensor | None, tf.Tensor | None]
# The articles' bytes and the keypoints of a request.
_Tensors = tuple[tf.Tensor | None, tf.Tensor | None]

# Pictures that are drawn together: many small ones, as each call costs some milliseconds, and few large ones, as their
# activations take memory.
_BATCH, _BATCH_PIXELS = 64, 2**22


class Sampler:
    """Draws pictures with a snapshot's generator.

    Args:
        snapshot: a `Snapshot`.

    Arguments of its methods:
        seeds: int64 [N].
        articles: [N, S, h, w, 3] in [-1, 1], 0 for a missing article; None for an unconditional model.
        keypoints: [N, K, 3]; None for an unconditional model.
        psi: truncation, a number or [N].

    Pictures are [N, H, W, 3] in float32, around [-1, 1].
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.config, self.generator, self.level = snapshot.config, snapshot.generator, snapshot.level
        self.num_layers = snapshot.num_layers
        self._alpha = None if snapshot.alpha >= 1 else snapshot.alpha

    def style_vectors(
        self,
        seeds: tf.Tensor,
        articles: tf.Tensor | None = None,
        keypoints: tf.Tensor | None = None,
        psi: float | tf.Tensor = 1.0,
    ) -> tf.Tensor:
        """The style vector of every layer, [N, L, D]."""
        return self.style_vectors_of_latents(seeded_latents(seeds, self.config.latent_dim), articles, keypoints, psi)

    def style_vectors_of_latents(
        self,
        latents: tf.Tensor,
        articles: tf.Tensor | None = None,
        keypoints: tf.Tensor | None = None,
        psi: float | tf.Tensor = 1.0,
    ) -> tf.Tensor:
        """The same of latents, [N, Z], instead of seeds."""
        w = self.generator.broadcast(self.generator.style_vectors(latents, articles, keypoints))
        return styles.truncate(w, self.generator.mapping.w_avg.value, psi)

    def condition_maps(self, articles: tf.Tensor | None = None, keypoints: tf.Tensor | None = None) -> list[tf.Tensor] | None:
        """What enters the synthesis network beside the style vectors: a list by level, or None."""
        return self.generator.condition_maps(articles, keypoints, self.level)

    def draw(self, w: tf.Tensor, seeds: tf.Tensor, maps: list[tf.Tensor] | None = None) -> tf.Tensor:
        """Pictures of style vectors and condition maps; the seeds give the noise."""
        return self.draw_with_noise(w, seeded_noise(seeds, self.config.level_sizes[: self.level + 1]), maps)

    def draw_with_noise(self, w: tf.Tensor, noise: list[tf.Tensor] | None, maps: list[tf.Tensor] | None = None) -> tf.Tensor:
        """The same with noise maps, two a level, [N, H, W, 1], instead of seeds; None without `noise_injection`."""
        return self.generator.synthesis(w, noise, maps, level=self.level, alpha=self._alpha)

    def picture(
        self,
        seeds: tf.Tensor,
        articles: tf.Tensor | None = None,
        keypoints: tf.Tensor | None = None,
        psi: float | tf.Tensor = 1.0,
    ) -> tf.Tensor:
        """Pictures of requests."""
        w = self.style_vectors(seeds, articles, keypoints, psi)
        return self.draw(w, seeds, self.condition_maps(articles, keypoints))

    def transfer(
        self, source: Side, target: Side, layers: tuple[int | tf.Tensor, int | tf.Tensor], psi: float | tf.Tensor = 1.0
    ) -> tf.Tensor:
        """The target's pictures with the style vectors of some layers taken from the source (1908.08847, section 4.1).

        Where conditions also enter as maps, these go with the layers, but whole: half of a limb in one pose and half in
        another would be no picture. The pose of the maps is that of the side which owns the first layer, and their
        articles are those of the side which owns the last one.

        Args:
            source, target: (seeds, articles, keypoints); the last two are None for an unconditional model. The noise is
                that of the target's seeds.
            layers: (begin, end), 0-based and half-open; numbers or [N].
        """
        # Both sides in one batch: what draws a style vector is in the graph once.
        (_, source_articles, source_keypoints), (seeds, articles, keypoints) = source, target
        both_seeds, both_articles, both_keypoints = (
            None if of_source is None else tf.concat([of_source, of_target], axis=0)
            for of_source, of_target in zip(source, target)
        )
        both_psi = tf.tile(tf.broadcast_to(tf.cast(psi, tf.float32), tf.shape(seeds)), [2])
        source_w, target_w = tf.split(self.style_vectors(both_seeds, both_articles, both_keypoints, both_psi), 2)
        w = styles.copy_layers(source_w, target_w, *layers)
        if not self.config.conditional:
            return self.draw(w, seeds)
        begin, end = (tf.broadcast_to(layer, tf.shape(seeds)) for layer in layers)
        first_layer, last_layer = (begin < end) & (begin == 0), (begin < end) & (end == self.num_layers)
        articles = tf.where(last_layer[:, None, None, None, None], source_articles, articles)
        keypoints = tf.where(first_layer[:, None, None], source_keypoints, keypoints)
        return self.draw(w, seeds, self.condition_maps(articles, keypoints))


class Renderer:
    """Draws what a user asks for: one picture, or a batch of them.

    Args:
        snapshot: a `Snapshot`.

    Arguments of its methods:
        request: a `Request` with keypoints; None for an unconditional model.
        seed: an integer.
        psi: truncation.

    Pictures are uint8 [H, W, 3]. Raises `UserError` for an article that does not decode or has no slot in the model.

    Attributes:
        batch_size: how many pictures to ask `pictures` for at a time.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self._config = snapshot.config
        sampler = Sampler(snapshot)
        height, width = snapshot.size
        self.batch_size = max(1, min(_BATCH, _BATCH_PIXELS // (height * width)))

        # Of any number of pictures, in one graph: outfits are decoded once, however many pictures show them.
        signature = [tf.TensorSpec([None], tf.int64), tf.TensorSpec([None], tf.float32)]
        if self._config.conditional:
            signature += [
                tf.TensorSpec([None, len(self._config.slots)], tf.string),
                tf.TensorSpec([None], tf.int32),
                tf.TensorSpec([None, NUM_JOINTS, 3], tf.float32),
            ]

        def decoded(articles: tf.Tensor) -> tf.Tensor:
            return decode_articles(articles, self._config.condition_size, self._config.slots)

        def conditions(request: _Tensors) -> tuple[tf.Tensor | None, tf.Tensor | None]:
            articles, keypoints = request
            return None if articles is None else decoded(articles), keypoints

        @tf.function(input_signature=signature)
        def pictures(
            seeds: tf.Tensor,
            psi: tf.Tensor,
            outfits: tf.Tensor | None = None,
            outfit_of: tf.Tensor | None = None,
            keypoints: tf.Tensor | None = None,
        ) -> tf.Tensor:
            articles = None if outfits is None else tf.gather(decoded(outfits), outfit_of)
            return pixels.to_uint8(sampler.picture(seeds, articles, keypoints, psi))

        @tf.function
        def style_vectors(request: _Tensors, seed: tf.Tensor, psi: tf.Tensor) -> tf.Tensor:
            return sampler.style_vectors(seed, *conditions(request), psi)[:, : sampler.num_layers]

        @tf.function
        def draw(w: tf.Tensor, request: _Tensors, seed: tf.Tensor) -> tf.Tensor:
            return pixels.to_uint8(sampler.draw(w, seed, sampler.condition_maps(*conditions(request))))

        @tf.function
        def transfer(
            source: _Tensors,
            target: _Tensors,
            source_seed: tf.Tensor,
            target_seed: tf.Tensor,
            psi: tf.Tensor,
            layers: tuple[tf.Tensor, tf.Tensor],
        ) -> tf.Tensor:
            sides = (source_seed, *conditions(source)), (target_seed, *conditions(target))
            return pixels.to_uint8(sampler.transfer(*sides, layers, psi))

        self._pictures, self._styles, self._draw, self._transfer = pictures, style_vectors, draw, transfer

    def picture(self, request: Request | None, seed: int, psi: float) -> np.ndarray:
        """The picture of a request."""
        return self.pictures([request], [seed], psi)[0]

    def pictures(self, requests: Sequence[Request | None], seeds: Sequence[int], psi: float) -> np.ndarray:
        """The pictures of N requests, each with its seed, uint8 [N, H, W, 3].

        Each is the one that `picture` draws, up to one step of 255; poses of one outfit share its `articles`.
        """
        arguments = [tf.constant(seeds, tf.int64), tf.fill([len(seeds)], float(psi))]
        if self._config.conditional:
            outfits = {id(request.articles): request for request in requests if request is not None}
            places = {outfit: place for place, outfit in enumerate(outfits)}
            arguments += [
                tf.constant([self._article_bytes(request) for request in outfits.values()]),
                tf.constant([places[id(request.articles)] for request in requests if request is not None]),
                tf.constant([request.keypoints for request in requests if request is not None], tf.float32),
            ]
        return _run(self._pictures, *arguments)

    def styles(self, request: Request | None, seed: int, psi: float) -> np.ndarray:
        """The style vectors of the layers that a picture reads, float32 [L, D]."""
        return _run(self._styles, self._tensors(request), _row(seed, tf.int64), _row(psi))[0]

    def draw(self, w: np.ndarray, request: Request | None, seed: int) -> np.ndarray:
        """The picture of style vectors [L, D]; the request gives the condition maps, where there are some."""
        return _run(self._draw, _row(w), self._tensors(request), _row(seed, tf.int64))[0]

    def transfer(
        self,
        source: Request | None,
        target: Request | None,
        source_seed: int,
        target_seed: int,
        psi: float,
        layers: tuple[int, int],
    ) -> np.ndarray:
        """The target's picture with some layers taken from the source, as `Sampler.transfer` does, and the target's noise.

        Args:
            source, target: as `request`.
            layers: (begin, end), 0-based and half-open.
        """
        begin, end = layers
        return _run(
            self._transfer,
            self._tensors(source),
            self._tensors(target),
            _row(source_seed, tf.int64),
            _row(target_seed, tf.int64),
            _row(psi),
            (_row(begin, tf.int32), _row(end, tf.int32)),
        )[0]

    def _tensors(self, request: Request | None) -> _Tensors:
        """(article bytes [1, S], keypoints [1, K, 3]), or two times None."""
        if request is None:
            return None, None
        assert request.keypoints is not None
        return tf.constant([self._article_bytes(request)]), _row(request.keypoints)

    def _article_bytes(self, request: Request) -> list[bytes]:
        """The articles of a request in the order of the model's slots; empty where one is missing."""
        for slot in request.articles:
            slot_index(slot, self._config.slots)
        return [request.articles.get(slot, b"") for slot in self._config.slots]


def _row(value: ArrayLike, dtype: tf.DType = tf.float32) -> tf.Tensor:
    return tf.constant(value, dtype)[tf.newaxis]


def _run(function: Callable[..., tf.Tensor], *args: object) -> np.ndarray:
    try:
        return function(*args).numpy()
    except tf.errors.InvalidArgumentError as error:
        # What went wrong stands before the name of the node; around it stands where.
        found = re.search(r"(.*)\n\t \[\[", error.message)
        raise UserError(f"an article does not decode: {found[1] if found else error.message}") from None
