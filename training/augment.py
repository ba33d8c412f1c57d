"""Adaptive augmentation of what the discriminator sees, for catalogues too small to train on (arXiv 2006.06676, "ADA").

Reals and fakes are altered alike before they are scored, each alteration with a probability p that grows while the
discriminator overfits. As an unaltered picture stays the likeliest of all, the generator does not learn to draw altered
ones. Here the conditions are altered along: a moved photo moves its pose, a recolored one recolors its articles.

Not taken from the paper's set: mirroring, which the data do; turning by angles, as people stand upright on a level
floor; luma inversion, as negatives are none of a shop's photos. Pictures are moved and stretched along their axes only:
then a warp is a product with one matrix an axis, whose gradients of every order TensorFlow knows.
"""

import math

import tensorflow as tf

# How far each alteration goes, to both sides, all amounts equally likely: with the paper's standard deviations where
# it has normal ones, but bounded. Shifts are in parts of the picture's side, the hue in radians, the others are
# exponents of two, brightness is added.
_REACHES = {
    "shift_x": 1 / 8,
    "shift_y": 1 / 8,
    "zoom": 0.35,
    "stretch": 0.35,
    "brightness": 0.35,
    "contrast": 0.87,
    "hue": math.pi,
    "saturation": 1.73,
}
# Above it, altered pictures begin to show up among the generator's (section 2.2).
LARGEST_PROBABILITY = 0.8


def adapted(probability, sign_real, batch, config):
    """p after a step: it grows while more reals score above chance than `ada_target` says, and shrinks otherwise.

    Args:
        probability: p before.
        sign_real: mean sign of the reals' scores in the step; 1 = the discriminator is sure of every one.
        batch: pictures in the step.
        config: the `TrainingConfig`; in `ada_kimg` thousand images p goes all the way from 0 to 1.
    """
    step = batch / (config.ada_kimg * 1000)
    # A score that is not finite, of a step whose update is skipped, says nothing.
    direction = tf.where(tf.math.is_finite(sign_real), tf.sign(sign_real - config.ada_target), 0.0)
    return tf.clip_by_value(probability + step * direction, 0.0, LARGEST_PROBABILITY)


class Unaltered:
    """Lets the discriminator see pictures and conditions as they are."""

    def images(self, images):
        return images

    def conditions(self, batch):
        return batch


class Augmentation:
    """The alterations of one batch: the same for a row's real, its fake and the conditions that both share.

    Args:
        probability: p, a scalar tensor; each alteration happens with this probability, one by one.
        draws: the phase's `BatchDraws`.
        size: (height, width) of the pictures.
    """

    def __init__(self, probability, draws, size):
        gates, amounts = tf.split(draws.augmentation(2 * len(_REACHES)), 2, axis=1)  # [N, 8] each
        amounts = tf.where(gates < probability, (2 * amounts - 1) * list(_REACHES.values()), 0.0)
        drawn = dict(zip(_REACHES, tf.unstack(amounts, axis=1)))

        # Where things go. A shift by whole pixels alone does not blur.
        self.size = size
        self.shifts = [tf.round(drawn[name] * side) for name, side in zip(("shift_y", "shift_x"), size)]  # [N] each
        self.scales = [2 ** (drawn["zoom"] - drawn["stretch"]), 2 ** (drawn["zoom"] + drawn["stretch"])]
        self.rows, self.columns = map(resampling, self.scales, self.shifts, size)  # [N, H, H], [N, W, W]

        # Which colors things take.
        self.colors = color_matrix(2 ** drawn["contrast"], drawn["hue"], 2 ** drawn["saturation"])  # [N, 3, 3]
        self.brightness = drawn["brightness"]

    def images(self, images):
        """Moves and recolors pictures, [N, H, W, 3]."""
        stretched = tf.einsum("nyh,nhwc->nywc", self.rows, images)
        return self._recolored(tf.einsum("nxw,nywc->nyxc", self.columns, stretched))

    def conditions(self, batch):
        """The batch with `articles` [N, S, h, w, 3] recolored as the pictures, and `keypoints` [N, K, 3] moved."""
        articles = batch["articles"]
        # Missing articles are 0.0 exactly, which no photo's pixel is.
        present = tf.reduce_any(articles != 0, axis=[2, 3, 4], keepdims=True)
        articles = tf.where(present, self._recolored(articles), 0.0)
        x, y, visible = tf.unstack(batch["keypoints"], axis=-1)  # [N, K] each
        y, x = (
            0.5 + scale[:, None] * (place - 0.5) + shift[:, None] / side
            for place, scale, shift, side in zip((y, x), self.scales, self.shifts, self.size)
        )
        return batch | {"articles": articles, "keypoints": tf.stack([x, y, visible], axis=-1)}

    def _recolored(self, pictures):
        """[N, ..., 3] -> the same."""
        flat = tf.reshape(pictures, [tf.shape(pictures)[0], -1, 3])
        flat = tf.matmul(flat, self.colors, transpose_b=True) + self.brightness[:, None, None]
        return tf.reshape(flat, tf.shape(pictures))


def resampling(scale, shift, side):
    """The matrices that stretch an axis about its middle and shift it. [N], [N] in pixels -> [N, side, side].

    Row i holds the weights of all old pixels in new pixel i: Keys's cubic, widened when it shrinks so that nothing
    aliases. What comes in over the border is the picture mirrored there: no edge of it, and no color of its own.
    """
    pixels = tf.range(side, dtype=tf.float32)
    middle = (side - 1) / 2
    source = middle + (pixels - middle - shift[:, None]) / scale[:, None]  # [N, side]
    # Mirrored at -0.5 and at side - 0.5, again and again.
    source = side - 0.5 - tf.abs(side - tf.math.floormod(source + 0.5, 2.0 * side))
    distances = (source[:, :, None] - pixels) * tf.minimum(scale, 1.0)[:, None, None]
    weights = _cubic(tf.abs(distances))
    return weights / tf.reduce_sum(weights, axis=2, keepdims=True)


def _cubic(x):
    """The interpolating kernel of Keys (1981), equation 15, at distances x >= 0."""
    near = (1.5 * x - 2.5) * x * x + 1
    far = ((2.5 - 0.5 * x) * x - 4) * x + 2
    return tf.where(x < 1, near, tf.where(x < 2, far, 0.0))


def color_matrix(contrast, hue, saturation):
    """What multiplies RGB in [-1, 1]: [N] each -> [N, 3, 3]. The hue turns about the gray axis, in radians."""
    gray = tf.fill([3, 3], 1 / 3)  # Projects on the gray axis.
    turn = tf.constant([[0, -1, 1], [1, 0, -1], [-1, 1, 0]], tf.float32) / 3**0.5
    hue, saturation, contrast = (values[:, None, None] for values in (hue, saturation, contrast))
    return contrast * (gray + saturation * (tf.cos(hue) * (tf.eye(3) - gray) + tf.sin(hue) * turn))
