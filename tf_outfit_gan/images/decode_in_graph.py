"""Article photos as PNG, JPEG or WebP bytes to condition tensors, in the graph: for rendering and for serving alike.

Kinds and sizes are read from the first bytes and checked before decoding, so that every runtime gives the same pixels and
the same message, and a small file cannot unfold into a huge picture. Messages are ASCII, whatever the bytes are. Pixels
stay integers until they are few.
"""

import tensorflow as tf

from tf_outfit_gan import pixels
from tf_outfit_gan.images.article_bytes import MAX_SIDE
from tf_outfit_gan.images.header_in_graph import IS_PNG, NO_KIND, read_headers

# What else clients send: (a regular expression of the first bytes as hexadecimal digits, what it is).
_OTHER_KINDS = (
    (b"GIF8".hex(), "a GIF picture"),
    (b"BM".hex(), "a BMP picture"),
    (f"({b'II*'.hex()}00|{b'MM'.hex()}002a)", "a TIFF picture"),
    (f"[0-9a-f]{{8}}{b'ftypavi'.hex()}", "an AVIF picture"),
    (f"[0-9a-f]{{8}}{b'ftyp'.hex()}", "a HEIC picture or a video"),
    (f"(ff0a|0000000c{b'JXL'.hex()})", "a JPEG XL picture"),
    (b"%PDF".hex(), "a PDF file"),
    (f"({b'<!'.hex()}|{b'<html'.hex()}|{b'<HTML'.hex()})", "an HTML page"),
    (f"({b'<svg'.hex()}|{b'<?xml'.hex()})", "an SVG picture or another XML file"),
    (
        f"({b'iVBOR'.hex()}|{b'/9j/'.hex()}|{b'UklGR'.hex()}|{b'data:'.hex()})",
        "base64 text (send the bytes themselves, in JSON as an object with the key b64)",
    ),
)
_SHOWN = 12  # First bytes of an unknown file in a message.


def decode_articles(article_bytes, size, slots):
    """Decodes articles, fits them on white and scales them to [-1, 1].

    Args:
        article_bytes: string [N, S]; an empty string is a missing article.
        size: (h, w) of the conditions.
        slots: names of the slots, for messages.

    Returns:
        float32 [N, S, h, w, 3]; 0 where an article is missing.

    Raises:
        tf.errors.InvalidArgumentError: in the graph, for bytes that are no PNG, JPEG or WebP, too large, or damaged.
    """
    headers = article_headers(article_bytes)
    problems = article_problems(article_bytes, headers, slots)
    good = tf.debugging.Assert(tf.reduce_all(problems == b""), [first_problem(problems)])
    with tf.control_dependencies([good]):
        return decode_checked(tf.identity(article_bytes), headers, size)


def article_headers(article_bytes):
    """The `Headers` of articles, string [N, S]; each member is [N * S]."""
    return read_headers(tf.reshape(article_bytes, [-1]))


def article_problems(article_bytes, headers, slots):
    """What is wrong with each row's articles, as far as their headers show.

    Args: as for `decode_articles`; headers: the `article_headers`.

    Returns:
        string [N]: a sentence in ASCII on the first bad article; empty where there is none.
    """
    data = tf.reshape(article_bytes, [-1])
    sides = tf.stack([headers.height, headers.width], axis=1)
    size = tf.strings.reduce_join(tf.strings.as_string(sides), axis=1, separator="x")
    reason = tf.where(
        tf.reduce_all(sides <= MAX_SIDE, axis=1), "", " has " + size + f" pixels; expected sides of {MAX_SIDE} at most"
    )
    reason = tf.where(headers.animated, " is an animated WebP picture; expected a still one", reason)
    reason = tf.where(tf.reduce_all(sides >= 1, axis=1), reason, " is damaged: its header holds no size")
    unknown = " is " + _other_kind(data) + "; expected PNG, JPEG or WebP"
    reason = tf.reshape(tf.where(headers.kind == NO_KIND, unknown, reason), [-1, len(slots)])
    bad = (reason != b"") & (article_bytes != b"")
    return first_of(tf.unstack(tf.where(bad, tf.constant([f"article {slot}" for slot in slots]) + reason, ""), axis=1))


def first_of(texts):
    """The first text of each row that is not empty, or an empty one. A list of string [N] -> [N]."""
    first = texts[0]
    for text in texts[1:]:
        first = tf.where(first == b"", text, first)
    return first


def first_problem(problems):
    """The first text that is not empty, with the number of its row. string [N] -> []."""
    row = tf.argmax(tf.cast(problems != b"", tf.int32), output_type=tf.int32)
    return tf.strings.join(["row ", tf.strings.as_string(row), ": ", problems[row]])


def _other_kind(data):
    """What files of unknown kinds are, string [M]. Matched and shown as digits: the bytes may be anything."""
    # Of short files, with zeros behind them.
    begin = tf.strings.substr(tf.strings.substr(data, 0, _SHOWN) + b"\0" * _SHOWN, 0, _SHOWN)
    values = tf.cast(tf.io.decode_raw(begin, tf.uint8), tf.int32)
    pairs = tf.gather(tf.constant([f"{value:02x}" for value in range(256)]), values)  # [M, bytes]
    digits = tf.strings.reduce_join(pairs, axis=1)
    name = "no picture (it begins with the bytes " + tf.strings.reduce_join(pairs, axis=1, separator=" ") + ")"
    for pattern, kind in reversed(_OTHER_KINDS):
        name = tf.where(tf.strings.regex_full_match(digits, f"{pattern}.*"), kind, name)
    return name


