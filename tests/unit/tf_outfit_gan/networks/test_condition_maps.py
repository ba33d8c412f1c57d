"""Articles laid over bodies: frames against poses worked by hand, sampling against NumPy, and what is left out."""

import math

import numpy as np
import pytest
import tensorflow as tf

from tf_outfit_gan.networks.condition_maps import article_map, maps_by_level, warp
from tf_outfit_gan.pose.frames import article_frames
from tf_outfit_gan.pose.mpii import JOINTS, mirror
from tf_outfit_gan.slots import SLOTS

SIZE = (64, 48)


def standing(**moved):
    """Somebody upright, in heights of a 4x3 picture: torso of 0.25, legs of 0.2 + 0.2; [1, K, 3]."""
    x = {"ankle": 0.05, "knee": 0.05, "hip": 0.05, "shoulder": 0.1, "elbow": 0.15, "wrist": 0.15}
    y = {
        "head_top": 0.1,
        "upper_neck": 0.2,
        "thorax": 0.25,
        "shoulder": 0.25,
        "elbow": 0.38,
        "wrist": 0.5,
        "pelvis": 0.5,
        "hip": 0.5,
        "knee": 0.7,
        "ankle": 0.9,
    }
    pose = np.ones((1, len(JOINTS), 3), np.float32)
    for index, name in enumerate(JOINTS):
        side, kind = name.split("_") if name.startswith(("right", "left")) else ("", name)
        offset = {"right": -1, "left": 1, "": 0}[side] * x.get(kind, 0)  # The person's right is the picture's left.
        pose[0, index, :2] = moved.get(name, (0.375 + offset, y[kind]))
    pose[..., 0] /= 0.75
    return pose


def hide(pose, *kinds):
    hidden = pose.copy()
    hidden[0, [any(kind in name for kind in kinds) for name in JOINTS], 2] = 0
    return hidden


def place(slot, pose, x, y, frame=0):
    """(u, v) that the frame of a slot gives the pixel nearest to a point in heights."""
    u, v = article_frames((slot,), tf.constant(pose), SIZE)[0][frame]
    row, column = int(y * SIZE[0]), int(x * SIZE[0])
    return float(u[0, row, column]), float(v[0, row, column])


def test_an_article_of_a_slot_of_ones_own_covers_the_whole_figure():
    # From 0.6 torso lengths above the thorax (0.1) to 0.2 below the ankles (0.95), 1.7 torso lengths wide.
    for x, y in ((24.5 / 64, 7.5 / 64), (30.5 / 64, 59.5 / 64)):
        u, v = place("hat", standing(), x, y)
        assert u == pytest.approx(0.5 + (x - 0.375) / (1.7 * 0.25), abs=1e-5)
        assert v == pytest.approx((y - 0.1) / (0.95 - 0.1), abs=1e-5)


def test_a_top_hangs_from_the_thorax_to_the_pelvis():
    # From 0.25 torso lengths above the thorax (0.1875) to as much below the pelvis (0.5625), 1.7 torso lengths wide.
    x, y = 24.5 / 64, 20.5 / 64  # The center of a pixel.
    u, v = place("top", standing(), x, y)
    assert u == pytest.approx(0.5 + (x - 0.375) / (1.7 * 0.25), abs=1e-5)
    assert v == pytest.approx((y - 0.1875) / (0.5625 - 0.1875), abs=1e-5)


def test_frames_turn_with_the_body():
    # Bent to the picture's right: down the torso is to the right, and the article's right is the picture's upper side.
    bent = standing(thorax=(0.25, 0.5), pelvis=(0.5, 0.5))
    x, y = 24.5 / 64, 28.5 / 64
    u, v = place("top", bent, x, y)
    assert v == pytest.approx((x - (0.25 - 0.0625)) / 0.375, abs=1e-5)
    assert u == pytest.approx(0.5 - (y - 0.5) / (1.7 * 0.25), abs=1e-5)


def test_each_foot_and_each_hand_has_a_frame():
    (shoes,), (bag,) = (article_frames((slot,), standing(), SIZE) for slot in ("shoes", "bag"))
    assert len(shoes) == len(bag) == 2
    right, left = (place("shoes", standing(), x, 60.5 / 64, frame) for frame, x in enumerate((20.5 / 64, 27.5 / 64)))
    assert right == pytest.approx((0.5 + (20.5 / 64 - 0.325) / 0.15, right[1])) and right[1] == left[1]
    # A bag hangs from 0.1 torso lengths above the wrist (0.475), 0.7 wide and in the form of its picture.
    wrist, wide = standing()[0, JOINTS.index("left_wrist"), 0] * 0.75, 0.7 * 0.25
    u, v = place("bag", standing(), 36.5 / 64, 34.5 / 64, 1)
    assert (u, v) == pytest.approx((0.5 + (36.5 / 64 - wrist) / wide, (34.5 / 64 - 0.475) / (wide * 4 / 3)), abs=1e-5)


@pytest.mark.parametrize("slot, hidden", [("top", "thorax"), ("top", "pelvis")])
def test_a_missing_joint_is_made_up_for(slot, hidden):
    """The middle of the shoulders is the thorax here, and that of the hips the pelvis."""
    frames = [article_frames((slot,), pose, SIZE)[0][0] for pose in (standing(), hide(standing(), hidden))]
    np.testing.assert_allclose(*frames, atol=1e-4)


