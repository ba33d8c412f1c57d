"""What is done to style vectors between the mapping and the synthesis network: [N, L, D] in, [N, L, D] out.

Mixing and truncation are StyleGAN's (arXiv 1812.04948, section 3.1 and appendix B); transfer by copying the style
vectors of some layers is the paper's (1908.08847, section 4, table 1).
"""

import math

import tensorflow as tf

from tf_outfit_gan.util.errors import UserError


def mix(w, other, cutoff):
    """Takes layers from `cutoff` on from `other`; the cutoff is 0-based, a number or a scalar tensor."""
    layers = tf.range(w.shape[1])[None, :, None]
    return tf.where(layers < cutoff, w, other)


def truncate(w, w_avg, psi, num_layers=8):
    """Pulls the first layers towards the average style vector: psi = 1 leaves w, psi = 0 gives the average.

    Args:
        w: [N, L, D].
        w_avg: [D].
        psi: a number, or [N].
        num_layers: layers 0 .. num_layers - 1 are truncated.
    """
    psi = tf.reshape(tf.cast(psi, w.dtype), [-1, 1, 1])
    truncated = w_avg + (w - w_avg) * psi
    return mix(truncated, w, num_layers)


def copy_layers(source, target, begin, end):
    """The target's style vectors with layers begin .. end - 1 taken from the source.

    Args:
        source, target: [N, L, D].
        begin, end: 0-based; numbers, or [N].
    """
    begin, end = (tf.reshape(tf.cast(x, tf.int32), [-1, 1, 1]) for x in (begin, end))
    layers = tf.range(target.shape[1])[None, :, None]
    return tf.where((layers >= begin) & (layers < end), source, target)


def transfer_layers(what, num_layers, split=None):
    """The layers that carry the color or the pose, as a 0-based half-open range.

    Args:
        what: "color" (or "colour") or "pose".
        num_layers: the layers that a picture reads.
        split: the layer where, as `evaluate` found, the pose ends and the colors begin. None = the paper's shares: of 18
            layers, counted from 1, 13-18 for the color and 1-3 for the pose.
    """
    if what in ("color", "colour"):
        return math.ceil(num_layers * 12 / 18) if split is None else split, num_layers
    if what == "pose":
        return 0, math.ceil(num_layers * 3 / 18) if split is None else split
    raise UserError(f"unknown transfer {what!r}: expected color or pose")
