"""Article photos as PNG, JPEG or WebP bytes to condition tensors, in the graph: for rendering and for serving alike.

Kinds and sizes are checked before decoding, so that every runtime gives the same pixels and the same message, and a
small file cannot unfold into a huge picture. Messages are ASCII, whatever the bytes are. Pixels stay integers until they
are few.
"""

import tensorflow as tf

from tf_outfit_gan import pixels
from tf_outfit_gan.images.article_bytes import MAX_SIDE
from tf_outfit_gan.images.header_in_graph import IS_JPEG, IS_PNG, NO_KIND, read_headers

# What else clients send: (a regular expression of the first bytes as hexadecimal digits, what it is).
_OTHERS = (
    (b"GIF8".hex(), "a GIF picture"),
    (b"BM".hex(), "a BMP picture"),
    (f"({b'II*'.hex()}00|{b'MM'.hex()}002a)", "a TIFF picture"),
    (f"[0-9a-f]{{8}}{b'ftypavi'.hex()}", "an AVIF picture"),
    (f"[0-9a-f]{{8}}{b'ftyp'.hex()}", "a HEIC picture or a video"),
    (f"(ff0a|0000000c{b'JXL'.hex()})", "a JPEG XL picture"),
    (b"%PDF".hex(), "a PDF file"),
    (f"({b'iVBOR'.hex()}|{b'/9j/'.hex()}|{b'UklGR'.hex()}|{b'data:'.hex()})",
     'base64 text: send the bytes themselves, in JSON as {"b64": "..."}'),
    ("", "no picture"),
)
_SHOWN = 12  # First bytes in a message.


def decode_articles(article_bytes, size):
    """Decodes articles, fits them on white and scales them to [-1, 1].

    Args:
        article_bytes: string [N, S]; an empty string is a missing article.
        size: (h, w) of the conditions.

    Returns:
        float32 [N, S, h, w, 3]; 0 where an article is missing.

    Raises:
        tf.errors.InvalidArgumentError: in the graph, for bytes that are no PNG, JPEG or WebP, too large, or damaged.
    """
    headers = article_headers(article_bytes)
    names = [f"article {slot}" for slot in range(article_bytes.shape[1])]
    problems = article_problems(article_bytes, headers, size, names)
    good = tf.debugging.Assert(tf.reduce_all(problems == b""), [first_text(problems)])
    with tf.control_dependencies([good]):
        return decode_checked(tf.identity(article_bytes), headers, size)


def article_headers(article_bytes):
    """The `Headers` of articles, string [N, S]; each member is [N * S]."""
    return read_headers(tf.reshape(article_bytes, [-1]))


def frame_pixels(headers, size):
    """How many pixels each photo takes in memory: filled up to the aspect of `size`, as `_fit` does. int64 [N * S]."""
    height, width = size
    rows, columns = headers.height, headers.width
    return (tf.maximum(rows, _rounded_quotient(columns * height, width))
            * tf.maximum(columns, _rounded_quotient(rows * width, height)))


def article_problems(article_bytes, headers, size, names):
    """What is wrong with each row's articles, as far as their headers show.

    Args:
        article_bytes: string [N, S].
        headers: their `article_headers`.
        size: (h, w) of the conditions.
        names: what messages call the articles of each slot.

    Returns:
        string [N]: a sentence in ASCII on the first bad article; empty where there is none.
    """
    data = tf.reshape(article_bytes, [-1])
    sides = tf.stack([headers.height, headers.width], axis=1)
    readable = tf.reduce_all(sides >= 1, axis=1)
    fits = tf.reduce_all(sides <= MAX_SIDE, axis=1)
    good = (headers.kind != NO_KIND) & readable & fits & ~headers.animated | (data == b"")

    def sentences():
        begin = tf.strings.substr(data, 0, _SHOWN)
        found = [tf.strings.join([" is ", _other_kind(begin), "; expected PNG, JPEG or WebP"]),
                 " is damaged: its header holds no size",
                 " is an animated WebP picture; expected a still one",
                 tf.strings.join([" has ", _size_text(headers), f" pixels; expected sides of {MAX_SIDE} at most"])]
        reason = tf.where(headers.kind == NO_KIND, found[0], tf.where(
            ~readable, found[1], tf.where(headers.animated, found[2], found[3])))
        text = tf.strings.join([tf.tile(tf.constant(names), [tf.shape(article_bytes)[0]]), reason])
        by_slot = tf.reshape(tf.where(good, "", text), [-1, len(names)])
        return first_of(tf.unstack(by_slot, axis=1))

    empty = tf.fill(tf.shape(article_bytes)[:1], "")
    return tf.ensure_shape(tf.cond(tf.reduce_all(good), lambda: empty, sentences), [None])


