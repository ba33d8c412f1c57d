"""The features whose distance is taken: those of InceptionV3, or of a fixed, untrained network."""

import hashlib
import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.randomness import normal
from tf_outfit_gan.sizes import levels_of
from tf_outfit_gan.util.errors import UserError


class InceptionFeatures:
    """The 2048 features before the classifier of Keras's InceptionV3 (Szegedy et al., arXiv 1512.00567).

    Pictures of any size are stretched to the network's 299x299, antialiased where they shrink (arXiv 2104.11222).

    Published FIDs use another Inception, the graph that Google released in December 2015 (inception-2015-12-05, 1008
    classes): its weights come from another training, its last block pools by the maximum, and pictures enter it
    without antialiasing. The two agree in what they measure but not in numbers: a distance taken here is comparable
    with others that the same weights file and this code gave, and not with published ones.

    Args:
        path: weights that match `keras.applications.InceptionV3(include_top=False)`: the published "notop" .h5 file, or
            a .weights.h5 file of Keras 3.

    Call arguments: pictures [N, H, W, 3] in [-1, 1], which is also the range that the network was trained on.
    Output shape: [N, 2048].

    Raises:
        UserError: for a file that is missing, damaged, or of another network.
    """

    metric = "FID"
    num_features = 2048

    def __init__(self, path):
        import keras

        path = Path(path)
        if not path.is_file():
            raise UserError(f"{path}: no such file; expected InceptionV3 weights, such as Keras's notop .h5 file")
        self.network = keras.applications.InceptionV3(
            include_top=False, weights=None, input_shape=(299, 299, 3), pooling="avg"
        )
        try:
            with warnings.catch_warnings(action="ignore"):  # What Keras warns of here ends in an error below.
                self.network.load_weights(path)
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{path}: expected weights of Keras's InceptionV3 without its top ({reason})") from None
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.name = f"InceptionV3 of {path.name} (sha256 {digest[:12]})"

    def __call__(self, pictures):
        return self.network(tf.image.resize(pictures, (299, 299), antialias=True), training=False)


class UntrainedFeatures:
    """What a fixed, untrained network sees: a stand-in where no weights are at hand, cheap at small pictures.

    The picture is taken apart into its octaves, each the difference of a level and the next smaller one, as in the
    sliced Wasserstein distance of progressive GANs (arXiv 1710.10196, section 5). Two layers of random filters look at
    each octave, and the mean response of every filter tells how much of which detail there is: blur weakens it, noise
    strengthens it. The smallest level, 4x3 pixels, stays as it is: the layout of colours. So the distance grows
    with what is wrong in sharpness, colour, layout and variety, but it knows nothing of bodies and clothes.

    The filters are stateless draws with a fixed seed: the same on every machine, to rounding.

    Args:
        size: (height, width) of the pictures, in the family of sizes.

    Call arguments: pictures [N, H, W, 3] in [-1, 1].
    Output shape: [N, F]: 2 x `FILTERS` an octave, and the smallest level's numbers.
    """

    FILTERS = 32
    SEED = 20190823

    metric = "Frechet distance"
    name = "untrained features (not the standard FID)"

    def __init__(self, size):
        base, *above = levels_of(size)
        self.filters = [
            (self._filters(3, 2 * octave), self._filters(self.FILTERS, 2 * octave + 1)) for octave in range(len(above))
        ]
        self.num_features = 2 * self.FILTERS * len(above) + 3 * base[0] * base[1]

    def __call__(self, pictures):
        features, level = [], pictures
        for filters in self.filters:
            smaller = ops.downsample(level)
            response = level - ops.upsample(smaller)
            for kernel in filters:
                response = tf.nn.relu(tf.nn.conv2d(response, kernel, 1, "SAME"))
                features.append(tf.reduce_mean(response, [1, 2]))
            level = smaller
        features.append(tf.reshape(level, [-1, level.shape[1] * level.shape[2] * 3]))
        return tf.concat(features, axis=1)

    def _filters(self, channels, stream):
        """3x3 filters of a scale that keeps the strength of what passes through a ReLU, [3, 3, C, FILTERS]."""
        return normal([3, 3, channels, self.FILTERS], self.SEED, stream) * np.sqrt(2 / (9 * channels))
