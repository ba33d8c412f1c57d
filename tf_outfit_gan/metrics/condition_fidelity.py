"""Condition fidelity: whether pictures do and wear what they were asked to.

Every drawn picture has the pose and the articles of a photo, which is the truth that it is compared with. A distance
between distributions does not see whether each picture obeys, only whether all of them together look like the photos.

The ceiling is the photo itself, as if the model had drawn it: what the way of measuring loses. The floor is the photo
of a stranger: as good as a picture can be that does not follow its conditions.
"""

import numpy as np

from tf_outfit_gan.metrics.color_difference import ciede2000, lab
from tf_outfit_gan.metrics.figure import Figure, mean
from tf_outfit_gan.metrics.garment_regions import LABEL, garments
from tf_outfit_gan.metrics.pattern_similarity import pattern_similarity, variogram
from tf_outfit_gan.pose.pck import THRESHOLD, joint_distances


class PictureError:
    """The mean absolute difference from the photo, in 0..255: of the whole picture, background and face included."""

    def __init__(self):
        self._drawn, self._strangers = [], []

    def add(self, samples, drawn):
        """Takes in `Samples` and their pictures, uint8 [N, H, W, 3]."""
        photos = samples.own.photos.astype(np.float32)
        for errors, pictures in ((self._drawn, drawn), (self._strangers, samples.strangers.photos)):
            errors.extend(np.abs(pictures - photos).mean(axis=(1, 2, 3)))

    def figures(self):
        """error, of 255."""
        return {"picture.error": Figure(mean(self._drawn), 0.0, mean(self._strangers), "of 255", False)}


class PoseFidelity:
    """Joints that an estimator finds in drawn pictures, against the pose that was asked for.

    Args:
        size: (height, width) of the pictures.
        estimator: an `Estimator`.
    """

    cases = "PCK", "photo", True

    def __init__(self, size, estimator):
        self._size, self._estimator = size, estimator
        self._asked, self._drawn, self._photos = [], [], []

    def add(self, samples, drawn):
        """Takes in `Samples` and their pictures, uint8 [N, H, W, 3]; returns PCK by picture for `Cases`."""
        found = self._estimator(drawn)
        self._asked.append(samples.own.keypoints)
        self._drawn.append(found)
        self._photos.append(self._estimator(samples.own.photos))
        distances = joint_distances(found, samples.own.keypoints, self._size)
        counted = ~np.isnan(distances)
        correct = (distances <= THRESHOLD).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)
        return np.where(counted.any(axis=1), correct, np.nan), samples.own.photos, drawn

    def figures(self):
        """PCK@0.1 and the mean distance of joints that were found, in torso lengths."""
        asked, drawn, photos = map(np.concatenate, (self._asked, self._drawn, self._photos))
        strangers = np.roll(photos, -1, axis=0)  # As `samples.stream` pairs them.
        pck, distance = zip(*(_joints(found, asked, self._size) for found in (drawn, photos, strangers)))
        return {
            "pose.pck": Figure(*pck, unit=f"of joints within {THRESHOLD} torso lengths"),
            "pose.joint_distance": Figure(*distance, unit="torso lengths", higher_is_better=False),
        }


class ArticleFidelity:
    """Colors and patterns of garments in drawn pictures, against those of the photo, in the region where it wears them.

    Mean colors are means in CIELAB. Against the photo and not against the article's own picture, which lies flat in
    another light, and whose white ground looks the same as a white shirt.

    Args:
        regions: `GarmentRegions` of the photos.
    """

    cases = "CIEDE2000", "photo", False

    def __init__(self, regions):
        self._regions = regions
        self._found = {slot: [] for slot in LABEL}  # For each garment what `_likeness` gives.

    def add(self, samples, drawn):
        """Takes in `Samples` and their pictures, uint8 [N, H, W, 3]; returns the mean color difference for `Cases`."""
        pictures = zip(self._regions(samples.own.ids), *map(lab, (samples.own.photos, drawn, samples.strangers.photos)))
        errors = []
        for labels, photo, *others in pictures:
            found = {slot: _likeness(region, photo, others) for slot, region in garments(labels).items()}
            for slot, likeness in found.items():
                self._found[slot].append(likeness)
            errors.append(mean([likeness[0, 0] for likeness in found.values()]))
        return np.array(errors, np.float64), samples.own.photos, drawn

    def figures(self):
        """For each slot and for all garments together: color, a CIEDE2000, and pattern, a similarity of up to 1."""
        by_slot = {slot: np.array(found).reshape(-1, 2, 3) for slot, found in self._found.items()}
        figures = {}
        for slot, found in [("all", np.concatenate(list(by_slot.values()))), *by_slot.items()]:
            color, pattern = ([mean(found[:, kind, who]) for who in (0, 1, 2)] for kind in (0, 1))
            figures[f"articles.{slot}.color"] = Figure(*color, unit="CIEDE2000", higher_is_better=False)
            figures[f"articles.{slot}.pattern"] = Figure(*pattern, unit="similarity")
        return figures


def _joints(found, asked, size):
    """(PCK, mean distance) of poses."""
    distances = joint_distances(found, asked, size)
    distances = distances[~np.isnan(distances)]
    return mean(distances <= THRESHOLD), mean(distances[np.isfinite(distances)])


def _likeness(region, photo, others):
    """[color difference, pattern similarity] of a garment in the drawn picture, the photo and the stranger, [2, 3]."""
    color, pattern = photo[region].mean(axis=0), variogram(photo, region)
    pictures = (others[0], photo, others[1])
    return np.array(
        [
            [ciede2000(color, picture[region].mean(axis=0)) for picture in pictures],
            [pattern_similarity(pattern, variogram(picture, region)) for picture in pictures],
        ]
    )
