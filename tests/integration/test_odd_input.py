"""Odd input: whatever a catalogue comes with is opened right, or named in one line and set aside; nothing hangs."""

import io
import json
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.helpers.odd_pictures import ADOBE_RGB, adobe_to_srgb, bomb_png, cmyk_profile, encoded, matrix_profile, scene
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.manifest import load_outfit, load_pose, read_manifest
from tf_outfit_gan.data.preparation.encode import open_photo
from tf_outfit_gan.images.article_bytes import article_bytes
from tf_outfit_gan.images.color_profile import UNPROFILED_CMYK
from tf_outfit_gan.images.open import open_image
from tf_outfit_gan.util.errors import UserError


def opened(path, content):
    path.write_bytes(content)
    return np.int16(open_image(path))


def refusal(path):
    """The message for a picture that must not open: one printable line that names the file."""
    with pytest.raises(UserError) as error:
        open_image(path)
    message = str(error.value)
    assert message.isprintable() and path.name[:3] in message
    return message


# Pictures that open.


def frames():
    return {"save_all": True, "append_images": [Image.new("RGB", (48, 64), "lime")], "duration": 100}


@pytest.mark.parametrize(
    "format, options, tolerance",
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 5),
        ("AVIF", {"quality": 95}, 5),
        ("JPEG", {"quality": 95, "subsampling": 0}, 3),
        ("JPEG", {"quality": 95, "subsampling": 0, "progressive": True}, 3),
        ("JPEG", {"quality": 95, "subsampling": 0, "restart_marker_blocks": 5}, 3),
        # Of animations, pages and a telephone's pairs of pictures the first is taken.
        ("GIF", frames(), 5),
        ("WEBP", frames() | {"lossless": True}, 0),
        ("PNG", frames(), 0),
        ("TIFF", frames(), 0),
        ("MPO", frames() | {"quality": 95, "subsampling": 0}, 3),
    ],
)
def test_every_format_gives_the_same_picture(tmp_path, format, options, tolerance):
    found = opened(tmp_path / "picture", encoded(scene(), format, **options))
    assert found.shape == (64, 48, 3)
    assert np.abs(found - np.int16(scene())).mean() <= tolerance


def test_sixteen_bits_a_channel(tmp_path):
    shades = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48) * 21
    for format in ("PNG", "TIFF"):
        found = opened(tmp_path / "gray", encoded(Image.fromarray(shades), format))
        np.testing.assert_array_equal(found, (shades >> 8)[..., None].repeat(3, axis=2))
    # Pillow writes no 16-bit RGB: a PNG of one color, by hand.
    import struct
    import zlib

    rows = (b"\0" + struct.pack(">3H", 65535, 32768, 255) * 4) * 4
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    png = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    assert (opened(tmp_path / "deep.png", png) == [255, 128, 0]).all()


@pytest.mark.parametrize("color", [(200, 100, 50), (60, 180, 90), (20, 40, 220), (255, 255, 255)])
def test_a_color_profile_is_followed(tmp_path, color):
    picture = Image.new("RGB", (8, 8), color)
    profile = matrix_profile(*ADOBE_RGB)
    found = opened(tmp_path / "adobe.png", encoded(picture, "PNG", icc_profile=profile))[0, 0]
    np.testing.assert_allclose(found, adobe_to_srgb(color), atol=1)
    # Transparency stays what it was.
    half = picture.copy()
    half.putalpha(128)
    found = opened(tmp_path / "half.png", encoded(half, "PNG", icc_profile=profile))[0, 0]
    np.testing.assert_allclose(found, adobe_to_srgb(color) * 128 / 255 + 127, atol=1.5)


def test_srgb_by_any_name_changes_no_pixel_and_a_profile_of_other_colors_is_ignored(tmp_path):
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    np.testing.assert_array_equal(opened(tmp_path / "a.png", encoded(scene(), "PNG", icc_profile=srgb)), scene())
    gray = scene().convert("L")
    found = opened(tmp_path / "b.png", encoded(gray, "PNG", icc_profile=matrix_profile(*ADOBE_RGB)))
    np.testing.assert_array_equal(found, gray.convert("RGB"))


