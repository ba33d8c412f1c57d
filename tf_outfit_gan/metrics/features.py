"""What pictures are compared by: features of InceptionV3, of a pose estimator's encoder, or of an untrained network.

Each says in `name` what it is, and in `metric` what a Frechet distance between its features is called: FID is the name
of one of them alone.
"""

import hashlib
import warnings
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_outfit_gan import ops
from tf_outfit_gan.pose_estimation.models import SavedModel, digest, load_model
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
        self.network = keras.applications.InceptionV3(include_top=False, weights=None, input_shape=(299, 299, 3), pooling="avg")
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


class PoseEncoderFeatures:
    """The mean features of the encoder of a pose estimator, such as `outfit-gan train-pose` makes; see `pose_encoder`.

    They were learned from pictures of the kind that is measured, and know bodies, unlike `UntrainedFeatures`; garments
    only as far as they help to find joints. Pictures of any size are stretched to the encoder's input, antialiased
    where they shrink.

    Args:
        encoder: maps pictures [N, h, w, 3] in [-1, 1] to features [N, h', w', F].
        size: its (h, w).
        num_features: F.
        name: what results say of the features.

    Call arguments: pictures [N, H, W, 3] in [-1, 1].
    Output shape: [N, F].
    """

    metric = "Frechet distance"

    def __init__(self, encoder, size, num_features, name):
        self._encoder, self._size, self.num_features, self.name = encoder, size, num_features, name

    def __call__(self, pictures):
        if tuple(pictures.shape[1:3]) != self._size:
            pictures = tf.image.resize(pictures, self._size, antialias=True)
        return tf.reduce_mean(self._encoder(pictures), [1, 2])


def pose_encoder(path):
    """`PoseEncoderFeatures` of a pose model's file; None for a network without deconvolutions, which has no encoder.

    A SavedModel gives its heatmaps alone. So its graph, with the weights in it, is cut where the first deconvolution
    begins.
    """
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    model = load_model(path)
    if not isinstance(model, SavedModel):
        return None
    graph = convert_variables_to_constants_v2(model.signature)
    decoders = [operation for operation in graph.graph.get_operations() if operation.type == "Conv2DBackpropInput"]
    if not decoders:
        return None
    encoded = decoders[0].inputs[2]
    name = f"encoder of the pose estimator {Path(path).name} (sha256 {digest(path)[:12]}, not the standard FID)"
    return PoseEncoderFeatures(graph.prune(graph.inputs[0], encoded), model.size, encoded.shape[-1], name)


def choose_features(size, inception=None, pose_model=None):
    """The best features that there are files for: InceptionV3's, those of a pose estimator's encoder, or untrained.

    Args:
        size: (height, width) of the pictures.
        inception: weights file for `InceptionFeatures`, or None.
        pose_model: file of a pose model, or None.
    """
    if inception:
        return InceptionFeatures(inception)
    return (pose_model and pose_encoder(pose_model)) or UntrainedFeatures(size)


class UntrainedFeatures:
    """What a fixed, untrained network sees: a stand-in where no weights are at hand, cheap at small pictures.

    The picture is taken apart into its octaves, each the difference of a level and the next smaller one, as in the
    sliced Wasserstein distance of progressive GANs (arXiv 1710.10196, section 5). Two layers of random filters look at
    each octave, and the mean response of every filter measures how much of which detail there is: blur weakens it, noise
    strengthens it. The smallest level, 4x3 pixels, stays as it is: the layout of colors. So the distance grows
    with what is wrong in sharpness, color, layout and variety, but it knows nothing of bodies and clothes.

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
