"""Articles in the graph: the pixels that training saw, and a clear refusal of what is no picture."""

import io
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.helpers.exported import photo
from tf_outfit_gan.images.decode_in_graph import decode_articles
from tf_outfit_gan.images.open import WHITE, fit, pyramid

SIZE = (16, 12)


@pytest.fixture(scope="module")
def decode():
    """Decodes bytes, one article, at SIZE: float32 [h, w, 3]."""
    function = tf.function(lambda data: decode_articles(data, SIZE))
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
    expected = pyramid(fit(image, levels[-1], WHITE)[0], levels)[0]
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
    articles = decode_articles(tf.constant([[b"", black], [white, b""]]), SIZE).numpy()
    assert articles.shape == (2, 2, *SIZE, 3)
    np.testing.assert_array_equal(articles[0, 0], 0)
    np.testing.assert_array_equal(articles[1, 1], 0)
    np.testing.assert_allclose(articles[1, 0], 1, rtol=1e-5)
    # Narrower than the frame: 9 rows of 5 become 16 of 9 in 12 columns, the rest is white.
    np.testing.assert_allclose(articles[0, 1][:, 2:-2], -1, rtol=1e-5)
    np.testing.assert_allclose(articles[0, 1][:, [0, -1]], 1, rtol=1e-5)


def png_header(width, height):
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize(
    "data, text",
    [
        (b"hello, this is a text file", r"neither PNG nor JPEG; its first bytes are\] \[hello, t\]"),
        (b"GIF89a" + bytes(20), "neither PNG nor JPEG"),
        (b"x", "neither PNG nor JPEG"),
        (png_header(60000, 60000), r"sides must be 1 to 8192 pixels, got\] \[60000\] \[60000\]"),
        (png_header(3_000_000_000, 10), "sides must be 1 to 8192 pixels"),
        (png_header(0, 10), "sides must be 1 to 8192 pixels"),
        (b"\x89PNG\r\n\x1a\n", "sides must be 1 to 8192 pixels"),
        (encoded(photo(4))[:200], "Invalid PNG data"),
        (b"\xff\xd8\xff\xe0", "JPEG"),
        (encoded(photo(4), "JPEG")[:-100], "JPEG"),
    ],
)
def test_what_is_no_picture_is_refused_by_name(decode, data, text):
    with pytest.raises(tf.errors.InvalidArgumentError, match=text):
        decode(data)