def test_an_article_of_a_request_has_the_colors_of_its_profile(tmp_path):
    path = tmp_path / "article.png"
    path.write_bytes(encoded(Image.new("RGB", (8, 8), (200, 100, 50)), "PNG", icc_profile=matrix_profile(*ADOBE_RGB)))
    sent = Image.open(io.BytesIO(article_bytes(path)))
    assert "icc_profile" not in sent.info
    np.testing.assert_allclose(sent.getpixel((0, 0)), adobe_to_srgb((200, 100, 50)), atol=1)


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_print_colors(format):
    """A CMYK picture follows its own profile, else the one that is given, else the formula, and says where it has none."""
    corners = np.zeros((2, 2, 2, 2, 3)) + [50, 0, 0]
    corners[0, 1, 1, 0] = 50, 20, 10
    red, gray, plain = (155, 105, 102), (119, 119, 119), (255, 0, 0)  # CIELAB 50 20 10 and 50 0 0 in sRGB.
    profile, other = cmyk_profile(corners), cmyk_profile(np.zeros((2, 2, 2, 2, 3)) + [50, 0, 0])
    for options, given, expected, unprofiled in (
        ({}, None, plain, True),
        ({}, profile, red, True),
        ({"icc_profile": profile}, None, red, False),
        ({"icc_profile": profile}, other, red, False),
        ({"icc_profile": other}, profile, gray, False),
        ({"icc_profile": matrix_profile(*ADOBE_RGB)}, profile, red, True),  # Of other colors: ignored.
    ):
        ink = encoded(Image.new("CMYK", (16, 16), (0, 255, 255, 0)), format, **options)
        found = open_image(ink, cmyk_profile=given)
        np.testing.assert_allclose(found.getpixel((8, 8)), expected, atol=2)
        assert (UNPROFILED_CMYK in found.info) == unprofiled
    assert UNPROFILED_CMYK not in open_image(encoded(scene(), format)).info


# Pictures that do not.