def first_of(texts):
    """The first text of each row that is not empty, or an empty one. A list of string [N] -> [N]."""
    first = texts[0]
    for text in texts[1:]:
        first = tf.where(first == b"", text, first)
    return first


def first_text(texts):
    """The first text that is not empty, with its row; empty when there is none. string [N] -> []."""
    row = tf.argmax(tf.cast(texts != b"", tf.int32), output_type=tf.int32)
    return tf.strings.join(["row ", tf.strings.as_string(row), ": ", texts[row]])


def _other_kind(begin):
    """What the first bytes of unknown files are, string [M]. Matched and shown as digits: the bytes may be anything."""
    # Of short files, with zeros behind them.
    values = tf.io.decode_raw(tf.strings.substr(begin + b"\0" * _SHOWN, 0, _SHOWN), tf.uint8)
    pairs = tf.gather(tf.constant([f"{value:02x}" for value in range(256)]), tf.cast(values, tf.int32))
    text = tf.strings.reduce_join(pairs, axis=1)
    *known, (_, name) = _OTHERS
    shown = tf.strings.reduce_join(pairs, axis=1, separator=" ")
    name = tf.strings.join([name, " (it begins with the bytes ", shown, ")"])
    for pattern, other in reversed(known):
        name = tf.where(tf.strings.regex_full_match(text, f"{pattern}.*"), other, name)
    return name


def _size_text(headers):
    return tf.strings.join([tf.strings.as_string(headers.height), "x", tf.strings.as_string(headers.width)])


def decode_checked(article_bytes, headers, size):
    """`decode_articles` of bytes without `article_problems`; only those that are damaged further on fail."""
    flat = tf.reshape(article_bytes, [-1]), headers.kind, headers.orientation
    # One after the other: a large photo takes as much memory as the rest of the request.
    decoded = tf.map_fn(lambda photo: _decode_or_gray(*photo, size), flat, parallel_iterations=1,
                        fn_output_signature=tf.TensorSpec([*size, 3], tf.float32))
    return tf.reshape(decoded, [-1, article_bytes.shape[1], *size, 3])


def decode_tolerantly(article_bytes, headers, size):
    """`decode_checked` for strangers' requests in one batch: what is damaged is missing, and nothing fails.

    TensorFlow has no operation that catches an error, but its data sets drop elements that fail. They take some
    milliseconds more than `decode_checked`.

    Returns:
        float32 [N, S, h, w, 3], and bool [N, S]: whether an article could be decoded.
    """
    data = tf.reshape(article_bytes, [-1])
    count = tf.shape(data, out_type=tf.int64)[0]
    photos = tf.data.Dataset.from_tensor_slices((tf.range(count), data, headers.kind, headers.orientation))
    decoded = photos.map(lambda place, *photo: (place, _decode_or_gray(*photo, size))).ignore_errors()

    def put(state, element):
        articles, whole = state
        place, article = element
        return (tf.tensor_scatter_nd_update(articles, [[place]], article[None]),
                tf.tensor_scatter_nd_update(whole, [[place]], [True]))

    articles, whole = decoded.reduce((tf.zeros([count, *size, 3]), tf.zeros([count], tf.bool)), put)
    slots = article_bytes.shape[1]
    return tf.reshape(articles, [-1, slots, *size, 3]), tf.reshape(whole, [-1, slots])


def _decode_or_gray(data, kind, orientation, size):
    missing = tf.zeros([*size, 3])  # After normalization: neither 127 nor 128 is the middle of 0..255.
    return tf.cond(tf.equal(data, b""), lambda: missing,
                   lambda: pixels.to_float(_fit(_decode(data, kind, orientation), size)))


def _decode(data, kind, orientation):
    """One photo, upright, uint8 [H, W, 3]."""
    image = tf.cond(kind == IS_PNG, lambda: _on_white(tf.io.decode_png(data, channels=4)), lambda: tf.cond(
        kind == IS_JPEG, lambda: _upright(_decode_jpeg(data), orientation), lambda: _decode_webp(data)))
    return tf.ensure_shape(image, [None, None, 3])


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
    """Turns a photo as a camera was held (Exif 2.32, table 6): transposed from 5 on, then mirrored."""
    def turn():
        turned = tf.cond(orientation >= 5, lambda: tf.transpose(image, [1, 0, 2]), lambda: image)
        for axis, mirrored in ((1, (2, 3, 6, 7)), (0, (3, 4, 7, 8))):
            is_mirrored = tf.reduce_any(orientation == tf.constant(mirrored))
            turned = tf.cond(is_mirrored, lambda: tf.reverse(turned, [axis]), lambda: turned)
        return turned

    return tf.cond(orientation == 1, lambda: image, turn)


def _fit(image, size):
    """Pads with white to the frame's aspect, centred, and averages over areas. uint8 [H, W, 3] -> float32 [h, w, 3].

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
