"""Frames of the body against poses worked by hand. Places are those of `tests.helpers.standing`."""

import math

import numpy as np
import pytest

from tests.helpers.standing import SIZE, TORSO, pixel, standing, without
from tf_outfit_gan.pose.frames import FITTED, article_frames

# The frames of an article, the first one on top.
ARMS = RIGHT_FOREARM, RIGHT_UPPER_ARM, LEFT_FOREARM, LEFT_UPPER_ARM = range(4)
TRUNK, SKIRT = 4, 5
LEGS = RIGHT_SHIN, RIGHT_THIGH, LEFT_SHIN, LEFT_THIGH = range(4)
OVER_LEGS = 4
RIGHT_WRIST, LEFT_WRIST, RIGHT_HIP, LEFT_HIP = range(4)


def frames(slot, pose, size=SIZE):
    """The frames of a slot, [F, H, W, 2]."""
    return np.stack([np.stack(frame, axis=-1)[0] for frame in article_frames((slot,), pose, size)[0]])


def place(slot, frame, pose, point):
    """The place that a frame gives a point of the picture."""
    return frames(slot, pose)[(frame, *pixel(*point))]


@pytest.mark.parametrize("slot", FITTED)
def test_who_stands_as_the_figure_does_is_the_figure(slot):
    rows, columns = np.mgrid[: SIZE[0], : SIZE[1]]
    pixels = np.stack([columns - 24, rows - 16], axis=-1) / TORSO
    found = frames(slot, standing())
    assert len(found) == (5 if slot == "bottom" else 6)
    for frame in found:
        inside = np.isfinite(frame).all(axis=-1)
        assert inside.sum() > 40
        np.testing.assert_allclose(frame[inside], pixels[inside], atol=1e-4)


STRAIGHT = {
    f"{side}_{joint}": (sign * x, y)
    for side, sign in (("right", -1), ("left", 1))
    for joint, (x, y) in dict(
        shoulder=(0.5, 0), elbow=(0.5, 0.5), wrist=(0.5, 1), hip=(0.25, 1), knee=(0.25, 1.75), ankle=(0.25, 2.5)
    ).items()
}


@pytest.mark.parametrize(
    "slot, frame, inside, outside",
    [
        ("top", LEFT_UPPER_ARM, (0.625, 0.25), (0.6875, 0.25)),
        ("top", LEFT_UPPER_ARM, (0.5, -0.0625), (0.5, -0.125)),
        ("top", LEFT_UPPER_ARM, (0.5, 0.5625), (0.5, 0.625)),
        ("top", RIGHT_FOREARM, (-0.625, 0.75), (-0.6875, 0.75)),
        ("top", RIGHT_FOREARM, (-0.5, 1.0625), (-0.5, 1.125)),
        ("bottom", LEFT_THIGH, (0.4375, 1.5), (0.5, 1.5)),
        ("bottom", LEFT_THIGH, (0.25, 0.9375), (0.25, 0.875)),
        ("bottom", RIGHT_SHIN, (-0.4375, 2.25), (-0.5, 2.25)),
        ("bottom", RIGHT_SHIN, (-0.25, 2.5625), (-0.25, 2.625)),
        # The trunk is 0.34 wide to each side at the thorax and above, and 0.54 at the pelvis.
        ("dress", TRUNK, (0.3125, 0), (0.375, 0)),
        ("dress", TRUNK, (-0.3125, -0.375), (-0.375, -0.375)),
        ("dress", TRUNK, (0.5, 1), (0.5625, 1)),
        ("dress", TRUNK, (0, -0.4375), (0, -0.5625)),
        ("dress", TRUNK, (0, 1), (0, 1.0625)),
        # A skirt is 0.54 wide at the pelvis, and 0.94 at the ankles. It is 1.5 long here, and that of the figure 1.62.
        ("dress", SKIRT, (0.5, 1), (0.5625, 1)),
        ("dress", SKIRT, (-0.875, 2.4375), (-0.9375, 2.4375)),
        ("dress", SKIRT, (0, 1), (0, 0.9375)),
        ("dress", SKIRT, (0, 2.625), (0, 2.6875)),
        ("bottom", OVER_LEGS, (0, 0.6875), (0, 0.625)),
        ("shoes", 1, (0.5, 2.5), (0.5625, 2.5)),
        ("shoes", 1, (0.25, 2.25), (0.25, 2.1875)),
        ("bag", LEFT_WRIST, (0.8125, 1), (0.875, 1)),
        ("hat", 0, (0.8125, 1), (0.875, 1)),
        ("hat", 0, (0, 2.6875), (0, 2.75)),
    ],
)
def test_a_part_ends(slot, frame, inside, outside):
    pose = standing(**STRAIGHT)
    assert np.isfinite(place(slot, frame, pose, inside)).all()
    assert np.isnan(place(slot, frame, pose, outside)).all()