JPEG = encoded(scene(256, 192), "JPEG", quality=90)
RESTARTS = encoded(scene(256, 192), "JPEG", quality=90, restart_marker_blocks=4)
PROGRESSIVE = encoded(scene(256, 192), "JPEG", quality=90, progressive=True)
PNG = encoded(scene(), "PNG")
HALF = len(JPEG) // 2


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("nothing.jpg", b"", "it is empty"),
        ("page.jpg", b"\n<html>404</html>", "it is a page of HTML or XML"),
        ("note.jpg", b"no picture", "of no known kind"),
        ("pointer.jpg", b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n", "git lfs pull"),
        ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64), "it is HEIC; convert it"),
        ("new.jxl", b"\xff\x0a" + bytes(64), "it is JPEG XL; convert it"),
        ("box.jxl", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(64), "it is JPEG XL; convert it"),
        ("cut.jpg", JPEG[:HALF], "damaged: Premature end of JPEG file"),
        ("cut_at_the_end.jpg", JPEG[:-2], "damaged: Premature end of JPEG file"),
        # What an interrupted download leaves when its place was reserved.
        ("filled_up.jpg", JPEG[:HALF] + bytes(len(JPEG) - HALF), "damaged: "),
        ("foreign.jpg", JPEG[:HALF] + np.random.default_rng(0).bytes(2000) + JPEG[HALF + 2000 :], "damaged: "),
        ("missing_block.jpg", RESTARTS[: RESTARTS.index(b"\xff\xd3")] + RESTARTS[RESTARTS.index(b"\xff\xd4") :], "damaged: "),
        ("missing_end.jpg", RESTARTS[: RESTARTS.index(b"\xff\xd7")] + b"\xff\xd9", "damaged: "),
        # What Pillow alone opens without a word, gray from there on.
        ("zeros_inside.jpg", JPEG[:HALF] + bytes(3000) + JPEG[HALF + 3000 :], "damaged: "),
        ("shortened.jpg", JPEG[:HALF] + JPEG[HALF + 2000 :], "damaged: "),
        ("ended.jpg", JPEG[:HALF] + b"\xff\xd9", "damaged: "),
        ("ended_at_marker.jpg", JPEG[: JPEG.index(b"\xff\0", HALF) + 1] + b"\xff\xd9", "damaged: "),
        ("ended_progressive.jpg", PROGRESSIVE[: len(PROGRESSIVE) // 2] + b"\xff\xd9", "damaged: "),
        (
            "shortened_interval.jpg",
            RESTARTS[: RESTARTS.index(b"\xff\xd3") - 3] + RESTARTS[RESTARTS.index(b"\xff\xd3") :],
            "damaged: ",
        ),
        ("no_picture.jpg", b"\xff\xd8\xff\xd9", "of no known kind"),
        ("cut.png", PNG[:200], "Truncated"),
        ("changed.png", PNG[:300] + bytes([PNG[300] ^ 1]) + PNG[301:], "checksum"),
        ("cut.webp", encoded(scene(), "WEBP")[:-40], "could not"),
        ("cut.gif", encoded(scene(), "GIF")[:-200], "truncated"),
        ("cut.bmp", encoded(scene(), "BMP")[:-200], "truncated"),
        ("dot.png", encoded(Image.new("RGB", (1, 1)), "PNG"), "1x1 pixels"),
        ("line.png", encoded(Image.new("RGB", (10000, 1)), "PNG"), "1x10000 pixels"),
        ("profile.png", encoded(scene(), "PNG", icc_profile=b"no profile" * 30), "profile"),
        ("float.tiff", encoded(Image.new("F", (8, 8)), "TIFF"), "32 bits"),
        ("negative.tiff", encoded(Image.new("I;16", (8, 8), 9), "TIFF", tiffinfo={262: 0}), "0 for black"),
        ("negative_turned.tiff", encoded(Image.new("I;16", (8, 8), 9), "TIFF", tiffinfo={262: 0, 274: 6}), "0 for black"),
        ("drawing.eps", encoded(scene(), "EPS"), "EPS is not one of"),
    ],
)
def test_a_damaged_picture_is_named(tmp_path, name, content, words):
    (tmp_path / name).write_bytes(content)
    assert words in refusal(tmp_path / name)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"progressive": True},
        {"optimize": True},
        {"restart_marker_blocks": 2},
        {"restart_marker_rows": 1},
        {"progressive": True, "restart_marker_blocks": 3},
        {"subsampling": 0},
        {"subsampling": 1},
        {"quality": 100},
    ],
)
def test_no_whole_jpeg_is_taken_for_damaged(tmp_path, options):
    """Nor one that is as gray as what damage leaves, all over or at its end, in every size of its last block."""
    for height, width in ((16, 16), (17, 9), (33, 20), (40, 47)):
        fading = scene(height, width)
        fading.paste((128, 128, 128), (0, height // 2, width, height))
        for picture in (
            scene(height, width),
            fading,
            Image.new("RGB", (width, height), (128, 128, 128)),
            Image.new("L", (width, height), 128),
            Image.new("CMYK", (width, height), (127, 127, 127, 127)),
        ):
            content = encoded(picture, "JPEG", **options)
            assert opened(tmp_path / "whole.jpg", content).shape == (height, width, 3)
            assert opened(tmp_path / "trailer.jpg", content + b"\0trailer" * 9).shape == (height, width, 3)


def test_a_bomb_takes_no_memory(tmp_path):
    (tmp_path / "bomb.png").write_bytes(bomb_png(30_000))
    (tmp_path / "grenade.png").write_bytes(bomb_png(9_000))  # Small enough for Pillow.
    animation = bytearray(encoded(scene(), "WEBP", **frames()))
    assert animation[12:16] == b"VP8X"
    animation[24:30] = (16_383).to_bytes(3, "little") * 2  # The canvas, less 1.
    (tmp_path / "bomb.webp").write_bytes(animation)
    code = (
        "import sys, resource\n"
        "from tf_outfit_gan.images.open import open_image\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "for path in sys.argv[1:]:\n"
        "    try: sys.exit(f'{path} opened: {open_image(path).size}')\n"
        "    except ValueError as error: assert 'pixels' in str(error), error\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    paths = [str(tmp_path / name) for name in ("bomb.png", "grenade.png", "bomb.webp")]
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 50_000  # KiB


def test_what_is_no_file_is_named_and_never_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.jpg")
    (tmp_path / "folder.jpg").mkdir()
    (tmp_path / "loop.jpg").symlink_to(tmp_path / "loop.jpg")
    (tmp_path / "dangling.jpg").symlink_to(tmp_path / "gone")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "socket.jpg"))
    for name, words in (
        ("pipe.jpg", "a pipe, not a file"),
        ("folder.jpg", "a folder, not a file"),
        ("loop.jpg", "too many levels of symbolic links"),
        ("dangling.jpg", "no such file"),
        ("socket.jpg", "a socket, not a file"),
        ("x" * 300, "file name too long"),
        ("gone", "no such"),
    ):
        assert words in refusal(tmp_path / name)
    with pytest.raises(UserError, match="/dev/zero: a device, not a file"):
        open_image("/dev/zero")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to the superuser")
def test_a_closed_file_is_named(tmp_path):
    (tmp_path / "closed.png").write_bytes(PNG)
    (tmp_path / "closed.png").chmod(0)
    assert "permission denied" in refusal(tmp_path / "closed.png")


def test_strange_names_are_opened_and_shown_in_one_line(tmp_path):
    for name in ("two\nlines.png", os.fsdecode(b"latin-\xe9.png"), "tab\t‮.png"):
        np.testing.assert_array_equal(opened(tmp_path / name, PNG), scene())
        (tmp_path / name).write_bytes(b"")
        refusal(tmp_path / name)


# Manifests.


@pytest.fixture
def shop(tmp_path):
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "photo.png").write_bytes(PNG)
    return folder


