"""What article photos say of themselves in their first bytes, read in the graph, before anything is decoded.

A file of some kilobytes may unfold into gigabytes, and a decoder may do worse than fail: TensorFlow's decoder of WebP
corrupts memory when it is given an animation. So kind, size and orientation are read here, of all photos at once and
without an operation that can fail.
"""

import collections

import tensorflow as tf

from tf_outfit_gan.images.article_bytes import JPEG, PNG

WEBP = b"RIFF"  # What such files begin with; a WEBP follows.
KINDS = NO_KIND, IS_PNG, IS_JPEG, IS_WEBP = range(4)
_HEAD = 32  # Bytes: the size of a PNG and of a WebP lies in them.

# A JPEG is a chain of segments. Real ones have ten or twenty before their size; profiles and previews come in 64 kB each.
_MAX_SEGMENTS = 256
_MAX_TAGS = 64  # Of Exif's first directory that are looked at: they are sorted, and the orientation comes early.
_ORIENTATION = 0x0112

# kind: one of KINDS; height, width: pixels as stored, 0 where they cannot be read; orientation: 1 to 8 as Exif has it,
# 1 = upright; animated: a WebP of several pictures. Each [M]; int32, int64, int64, int32, bool.
Headers = collections.namedtuple("Headers", "kind height width orientation animated")


def read_headers(data):
    """Reads the `Headers` of files, string [M]. A JPEG's orientation is read; PNG and WebP are taken as upright."""
    head = _bytes_at(data, tf.zeros_like(data, tf.int64), _HEAD)
    is_png, is_jpeg = _begins(head, PNG), _begins(head, JPEG)
    is_webp = _begins(head, WEBP) & _begins(head[:, 8:], b"WEBP")
    kind = tf.where(is_png, IS_PNG, tf.where(is_jpeg, IS_JPEG, tf.where(is_webp, IS_WEBP, NO_KIND)))

    # The height and width of each kind.
    webp_size, animated = _webp(head)
    jpeg_size, exif = _walk_jpegs(data, is_jpeg)
    size = tf.where(is_png[:, None], _png(head), tf.where(is_webp[:, None], webp_size, jpeg_size))
    return Headers(kind, size[:, 0], size[:, 1], _orientation(data, exif), animated & is_webp)


def _bytes_at(data, position, count):
    """`count` bytes of each file from a position on, zeros beyond its end. string, int64 [M] -> int64 [M, count]."""
    position = tf.minimum(position, tf.cast(tf.strings.length(data), tf.int64))
    cut = tf.strings.substr(data, position, tf.fill(tf.shape(data), tf.constant(count, tf.int64)))
    filled = tf.strings.substr(cut + b"\0" * count, 0, count)
    return tf.cast(tf.ensure_shape(tf.io.decode_raw(filled, tf.uint8), [None, count]), tf.int64)


def _begins(head, text):
    return tf.reduce_all(head[:, : len(text)] == tf.constant(list(text), tf.int64), axis=1)


def _number(parts, little=False):
    """Bytes as one number, the highest first unless `little`. [M, B] -> [M]."""
    powers = [256**place for place in range(parts.shape[-1])]
    return tf.reduce_sum(parts * tf.constant(powers if little else powers[::-1], tf.int64), axis=-1)


def _png(head):
    return tf.stack([_number(head[:, 20:24]), _number(head[:, 16:20])], axis=1)


