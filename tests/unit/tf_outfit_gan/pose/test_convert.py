"""The 16 joints: mirroring, conversions from other formats with hand-worked numbers, and refusals."""

import numpy as np
import pytest

from tf_outfit_gan.pose import convert, mpii
from tf_outfit_gan.util.errors import UserError


def test_flip_pairs_and_parents_agree_with_the_names():
    for a, b in mpii.FLIP_PAIRS:
        assert mpii.JOINTS[a].replace("right", "left") == mpii.JOINTS[b]
        assert mpii.MIRROR[mpii.PARENTS[a]] == mpii.PARENTS[b]
    assert len(mpii.LIMBS) == 15 and all(parent != joint for joint, parent in mpii.LIMBS)


def test_mirror_swaps_sides_and_is_its_own_inverse():
    pose = np.zeros((16, 3), np.float32)
    pose[10] = 0.25, 0.5, 1  # The right wrist ...
    flipped = mpii.mirror(pose)
    np.testing.assert_allclose(flipped[15], [0.75, 0.5, 1])  # ... becomes the left one.
    assert flipped[10, 2] == 0
    batch = np.random.default_rng(0).uniform(size=(3, 16, 3))
    np.testing.assert_allclose(mpii.mirror(mpii.mirror(batch)), batch)


def front_view(format):
    """Points of a person drawn by hand: right side at x = 40, left side at x = 60, eyes at y = 20, shoulders at 40."""
    names = {
        "coco17": "nose leye reye lear rear lsho rsho lelb relb lwri rwri lhip rhip lkne rkne lank rank",
        "body18": "nose neck rsho relb rwri lsho lelb lwri rhip rkne rank lhip lkne lank reye leye rear lear",
        "body25": "nose neck rsho relb rwri lsho lelb lwri midhip rhip rkne rank lhip lkne lank reye leye rear lear" + " x" * 6,
        "blazepose33": "nose x leye x x reye x lear rear x x lsho rsho lelb relb lwri rwri x x x x x x"
        " lhip rhip lkne rkne lank rank x x x x",
        "deepfashion21": "head rear reye leye lear nose chin rsho lsho x x relb lelb rwri rhip lhip lwri rkne lkne rank lank",
    }[format].split()
    heights = {"eye": 20, "ear": 21, "sho": 40, "elb": 60, "wri": 80, "hip": 82, "kne": 120, "ank": 160}
    middle = {"nose": (50, 24), "neck": (50, 40), "midhip": (50, 82), "head": (50, 11), "chin": (50, 29.56), "x": (7, 7)}
    sides = {"r": 40, "l": 60}
    places = [middle[name] if name in middle else (sides[name[0]], heights[name[1:]]) for name in names]
    return np.array([(x, y, 0.9) for x, y in places])


@pytest.mark.parametrize("format", convert.LAYOUTS)
def test_each_format_gives_the_same_person(format):
    joints = convert.to_mpii16(front_view(format), format)
    by_name = dict(zip(mpii.JOINTS, joints.round(6).tolist()))
    for side, x in (("right", 40), ("left", 60)):
        for joint, y in (("shoulder", 40), ("elbow", 60), ("wrist", 80), ("hip", 82), ("knee", 120), ("ankle", 160)):
            assert by_name[f"{side}_{joint}"] == [x, y, 0.9]
    assert by_name["pelvis"] == [50, 82, 0.9]
    assert by_name["thorax"] == [50, 40, 0.9]
    # The eyes lie 20 above the thorax: the head's top 1.45 times that, the neck 0.36 of the way there.
    assert by_name["head_top"] == [50, 11, 0.9]
    assert by_name["upper_neck"] == [50, 29.56, 0.9]


def test_a_hidden_eye_falls_back_to_ears_then_to_the_nose():
    points = front_view("coco17")
    points[1, 2] = 0
    assert convert.to_mpii16(points, "coco17")[9, 1] == pytest.approx(40 - 1.55 * 19)
    points[4, 2] = 0
    assert convert.to_mpii16(points, "coco17")[9, 1] == pytest.approx(40 - 1.70 * 16)
    points[0, 2] = 0
    assert not convert.to_mpii16(points, "coco17")[[8, 9]].any()


def test_derived_joints_take_the_least_confidence_and_vanish_with_a_parent():
    points = front_view("coco17")
    points[5, 2] = 0.3
    assert convert.to_mpii16(points, "coco17")[[7, 8, 9], 2].tolist() == [0.3, 0.3, 0.3]
    points[5] = 0
    assert not convert.to_mpii16(points, "coco17")[[7, 8, 9, 13]].any()
    assert convert.to_mpii16(points, "coco17")[12].any()


def test_points_set_by_hand_stand_before_derived_ones():
    points = front_view("deepfashion21")
    points[0, 1], points[6, 1] = 8, 31
    assert convert.to_mpii16(points, "deepfashion21")[[8, 9], 1].tolist() == [31, 8]
    points[[0, 6]] = 0
    assert convert.to_mpii16(points, "deepfashion21")[[8, 9], 1].round(6).tolist() == [29.56, 11]


def test_openpose_neck_and_hip_fall_back_to_midpoints():
    points = front_view("body25")
    points[[1, 8]] = 0
    joints = convert.to_mpii16(points, "body25")
    assert joints[7].tolist() == [50, 40, 0.9] and joints[6].tolist() == [50, 82, 0.9]


def test_normalized_uses_widths_and_heights_and_hides_what_is_missing():
    joints = np.zeros((16, 3))
    joints[0] = 30.5, 10.5, 0.2  # The center of pixel (10, 30).
    joints[1] = np.nan, 3, 1
    joints[2] = -1, -1, 0
    pose = convert.normalized(convert.to_mpii16(joints, "mpii16"), (40, 60))
    np.testing.assert_allclose(pose[0], [30.5 / 60, 10.5 / 40, 1])
    assert pose.dtype == np.float32 and not pose[1:].any()


@pytest.mark.parametrize(
    "points, format, words",
    [
        (np.zeros((15, 3)), "mpii16", "16 times"),
        (np.zeros((16, 2)), "mpii16", "16 times"),
        ([[1, 2, "x"]] * 17, "coco17", "17 times"),
        ([[1, 2, 3], [1]], "body18", "18 times"),
        (np.zeros((16, 3)), "halpe26", "unknown keypoint format 'halpe26'"),
    ],
)
def test_refusals(points, format, words):
    with pytest.raises(UserError, match=words):
        convert.to_mpii16(points, format)
