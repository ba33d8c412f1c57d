"""The one interface of all estimators: pictures are fitted to the network's input, joints come back to the picture."""

import numpy as np
from PIL import Image

from tf_outfit_gan.images.open import fit
from tf_outfit_gan.pixels import array_to_uint8
from tf_outfit_gan.pose_estimation.layouts import layout_of
from tf_outfit_gan.pose_estimation.models import load_model

# Pictures in one call of a network, where it takes more than one.
BATCH = 64


class Estimator:
    """Finds one person's joints in each picture.

    Args:
        model: a loaded model of `models`, whose layout of outputs is recognized by their shapes.
    """

    def __init__(self, model):
        self._model, self._layout = model, layout_of(model)

    @property
    def layout(self):
        """The name of the layout: blazepose33, movenet or heatmaps."""
        return self._layout.name

    def __call__(self, pictures):
        """Finds joints, float32 [N, K, 3] = [x in widths, y in heights, confidence], all 0 for a joint not found.

        Args:
            pictures: [N, H, W, 3], or a list of pictures [H, W, 3] of any sizes; uint8, or float in [-1, 1].

        A picture is scaled to fit inside the network's input and padded with the color of its border.
        """
        joints = [self._find(pictures[start : start + BATCH]) for start in range(0, len(pictures), BATCH)]
        return np.concatenate(joints) if joints else np.zeros((0, 16, 3), np.float32)

    def _find(self, pictures):
        pictures = [np.asarray(picture) for picture in pictures]
        pictures = [picture if picture.dtype == np.uint8 else array_to_uint8(picture) for picture in pictures]
        framed, placements = zip(*(fit(Image.fromarray(picture), self._model.size) for picture in pictures))
        joints = self._layout.joints(self._model, np.stack([np.asarray(picture) for picture in framed]))
        return np.stack([placement.inverse().move(pose) for placement, pose in zip(placements, joints)])


def load_estimator(path):
    """Loads an `Estimator` from a local .tflite file or SavedModel folder.

    Accepted are BlazePose's landmark network, MoveNet (one person), and any network that gives a heatmap for each of
    the 16 MPII joints. Raises `UserError` that names the file when it is none of these.
    """
    return Estimator(load_model(path))
