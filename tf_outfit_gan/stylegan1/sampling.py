"""The original's pictures: given latents and noise maps instead of a seed."""

import tensorflow as tf

from tf_outfit_gan import styles


def pictures(snapshot, latents, noise=None, psi=0.7):
    """What the original's `Gs.run(latents, None, truncation_psi=psi, randomize_noise=False)` returns, in our layout.

    Args:
        snapshot: an imported `Snapshot`.
        latents: z, [N, Z].
        noise: two maps a level, [N, H, W, 1] or [1, H, W, 1]; None = the fixed ones that came with the network.
        psi: truncation of the first eight layers; 1 = none.

    Returns: [N, H, W, 3] in float32, around [-1, 1].
    """
    generator = snapshot.generator
    w = generator.broadcast(generator.style_vectors(tf.constant(latents, tf.float32)))
    w = styles.truncate(w, generator.mapping.w_avg.value, psi)
    alpha = None if snapshot.alpha >= 1 else tf.constant(snapshot.alpha, tf.float32)
    return generator.synthesis(w, snapshot.noise if noise is None else noise, level=snapshot.level, alpha=alpha)
