"""Frames of the body: where in a picture of a pose each article's picture belongs.

A frame is an affine map from a part of the body, such as the right forearm, to the same part of a figure that stands upright
with its arms a little apart, as articles are laid for their pictures. Nothing is learned.
"""

import math
from collections.abc import Sequence

import tensorflow as tf

from tf_outfit_gan.pose.mpii import JOINTS

# Leg lengths in torso lengths, for where a photo ends above the knees or the ankles: from pelvis to knees, on to ankles.
THIGH, SHIN = 0.84, 0.84

# The upright figure, in torso lengths from its thorax: x to the person's left, which is the picture's right; y downwards.
SHOULDER, ELBOW, WRIST = (0.34, 0.0), (0.50, 0.53), (0.60, 1.02)
HIP, KNEE, ANKLE = (0.16, 1.0), (0.21, 1.81), (0.27, 2.62)
UNFITTED = ("shoes", "bag")

Frame = tuple[tf.Tensor, tf.Tensor]  # (x, y): see `article_frames`.


def article_frames(slots: Sequence[str], keypoints: tf.Tensor, size: tuple[int, int]) -> list[list[Frame]]:
    """Places the articles of slots in the pictures of poses.
    """
    aspect = size[1] / size[0]
    body = _Body(tf.cast(keypoints, tf.float32), aspect)
    down = tf.constant([0.0, 1.0])
    torso = body.pelvis - body.thorax  # [N, 2], in heights.
    length = tf.norm(torso, axis=-1, keepdims=True)  # [N, 1]

    def part(start, end, at, to, width, above=0.1, below=0.1, widening=0.0):
        """The part of the body from `start` to `end` [N, 2], which are `at` and `to` of the upright figure."""
        return start, end, at, to, width, above, below, widening

    def mirrored(side, *points):
        return [((x if side else -x), y) for x, y in points]

    def arms():
        found = []
        for side, (shoulder, elbow, wrist) in enumerate(zip(body.shoulders, body.elbows, body.wrists)):
            a, b, c = mirrored(side, SHOULDER, ELBOW, WRIST)
            found += [part(elbow, wrist, b, c, 0.17), part(shoulder, elbow, a, b, 0.17)]
        return found

    def legs():
        found = []
        for side, (hip, knee, ankle) in enumerate(zip(body.hips, body.knees, body.ankles)):
            a, b, c = mirrored(side, HIP, KNEE, ANKLE)
            found += [part(knee, ankle, b, c, 0.2), part(hip, knee, a, b, 0.2)]
        return found

    def hanging(joint, width, above):
        """The article's own picture, hanging from a joint."""
        top = joint - down * above * length
        return part(top, top + down * (4 / 3) * width * length, (0, 0), (0, 4 / 3), 0.5 * width, 0, 0)

    trunk = part(body.thorax, body.pelvis, (0, 0), (0, 1), 0.34, 0.5, 0.02, 0.2)
    skirt = part(body.pelvis, body.mid_ankles, (0, 1), (0, 2.62), 0.54, 0.0, 0.2, 0.4)
    lower = part(body.pelvis, body.mid_ankles, (0, 1), (0, 2.62), 0.54, 0.3, 0.2, 0.4)
    boxes = {
        "outerwear": [*arms(), trunk, skirt],
        "top": [*arms(), trunk, skirt],
        "dress": [*arms(), trunk, skirt],
        "bottom": [*legs(), lower],
        "shoes": [hanging(ankle, 0.6, above=0.3) for ankle in body.ankles],
        "bag": [hanging(wrist, 0.7, above=0.1) for wrist in body.wrists] + [hanging(hip, 0.7, above=0.3) for hip in body.hips],
    }
    grid = tf.stack(tf.meshgrid(_centers(size[1]) * aspect, _centers(size[0])), axis=-1)  # [H, W, 2], in heights.
    frames = [boxes[slot] for slot in slots]
    starts, ends, ats, tos, widths, aboves, belows, widenings = zip(*(frame for of_slot in frames for frame in of_slot))
    start, end = tf.stack(starts), tf.stack(ends)  # [F, N, 2]
    place = lambda x: tf.constant(x, tf.float32)[:, None, None, None]
    axis = end - start
    norm = tf.norm(axis, axis=-1)  # [F, N]
    across = tf.stack([axis[..., 1], -axis[..., 0]], axis=-1)
    offset = grid - start[:, :, None, None]  # [F, N, H, W, 2]
    t = tf.reduce_sum(offset * axis[:, :, None, None], -1) / tf.square(norm)[..., None, None]
    s = tf.reduce_sum(offset * across[:, :, None, None], -1) / norm[..., None, None] / length[None, :, :, None]
    (ax, ay), (bx, by) = ([place(x) for x in zip(*points)] for points in (ats, tos))
    dx, dy = bx - ax, by - ay
    long = tf.sqrt(dx * dx + dy * dy)
    scale = [1.0 if False else 1.0]
    # Hanging ones are as wide as their picture.
    unit = place([0.7 if w == 0.35 else 0.6 if w == 0.3 else 1.0 for w in widths])
    within = (tf.abs(s) <= place(widths) + place(widenings) * tf.maximum(t, 0)) & (t * long >= -place(aboves)) & (t * long <= long + place(belows))
    s = s / unit
    x, y = ax + t * dx + s * dy / long, ay + t * dy - s * dx / long
    x, y = tf.where(within, x, math.nan), tf.where(within, y, math.nan)
    places = iter(zip(tf.unstack(x), tf.unstack(y)))
    return [[next(places) for _ in of_slot] for of_slot in frames]


class _Body:
    """The points that frames hang from, [N, 2] each in heights of the picture; NaN where a pose does not say."""

    def __init__(self, keypoints: tf.Tensor, aspect: float) -> None:
        there = tf.reduce_all(tf.math.is_finite(keypoints), -1) & (keypoints[..., 2] > 0)  # [N, K]
        self._points = tf.where(there[..., None], keypoints[..., :2] * [aspect, 1.0], math.nan)
        self.thorax = self._first(self._joint("thorax"), self._middle("shoulder"))
        self.pelvis = self._first(self._joint("pelvis"), self._middle("hip"))
        # A photo may end at the thighs: legs go on in the direction of the torso.
        torso = self.pelvis - self.thorax
        self.knees = self._pair('knee')
        mid_knees = self._first(self._middle("knee"), self.pelvis + THIGH * torso)
        self.mid_ankles = self._first(self._middle("ankle"), mid_knees + SHIN * torso)
        self.ankles, self.wrists = self._pair("ankle"), self._pair("wrist")
        self.shoulders, self.elbows, self.hips = (self._pair(x) for x in ("shoulder", "elbow", "hip"))

    def _joint(self, name: str) -> tf.Tensor:
        return self._points[:, JOINTS.index(name)]

    def _pair(self, name: str) -> list[tf.Tensor]:
        return [self._joint(f"{side}_{name}") for side in ("right", "left")]

    def _middle(self, name: str) -> tf.Tensor:
        """Between the two of a pair, or the one that is there."""
        right, left = self._pair(name)
        return self._first((right + left) / 2, right, left)

    @staticmethod
    def _first(*choices: tf.Tensor) -> tf.Tensor:
        """Of each pose the first choice that is a point."""
        found = choices[-1]
        for choice in reversed(choices[:-1]):
            found = tf.where(tf.math.is_nan(choice), found, choice)
        return found


def _centers(n: int) -> tf.Tensor:
    return (tf.range(n, dtype=tf.float32) + 0.5) / n
