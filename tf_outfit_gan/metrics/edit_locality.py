"""Edits: one article is exchanged for a stranger's, and the picture should change there and nowhere else."""

import numpy as np
import tensorflow as tf

from tf_outfit_gan.metrics.color_difference import ciede2000, lab
from tf_outfit_gan.metrics.figure import Figure, mean
from tf_outfit_gan.metrics.garment_regions import LABEL, MIXED, garments


class EditLocality:
    """Compares a picture with the picture of the same seed and conditions but for one article.

    Changes are means of CIEDE2000 over pixels: inside the region where the photo wears the article, and outside of it,
    the whole rest of the picture. A new article of another cut changes the outside, too, as it should: the same for every
    model that is measured on the same photos. The floor is a photo of a stranger, where all has changed. No photo shows
    an edit, so there is no ceiling.

    Args:
        regions: `GarmentRegions` of the photos.
        slots: the model's slots, in order.
        draw: draws pictures, uint8 [N, H, W, 3], from seeds [N], articles [N, S, h, w, 3] and keypoints [N, K, 3].
    """

    cases = "change outside", "before", False

    def __init__(self, regions, slots, draw):
        self._regions, self._slots, self._draw = regions, slots, draw
        self._changes = {slot: [] for slot in slots}  # [inside, outside] by the edit and by a stranger: [2, 2] a garment.

    def add(self, samples, drawn):
        """Takes in `Samples` and their pictures, uint8 [N, H, W, 3]; returns the largest change outside for `Cases`."""
        own, strangers = samples.own, samples.strangers
        labels = self._regions(own.ids)
        worst, shown = np.full(len(own.ids), np.nan), drawn.copy()
        before, photos, others = map(lab, (drawn, own.photos, strangers.photos))
        for place, slot in enumerate(self._slots):
            rows = [i for i in range(len(own.ids)) if slot in own.worn[i] & strangers.worn[i] & set(garments(labels[i]))]
            if not rows:
                continue
            articles = tf.concat([own.articles[:, :place], strangers.articles[:, place:place + 1],
                                  own.articles[:, place + 1:]], axis=1)
            edited = self._draw(*(tf.gather(values, rows) for values in (samples.seeds(), articles, own.keypoints)))
            for row, picture, after in zip(rows, edited, lab(edited)):
                region, rest = labels[row] == LABEL[slot], (labels[row] != LABEL[slot]) & (labels[row] != MIXED)
                edit, stranger = ciede2000(before[row], after), ciede2000(photos[row], others[row])
                self._changes[slot].append([[change[part].mean() for part in (region, rest)] for change in (edit, stranger)])
                outside = self._changes[slot][-1][0][1]
                if not outside <= worst[row]:
                    worst[row], shown[row] = outside, picture
        return worst, drawn, shown

    def figures(self):
        """For each slot: changes inside and outside, and ratio, how many times as large the first is."""
        figures = {}
        for slot in self._slots:
            changes = np.array(self._changes[slot]).reshape(-1, 2, 2)
            (inside, outside), (floor_inside, floor_outside) = ([mean(changes[:, who, part]) for part in (0, 1)]
                                                                for who in (0, 1))
            figures[f"edits.{slot}.inside"] = Figure(inside, floor=floor_inside, unit="CIEDE2000")
            figures[f"edits.{slot}.outside"] = Figure(outside, floor=floor_outside, unit="CIEDE2000", higher_is_better=False)
            figures[f"edits.{slot}.ratio"] = Figure(_ratio(inside, outside), floor=_ratio(floor_inside, floor_outside),
                                                    unit="times the change outside")
        return figures


def _ratio(inside, outside):
    return inside / outside if outside else None
