"""Frames of the body: where in a picture of a pose each part of an article belongs.

Articles are laid for their pictures as somebody wears them who stands upright, arms a little apart. A frame is an affine map from
a part of the body in the picture, such as the right forearm, to the same part of that upright figure. Nothing is learned.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import tensorflow as tf

from tf_outfit_gan.pose.mpii import JOINTS

# Leg lengths in torso lengths, for where a photo ends above the knees or the ankles: from pelvis to knees, on to ankles.
THIGH, SHIN = 0.81, 0.81

# The left half of the upright figure, in torso lengths from its thorax: x to the picture's right, y downwards.
SHOULDER, ELBOW, WRIST = (0.34, 0.0), (0.50, 0.53), (0.60, 1.02)
HIP, KNEE, ANKLE = (0.16, 1.0), (0.21, 1.81), (0.27, 2.62)
THORAX, PELVIS, FEET = (0.0, 0.0), (0.0, 1.0), (0.0, 2.62)

FITTED = ("outerwear", "top", "dress", "bottom")  # Slots whose articles the upright figure wears.

Point = tuple[float, float]
Frame = tuple[tf.Tensor, tf.Tensor]  # (x, y): see `article_frames`.


class Part(NamedTuple):
    """A part of the body along an axis, and the same part of the upright figure. Lengths are in torso lengths."""

    start: tf.Tensor  # Ends of the axis in the picture, [N, 2] in heights.
    end: tf.Tensor
    at: Point  # The same ends in the figure.
    to: Point
    reach: float  # To both sides of the axis, at its start.
    widening: float = 0.0  # What `reach` gains up to the end.
    above: float = 0.0  # Beyond both ends.
    below: float = 0.0
    unit: float = 1.0  # What is 1 in the figure, across the axis.


def article_frames(slots: Sequence[str], keypoints: tf.Tensor, size: tuple[int, int]) -> list[list[Frame]]:
    """Places the articles of slots in the pictures of poses.

    Args:
        slots: their names; an unknown one covers the whole figure.
        keypoints: [N, K, 3].
        size: (height, width) of the pictures.

    Returns:
        A list by slot of its frames; where several show an article, the first one lies on top. Each is (x, y), [N, H, W] each:
        the place that belongs to the center of each pixel. For slots of `FITTED` it is a place of the upright figure, in torso
        lengths from its thorax; for others one of the article's picture, in its widths from the middle of its upper edge. NaN
        outside of the part, and where the pose lacks the torso or a joint of the part.
    """
    aspect = size[1] / size[0]
    body = _Body(tf.cast(keypoints, tf.float32), aspect)
    length = tf.norm(body.pelvis - body.thorax, axis=-1, keepdims=True)  # [N, 1], in heights.

    def hanging(joints: list[tf.Tensor], width: float, above: float) -> list[Part]:
        """An article's own picture that hangs from each joint."""
        step = tf.constant([0.0, 1.0]) * length
        tops = [joint - above * step for joint in joints]
        return [_picture(top, top + 4 / 3 * width * step, width) for top in tops]

    arms = _limbs(body, ("shoulder", "elbow", "wrist"), (SHOULDER, ELBOW, WRIST), reach=0.17)
    legs = _limbs(body, ("hip", "knee", "ankle"), (HIP, KNEE, ANKLE), reach=0.2)
    # Sleeves hang beside the trunk, which ends where they begin.
    trunk = Part(body.thorax, body.pelvis, THORAX, PELVIS, reach=0.34, widening=0.2, above=0.5, below=0.02)
    skirt = Part(body.pelvis, body.mid_ankles, PELVIS, FEET, reach=0.54, widening=0.4, below=0.2)
    axis = tf.math.divide_no_nan(body.mid_ankles - body.thorax, tf.norm(body.mid_ankles - body.thorax, axis=-1, keepdims=True))
    parts = {
        "outerwear": [*arms, trunk, skirt],
        "top": [*arms, trunk, skirt],
        "dress": [*arms, trunk, skirt],
        "bottom": [*legs, skirt._replace(above=0.4)],
        "shoes": hanging(body.pair("ankle"), 0.6, above=0.3),
        "bag": hanging(body.pair("wrist"), 0.7, above=0.1) + hanging(body.pair("hip"), 0.7, above=0.3),
    }
    whole = [_picture(body.thorax - 0.6 * length * axis, body.mid_ankles + 0.2 * length * axis, 1.7)]
    of_slots = [parts.get(slot, whole) for slot in slots]
    # Slots share parts. All distinct ones are computed by the same few operations, and then dealt to the slots.
    distinct = list({id(part): part for of_slot in of_slots for part in of_slot}.values())
    frames = dict(zip(map(id, distinct), zip(*map(tf.unstack, _coordinates(distinct, size, length)))))
    return [[frames[id(part)] for part in of_slot] for of_slot in of_slots]


