"""The generator: embedding, mapping and synthesis networks (arXiv 1908.08847, section 3)."""

import keras
import tensorflow as tf

from tf_outfit_gan.networks.condition_maps import maps_by_level
from tf_outfit_gan.networks.embedding import Embedding
from tf_outfit_gan.networks.mapping import Mapping
from tf_outfit_gan.networks.serialization import ConfigSerialization
from tf_outfit_gan.networks.synthesis import Synthesis
from tf_outfit_gan.pose.heatmaps import render_heatmaps


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class Generator(ConfigSerialization, keras.Model):
    """Pictures from latents, and from articles and a pose when the model is conditional.

    Args:
        config: the `ModelConfig`.
        recompute_from, norm_kernel: see `Synthesis`.

    Call arguments:
        latents: z, [N, Z].
        noise: a list of two maps a level, [N, H, W, 1]: see `randomness`.
        articles: [N, S, h, w, 3] in [-1, 1], 0 for a missing article; None when unconditional.
        keypoints: [N, K, 3]; None when unconditional.
        level, alpha: see `Synthesis`.

    Output shape: [N, H, W, 3] in float32, around [-1, 1].
    """

    def __init__(self, config, recompute_from=0, norm_kernel="batch_norm", **kwargs):
        super().__init__(**kwargs)
        self.config, self.recompute_from, self.norm_kernel = config, recompute_from, norm_kernel
        self.embedding = None
        if config.conditional:
            self.embedding = Embedding(config, config.embedding_dim, dtype=self.dtype_policy.name)
        # The mapping network is cheap, and rounding its output would move every layer: always float32.
        self.mapping = Mapping(
            config.latent_dim,
            config.embedding_dim if config.conditional else 0,
            config.style_dim,
            config.mapping_layers,
            config.mapping_lr_multiplier,
            config.condition_norm,
            dtype="float32",
        )
        self.synthesis = Synthesis(config, recompute_from, norm_kernel, dtype=self.dtype_policy.name)
        self.built = True  # Every layer built its weights above.

    def call(self, latents, noise, articles=None, keypoints=None, level=None, alpha=None):
        w = self.style_vectors(latents, articles, keypoints)
        maps = self.condition_maps(articles, keypoints, level)
        return self.synthesis(self.broadcast(w), noise, maps, level=level, alpha=alpha)

    def style_vectors(self, latents, articles=None, keypoints=None):
        """w before truncation and mixing, [N, D]."""
        if self.embedding is None:
            return self.mapping(latents)
        return self.mapping(latents, self.embed(articles, keypoints))

    def embed(self, articles, keypoints):
        """The condition's embedding, [N, E]."""
        return self.embedding(articles, render_heatmaps(keypoints, self.config.condition_size))

    def broadcast(self, w):
        """The same style vector for every layer, [N, D] -> [N, L, D]."""
        return tf.tile(w[:, None, :], [1, self.config.num_layers, 1])

    def condition_maps(self, articles, keypoints, level=None):
        """The maps that enter the synthesis network at each level, [N, H, W, M]; None where no condition enters so."""
        if not self.config.conditional:
            return None
        sizes = self.config.level_sizes[: None if level is None else level + 1]
        kinds = self.config.generator_maps
        return maps_by_level(sizes, self.config.slots, keypoints, articles, **kinds)
