"""Pictures from outside: every kind opens as upright RGB; fitting, levels and sizes."""

import numpy as np
import pytest
from PIL import Image

from tests.helpers.odd_pictures import scene
from tf_outfit_gan.images.open import fit, image_size, open_image, pyramid
from tf_outfit_gan.sizes import default_size, levels_of, parse_size
from tf_outfit_gan.util.errors import UserError


def test_exif_rotation_is_applied(tmp_path):
    image = Image.new("RGB", (8, 4), "red")
    exif = Image.Exif()
    exif[0x0112] = 6  # Turn a quarter clockwise to see it upright.
    image.save(tmp_path / "turned.jpg", exif=exif)
    assert open_image(tmp_path / "turned.jpg").size == (4, 8)


@pytest.mark.parametrize("broken", [b"none", b"II*\0", b"II*\0\xff\xff\xff\xff"])
def test_broken_exif_says_nothing(tmp_path, broken):
    Image.new("RGB", (8, 4), "red").save(tmp_path / "photo.jpg", exif=b"Exif\0\0" + broken)
    assert open_image(tmp_path / "photo.jpg").size == (8, 4) and image_size(tmp_path / "photo.jpg") == (4, 8)


def palette_with_transparency():
    image = Image.new("P", (2, 1))
    image.putpalette([10, 20, 30, 200, 0, 0])
    image.putpixel((1, 0), 1)
    image.info["transparency"] = 1
    return image


@pytest.mark.parametrize(
    "image, suffix, expected",
    [
        (Image.fromarray(np.uint8([[[255, 0, 0, 255], [255, 0, 0, 0]]])), "png", [[255, 0, 0], [255, 255, 255]]),
        (Image.fromarray(np.uint8([[[0, 0, 0, 51], [0, 0, 0, 255]]])), "png", [[204, 204, 204], [0, 0, 0]]),
        (palette_with_transparency(), "png", [[10, 20, 30], [255, 255, 255]]),
        (Image.fromarray(np.uint16([[65535, 32768]])), "png", [[255, 255, 255], [128, 128, 128]]),
        (Image.fromarray(np.uint8([[7, 8]])), "png", [[7, 7, 7], [8, 8, 8]]),
        (Image.new("CMYK", (2, 1), (0, 255, 255, 0)), "tiff", [[255, 0, 0], [255, 0, 0]]),
    ],
)
def test_every_kind_becomes_rgb_on_white(tmp_path, image, suffix, expected):
    image.resize((6, 3), Image.Resampling.NEAREST).save(tmp_path / f"picture.{suffix}")
    opened = open_image(tmp_path / f"picture.{suffix}")
    assert opened.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(opened)[0, [0, 5]], expected)


def test_fit_keeps_the_aspect_pads_and_moves_the_pose():
    square = Image.new("RGB", (20, 20), (10, 20, 30))
    square.paste((90, 80, 70), (5, 5, 15, 15))
    framed, placement = fit(square, (16, 12))
    pixels = np.asarray(framed)
    assert (pixels[[0, 1, -2, -1]] == [10, 20, 30]).all() and (pixels[8, 6] == [90, 80, 70]).all()
    pose = np.zeros((16, 3), np.float32)
    pose[0] = 0.25, 0.5, 1  # The middle stays in the middle.
    pose[1] = 1, 1, 1  # The corner comes to 14 of 16 rows.
    moved = placement.move(pose)
    np.testing.assert_allclose(moved[:2], [[0.25, 0.5, 1], [1, 14 / 16, 1]])
    assert not moved[2:].any()


def test_fit_continues_a_studio_background_and_leaves_a_fitting_picture_alone():
    wide = Image.new("RGB", (40, 20), (200, 210, 220))
    wide.paste((0, 0, 0), (15, 5, 25, 15))
    framed, _ = fit(wide, (16, 12))
    assert (np.asarray(framed)[[0, -1]] == [200, 210, 220]).all()
    noise = Image.effect_noise((12, 16), 80).convert("RGB")
    assert fit(noise, (16, 12))[0] is noise


