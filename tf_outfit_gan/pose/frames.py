"""Frames of the body: where in a picture of a pose each article's picture belongs.

A frame is an affine map from the picture to the article's picture, from a few joints and nothing learned: a box along an
axis of the body, such as from the thorax to the pelvis. Its width is a number of torso lengths.
"""

import math
from collections.abc import Sequence

import tensorflow as tf

from tf_outfit_gan.pose.mpii import JOINTS

# Leg lengths in torso lengths, for where a photo ends above the knees or the ankles: from pelvis to knees, on to ankles.
THIGH, SHIN = 0.84, 0.84

Frame = tuple[tf.Tensor, tf.Tensor]  # (u, v): see `article_frames`.


def article_frames(slots: Sequence[str], keypoints: tf.Tensor, size: tuple[int, int]) -> list[list[Frame]]:
    """Places the articles of slots in the pictures of poses.

    Args:
        slots: their names; an unknown one covers the whole figure.
        keypoints: [N, K, 3].
        size: (height, width) of the pictures.

    Returns:
        A list by slot of one or two frames; each is (u, v), [N, H, W] each: the place in the article's picture, in its
        widths and heights, that belongs to the center of each pixel. NaN where the pose lacks the torso, or the joint
        that the frame hangs from.
    """
    aspect = size[1] / size[0]
    body = _Body(tf.cast(keypoints, tf.float32), aspect)
    down = tf.constant([0.0, 1.0])
    torso = body.pelvis - body.thorax  # [N, 2], in heights.
    length = tf.norm(torso, axis=-1, keepdims=True)  # [N, 1]

    def box(
        top: tf.Tensor, bottom: tf.Tensor, width: float, above: float = 0.0, below: float = 0.0
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """From `top` to `bottom` [N, 2] and a margin beyond both; margins and width are in torso lengths."""
        axis = tf.math.divide_no_nan(bottom - top, tf.norm(bottom - top, axis=-1, keepdims=True))
        return top - axis * above * length, bottom + axis * below * length, width * length

    def hanging(joint: tf.Tensor, width: float, above: float) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
        """A box of the article picture's own shape that hangs from a joint."""
        top = joint - down * above * length
        return top, top + down * (4 / 3) * width * length, width * length

    wrists, ankles = body.wrists, body.ankles
    boxes = {
        "outerwear": [box(body.thorax, body.pelvis, 1.7, above=0.25, below=0.35)],
        "top": [box(body.thorax, body.pelvis, 1.7, above=0.25, below=0.25)],
        "dress": [box(body.thorax, body.knees, 1.5, above=0.25, below=0.1)],
        "bottom": [box(body.pelvis, body.mid_ankles, 1.0, above=0.15, below=0.1)],
        "shoes": [hanging(ankle, 0.6, above=0.3) for ankle in ankles],
        "bag": [hanging(wrist, 0.7, above=0.1) for wrist in wrists],
    }
    whole = [box(body.thorax, body.mid_ankles, 1.7, above=0.6, below=0.2)]
    grid = tf.stack(tf.meshgrid(_centers(size[1]) * aspect, _centers(size[0])), axis=-1)  # [H, W, 2], in heights.
    # All frames are computed by the same few operations, and then dealt to their slots.
    frames = [boxes.get(slot, whole) for slot in slots]
    tops, bottoms, widths = (tf.stack(x) for x in zip(*(frame for of_slot in frames for frame in of_slot)))
    places = iter(zip(*map(tf.unstack, _coordinates(grid, tops, bottoms, widths))))
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
        self.knees = self._first(self._middle("knee"), self.pelvis + THIGH * torso)
        self.mid_ankles = self._first(self._middle("ankle"), self.knees + SHIN * torso)
        self.ankles, self.wrists = self._pair("ankle"), self._pair("wrist")

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


def _coordinates(grid: tf.Tensor, top: tf.Tensor, bottom: tf.Tensor, width: tf.Tensor) -> Frame:
    """Where boxes see each pixel: (u, v), [F, N, H, W] each.

    Args:
        grid: centers of the pixels, [H, W, 2].
        top, bottom: middles of the boxes' upper and lower edges, [F, N, 2].
        width: of the boxes, [F, N, 1].
    """
    axis = bottom - top
    height = tf.norm(axis, axis=-1)  # [F, N]
    # To the right of somebody who hangs upright is the picture's right.
    across = tf.stack([axis[..., 1], -axis[..., 0]], axis=-1)
    offset = grid - top[:, :, None, None]  # [F, N, H, W, 2]
    v = tf.reduce_sum(offset * axis[:, :, None, None], -1) / tf.square(height)[..., None, None]
    u = 0.5 + tf.reduce_sum(offset * across[:, :, None, None], -1) / (height * width[..., 0])[..., None, None]
    return u, v


def _centers(n: int) -> tf.Tensor:
    return (tf.range(n, dtype=tf.float32) + 0.5) / n
