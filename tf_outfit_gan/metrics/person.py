"""The person in a picture: kept when the outfit changes (identity), another one for every latent (diversity)."""

import numpy as np

from tf_outfit_gan.metrics.body_region import near_bones
from tf_outfit_gan.metrics.color_difference import ciede2000, lab
from tf_outfit_gan.metrics.figure import Figure, mean
from tf_outfit_gan.metrics.head_patch import FACE, HAIR, has_head, patch

# Pictures of each entry that diversity compares.
LATENTS = 4

# The background is what lies farther from every bone than this, in heights.
FAR = 0.15


class Identity:
    """How much the head changes when the latent and the pose stay and the whole outfit becomes a stranger's.

    The change is the mean CIEDE2000 over the points of the head. At the ceiling there is none; the floor is the
    difference between the heads of two strangers' photos, each upright in its own pose.

    Args:
        draw: as for `EditLocality`.
    """

    cases = "change of the head", "before", False

    def __init__(self, draw):
        self._draw, self._changes, self._strangers = draw, [], []

    def add(self, samples, drawn):
        """Takes in `Samples` and their pictures, uint8 [N, H, W, 3]; returns the change for `Cases`."""
        own, strangers = samples.own, samples.strangers
        redressed = self._draw(samples.seeds(), strangers.articles, own.keypoints)
        there, both = has_head(own.keypoints), has_head(own.keypoints) & has_head(strangers.keypoints)
        changes = np.where(there, _difference(drawn, own.keypoints, redressed, own.keypoints), np.nan)
        self._changes.extend(changes)
        self._strangers.extend(_difference(own.photos, own.keypoints, strangers.photos, strangers.keypoints)[both])
        return changes, drawn, redressed

    def figures(self):
        """head_change, a CIEDE2000."""
        return {"identity.head_change": Figure(mean(self._changes), 0.0, mean(self._strangers), "CIEDE2000", False)}


class Diversity:
    """How much people differ over latents under one condition, beside how much they differ over all photos.

    The spread is the root of the variance of a mean color in CIELAB, summed over L*, a* and b*: over the latents of an
    entry, as a mean of variances over entries. The ceiling is the spread over all photos; at the floor, 0, every latent
    is the same person.

    Args:
        draw: as for `EditLocality`.
    """

    cases = "spread of hair", "one latent", True

    PARTS = {
        "hair": lambda pictures, keypoints: _mean_colors(patch(pictures, keypoints, HAIR)),
        "skin": lambda pictures, keypoints: _mean_colors(patch(pictures, keypoints, FACE)),
        "background": lambda pictures, keypoints: _background_colors(pictures, keypoints),
    }

    def __init__(self, draw):
        self._draw = draw
        self._variances = {part: [] for part in self.PARTS}
        self._photos = {part: [] for part in self.PARTS}  # Mean colors, [3] each.

    def add(self, samples, drawn):
        """Takes in `Samples` and their pictures, uint8 [N, H, W, 3]; returns the spread of hair for `Cases`."""
        keypoints, there = samples.own.keypoints, has_head(samples.own.keypoints)
        pictures = [drawn, *(self._draw(samples.seeds(series), samples.own.articles, keypoints) for series in range(1, LATENTS))]
        for part, colors_of in self.PARTS.items():
            colors = np.stack([colors_of(picture, keypoints) for picture in pictures])  # [LATENTS, N, 3]
            variances = np.where(there, colors.var(axis=0, ddof=1).sum(axis=-1), np.nan)
            self._variances[part].extend(variances)
            self._photos[part].extend(colors_of(samples.own.photos, keypoints)[there])
        return np.sqrt(self._variances["hair"][-len(drawn) :]), drawn, pictures[1]

    def figures(self):
        """The spread of each part, in units of CIELAB."""
        return {
            f"diversity.{part}": Figure(_root(mean(variances)), _spread(self._photos[part]), 0.0, "CIELAB")
            for part, variances in self._variances.items()
        }


def _difference(one, one_pose, other, other_pose):
    """The mean CIEDE2000 between the heads of pictures, [N]; of no meaning where there is no head."""
    return ciede2000(lab(patch(one, one_pose)), lab(patch(other, other_pose))).mean(axis=(1, 2))


def _mean_colors(pixels):
    return lab(pixels).mean(axis=(1, 2))  # [N, 3]


def _background_colors(pictures, keypoints):
    """The mean color of what is far from every bone, [N, 3] in CIELAB; NaN for a picture without such a place."""
    background = ~near_bones(keypoints, pictures.shape[1:3], FAR)  # [N, H, W]
    return np.stack(
        [picture[where].mean(axis=0) if where.any() else np.full(3, np.nan) for picture, where in zip(lab(pictures), background)]
    )


def _spread(colors):
    colors = np.array(colors).reshape(-1, 3)
    colors = colors[~np.isnan(colors).any(axis=-1)]
    return _root(float(colors.var(axis=0, ddof=1).sum())) if len(colors) > 1 else None


def _root(value):
    return None if value is None else float(np.sqrt(value))