def test_levels_are_exact_means_rounded_once():
    image = np.random.default_rng(0).integers(0, 256, (16, 12, 3)).astype(np.uint8)
    small, middle, large = pyramid(Image.fromarray(image), [(4, 3), (8, 6), (16, 12)])
    np.testing.assert_array_equal(large, image)
    means = image.reshape(8, 2, 6, 2, 3).mean(axis=(1, 3))
    np.testing.assert_array_equal(middle, np.floor(means + 0.5))
    np.testing.assert_array_equal(small, np.floor(image.reshape(4, 4, 3, 4, 3).mean(axis=(1, 3)) + 0.5))


def test_no_level_of_a_large_pyramid_overflows():
    levels = levels_of((1024, 768))
    random = np.random.default_rng(0).integers(0, 256, (1024, 768, 3), np.uint8)
    for image in (random, np.full_like(random, 255)):
        for level, found in zip(levels, pyramid(Image.fromarray(image), levels), strict=True):
            side = 1024 // level[0]
            means = image.reshape(level[0], side, level[1], side, 3).mean(axis=(1, 3))
            np.testing.assert_array_equal(found, np.floor(means + 0.5))


def test_sizes_of_the_family():
    assert levels_of((32, 24)) == [(4, 3), (8, 6), (16, 12), (32, 24)]
    assert levels_of((1024, 768))[0] == (4, 3) and len(levels_of((1024, 768))) == 9
    assert levels_of((1024, 1024))[0] == (4, 4)
    assert levels_of((1280, 1024))[0] == (5, 4)
    assert default_size((256, 192)) == (256, 192)
    assert default_size((1101, 750)) == (512, 384)  # 768 would be wider than the photo.
    assert default_size((900, 900)) == (512, 512)
    assert default_size((300, 500)) == (192, 256)
    assert parse_size("1024x768") == (1024, 768)


@pytest.mark.parametrize("text", ["1024", "1024x", "x", "10x-3", "0x0", "1024*768", "1e3x768"])
def test_a_size_is_height_x_width(text):
    with pytest.raises(UserError, match="HEIGHTxWIDTH"):
        parse_size(text)


def test_a_size_outside_the_family_gets_a_neighbor():
    with pytest.raises(UserError, match="512x384 is near"):
        levels_of((1000, 750))
    with pytest.raises(UserError, match="4x4 is near"):
        levels_of((2, 2))


@pytest.mark.parametrize(
    "size, frame, height",
    [
        ((512, 384), (128, 96), 256),
        ((512, 384), (128, 1000), 256),
        ((512, 384), (129, 97), 512),  # Less than twice the frame would be left.
        ((512, 384), (64, 48), 128),
        ((512, 384), (30, 30), 64),
        ((514, 386), (30, 30), 257),  # A quarter would be no whole number.
        ((513, 384), (30, 30), 513),
    ],
)
def test_a_large_jpeg_is_decoded_reduced(tmp_path, size, frame, height):
    scene(*size).save(tmp_path / "photo.jpg", quality=95)
    reduced = open_image(tmp_path / "photo.jpg", frame=frame)
    assert reduced.height == height and reduced.width * size[0] == height * size[1]
    (fitted, placement), (whole, expected) = (fit(image, frame) for image in (reduced, open_image(tmp_path / "photo.jpg")))
    assert placement == expected
    assert np.sqrt(np.mean((np.float32(fitted) - np.float32(whole)) ** 2)) < 2.5  # 40 dB.


def test_a_photo_on_its_side_is_reduced_for_its_frame_as_it_stands(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    scene(384, 512).save(tmp_path / "photo.jpg", exif=exif)
    assert open_image(tmp_path / "photo.jpg", frame=(128, 1000)).size == (192, 256)
    assert image_size(tmp_path / "photo.jpg") == (512, 384)