def decode_checked(article_bytes, headers, size):
    """`decode_articles` of bytes without `article_problems`; of those, only what is damaged further on fails."""
    flat = tf.reshape(article_bytes, [-1]), headers.kind, headers.orientation
    # One after the other: a large photo takes as much memory as the rest of the request.
    decoded = tf.map_fn(
        lambda photo: _decode_or_gray(*photo, size),
        flat,
        parallel_iterations=1,
        fn_output_signature=tf.TensorSpec([*size, 3], tf.float32),
    )
    return tf.reshape(decoded, [-1, article_bytes.shape[1], *size, 3])


def _decode_or_gray(data, kind, orientation, size):
    def decode():
        decoders = [
            lambda: _on_white(tf.io.decode_png(data, channels=4)),
            lambda: _upright(_decode_jpeg(data), orientation),
            lambda: _decode_webp(data),
        ]
        image = tf.switch_case(kind - IS_PNG, decoders)
        return pixels.to_float(_fit(tf.ensure_shape(image, [None, None, 3]), size))

    missing = tf.zeros([*size, 3])  # After normalization: neither 127 nor 128 is the middle of 0..255.
    return tf.cond(kind == NO_KIND, lambda: missing, decode)


def _decode_jpeg(data):
    # The accurate transform, as for the training data; the default one depends on the build.
    return tf.io.decode_jpeg(data, channels=3, dct_method="INTEGER_ACCURATE")


def _decode_webp(data):
    # With another number of channels than the file has, TensorFlow's decoder fails; 0 stands for the file's.
    image = tf.io.decode_webp(data)[0]  # [H, W, 3 or 4]
    return tf.cond(tf.shape(image)[-1] == 4, lambda: _on_white(image), lambda: image)


def _on_white(rgba):
    """Lays transparent pixels on white. uint8 [H, W, 4] -> [H, W, 3]."""

    def lay():
        wide = tf.cast(rgba, tf.uint16)  # The largest product below is 255 x 255.
        return tf.cast(255 - ((255 - wide[..., :3]) * wide[..., 3:] + 127) // 255, tf.uint8)

    # Most photos are opaque, and this takes thirty bytes a pixel.
    return tf.cond(tf.reduce_all(rgba[..., 3] == 255), lambda: rgba[..., :3], lay)


def _upright(image, orientation):
    """Turns a photo as its camera was held (Exif 2.32, table 6): transposed from 5 on, then mirrored."""

    def turn():
        turned = tf.cond(orientation >= 5, lambda: _transposed(image), lambda: image)
        for axis, mirrored in ((1, (2, 3, 6, 7)), (0, (3, 4, 7, 8))):
            is_mirrored = tf.reduce_any(orientation == tf.constant(mirrored))
            turned = tf.where(is_mirrored, tf.reverse(turned, [axis]), turned)
        return turned

    return tf.cond(orientation == 1, lambda: image, turn)


def _transposed(image):
    """[H, W, 3] -> [W, H, 3]. Of `tf.transpose` with integers oneDNN logs an error that is none, whether it runs or not."""
    height, width = tf.unstack(tf.shape(image)[:2])
    places = tf.range(width)[:, None] + width * tf.range(height)  # [W, H]
    return tf.gather(tf.reshape(image, [-1, 3]), places)


def _fit(image, size):
    """Pads with its border's median color to the frame's aspect, centered, and averages over areas.

    uint8 [H, W, 3] -> float32 [h, w, 3]. That is what `prepare` arrives at by fitting into its largest level and halving: in
    the aspect of the frame the two differ by a quarter of a step of 255 on average, where interpolating down would differ by
    ten.
    """
    shape = tf.shape(image)
    rows, columns = frame(shape[0], shape[1], size)
    rows, columns = rows - shape[0], columns - shape[1]
    padding = [[rows // 2, rows - rows // 2], [columns // 2, columns - columns // 2], [0, 0]]
    paper = tf.cast(_border_color(image), tf.uint8)
    # `tf.pad` takes one value for all colors: the paper is what differs from zero.
    padded = tf.pad(image - paper, padding) + paper  # Both wrap around at 256, so nothing is lost.
    return tf.image.resize(padded, size, method="area")


def _border_color(image):
    """The median color of a picture's border, int32 [3], as `open.fit` takes it."""
    border = tf.cast(tf.concat([image[0], image[-1], image[:, 0], image[:, -1]], 0), tf.int32)
    channels = tf.sort(tf.stack(tf.unstack(border, axis=1)))  # [3, the border's pixels]: along another axis it transposes.
    count = tf.shape(border)[0]
    return (channels[:, (count - 1) // 2] + channels[:, count // 2]) // 2


def frame(rows, columns, size):
    """The height and width of pictures filled up to the aspect of `size`: what they take in memory."""
    height, width = size
    return (
        tf.maximum(rows, _rounded_quotient(columns * height, width)),
        tf.maximum(columns, _rounded_quotient(rows * width, height)),
    )


def _rounded_quotient(a, b):
    return (2 * a + b) // (2 * b)
