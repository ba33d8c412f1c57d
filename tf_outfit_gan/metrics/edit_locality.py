"""Edits: one article is exchanged for a stranger's, and the picture should change there and nowhere else."""

import numpy as np
import tensorflow as tf

from tf_outfit_gan.metrics.body_region import near_bones
from tf_outfit_gan.metrics.color_difference import ciede2000, lab
from tf_outfit_gan.metrics.figure import Figure, mean
from tf_outfit_gan.metrics.garment_regions import LABEL, MIXED, garments

# The person is what wears a garment or is nearer to a bone than this, in heights.
NEAR = 0.05


class EditLocality:
    """Compares a picture with the picture of the same seed and conditions but for one article.

    Changes are means of CIEDE2000 over pixels: inside the region where the photo wears the article, over the whole rest
    of the picture, and over the rest of the person. An empty background makes the rest of the picture look calm even
    where all has changed, as the floor shows, a photo of a stranger; the rest of the person is the stricter measure. A
    new article of another cut changes the rest, too, as it should: the same for every model that is measured on the
    same photos. No photo shows an edit, so there is no ceiling.

    Args:
        regions: `GarmentRegions` of the photos.
        slots: the model's slots, in order.
        draw: draws pictures, uint8 [N, H, W, 3], from seeds [N], articles [N, S, h, w, 3] and keypoints [N, K, 3].
    """

    cases = "change outside", "before", False

    def __init__(self, regions, slots, draw):
        self._regions, self._slots, self._draw = regions, slots, draw
        self._changes = {slot: [] for slot in slots}  # [inside, rest, body] by the edit and by a stranger: [2, 3] each.

    def add(self, samples, drawn):
        """Takes in `Samples` and their pictures, uint8 [N, H, W, 3]; returns the largest change outside for `Cases`."""
        own, strangers = samples.own, samples.strangers
        labels, bodies = self._regions(own.ids), near_bones(own.keypoints, drawn.shape[1:3], NEAR)
        worst, shown = np.full(len(own.ids), np.nan), drawn.copy()
        before, photos, others = map(lab, (drawn, own.photos, strangers.photos))
        for place, slot in enumerate(self._slots):
            rows = [
                row
                for row in range(len(own.ids))
                if slot in own.worn[row] & strangers.worn[row] and slot in garments(labels[row])
            ]
            if not rows:
                continue
            articles = tf.concat(
                [own.articles[:, :place], strangers.articles[:, place : place + 1], own.articles[:, place + 1 :]], axis=1
            )
            edited = self._draw(*(tf.gather(values, rows) for values in (samples.seeds(), articles, own.keypoints)))
            for row, picture, after in zip(rows, edited, lab(edited)):
                parts = _parts(labels[row], LABEL[slot], bodies[row])
                changes = ciede2000(before[row], after), ciede2000(photos[row], others[row])
                self._changes[slot].append([[change[part].mean() for part in parts] for change in changes])
                outside = self._changes[slot][-1][0][1]
                if not outside <= worst[row]:
                    worst[row], shown[row] = outside, picture
        return worst, drawn, shown

    def figures(self):
        """For each slot: changes inside, outside and on_person, and how many times as large the first is."""
        figures = {}
        for slot in self._slots:
            changes = np.array(self._changes[slot]).reshape(-1, 2, 3)
            (inside, *rest), (inside_floor, *rest_floor) = ([mean(changes[:, who, part]) for part in range(3)] for who in (0, 1))
            figures[f"edits.{slot}.inside"] = Figure(inside, floor=inside_floor, unit="CIEDE2000")
            for name, change, floor in zip(("outside", "on_person"), rest, rest_floor):
                figures[f"edits.{slot}.{name}"] = Figure(change, floor=floor, unit="CIEDE2000", higher_is_better=False)
                unit = f"times the change {name.replace('_', ' ')}"
                figures[f"edits.{slot}.ratio_{name}"] = Figure(
                    _ratio(inside, change), floor=_ratio(inside_floor, floor), unit=unit
                )
        return figures


def _parts(labels, label, body):
    """Where the garment is, all that certainly shows something else, and of that the person: bool [H, W] each."""
    rest = (labels != label) & (labels != MIXED)
    return labels == label, rest, rest & (body | (labels > 0))


def _ratio(inside, outside):
    return inside / outside if outside else None
