"""Articles in the graph: the pixels that training saw, and a clear refusal of what is no picture."""

import base64
import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from PIL.ImageOps import exif_transpose

from tests.helpers.exported import photo
from tf_outfit_gan.images.decode_in_graph import decode_articles
from tf_outfit_gan.images.header_in_graph import read_headers
from tf_outfit_gan.images.open import fit, pyramid

SIZE = (16, 12)


@pytest.fixture(scope="module")
def decode():
    """Decodes bytes, one article, at SIZE: float32 [h, w, 3]."""
    function = tf.function(lambda data: decode_articles(data, SIZE, ["top"]))
    return lambda data: function(tf.constant([[data]])).numpy()[0, 0]


def encoded(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


# In the frame's aspect the two differ by rounding alone. In another one, `prepare` rounds the picture's sides to pixels
# of its largest level and resamples it twice.
@pytest.mark.parametrize("size, mean", [((512, 384), 0.3), ((300, 450), 2), ((97, 31), 2)])
def test_articles_look_as_prepare_stores_them(decode, size, mean):
    image = photo(1, size)
    levels = [(16, 12), (32, 24), (64, 48), (128, 96), (256, 192)]
    expected = pyramid(fit(image, levels[-1])[0], levels)[0]
    difference = np.abs((decode(encoded(image)) + 1) * 127.5 - expected)
    assert difference.mean() < mean


def test_jpeg_is_decoded_as_pillow_does(decode):
    data = encoded(photo(2, SIZE), "JPEG", quality=90)
    expected = np.asarray(Image.open(io.BytesIO(data)), np.float32) / 127.5 - 1
    assert np.abs(decode(data) - expected).max() < 2.1 / 127.5


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA"])
def test_every_kind_of_png_is_color_on_white(decode, mode):
    image = photo(3, SIZE).convert(mode)
    if "A" in mode:
        image.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 12, dtype=np.uint8), (16, 1))))
    rgba = np.asarray(image.convert("RGBA"), np.float32)
    opacity = rgba[..., 3:] / 255
    expected = rgba[..., :3] * opacity + 255 * (1 - opacity)
    assert np.abs((decode(encoded(image)) + 1) * 127.5 - expected).max() <= 0.51


def test_a_missing_article_is_exactly_gray_and_rows_stay_apart():
    black, white = (encoded(Image.new("RGB", (5, 9), color)) for color in ("black", "white"))
    articles = decode_articles(tf.constant([[b"", black], [white, b""]]), SIZE, ["top", "bag"]).numpy()
    assert articles.shape == (2, 2, *SIZE, 3)
    np.testing.assert_array_equal(articles[0, 0], 0)
    np.testing.assert_array_equal(articles[1, 1], 0)
    np.testing.assert_allclose(articles[1, 0], 1, rtol=1e-5)
    np.testing.assert_allclose(articles[0, 1], -1, rtol=1e-5)


@pytest.mark.parametrize("paper", [(255, 255, 255), (214, 216, 211), (3, 250, 128)])
@pytest.mark.parametrize("size", [(24, 10), (11, 24)])
def test_paper_goes_on_where_the_aspect_differs(decode, paper, size):
    pixels = np.full((*size, 3), paper, np.uint8)
    pixels[3:-3, 3:-3] = (90, 20, 40)
    pixels[0, :3] = (0, 0, 0)  # A corner that something reaches is not the paper.
    shown = (decode(encoded(Image.fromarray(pixels))) + 1) * 127.5
    edges = [shown[:, 0], shown[:, -1]] if size[0] > size[1] else [shown[0], shown[-1]]
    assert np.abs(np.concatenate(edges) - paper).max() < 0.01
    stored = np.asarray(fit(Image.fromarray(pixels), SIZE)[0], np.float32)
    assert all((stored[:, edge] == paper).all() if size[0] > size[1] else (stored[edge] == paper).all() for edge in (0, -1))