@pytest.mark.parametrize(
    "slot, frame, moved, point, expected",
    [
        # A raised arm: half way along it, above it; what is above is the outer side of the hanging sleeve.
        (
            "top",
            RIGHT_UPPER_ARM,
            dict(right_shoulder=(-0.25, 0), right_elbow=(-0.75, 0)),
            (-0.5, -0.125),
            (-0.42 - 0.125 * 0.53 / math.hypot(0.16, 0.53), 0.265 - 0.125 * 0.16 / math.hypot(0.16, 0.53)),
        ),
        # A bent elbow: the forearm lies across the trunk, and the upper arm hangs.
        ("top", LEFT_FOREARM, dict(left_elbow=(0.5, 0.5), left_wrist=(0, 0.5)), (0.25, 0.5), (0.55, 0.775)),
        ("top", LEFT_UPPER_ARM, dict(left_shoulder=(0.5, 0), left_elbow=(0.5, 0.5)), (0.5, 0.25), (0.42, 0.265)),
        # A forearm that points at the viewer is short, and as wide as ever.
        (
            "outerwear",
            LEFT_FOREARM,
            dict(left_elbow=(0.5, 0.5), left_wrist=(0.5, 0.75)),
            (0.625, 0.625),
            (0.55 + 0.125 * 0.49 / math.hypot(0.1, 0.49), 0.775 - 0.125 * 0.1 / math.hypot(0.1, 0.49)),
        ),
        # A thigh to the side, and the shin below it.
        (
            "bottom",
            LEFT_THIGH,
            dict(left_hip=(0.25, 1), left_knee=(0.75, 1)),
            (0.5, 0.875),
            (0.185 + 0.125 * 0.81 / math.hypot(0.05, 0.81), 1.405 - 0.125 * 0.05 / math.hypot(0.05, 0.81)),
        ),
        ("bottom", LEFT_SHIN, dict(left_knee=(0.75, 1), left_ankle=(0.75, 1.5)), (0.75, 1.25), (0.24, 2.215)),
        # A skirt goes from the pelvis to the middle of the ankles: of somebody who sits, to the side.
        ("dress", SKIRT, dict(right_ankle=(1, 1), left_ankle=(2, 1)), (0.75, 0.875), (0.125, 1.81)),
        ("bottom", OVER_LEGS, dict(right_ankle=(1, 1), left_ankle=(2, 1)), (0.75, 0.875), (0.125, 1.81)),
        # Somebody who lies, head to the picture's left: the left side is up.
        ("top", TRUNK, dict(thorax=(-0.5, 1), pelvis=(0.5, 1)), (0, 0.75), (0.25, 0.5)),
        # Somebody half as large.
        ("top", TRUNK, dict(pelvis=(0, 0.5)), (0.125, 0.25), (0.25, 0.5)),
        # Shoes and bags hang upright, also from who lies. Their places are in widths of their pictures: 0.6 and 0.7 torsos.
        ("shoes", 0, dict(right_ankle=(-0.25, 2.5)), (-0.125, 2.5), (0.125 / 0.6, 0.3 / 0.6)),
        ("shoes", 1, dict(left_ankle=(0.25, 2.5)), (0.25, 2.5), (0, 0.3 / 0.6)),
        ("bag", RIGHT_WRIST, dict(right_wrist=(-0.5, 1)), (-0.5, 1), (0, 0.1 / 0.7)),
        ("bag", LEFT_WRIST, dict(left_wrist=(1, 0.5)), (1.125, 0.5), (0.125 / 0.7, 0.1 / 0.7)),
        ("bag", RIGHT_HIP, dict(right_hip=(-0.25, 1)), (-0.25, 1), (0, 0.3 / 0.7)),
        ("bag", LEFT_HIP, dict(left_hip=(0.25, 1), thorax=(-1, 1)), (0.25, 1.125), (0, 0.425 / 0.7)),
        # An article of an unknown slot lies between 0.6 above the thorax and 0.2 below the ankles.
        ("hat", 0, {}, (0.5, 1), (0.5 / 1.7, 1.6 / 3.42 * 4 / 3)),
        ("hat", 0, dict(right_ankle=(2, -0.5), left_ankle=(2, 0.5)), (1, -0.5), (0.5 / 1.7, 1.6 / 2.8 * 4 / 3)),
    ],
)
def test_a_part_follows_its_joints(slot, frame, moved, point, expected):
    np.testing.assert_allclose(place(slot, frame, standing(**moved), point), expected, atol=1e-5)


SIDEWAYS = dict(right_hip=(0.5, 1.25), left_hip=(0.5, 0.75))


