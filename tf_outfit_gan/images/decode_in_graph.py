"""Article photos as PNG or JPEG bytes to condition tensors, in the graph: for rendering and for serving alike.

Formats are recognized by their first bytes and sizes are checked before decoding, so that every runtime gives the same
pixels and the same message, and a small file cannot unfold into a huge picture. Pixels stay integers until they are
few.
"""

import tensorflow as tf

from tf_outfit_gan import pixels
from tf_outfit_gan.images.article_bytes import JPEG, MAX_SIDE, PNG


def decode_articles(article_bytes, size):
    """Decodes articles, fits them on white and scales them to [-1, 1].

    Args:
        article_bytes: string [N, S]; an empty string is a missing article.
        size: (h, w) of the conditions.

    Returns:
        float32 [N, S, h, w, 3]; 0 where an article is missing.

    Raises:
        tf.errors.InvalidArgumentError: in the graph, for bytes that are neither PNG nor JPEG, too large, or damaged.
    """
    flat = tf.reshape(article_bytes, [-1])
    spec = tf.TensorSpec([*size, 3], tf.float32)
    decoded = tf.map_fn(lambda data: _decode_or_gray(data, size), flat, fn_output_signature=spec)
    return tf.reshape(decoded, [-1, article_bytes.shape[1], *size, 3])


def _decode_or_gray(data, size):
    missing = tf.zeros([*size, 3])  # After normalization: neither 127 nor 128 is the middle of 0..255.
    return tf.cond(tf.equal(data, b""), lambda: missing, lambda: pixels.to_float(_fit(_decode(data), size)))


def _decode(data):
    """One photo, uint8 [H, W, 3]."""
    is_png = tf.equal(tf.strings.substr(data, 0, len(PNG)), PNG)
    is_jpeg = tf.equal(tf.strings.substr(data, 0, len(JPEG)), JPEG)
    known = tf.debugging.Assert(
        is_png | is_jpeg, ["article image is neither PNG nor JPEG; its first bytes are", tf.strings.substr(data, 0, 8)]
    )
    with tf.control_dependencies([known]):
        height, width = tf.unstack(tf.cond(is_png, lambda: _png_shape(data), lambda: _jpeg_shape(data)))
    fits = tf.debugging.Assert(
        (height >= 1) & (width >= 1) & (height <= MAX_SIDE) & (width <= MAX_SIDE),
        [f"article image sides must be 1 to {MAX_SIDE} pixels, got", height, width],
    )
    with tf.control_dependencies([fits]):
        return tf.ensure_shape(tf.cond(is_png, lambda: _decode_png(data), lambda: _decode_jpeg(data)), [None, None, 3])


def _decode_png(data):
    """Transparency is laid on white."""
    rgba = tf.cast(tf.io.decode_png(data, channels=4), tf.uint16)  # The largest product below is 255 x 255.
    shade, opacity = 255 - rgba[..., :3], rgba[..., 3:]
    return tf.cast(255 - (shade * opacity + 127) // 255, tf.uint8)


def _decode_jpeg(data):
    # The accurate transform, as for the training data; the default one depends on the build.
    return tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")


def _png_shape(data):
    """Height and width from the header: two big-endian numbers, width at byte 16 and height at byte 20."""
    # A file that ends before is filled up with zeros, and thereby refused for its size.
    header = tf.cast(tf.io.decode_raw(tf.strings.substr(data + b"\0" * 24, 16, 8), tf.uint8), tf.int32)
    powers = tf.constant([2**24, 2**16, 2**8, 1])  # Beyond 2^31 the sum is negative, and refused too.
    return tf.stack([tf.reduce_sum(header[4:8] * powers), tf.reduce_sum(header[0:4] * powers)])


def _jpeg_shape(data):
    return tf.io.extract_jpeg_shape(data)[:2]


def _fit(image, size):
    """Pads with white to the frame's aspect, centered, and averages over areas. uint8 [H, W, 3] -> float32 [h, w, 3].

    That is what `prepare` arrives at by fitting into its largest level and halving: in the aspect of the frame the two
    differ by a quarter of a step of 255 on average, where interpolating down would differ by ten.
    """
    height, width = size
    shape = tf.shape(image)
    padded_height = tf.maximum(shape[0], _rounded_quotient(shape[1] * height, width))
    padded_width = tf.maximum(shape[1], _rounded_quotient(shape[0] * width, height))
    rows, columns = padded_height - shape[0], padded_width - shape[1]
    padding = [[rows // 2, rows - rows // 2], [columns // 2, columns - columns // 2], [0, 0]]
    white = tf.constant(255, tf.uint8)
    return tf.image.resize(tf.pad(image, padding, constant_values=white), size, method="area")


def _rounded_quotient(a, b):
    return (2 * a + b) // (2 * b)