def _limbs(body: "_Body", joints: Sequence[str], places: Sequence[Point], reach: float) -> list[Part]:
    """Both limbs, of two parts each; the outer one lies on top."""
    parts = []
    for side, (first, middle, last) in zip((-1, 1), zip(*map(body.pair, joints))):
        # The person's right is the picture's left.
        a, b, c = ((side * x, y) for x, y in places)
        parts.append(Part(middle, last, b, c, reach, above=0.1, below=0.1))
        parts.append(Part(first, middle, a, b, reach, above=0.1, below=0.1))
    return parts


def _picture(top: tf.Tensor, bottom: tf.Tensor, width: float) -> Part:
    """An article's own picture of 4 to 3, between the middles of its upper and lower edges; `width` in torso lengths."""
    return Part(top, bottom, (0.0, 0.0), (0.0, 4 / 3), reach=width / 2, unit=width)


class _Body:
    """The points that frames hang from, [N, 2] each in heights of the picture; NaN where a pose does not say."""

    def __init__(self, keypoints: tf.Tensor, aspect: float) -> None:
        there = tf.reduce_all(tf.math.is_finite(keypoints), -1) & (keypoints[..., 2] > 0)  # [N, K]
        self._points = tf.where(there[..., None], keypoints[..., :2] * [aspect, 1.0], math.nan)
        self.thorax = self._first(self._joint("thorax"), self._middle("shoulder"))
        self.pelvis = self._first(self._joint("pelvis"), self._middle("hip"))
        # A photo may end at the thighs: legs go on in the direction of the torso.
        torso = self.pelvis - self.thorax
        knees = self._first(self._middle("knee"), self.pelvis + THIGH * torso)
        self.mid_ankles = self._first(self._middle("ankle"), knees + SHIN * torso)

    def pair(self, name: str) -> list[tf.Tensor]:
        """The right one and the left one."""
        return [self._joint(f"{side}_{name}") for side in ("right", "left")]

    def _joint(self, name: str) -> tf.Tensor:
        return self._points[:, JOINTS.index(name)]

    def _middle(self, name: str) -> tf.Tensor:
        """Between the two of a pair, or the one that is there."""
        right, left = self.pair(name)
        return self._first((right + left) / 2, right, left)

    @staticmethod
    def _first(*choices: tf.Tensor) -> tf.Tensor:
        """Of each pose the first choice that is a point."""
        found = choices[-1]
        for choice in reversed(choices[:-1]):
            found = tf.where(tf.math.is_nan(choice), found, choice)
        return found


def _coordinates(parts: Sequence[Part], size: tuple[int, int], length: tf.Tensor) -> Frame:
    """Where parts see each pixel: (x, y), [F, N, H, W] each; NaN outside of a part.

    Args:
        parts: F of them.
        size: (height, width) of the picture.
        length: of the torso, [N, 1].
    """
    rows = _centers(size[0])[:, None]  # In heights, as all places in the picture.
    columns = _centers(size[1]) * (size[1] / size[0])

    def each(name: str) -> tf.Tensor:
        return tf.constant([getattr(part, name) for part in parts], tf.float32)[:, None, None, None]  # [F, 1, 1, 1(, 2)]

    def linear(direction: tf.Tensor, value: tf.Tensor) -> tf.Tensor:
        """What is `value` [F, N] at the start and grows by `direction` [F, N, 2] a height of the picture, [F, N, H, W]."""
        value -= tf.reduce_sum(direction * start, axis=-1)
        across, down = tf.unstack(direction[..., None, None, :], axis=-1)
        return across * columns + (down * rows + value[..., None, None])

    start, end = (tf.stack([getattr(part, name) for part in parts]) for name in ("start", "end"))  # [F, N, 2]
    axis = end - start
    norm = tf.norm(axis, axis=-1, keepdims=True)  # [F, N, 1]
    to_end = axis / tf.square(norm)  # 1 from the start to the end.
    # To the right of somebody who hangs upright is the picture's right.
    to_side = tf.stack([axis[..., 1], -axis[..., 0]], axis=-1) / norm / length  # In torso lengths.
    none = tf.zeros_like(norm[..., 0])
    along, aside = linear(to_end, none), linear(to_side, none)

    at, line = (tf.constant(ends, tf.float32)[:, None] for ends in ([part.at for part in parts], _lines(parts)))  # [F, 1, 2]
    figure = tf.norm(line, axis=-1)[..., None, None]  # [F, 1, 1, 1]
    inside = tf.abs(aside) <= each("reach") + each("widening") * tf.maximum(along, 0)
    inside &= (along >= -each("above") / figure) & (along <= 1 + each("below") / figure)
    turned = tf.stack([line[..., 1], -line[..., 0]], axis=-1) / (each("unit") * figure)[..., 0]
    places = []
    for i in (0, 1):
        direction = to_end * line[..., i : i + 1] + to_side * turned[..., i : i + 1]
        places.append(tf.where(inside, linear(direction, at[..., i] + none), math.nan))
    return places[0], places[1]


def _lines(parts: Sequence[Part]) -> list[Point]:
    """From one end of each part to the other, in the figure."""
    return [(part.to[0] - part.at[0], part.to[1] - part.at[1]) for part in parts]


def _centers(n: int) -> tf.Tensor:
    return (tf.range(n, dtype=tf.float32) + 0.5) / n
