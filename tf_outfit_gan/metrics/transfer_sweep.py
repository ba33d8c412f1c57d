"""Transfer: which layers carry the pose and which the colors, found by trying all (1908.08847, section 4.1, table 1).

Below a split point all that enters a layer comes from one entry, from there on from another. That is both transfers in
one: the lower entry's picture in the colors of the upper one, and the upper one's in the pose of the lower one. A good
split keeps the lower entry's pose and takes the upper one's colors.
"""

import numpy as np

from tf_outfit_gan.metrics.color_difference import ciede2000, lab
from tf_outfit_gan.metrics.figure import Figure, mean
from tf_outfit_gan.metrics.garment_regions import garments
from tf_outfit_gan.pose.pck import THRESHOLD, joint_distances

# Entries that are tried, the first ones: every split point is a picture of each.
ENTRIES = 128

# Entries of which the sheet shows all split points.
SHOWN = 3

# The series of seeds of the strangers, who give the upper layers.
_STRANGERS = 12


class TransferSweep:
    """Tries all split points.

    Args:
        size: (height, width) of the pictures.
        num_layers: style layers that the pictures read.
        regions: `GarmentRegions` of the photos.
        estimator: an `Estimator` of poses.
        sampler: a `ParallelSampler`.
    """

    def __init__(self, size, num_layers, regions, estimator, sampler):
        self._size, self._regions, self._estimator, self._sampler = size, regions, estimator, sampler
        self._splits = range(num_layers + 1)  # At 0 all is the upper entry's, at num_layers the lower one's.
        self._correct = {split: [] for split in self._splits}  # Of each joint that counts.
        self._colors = {split: [] for split in self._splits}  # Of each garment that both wear.
        self._left = ENTRIES
        self._shown = [[] for _ in range(SHOWN)]  # Rows of pictures, one a split point.

    def add(self, samples, drawn):
        """Takes in `Samples` and their pictures, uint8 [N, H, W, 3], as long as fewer than `ENTRIES` were tried."""
        own, strangers = samples.own, samples.strangers
        used = min(self._left, len(own.ids))
        if not used:
            return
        self._left -= used
        lower = (samples.seeds()[:used], own.articles[:used], own.keypoints[:used])
        upper = (samples.seeds(_STRANGERS)[:used], strangers.articles[:used], strangers.keypoints[:used])
        regions = [list(map(garments, self._regions(entries.ids[:used]))) for entries in (own, strangers)]
        ends = [lab(picture) for picture in (drawn[:used], self._sampler(*upper))]
        for split in self._splits:
            pictures = self._sampler.transfer(upper, lower, split)
            for row, picture in zip(self._shown, pictures):
                if len(row) == split:
                    row.append(picture.copy())
            distances = joint_distances(self._estimator(pictures), own.keypoints[:used], self._size)
            self._correct[split].extend(distances[~np.isnan(distances)] <= THRESHOLD)
            for picture, *sides in zip(lab(pictures), *ends, *regions):
                self._colors[split].extend(_colors_followed(picture, *sides))

    @property
    def best(self):
        """The split point whose harmonic mean of pose and colors is highest; None if nothing could be measured.

        Neither end is one: there, nothing is transferred.
        """
        scores = {split: _harmonic_mean(pose, colors) for split, pose, colors in self.curve()[1:-1]}
        best = max(scores, key=scores.get)
        return best if scores[best] else None

    def figures(self):
        """split, the best split point, and pose and colors there; their bounds are what the ends of the sweep reach."""
        curve, split = self.curve(), self.best
        pose, colors = curve[split][1:] if split is not None else (None, None)
        (_, no_pose, all_colors), (last, all_pose, no_colors) = curve[0], curve[-1]
        return {
            "transfer.split": Figure(split, unit=f"of {last} layers: below it the pose, from it on the colors"),
            "transfer.pose": Figure(pose, all_pose, no_pose, f"of joints within {THRESHOLD} torso lengths"),
            "transfer.colors": Figure(colors, all_colors, no_colors, "of the way to the other's colors"),
        }

    def rows(self):
        """As of `Cases`: the first entries at all split points, from the upper entry's picture to their own."""
        last = self._splits[-1]
        between = [f"colors: layers {split + 1}-{last}" for split in self._splits[1:-1]]
        captions = ["all from the other", *between, "own"]
        return [list(zip(row, captions)) for row in self._shown if row]

    def curve(self):
        """[split, pose, colors] of all split points, from 0 to all layers."""
        return [[split, mean(self._correct[split]), mean(self._colors[split])] for split in self._splits]


def _colors_followed(picture, lower, upper, own, strangers):
    """For each garment that both wear, how far its color went from the lower picture's to the upper one's, 0 to 1.

    Args:
        picture, lower, upper: [H, W, 3] in CIELAB; the picture has the lower one's pose.
        own, strangers: where their garments show, {slot: bool [H, W]}.
    """
    for slot in (slot for slot in own if slot in strangers):
        color = picture[own[slot]].mean(axis=0)
        left, arrived = (ciede2000(color, side[region[slot]].mean(axis=0)) for side, region in ((lower, own), (upper, strangers)))
        if left + arrived > 0:
            yield float(left / (left + arrived))


def _harmonic_mean(one, other):
    return 2 * one * other / (one + other) if one and other else 0