POSE = {"format": "mpii16", "points": [[10, 20, 1]] * 16, "size": [64, 48]}
GOOD = {"id": "good", "image": "photo.png", "articles": {}, "keypoints": POSE}


def set_aside(shop, line):
    """The reason for which a line is set aside between two good ones."""
    good = [json.dumps(GOOD | {"id": name}).encode() for name in ("first", "last")]
    (shop / "manifest.jsonl").write_bytes(b"\n".join([good[0], line, good[1]]))
    manifest = read_manifest(shop)
    assert [entry.id for entry in manifest.entries] == ["first", "last"]
    [skipped] = manifest.skipped
    assert skipped.line == 2 and skipped.reason.isprintable() and len(skipped.reason) < 1000
    json.dumps([skipped.id, skipped.reason], ensure_ascii=False).encode()  # As prepare stores it.
    return skipped.reason


@pytest.mark.parametrize(
    "line, words",
    [
        (b'{"id": "x", "image": "photo.png", "image": "other.png"}', "'image' stands twice"),
        (b'{"id": "x", "image": "photo.png", "articles": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "too deep"),
        (b'{"id": "x", "image": "photo.png", "articles": ' + b"[" * 900 + b"]" * 900 + b"}", ""),
        (b'{"id": "x", "image": "photo.png", "pad": "' + b"x" * (1 << 20) + b'"}', "an entry of 1,0"),
        (b'\0{"id": "x", "image": "photo.png"}', "not valid JSON"),
        (b'{"id": "\xe9", "image": "photo.png"}', "not valid JSON ('utf-8' codec"),
        ('{"id": "x", "image": "photo.png"}'.encode("utf-16"), "not valid JSON"),
        (b'{"id": "two\\nlines", "image": "photo.png"}', "'id' must be"),
        (b'{"id": "\\udce9", "image": "photo.png"}', "'id' must be"),
        (b'{"id": "' + b"x" * 201 + b'", "image": "photo.png"}', "'id' must be"),
        (b'{"id": "x", "image": "a\\u0000b"}', "null"),
        (b'{"id": "x", "image": "two\\nlines"}', r"image 'two\nlines': no such file"),
        (b'{"id": "x", "image": "\\udce9"}', r"image '\udce9': no such file"),
        (b'{"id": "x", "image": "' + b"x" * 5000 + b'"}', "file name too long"),
        (b'{"id": "x", "image": "."}', "a folder, not a file"),
        (b'{"id": "x", "image": "photo.png", "articles": {"top": "gone/../../shop/../x"}}', "leads out"),
        (b'{"id": "x", "image": "photo.png", "split": ' + b"9" * 5000 + b"}", "not valid JSON"),
    ],
)
def test_an_odd_line_is_set_aside(shop, line, words):
    assert words in set_aside(shop, line)


@pytest.mark.parametrize(
    "change, words",
    [
        ({"points": [[float("nan"), 1, 1], [1, float("inf"), 1]] + [[0, 0, 0]] * 14}, "hold no person"),
        ({"points": [[1e300, 20, 1]] * 16}, "far outside"),
        ({"points": [[10**400, 20, 1]] * 16}, "too large"),
        ({"points": [[10, 20, 1]] * 15 + [[-900, 20, 1]]}, "far outside"),
        ({"points": [[-10, 20, 1]] * 16}, "every joint lies outside"),
        ({"points": [[0.2, 0.3, 1]] * 16}, "found shares of the size"),
        ({"points": [POSE["points"]] * 2}, "of 2 people"),
        ({"points": [[10, 20, None]] * 16}, "no person"),
        ({"points": {"0": [1, 2, 3]}}, "16 times"),
        ({"points": [[10, 20, "high"]] * 16}, "16 times"),
        ({"size": [64, float("inf")]}, "size must be"),
        ({"size": [64, float("nan")]}, "size must be"),
        ({"size": [10**400, 48]}, "size must be"),
        ({"size": [True, True]}, "size must be"),
    ],
)
def test_an_odd_pose_is_set_aside(shop, change, words):
    assert words in set_aside(shop, json.dumps(GOOD | {"id": "odd", "keypoints": POSE | change}).encode())


def test_a_joint_without_a_number_or_outside_the_picture_is_no_fault(shop):
    points = [[10, 20, 1]] * 14 + [[float("nan"), 20, 1], [-10, 70, 1]]
    (shop / "manifest.jsonl").write_text(json.dumps(GOOD | {"keypoints": POSE | {"points": points}}))
    pose = read_manifest(shop).entries[0].outfit.keypoints
    assert not pose[14].any()
    np.testing.assert_allclose(pose[15], [-10 / 48, 70 / 64, 1])


def test_a_pose_of_a_picture_of_another_aspect_is_named(shop):
    (shop / "manifest.jsonl").write_text(
        "\n".join(
            json.dumps(GOOD | {"id": str(size), "keypoints": POSE | {"size": size}})
            for size in ([64, 48], [128, 96], [43, 32], [48, 64], [64, 64])
        )
    )
    entries = read_manifest(shop).entries
    for entry in entries[:3]:
        assert open_photo(entry).size == (48, 64)
    for entry in entries[3:]:
        with pytest.raises(UserError, match="photo.png: 64x48 pixels upright, but its keypoints are of a picture of"):
            open_photo(entry)


def test_byte_order_mark_and_line_ends_of_windows(shop):
    lines = [json.dumps(GOOD | {"id": name}) for name in ("a", "b")]
    (shop / "manifest.jsonl").write_bytes(b"\xef\xbb\xbf" + "\r\n".join([*lines, "", " "]).encode())
    manifest = read_manifest(shop)
    assert [entry.id for entry in manifest.entries] == ["a", "b"] and not manifest.skipped


def test_a_link_made_in_the_folder_is_followed_a_path_written_in_the_manifest_may_not_leave_it(shop, tmp_path):
    (tmp_path / "store.png").write_bytes(PNG)
    (shop / "link.png").symlink_to(tmp_path / "store.png")
    os.mkfifo(shop / "pipe.png")
    (shop / "manifest.jsonl").write_text(json.dumps(GOOD | {"image": "link.png"}))
    assert len(read_manifest(shop).entries) == 1
    assert "leads out" in set_aside(shop, json.dumps(GOOD | {"id": "x", "image": "../store.png"}).encode())
    assert "a pipe, not a file" in set_aside(shop, json.dumps(GOOD | {"id": "x", "image": "pipe.png"}).encode())


def test_a_manifest_that_is_no_file_and_odd_outfit_files_are_one_line(tmp_path, capsys):
    os.mkfifo(tmp_path / "manifest.jsonl")
    assert main(["prepare", str(tmp_path), str(tmp_path / "data")]) == 2
    error = capsys.readouterr().err
    assert "manifest.jsonl: a pipe, not a file" in error and error.count("\n") == 1
    for load, words in ((load_outfit, "expected an outfit file, a pipe"), (load_pose, "expected a file of keypoints, a")):
        with pytest.raises(UserError, match=words):
            load(tmp_path / "manifest.jsonl")
    (tmp_path / "deep.json").write_text('{"articles": ' + "[" * 2000 + "]" * 2000 + "}")
    with pytest.raises(UserError, match="deep.json: "):
        load_outfit(tmp_path / "deep.json")
