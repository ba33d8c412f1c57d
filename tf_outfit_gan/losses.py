"""The losses, one value a picture: the step averages them over the global batch, once.

Non-saturating logistic loss with R1 (arXiv 1406.2661; 1801.04406, equation 9), as StyleGAN trains.
"""

import tensorflow as tf

from tf_outfit_gan import ops


def generator_loss(fake_scores):
    """-log(sigmoid(D(fake))), [N]: the generator wants its pictures taken for real."""
    return tf.nn.softplus(-fake_scores)


def discriminator_loss(real_scores, fake_scores):
    """-log(sigmoid(D(real))) - log(1 - sigmoid(D(fake))), [N]."""
    return tf.nn.softplus(-real_scores) + tf.nn.softplus(fake_scores)


def mismatch_loss(wrong_scores):
    """-log(1 - sigmoid(D(real, wrong conditions))), [N]: a real photo is no answer to another one's articles and pose
    (arXiv 1605.05396, algorithm 1)."""
    return tf.nn.softplus(wrong_scores)


def energy_score(images, others, photos):
    """How well two pictures of the same conditions foretell the photo, [N, H, W, 3] three times -> [N]: the less, the better.

    The energy score of Gneiting and Raftery 2007 (equation 22), estimated by two pictures, pixel by pixel at every size down to 8
    pixels' height. It is least where pictures vary as photos of these conditions do: other than a distance alone, it does not
    ask for the mean of all photos.
    """
    return (_distance(images, photos) + _distance(others, photos) - _distance(images, others)) / 2


def _distance(ones, others):
    """The mean Euclidean distance of two colors at the same place, over pixels and sizes, [N, H, W, 3] twice -> [N]."""
    difference, found = ones - others, []
    while True:
        # Where two pixels are equal, the root alone has no gradient.
        found.append(tf.reduce_mean(tf.sqrt(tf.reduce_sum(tf.square(difference), axis=-1) + 1e-6), axis=[1, 2]))
        if difference.shape[1] <= 8:
            return tf.add_n(found) / len(found)
        difference = ops.downsample(difference)


def r1_penalty(image_gradients):
    """Squared norm of the gradient of D(real) with respect to the picture, [N, H, W, 3] -> [N].

    The caller multiplies by gamma / 2. StyleGAN takes this gradient at the full-size picture, nearest-upscaled: there
    the sum is 4^lod times smaller than here, at the level's own size. `r1_weight` makes up for it.
    """
    return tf.reduce_sum(tf.square(image_gradients), axis=[1, 2, 3])


def r1_weight(gamma, levels_below_full):
    """gamma / 2 as it applies at a level's own size; `levels_below_full` is StyleGAN's lod, rounded down."""
    return gamma / 2 * 4.0**-levels_below_full
