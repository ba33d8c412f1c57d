"""What of a photo goes into the frame, and that its pose goes along."""

import numpy as np
import pytest
from PIL import Image

from tf_outfit_gan.images.framing import place
from tf_outfit_gan.images.open import fit


def photo_and_pose(width, height, points):
    """A gray photo with a red spot at each point (x, y) in pixels, and the pose of these points."""
    photo = Image.new("RGB", (width, height), (100, 100, 100))
    pose = np.zeros((16, 3), np.float32)
    for joint, (x, y) in enumerate(points):
        photo.paste((255, 0, 0), (x - 4, y - 4, x + 4, y + 4))
        pose[joint] = x / width, y / height, 1
    return photo, pose


def red_at(picture, point):
    x, y = int(point[0] * picture.width), int(point[1] * picture.height)
    red, green, _ = picture.getpixel((x, y))
    return red > 180 and green < 80


@pytest.mark.parametrize("framing", ["pad", "crop", "person"])
@pytest.mark.parametrize("width, height", [(600, 400), (300, 900), (333, 401)])
def test_the_pose_stays_on_the_body(framing, width, height):
    points = [(width // 2, height // 3), (width // 2 - 20, height // 2), (width // 2 + 30, 2 * height // 3)]
    photo, pose = photo_and_pose(width, height, points)
    picture, placement = place(photo, (256, 192), framing, pose)
    assert picture.size == (192, 256)
    assert all(red_at(picture, point) for point in placement.move(pose)[:3])


def test_crop_fills_the_frame_from_the_middle():
    photo, pose = photo_and_pose(600, 400, [(300, 200)])
    picture, placement = place(photo, (256, 192), "crop")
    assert placement.y_scale == 1 and placement.x_scale == pytest.approx(2) and placement.x_offset == pytest.approx(-0.5)
    assert placement.move(pose)[0, :2] == pytest.approx([0.5, 0.5])
    same = Image.effect_noise((300, 400), 80).convert("RGB")
    np.testing.assert_array_equal(place(same, (256, 192), "crop")[0], fit(same, (256, 192))[0])


def test_a_small_person_fills_the_frame_with_a_margin():
    photo, pose = photo_and_pose(2000, 1500, [(1000, 500), (900, 700), (1100, 900)])
    moved = place(photo, (256, 192), "person", pose)[1].move(pose)[:3]
    # 400 pixels of joints and 12% of it on both sides are the height; width follows.
    assert moved[:, 1].min() == pytest.approx(0.12 / 1.24, abs=0.01) and moved[:, 1].max() == pytest.approx(1.12 / 1.24, abs=0.01)
    assert moved[:, 0] == pytest.approx([0.5, 0.5 - 100 / 372, 0.5 + 100 / 372], abs=0.01)


def test_a_person_at_the_edge_is_padded_only_where_the_photo_ends():
    photo, pose = photo_and_pose(1000, 1000, [(20, 300), (60, 700)])
    placement = place(photo, (256, 192), "person", pose)[1]
    assert placement.x_offset == 0 and placement.y_scale > 1  # The box is moved into the photo.
    nobody = place(photo, (256, 192), "person", np.zeros((16, 3)))[1]
    assert nobody == place(photo, (256, 192), "person", None)[1] == fit(photo, (256, 192))[1]
