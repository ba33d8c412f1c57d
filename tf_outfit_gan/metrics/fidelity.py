"""Condition fidelity: whether drawn pictures wear and do what they were asked to.

Every drawn picture has the articles and the pose of a photo, which is the truth that it is compared with. The distance
of Frechet does not see whether each picture obeys, only whether all of them together look like the photos.
"""

from pathlib import Path

import numpy as np
from PIL import Image

from tf_outfit_gan.pose.pck import THRESHOLD, joint_distances
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError

# A garment that shows fewer pixels than this has no colour to speak of.
LEAST_PIXELS = 4


class Fidelity:
    """Compares pictures with photos, batch by batch.

    Args:
        size: (height, width) of the pictures.
        estimator: an `Estimator` of poses; None leaves the pose error out.
        masks: folder with a gray picture ID.png for each photo: the visible slot's index + 1, 0 where there is none, as
            `outfit-gan paperdoll` writes; None leaves the colour error out.
    """

    def __init__(self, size, estimator=None, masks=None):
        self._size, self._estimator, self._masks = size, estimator, masks and Path(masks)
        self._pictures, self._colours, self._poses = [], [], ([], [])

    def add(self, ids, photos, drawn, keypoints):
        """Adds pictures `drawn` for `photos`, both uint8 [N, H, W, 3], with ids [N] and poses [N, K, 3].

        Raises `UserError` for a mask that is missing or has another shape than the photo.
        """
        photos, drawn = np.asarray(photos, np.float32), np.asarray(drawn, np.float32)
        difference = np.abs(drawn - photos)
        self._pictures.extend(difference.mean(axis=(1, 2, 3)))
        if self._masks:
            for entry, photo, picture in zip(ids, photos, drawn):
                self._colours.extend(colour_errors(photo, picture, self._mask(entry)))
        if self._estimator:
            for poses, pictures in zip(self._poses, (drawn, photos)):
                found = self._estimator(pictures.astype(np.uint8))
                poses.append(joint_distances(found, keypoints, self._size))

    def result(self):
        """Means over all that was added.

        Returns:
            A dict: picture_error, the absolute difference from the photo in 0..255; with masks, colour_error, that of
            a garment's mean colour; with an estimator, of the drawn pictures and, as its own error, of the photos
            (..._of_photos), pck and joint_distance in torso lengths. What there was nothing of is None.
        """
        result = {"picture_error": _mean(self._pictures)}
        if self._masks:
            result["colour_error"] = _mean(self._colours)
        if self._estimator:
            for suffix, poses in zip(("", "_of_photos"), self._poses):
                distance = np.concatenate(poses)
                distance = distance[~np.isnan(distance)]
                result["pck" + suffix] = _mean(distance <= THRESHOLD)
                result["joint_distance" + suffix] = _mean(distance[np.isfinite(distance)])
        return result

    def _mask(self, entry):
        path = self._masks / f"{entry}.png"
        try:
            with Image.open(path) as image:
                mask = np.asarray(image)
        except OSError as error:
            raise UserError(f"{path}: expected a mask for each photo, as paperdoll writes them to masks/, could not "
                            f"read it ({getattr(error, 'strerror', None) or 'no picture'})") from None
        height, width = self._size
        if mask.ndim != 2 or mask.shape[0] * width != mask.shape[1] * height or mask.shape[0] % height:
            raise UserError(f"{path}: expected a gray picture of {format_size(self._size)} or a multiple of it, found "
                            f"{format_size(mask.shape[:2])}")
        return mask


def colour_errors(photo, picture, mask):
    """How far the mean colour of each garment is from the photo's, in its region of the photo: a number a garment.

    Args:
        photo, picture: [H, W, 3] in 0..255.
        mask: [H', W'], both a multiple of H and W: the garment of each pixel, 0 where there is none.

    A pixel of the photo belongs to a garment if it shows nothing else.
    """
    height, width, _ = photo.shape
    factor = mask.shape[0] // height
    blocks = mask.reshape(height, factor, width, factor)
    whole = (blocks == blocks[:, :1, :, :1]).all(axis=(1, 3))
    labels = np.where(whole, blocks[:, 0, :, 0], 0)  # [H, W]
    regions = [labels == label for label in np.unique(labels[labels > 0])]
    return [np.abs(picture[region].mean(axis=0) - photo[region].mean(axis=0)).mean()
            for region in regions if region.sum() >= LEAST_PIXELS]


def _mean(values):
    return float(np.mean(values)) if len(values) else None