@pytest.mark.parametrize("side, there", [("left", (0.325, 0.9)), ("right", (0.425, 0.9))])
def test_without_an_ankle_the_legs_end_at_the_other_one(side, there):
    both = standing(left_ankle=there, right_ankle=there)
    frames = [article_frames(("bottom",), pose, SIZE)[0][0] for pose in (both, hide(standing(), f"{side}_ankle"))]
    np.testing.assert_allclose(*frames, atol=1e-4)


def test_legs_out_of_the_photo_go_on_below_the_torso():
    u, v = place("bottom", hide(standing(), "knee", "ankle"), 24.5 / 64, 60.5 / 64)
    ankles = 0.5 + (0.84 + 0.84) * 0.25
    top, bottom = 0.5 - 0.15 * 0.25, ankles + 0.1 * 0.25
    assert v == pytest.approx((60.5 / 64 - top) / (bottom - top), abs=1e-5)


@pytest.mark.parametrize(
    "slot, hidden",
    [("top", ("thorax", "shoulder")), ("dress", ("pelvis", "hip")), ("shoes", ("right_ankle",)), ("hat", ("pelvis", "hip"))],
)
def test_without_its_joints_an_article_lies_nowhere(slot, hidden):
    u, v = article_frames((slot,), hide(standing(), *hidden), SIZE)[0][0]
    assert np.isnan(u).all() and np.isnan(v).all()
    articles = tf.ones([1, 1, 16, 12, 3])
    shown = np.array(article_map((slot,), hide(standing(), *hidden), articles, SIZE))
    assert np.isfinite(shown).all()
    assert (shown == 0).all() == (slot != "shoes")  # The other foot is there.


def test_sampling_is_bilinear_with_nothing_outside():
    rng = np.random.default_rng(1)
    images = rng.uniform(-1, 1, (2, 5, 4, 3)).astype(np.float32)
    u, v = (rng.uniform(-0.2, 1.2, (2, 6, 7)).astype(np.float32) for _ in range(2))
    u[0, 0, 0] = math.nan
    expected = np.zeros((2, 6, 7, 3))
    for n, row, column in np.ndindex(2, 6, 7):
        a, b = u[n, row, column], v[n, row, column]
        if 0 <= a <= 1 and 0 <= b <= 1:
            x, y = np.clip(a * 4 - 0.5, 0, 3), np.clip(b * 5 - 0.5, 0, 4)
            left, top = min(int(x), 2), min(int(y), 3)
            for dy, dx in np.ndindex(2, 2):
                weight = abs(1 - dx - (x - left)) * abs(1 - dy - (y - top))
                expected[n, row, column] += weight * images[n, top + dy, left + dx]
    np.testing.assert_allclose(warp(images, u, v), expected, atol=1e-5)


def test_a_mirrored_entry_has_mirrored_maps():
    articles = np.random.default_rng(2).uniform(-1, 1, (1, 4, 16, 12, 3)).astype(np.float32)
    slots = SLOTS[:4]  # Feet and hands overlap in an order, right before left.
    pose = standing(right_wrist=(0.2, 0.1), pelvis=(0.4, 0.5))
    whole = article_map(slots, pose, tf.constant(articles), SIZE)
    flipped = article_map(slots, np.float32(mirror(pose)), tf.constant(articles[:, :, :, ::-1]), SIZE)
    np.testing.assert_allclose(flipped[:, :, ::-1], whole, atol=1e-4)


def test_levels_agree_and_missing_articles_leave_no_trace():
    config_sizes = [(4, 3), (8, 6), (16, 12), (32, 24), SIZE]
    articles = np.random.default_rng(3).uniform(0.5, 1, (1, 6, 32, 24, 3)).astype(np.float32)
    articles[:, 2] = 0  # No dress.
    levels = maps_by_level(config_sizes, SLOTS, standing(), tf.constant(articles), pose=False, worn=True)
    assert [tuple(level.shape) for level in levels] == [(1, *size, 18) for size in config_sizes]
    largest = np.array(levels[-1])
    for level, size in zip(levels, config_sizes):
        factor = SIZE[0] // size[0]
        pooled = largest.reshape(1, size[0], factor, size[1], factor, 18).mean(axis=(2, 4))
        np.testing.assert_allclose(level, pooled, atol=1e-5)
    worn = np.abs(largest).max(axis=(0, 1, 2)).reshape(6, 3).min(axis=1) > 0
    assert worn.tolist() == [True, True, False, True, True, True]
    assert maps_by_level(config_sizes, SLOTS, standing(), articles, pose=False, worn=False) is None


def test_the_first_foot_lies_on_top_where_two_overlap():
    pose = standing(right_ankle=(0.33, 0.9), left_ankle=(0.4, 0.9))  # Frames are 0.15 wide.
    articles = tf.random.stateless_uniform([1, 1, 8, 6, 3], [1, 2], 0.1, 1)
    (feet,) = article_frames(("shoes",), tf.constant(pose), SIZE)
    right, left = (warp(articles[:, 0], *foot).numpy() for foot in feet)
    both = (right != 0).any(-1) & (left != 0).any(-1)
    drawn = article_map(("shoes",), tf.constant(pose), articles, SIZE).numpy()
    assert both.sum() > 20
    np.testing.assert_allclose(drawn[both], right[both], atol=1e-6)