def _webp(head):
    """Sizes [M, 2] and whether animated [M], from one of three headers (RFC 9649, sections 2.5 to 2.7)."""
    low = [_number(head[:, start:end], little=True) for start, end in ((28, 30), (26, 28))]
    lossy = tf.stack([number % 2**14 for number in low], axis=1)
    bits = _number(head[:, 21:25], little=True)
    lossless = 1 + tf.stack([bits // 2**14 % 2**14, bits % 2**14], axis=1)
    extended = 1 + tf.stack([_number(head[:, start : start + 3], little=True) for start in (27, 24)], axis=1)

    chunk = head[:, 12:]
    is_lossy, is_lossless, is_extended = (_begins(chunk, name)[:, None] for name in (b"VP8 ", b"VP8L", b"VP8X"))
    size = tf.where(is_extended, extended, tf.zeros_like(extended))
    size = tf.where(is_lossy, lossy, tf.where(is_lossless, lossless, size))
    return size, is_extended[:, 0] & (head[:, 20] // 2 % 2 == 1)


def _walk_jpegs(data, is_jpeg):
    """Walks from segment to segment up to the one that holds the size (ITU T.81, annex B).

    Returns: sizes [M, 2], 0 where there is none, and the positions of Exif's TIFF headers [M], 0 where there is none.
    """
    count = tf.shape(data)

    def step(position, size, exif, going):
        segment = _bytes_at(data, position, 10)
        marker, length = segment[:, 1], _number(segment[:, 2:4])
        at_marker = going & (segment[:, 0] == 0xFF)
        filling = marker == 0xFF  # Any number of them may precede a marker.
        bare = (marker >= 0xD0) & (marker <= 0xD7) | (marker == 0x01)  # These have no length.
        in_frame = (marker >= 0xC0) & (marker <= 0xCF)
        has_size = at_marker & in_frame & (marker != 0xC4) & (marker != 0xC8) & (marker != 0xCC)
        is_exif = at_marker & (marker == 0xE1) & _begins(segment[:, 4:], b"Exif\0\0") & (exif == 0)

        found = tf.stack([_number(segment[:, 5:7]), _number(segment[:, 7:9])], axis=1)
        size = tf.where(has_size[:, None], found, size)
        exif = tf.where(is_exif, position + 10, exif)
        one, two = tf.ones_like(length), 2 * tf.ones_like(length)
        step_length = tf.where(filling, one, tf.where(bare, two, 2 + length))
        # The scan and the end come after the size, if there is one.
        going = at_marker & ~has_size & (marker != 0xD9) & (marker != 0xDA)
        return position + step_length, size, exif, going

    start = tf.fill(count, tf.constant(2, tf.int64))
    _, size, exif, _ = tf.while_loop(
        lambda position, size, exif, going: tf.reduce_any(going),
        step,
        (start, tf.zeros([count[0], 2], tf.int64), tf.zeros(count, tf.int64), is_jpeg),
        maximum_iterations=_MAX_SEGMENTS,
    )
    return size, exif


def _orientation(data, tiff):
    """The orientation in TIFF headers at positions [M], 1 where there is none (Exif 2.32, sections 4.5.2 and 4.6.4)."""
    head = _bytes_at(data, tiff, 8)
    little = _begins(head, b"II")

    def number(parts):
        is_little = tf.reshape(little, [-1] + [1] * (len(parts.shape) - 2))
        return tf.where(is_little, _number(parts, little=True), _number(parts))

    directory = tiff + number(head[:, 4:8])
    count = number(_bytes_at(data, directory, 2))
    tags = tf.reshape(_bytes_at(data, directory + 2, 12 * _MAX_TAGS), [-1, _MAX_TAGS, 12])
    is_wanted = (number(tags[..., :2]) == _ORIENTATION) & (tf.range(_MAX_TAGS, dtype=tf.int64) < count[:, None])
    value = tf.reduce_max(number(tags[..., 8:10]) * tf.cast(is_wanted, tf.int64), axis=1)
    valid = (tiff > 0) & (value >= 1) & (value <= 8)
    return tf.cast(tf.where(valid, value, tf.ones_like(value)), tf.int32)


def ends_whole(data, kind):
    """Whether files of the kinds that their `Headers` name end as such files do, bool [M]; True for unknown kinds.

    A PNG ends with its last chunk, a JPEG with its last marker, and a WebP says how long it is. That finds what was cut
    off while it was sent; it also finds what has something appended, which the decoders would pass over.
    """
    length = tf.strings.length(data)
    last = _bytes_at(data, tf.cast(tf.maximum(length - 8, 0), tf.int64), 8)
    riff_size = _number(_bytes_at(data, tf.fill(tf.shape(data), tf.constant(4, tf.int64)), 4), little=True)
    ends = [
        tf.fill(tf.shape(data), True),
        _begins(last, b"IEND\xaeB`\x82"),
        _begins(last[:, 6:], b"\xff\xd9"),
        riff_size + 8 <= tf.cast(length, tf.int64),
    ]
    return tf.gather(tf.stack(ends, axis=1), kind, batch_dims=1)
