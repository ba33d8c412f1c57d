"""From a request to a picture: the one path that rendering, measuring and serving share.

Everything here runs in a graph, and every row depends on its own seed and conditions alone: one seed is one picture,
alone or in any batch, rendered here or served. Alone or in a batch, kernels may sum in another order: up to one step of
255, in a pixel of a thousand.
"""

import re

import tensorflow as tf

from tf_outfit_gan import pixels, styles
from tf_outfit_gan.images.decode_in_graph import decode_articles
from tf_outfit_gan.randomness import seeded_latents, seeded_noise
from tf_outfit_gan.slots import slot_index
from tf_outfit_gan.util.errors import UserError


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

    def __init__(self, snapshot):
        self.config, self.generator, self.level = snapshot.config, snapshot.generator, snapshot.level
        self.num_layers = snapshot.num_layers
        self._alpha = None if snapshot.alpha >= 1 else tf.constant(snapshot.alpha, tf.float32)

    def style_vectors(self, seeds, articles=None, keypoints=None, psi=1.0):
        """The style vector of every layer, [N, L, D]."""
        w = self.generator.style_vectors(seeded_latents(seeds, self.config.latent_dim), articles, keypoints)
        w = self.generator.broadcast(w)
        return styles.truncate(w, self.generator.mapping.w_avg.value, psi)

    def condition_maps(self, articles=None, keypoints=None):
        """What enters the synthesis network beside the style vectors: a list by level, or None."""
        return self.generator.condition_maps(articles, keypoints, self.level)

    def draw(self, w, seeds, maps=None):
        """Pictures of style vectors and condition maps; the seeds give the noise."""
        noise = seeded_noise(seeds, self.config.level_sizes[: self.level + 1])
        return self.generator.synthesis(w, noise, maps, level=self.level, alpha=self._alpha)

    def picture(self, seeds, articles=None, keypoints=None, psi=1.0):
        """Pictures of requests."""
        w = self.style_vectors(seeds, articles, keypoints, psi)
        return self.draw(w, seeds, self.condition_maps(articles, keypoints))

    def transfer(self, source, target, layers, psi=1.0):
        """The target's pictures with the style vectors of some layers taken from the source (1908.08847, section 4.1).

        Where conditions also enter as maps, these go with the layers, but whole: half of a limb in one pose and half in
        another would be no picture. The pose of the maps is that of the side which owns the first layer, and their
        articles are those of the side which owns the last one.

        Args:
            source, target: (seeds, articles, keypoints); without the last two for an unconditional model. The noise is
                that of the target's seeds.
            layers: (begin, end), 0-based and half-open; numbers or [N].
        """
        seeds = target[0]
        w = styles.copy_layers(*(self.style_vectors(*side, psi=psi) for side in (source, target)), *layers)
        if not self.config.conditional:
            return self.draw(w, seeds)
        (_, source_articles, source_keypoints), (_, articles, keypoints) = source, target
        first_layer, last_layer = (
            tf.broadcast_to(owned, tf.shape(seeds)) for owned in (tf.equal(layers[0], 0), tf.equal(layers[1], self.num_layers))
        )
        articles = tf.where(last_layer[:, None, None, None, None], source_articles, articles)
        keypoints = tf.where(first_layer[:, None, None], source_keypoints, keypoints)
        return self.draw(w, seeds, self.condition_maps(articles, keypoints))


class Renderer:
    """Draws one picture a call, as a client asks a server for one.

    Args:
        snapshot: a `Snapshot`.

    Arguments of its methods:
        request: a `Request` with keypoints; None for an unconditional model.
        seed: an integer.
        psi: truncation.

    Pictures are uint8 [H, W, 3]. Raises `UserError` for an article that does not decode or has no slot in the model.
    """

    def __init__(self, snapshot):
        self._config = snapshot.config
        sampler = Sampler(snapshot)

        def conditions(request):
            articles, keypoints = request
            return None if articles is None else decode_articles(articles, self._config.condition_size), keypoints

        @tf.function
        def picture(request, seed, psi):
            return pixels.to_uint8(sampler.picture(seed, *conditions(request), psi))

        @tf.function
        def style_vectors(request, seed, psi):
            return sampler.style_vectors(seed, *conditions(request), psi)[:, : sampler.num_layers]

        @tf.function
        def draw(w, request, seed):
            return pixels.to_uint8(sampler.draw(w, seed, sampler.condition_maps(*conditions(request))))

        @tf.function
        def transfer(source, target, source_seed, target_seed, psi, layers):
            sides = (source_seed, *conditions(source)), (target_seed, *conditions(target))
            return pixels.to_uint8(sampler.transfer(*sides, layers, psi))

        self._picture, self._styles, self._draw, self._transfer = picture, style_vectors, draw, transfer

    def picture(self, request, seed, psi):
        """The picture of a request."""
        return _run(self._picture, self._tensors(request), _row(seed, tf.int64), _row(psi))

    def styles(self, request, seed, psi):
        """The style vectors of the layers that a picture reads, float32 [L, D]."""
        return _run(self._styles, self._tensors(request), _row(seed, tf.int64), _row(psi))

    def draw(self, w, request, seed):
        """The picture of style vectors [L, D]; the request gives the condition maps, where there are some."""
        return _run(self._draw, _row(w), self._tensors(request), _row(seed, tf.int64))

    def transfer(self, source, target, source_seed, target_seed, psi, layers):
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
        )

    def _tensors(self, request):
        """(article bytes [1, S], keypoints [1, K, 3]), or two times None."""
        if request is None:
            return None, None
        for slot in request.articles:
            slot_index(slot, self._config.slots)
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
