"""Article photos as PNG or JPEG bytes to condition tensors, in the graph: for rendering and for serving alike.

Formats are told by their first bytes and sizes are checked before decoding, so that every runtime gives the same
pixels and the same message, and a small file cannot unfold into a huge picture.
"""

import tensorflow as tf

from tf_outfit_gan import pixels

MAX_SIDE = 8192  # Pixels; a larger article photo is refused.
_PNG, _JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"


def decode_articles(article_bytes, size):
    """Decodes articles, fits them on white and scales them to [-1, 1].

    Args:
        article_bytes: string [N, S]; an empty string is a missing article.
        size: (h, w) of the conditions.

    Returns:
        float32 [N, S, h, w, 3]; 0 where an article is missing.

    Raises:
        tf.errors.InvalidArgumentError: in the graph, for bytes that are neither PNG nor JPEG, or too large.
    """
    flat = tf.reshape(article_bytes, [-1])
    spec = tf.TensorSpec([*size, 3], tf.float32)
    decoded = tf.map_fn(lambda data: _decode_or_gray(data, size), flat, fn_output_signature=spec)
    return tf.reshape(decoded, [-1, article_bytes.shape[1], *size, 3])


def _decode_or_gray(data, size):
    missing = tf.zeros([*size, 3])  # After normalization: neither 127 nor 128 is the middle of 0..255.
    return tf.cond(tf.equal(data, b""), lambda: missing, lambda: pixels.to_float(_fit(_decode(data), size)))


def _decode(data):
    """One photo, float32 [H, W, 3] in 0..255, transparency laid on white."""
    is_png = tf.equal(tf.strings.substr(data, 0, len(_PNG)), _PNG)
    is_jpeg = tf.equal(tf.strings.substr(data, 0, len(_JPEG)), _JPEG)
    known = tf.debugging.Assert(is_png | is_jpeg, ["article image is neither PNG nor JPEG; its first bytes are",
                                                    tf.strings.substr(data, 0, 8)])
    with tf.control_dependencies([known]):
        height, width = tf.unstack(tf.cond(is_png, lambda: _png_shape(data), lambda: _jpeg_shape(data)))
    fits = tf.debugging.Assert((height >= 1) & (width >= 1) & (height <= MAX_SIDE) & (width <= MAX_SIDE),
                               [f"article image sides must be 1 to {MAX_SIDE} pixels, got", height, width])
    with tf.control_dependencies([fits]):
        rgba = tf.cond(is_png, lambda: tf.cast(tf.io.decode_png(data, channels=4), tf.float32), lambda: _jpeg(data))
    rgba = tf.ensure_shape(rgba, [None, None, 4])
    opacity = rgba[..., 3:] / 255
    return rgba[..., :3] * opacity + 255 * (1 - opacity)


def _jpeg(data):
    rgb = tf.cast(tf.io.decode_jpeg(data, channels=3), tf.float32)
    return tf.concat([rgb, tf.fill(tf.concat([tf.shape(rgb)[:2], [1]], 0), 255.0)], axis=-1)


def _png_shape(data):
    """Height and width from the header: two big-endian numbers, width at byte 16 and height at byte 20."""
    # substr fails when there are fewer bytes: a truncated file is refused here.
    header = tf.cast(tf.io.decode_raw(tf.strings.substr(data, 16, 8), tf.uint8), tf.int32)
    powers = tf.constant([2**24, 2**16, 2**8, 1])
    return tf.stack([tf.reduce_sum(header[4:8] * powers), tf.reduce_sum(header[0:4] * powers)])


def _jpeg_shape(data):
    return tf.io.extract_jpeg_shape(data)[:2]


def _fit(image, size):
    """Scales to fit inside the frame, keeping the aspect, and centres on white, as `prepare` does."""
    height, width = size
    shape = tf.cast(tf.shape(image)[:2], tf.float32)
    scale = tf.minimum(height / shape[0], width / shape[1])
    inner = tf.clip_by_value(tf.cast(tf.round(shape * scale), tf.int32), 1, [height, width])
    resized = tf.image.resize(image, inner, antialias=True)
    top, left = (height - inner[0]) // 2, (width - inner[1]) // 2
    padded = tf.pad(resized, [[top, height - inner[0] - top], [left, width - inner[1] - left], [0, 0]],
                    constant_values=255.0)
    return tf.ensure_shape(padded, [height, width, 3])
