"""From a request to a picture: the one path that rendering, measuring and serving share.

Everything here runs in a graph, and every row depends on its own seed and conditions alone: one seed is one picture,
alone or in any batch, rendered here or served. Alone or in a batch, kernels may sum in another order: up to one step of
255, in a pixel of a thousand.
"""

import tensorflow as tf

from tf_outfit_gan import styles
from tf_outfit_gan.randomness import seeded_latents, seeded_noise


class Painter:
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

    def draw(self, w, seeds, keypoints=None):
        """Pictures of style vectors; the seeds give the noise, the keypoints the pose where it enters spatially."""
        noise = seeded_noise(seeds, self.config.level_sizes[: self.level + 1])
        pose_maps = self.generator.pose_maps(keypoints, self.level)
        return self.generator.synthesis(w, noise, pose_maps, level=self.level, alpha=self._alpha)

    def picture(self, seeds, articles=None, keypoints=None, psi=1.0):
        """Pictures of requests."""
        return self.draw(self.style_vectors(seeds, articles, keypoints, psi), seeds, keypoints)

    def transfer(self, source_w, target_w, seeds, layers, keypoints=None):
        """The target's pictures with the source's style vectors in some layers (1908.08847, section 4.1).

        Args:
            source_w, target_w: from `style_vectors`, [N, L, D].
            seeds, keypoints: the target's.
            layers: (begin, end), 0-based and half-open; numbers or [N].
        """
        return self.draw(styles.copy_layers(source_w, target_w, *layers), seeds, keypoints)
