"""Heads: cut out upright whatever the pose, bilinearly, and only where there is one."""

import numpy as np
import pytest

from tf_outfit_gan.metrics.head_patch import FACE, HAIR, HEAD_TOP, NECK, POINTS, has_head, patch


def pose(neck, top, size):
    """A pose with a neck and a head's top at (x, y) pixels."""
    keypoints = np.zeros((1, 16, 3), np.float32)
    for joint, place in ((NECK, neck), (HEAD_TOP, top)):
        keypoints[0, joint] = place[0] / size[1], place[1] / size[0], 1
    return keypoints


def test_an_upright_head():
    # Red grows to the right by 2 a pixel, green downward by 3: linear, so bilinear sampling is exact.
    x, y = np.meshgrid(np.arange(48) + 0.5, np.arange(64) + 0.5)
    pictures = np.rint(np.stack([2 * x, 3 * y, 0 * x], axis=-1)).astype(np.uint8)[None]
    found = patch(pictures, pose((24, 40), (24, 20), (64, 48)), ((1.0, 0.0), (-0.5, 0.5)))[0]
    assert found.shape == (POINTS, POINTS, 3)
    np.testing.assert_allclose(found[0, 0, :2], [2 * (24 - 10), 3 * 20], atol=2)
    np.testing.assert_allclose(found[-1, -1, :2], [2 * (24 + 10), 3 * 40], atol=2)


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_head_is_cut_out_upright(turns):
    picture = np.random.default_rng(0).integers(0, 256, (40, 40, 3)).astype(np.uint8)
    neck, top = np.array([20, 28]), np.array([20, 12])
    upright = patch(picture[None], pose(neck, top, (40, 40)))

    def turned(point):  # As np.rot90 turns a picture, by quarters to the left.
        for _ in range(turns):
            point = np.array([point[1], 40 - point[0]])
        return point

    found = patch(np.rot90(picture, turns)[None], pose(turned(neck), turned(top), (40, 40)))
    np.testing.assert_allclose(found.astype(int), upright.astype(int), atol=1)


def test_what_lies_outside_is_the_border():
    picture = np.full((1, 16, 12, 3), 7, np.uint8)
    assert (patch(picture, pose((6, 2), (6, -10), (16, 12))) == 7).all()


def test_hair_and_face_of_a_doll_are_its_hair_and_face():
    from tf_outfit_gan.data.paperdoll.scene import draw_entry, draw_scene

    for index in range(20):
        doll, body = draw_entry(0, index, (256, 192)), draw_scene(0, index).body
        keypoints = doll.keypoints[None] / [192, 256, 1]
        for place, color in ((HAIR, body.hair), (FACE, body.skin)):
            found = np.median(patch(doll.photo[None], keypoints, place)[0].reshape(-1, 3), axis=0)
            assert np.abs(found - np.asarray(color[:3])).max() < 40, (index, place, found, color)


def test_a_pose_without_a_head_has_none():
    whole, no_top, one_point = (pose((6, 9), top, (16, 12)) for top in ((6, 2), (6, 2), (6, 9)))
    no_top[0, HEAD_TOP] = 0
    assert has_head(np.concatenate([whole, no_top, one_point])).tolist() == [True, False, False]