def png_header(width, height):
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize(
    "options", [{"lossless": True}, {"quality": 95}, {"quality": 95, "exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}]
)
@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_webp_is_decoded_as_pillow_does(decode, mode, options):
    image = photo(2, SIZE).convert(mode)
    if mode == "RGBA":
        image.putalpha(Image.fromarray(np.tile(np.linspace(0, 255, 12, dtype=np.uint8), (16, 1))))
    data = encoded(image, "WEBP", **options)
    white = Image.new("RGBA", image.size, "white")
    expected = Image.alpha_composite(white, Image.open(io.BytesIO(data)).convert("RGBA")).convert("RGB")
    assert np.abs((decode(data) + 1) * 127.5 - np.asarray(expected, np.float32)).max() < 2.1


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_jpeg_is_turned_as_its_camera_was(decode, orientation, order):
    # The tag comes second, after one of another type, and a profile of two segments before all of it.
    tags = struct.pack(f"{order}HHHII", 2, 0x010F, 2, 3, 0x20202000)
    tags += struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}I", 8) + tags + bytes(4)
    data = encoded(photo(5, (24, 32)), "JPEG", quality=95, exif=b"Exif\0\0" + tiff, icc_profile=bytes(100_000))
    upright = exif_transpose(Image.open(io.BytesIO(data)))
    assert (upright.size != (32, 24)) == (orientation >= 5)
    np.testing.assert_allclose(decode(data), decode(encoded(upright)), atol=1e-6)


def headers_of(*files):
    found = read_headers(tf.constant(list(files)))
    return list(zip(found.height.numpy(), found.width.numpy(), found.orientation.numpy()))


def test_sizes_are_read_without_decoding():
    image = photo(6, (23, 57))
    jpeg = encoded(image, "JPEG")
    files = [
        encoded(image),
        jpeg,
        encoded(image, "JPEG", progressive=True),
        jpeg[:2] + b"\xff\xff\xff" + jpeg[2:],  # Bytes of filling before a marker.
        encoded(image, "WEBP"),
        encoded(image, "WEBP", lossless=True),
        encoded(image.convert("RGBA"), "WEBP", exif=b"Exif\0\0"),
    ]
    assert headers_of(*files) == [(23, 57, 1)] * len(files)
    assert headers_of(b"", b"\xff\xd8\xff", jpeg[:100], encoded(image)) == [(0, 0, 1)] * 3 + [(23, 57, 1)]


def test_an_endless_chain_of_segments_ends():
    assert headers_of(b"\xff\xd8" + b"\xff\xfe\0\2" * 100_000 + encoded(photo(6), "JPEG")[2:]) == [(0, 0, 1)]


def test_odd_exif_is_no_orientation():
    def jpeg(tiff):
        return encoded(photo(5, (8, 6)), "JPEG", exif=b"Exif\0\0" + tiff)

    entry = struct.pack("<HHHIHH", 1, 0x0112, 3, 1, 6, 0)
    good, beyond = b"II*\0\x08\0\0\0" + entry, b"II*\0\xff\xff\xff\xff" + entry
    for tiff, orientation in [(good, 6), (beyond, 1), (b"II*\0", 1), (good.replace(b"\6", b"\x63"), 1), (b"", 1)]:
        assert headers_of(jpeg(tiff)) == [(8, 6, orientation)]


def animation():
    return encoded(photo(1), "WEBP", save_all=True, append_images=[photo(2)])


@pytest.mark.parametrize(
    "data, text",
    [
        (
            b"hello, this is a text file",
            "article top is no picture (it begins with the bytes 68 65 6c 6c 6f 2c 20 74 68 69 73 20)",
        ),
        (b"x", "is no picture (it begins with the bytes 78 00"),
        (b"\xfe\xfd\xfc" * 9, "is no picture (it begins with the bytes fe fd fc"),  # Nowhere valid UTF-8.
        (encoded(photo(4), "GIF"), "is a GIF picture; expected PNG, JPEG or WebP"),
        (encoded(photo(4), "BMP"), "is a BMP picture"),
        (encoded(photo(4), "TIFF"), "is a TIFF picture"),
        (encoded(photo(4), "AVIF"), "is an AVIF picture"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "is a HEIC picture or a video"),
        (b"<!DOCTYPE html>", "is an HTML page"),
        (b"<html><body>", "is an HTML page"),
        (b"<svg xmlns=", "is an SVG picture"),
        (base64.b64encode(encoded(photo(4))), "is base64 text (send the bytes themselves"),
        (base64.b64encode(encoded(photo(4), "JPEG")), "is base64 text"),
        (b"data:image/png;base64,iVBOR", "is base64 text"),
        (animation(), "is an animated WebP picture; expected a still one"),
        (png_header(60000, 60000), "has 60000x60000 pixels; expected sides of 8192 at most"),
        (png_header(3_000_000_000, 10), "has 10x3000000000 pixels"),
        (png_header(0, 10), "is damaged: its header holds no size"),
        (b"\x89PNG\r\n\x1a\n", "is damaged: its header holds no size"),
        (encoded(photo(4))[:200], "Invalid PNG data"),
        (b"\xff\xd8\xff\xe0", "is damaged: its header holds no size"),
        (encoded(photo(4), "JPEG")[:-100], "JPEG"),
        (encoded(photo(4), "WEBP")[:-100], "WebP"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(decode, data, text):
    with pytest.raises(tf.errors.InvalidArgumentError) as error:
        decode(data)
    assert text in error.value.message and error.value.message.isascii()
