"""PCK with hand-worked numbers: a torso of 20 pixels, so that 2 are the limit."""

import numpy as np
import pytest

from tf_outfit_gan.pose.pck import correct_joints, pck

SIZE = (100, 50)  # Height, width: a pixel is 0.01 of the height and 0.02 of the width.


def person():
    """All joints at (25, 50) pixels but the thorax, 20 pixels above the pelvis."""
    pose = np.tile(np.float32([0.5, 0.5, 1]), (1, 16, 1))
    pose[0, 7] = 0.5, 0.3, 1
    return pose


def test_the_limit_is_a_tenth_of_the_torso_in_any_direction():
    found = person()
    found[0, 0, 0] += 1.9 / 50  # 1.9 pixels to the right: right.
    found[0, 1, 0] += 2.1 / 50  # 2.1 to the right: wrong.
    found[0, 2, 1] += 1.9 / 100
    found[0, 3, 1] += 2.1 / 100
    found[0, 4, :2] += 1.5 / 50, 1.5 / 100  # 2.12 on the diagonal: wrong.
    correct = correct_joints(found, person(), SIZE)[0]
    assert correct.tolist() == [1, 0, 1, 0, 0] + [1] * 11
    assert pck(found, person(), SIZE) == pytest.approx(13 / 16)
    assert pck(found, person(), SIZE, threshold=0.11) == 1


def test_only_joints_that_the_truth_has_count():
    truth = person()
    truth[0, 4:6] = 0
    found = person()
    found[0, 0] = 0
    correct = correct_joints(found, truth, SIZE)[0]
    assert np.isnan(correct[4:6]).all() and correct[0] == 0
    assert pck(found, truth, SIZE) == pytest.approx(13 / 14)


def test_a_joint_that_was_not_found_is_wrong_even_at_the_right_place():
    found = person()
    found[0, 9, 2] = 0
    found[0, 8, 0] = np.nan
    assert correct_joints(found, person(), SIZE)[0, [8, 9]].tolist() == [0, 0]


def test_a_person_without_a_torso_does_not_count():
    truth = np.concatenate([person(), person(), person()])
    truth[1, 6] = 0  # No pelvis.
    truth[2, 7] = truth[2, 6]  # No length.
    correct = correct_joints(truth, truth, SIZE)
    assert correct[0].tolist() == [1] * 16 and np.isnan(correct[1:]).all()
    assert pck(truth, truth, SIZE) == 1
    with pytest.raises(ValueError, match="no joint to count"):
        pck(truth[1:], truth[1:], SIZE)
