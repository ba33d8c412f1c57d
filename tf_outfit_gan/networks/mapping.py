"""The mapping network: latent and condition to a style vector (arXiv 1812.04948, section 2; 1908.08847, section 3)."""

import keras
import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.layers import EqualizedDense
from tf_outfit_gan.networks.blocks import built

# A fine-tuned model's embedding may start at zero, where the gradient of its norm is 1 / sqrt(epsilon): not 10,000.
EMBEDDING_EPSILON = 1e-2


@keras.saving.register_keras_serializable(package="tf_outfit_gan")
class Mapping(keras.layers.Layer):
    """Normalizes the latent and the condition's embedding, joins them and passes them through dense layers.

    Args:
        latent_dim, embedding_dim: widths of the inputs; an embedding of width 0 is none.
        style_dim: width of w and of the hidden layers.
        num_layers: dense layers.
        lr_multiplier: the mapping network learns this much slower than the rest.
        condition_norm: "joint" normalizes the joined vector, as the paper does; "apart" each of the two before they are
            joined, as StyleGAN2-ADA does (arXiv 2006.06676, its code). Jointly the embedding, which grows as it learns,
            takes nearly all of the norm, and different latents give the same picture.

    Call arguments:
        latents: z, [N, Z].
        embedding: [N, E], or None for an unconditional model.

    Output shape: w, [N, D].
    """

    def __init__(self, latent_dim, embedding_dim, style_dim, num_layers, lr_multiplier, condition_norm="joint", **kwargs):
        super().__init__(**kwargs)
        self.condition_norm = condition_norm
        self.hidden = []
        width = latent_dim + embedding_dim
        for _ in range(num_layers):
            layer = EqualizedDense(style_dim, gain=2**0.5, lr_multiplier=lr_multiplier, dtype=self.dtype_policy.name)
            self.hidden.append(built(layer, (None, width)))
            width = style_dim
        # The center that truncation pulls to. Each replica sees its own part of the batch: without an aggregation
        # replicas would drift apart silently.
        self.w_avg = self.add_weight(
            shape=(style_dim,), initializer="zeros", trainable=False, aggregation="mean", autocast=False, name="w_avg"
        )
        self.build((None, latent_dim))

    def call(self, latents, embedding=None):
        # Normalize and join.
        if embedding is None:
            x = ops.pixel_norm(latents)
        elif self.condition_norm == "joint":
            x = ops.pixel_norm(tf.concat([latents, tf.cast(embedding, latents.dtype)], axis=-1))
        else:
            embedding = ops.pixel_norm(tf.cast(embedding, latents.dtype), EMBEDDING_EPSILON)
            x = tf.concat([ops.pixel_norm(latents), embedding], axis=-1)

        # Main layers.
        for layer in self.hidden:
            x = ops.leaky_relu(layer(x))
        return x

    def compute_output_shape(self, input_shape):
        return input_shape[0], *self.w_avg.shape

    def track(self, w, decay=0.995):
        """Moves w_avg towards the mean w of a batch, [D]: of all replicas, called outside of `strategy.run`."""
        self.w_avg.assign(ops.lerp(w, self.w_avg.value, decay))