@pytest.mark.parametrize(
    "there, hidden, instead",
    [
        (dict(right_shoulder=(0, 0.5), left_shoulder=(0.5, 0)), ["thorax"], dict(thorax=(0.25, 0.25))),
        (dict(right_shoulder=(-0.25, 0.25)), ["thorax", "left_shoulder"], dict(thorax=(-0.25, 0.25))),
        (dict(left_shoulder=(0.25, 0.25)), ["thorax", "right_shoulder"], dict(thorax=(0.25, 0.25))),
        (SIDEWAYS, ["pelvis"], dict(pelvis=(0.5, 1))),
        ({}, ["left_ankle"], dict(right_ankle=(-0.27, 2.62), left_ankle=(-0.27, 2.62))),
        # A photo may end above the ankles, or the knees: legs go on in the torso's direction.
        (
            dict(pelvis=(0.5, 1), right_knee=(0, 2), left_knee=(1, 2)),
            ["ankle"],
            dict(right_ankle=(0.905, 2.81), left_ankle=(0.905, 2.81)),
        ),
        (
            dict(pelvis=(0.5, 1)),
            ["knee", "ankle"],
            dict(right_ankle=(1.31, 2.62), left_ankle=(1.31, 2.62)),
        ),
    ],
)
def test_trunk_and_skirt_make_up_for_joints_that_are_missing(there, hidden, instead):
    made_up = frames("dress", without(standing(**there), *hidden))[[TRUNK, SKIRT]]
    np.testing.assert_allclose(made_up, frames("dress", standing(**there | instead))[[TRUNK, SKIRT]], atol=1e-4)
    assert not np.allclose(made_up, frames("dress", standing(**there))[[TRUNK, SKIRT]], equal_nan=True)


EVERYWHERE = ("thorax", "shoulder")


@pytest.mark.parametrize(
    "slot, hidden, lacking",
    [
        ("top", ["right_wrist"], [RIGHT_FOREARM]),
        ("top", ["left_elbow"], [LEFT_FOREARM, LEFT_UPPER_ARM]),
        ("top", ["right_shoulder"], [RIGHT_UPPER_ARM]),
        ("dress", ["knee", "ankle"], []),
        ("bottom", ["left_knee"], [LEFT_SHIN, LEFT_THIGH]),
        ("bottom", ["hip"], [RIGHT_THIGH, LEFT_THIGH]),
        ("shoes", ["right_ankle"], [0]),
        ("bag", ["left_wrist"], [LEFT_WRIST]),
        ("bag", ["right_hip"], [RIGHT_HIP]),
        ("hat", ["ankle", "wrist"], []),
        # Without a torso there is no length to go by.
        ("top", EVERYWHERE, [*ARMS, TRUNK, SKIRT]),
        ("bottom", ["pelvis", "hip"], [*LEGS, OVER_LEGS]),
        ("shoes", EVERYWHERE, [0, 1]),
        ("bag", EVERYWHERE, [0, 1, 2, 3]),
        ("hat", EVERYWHERE, [0]),
    ],
)
def test_a_part_without_its_joints_is_nowhere(slot, hidden, lacking):
    found = frames(slot, without(standing(), *hidden))
    assert np.flatnonzero(np.isnan(found).all(axis=(1, 2, 3))).tolist() == lacking


def test_a_joint_at_no_number_is_missing():
    pose = standing(left_wrist=(math.nan, 0), right_wrist=(math.inf, 0))
    np.testing.assert_array_equal(frames("top", pose), frames("top", without(standing(), "wrist")))


def test_a_limb_without_length_is_nowhere():
    elbow = (0.5, 0.5)
    found = frames("top", standing(left_elbow=elbow, left_wrist=elbow))
    assert np.isnan(found[LEFT_FOREARM]).all() and np.isfinite(found[LEFT_UPPER_ARM]).any()
    assert np.isnan(frames("top", standing(pelvis=(0, 0)))).all()


def test_a_wider_picture_shows_the_same():
    wide = standing() * np.float32([48 / 64, 1, 1])
    for slot in ("top", "shoes", "hat"):
        np.testing.assert_allclose(frames(slot, wide, (64, 64))[:, :, :48], frames(slot, standing()), atol=1e-4)


def test_slots_and_poses_are_apart():
    poses = np.concatenate([standing(), standing(left_wrist=(0, 0.5), thorax=(0.25, 0))])
    slots = ("shoes", "hat", "top")
    for slot, of_slot in zip(slots, article_frames(slots, poses, SIZE), strict=True):
        for pose, found in zip(poses, np.moveaxis(np.array(of_slot), 2, 0), strict=True):
            np.testing.assert_allclose(np.moveaxis(found, 1, -1), frames(slot, pose[None]), atol=1e-5)
