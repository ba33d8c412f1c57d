"""Whether a JPEG is whole, as far as that can be checked (ITU T.81, annex B).

A JPEG has no checksum, and its decoder never stops at damage: it paints something and says nothing. Two things can be
checked, though. Its skeleton: segments follow one another without a gap, compressed data ends at a marker that may
stand there, restart markers count up, and the end is marked. And its measure: a decoder that runs out of data paints
mid-gray, or leaves details out, and paints something else when there is more data; a decoder that has enough does not
look at it. This finds what was cut off, filled up with zeros, shortened, or overwritten by something else. It cannot
find a few changed bytes that still decode to as many blocks.
"""

import io
import itertools
import re
import struct

from PIL import Image

SOI, EOI, SOS, DRI, DNL = 0xD8, 0xD9, 0xDA, 0xDD, 0xDC
ONE_SCAN_FRAMES = (0xC0, 0xC1)  # Baseline and extended sequential; in the others several scans follow.
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
BETWEEN_SCANS = {0xC4, EOI, SOS, 0xDB, DRI, DNL, 0xFE, *range(0xE0, 0xF0)}
MARKER = re.compile(rb"\xff+([^\x00\xff])")  # In compressed data 0xff is followed by 0.
# Put before an end, it is read only by a decoder that lacks data. Not one of its bytes begins a marker.
SPARE = bytes(range(1, 65))


def check_skeleton(data):
    """Returns where compressed data ends in a JPEG's bytes, once a scan and restart; of several pictures, the first's.

    Raises `ValueError` with the fault of a skeleton that is not whole.
    """
    try:
        return _walk(data)
    except (IndexError, struct.error):
        raise ValueError("the JPEG is cut off") from None


def check_measure(data, ends, image):
    """Raises `ValueError` if a picture decoded from a JPEG's bytes did not find enough data before one of its ends.

    One scan that runs out leaves its last block mid-gray: only then, or if there are many, it is decoded again.
    """
    corner = image.convert("RGB").getpixel((image.width - 1, image.height - 1))
    if len(ends) == 1 and any(abs(channel - 128) > 1 for channel in corner):
        return
    pieces = [data[start:end] for start, end in itertools.pairwise([0, *ends])]
    with Image.open(io.BytesIO(SPARE.join(pieces) + SPARE + data[ends[-1] :])) as spared:
        if spared.tobytes() != image.tobytes():
            raise ValueError("the JPEG is damaged: its compressed data runs out before its picture")


def _walk(data):
    position, interval, frame, ends = 2, 0, None, []
    while True:
        marker, position = _marker(data, position)
        if marker == EOI:
            if not ends:
                raise ValueError("the JPEG ends before its picture")
            return ends
        [length] = struct.unpack_from(">H", data, position)
        segment = data[position + 2 : position + length]
        if length < 2 or len(segment) != length - 2:
            raise ValueError("the JPEG is cut off")
        position += length
        if marker in FRAMES:
            frame = marker, segment
        elif marker == DRI:
            [interval] = struct.unpack(">H", segment)
        elif marker == SOS:
            # One scan holds everything if it names every component of a frame that knows no other kind.
            is_whole = frame is not None and frame[0] in ONE_SCAN_FRAMES and segment[0] == frame[1][5]
            restarts = -(-_units(frame[1]) // interval) - 1 if is_whole and interval else None
            ends += _scan(data, position, interval, restarts, {EOI, DNL} if is_whole else BETWEEN_SCANS)
            position = ends[-1]


def _marker(data, position):
    """Returns the marker that must stand at a position, and where it ends; it may begin with many 0xff."""
    if data[position] != 0xFF:
        raise ValueError("the JPEG is damaged: a segment does not begin where the one before ends")
    while data[position] == 0xFF:
        position += 1
    return data[position], position + 1


def _scan(data, position, interval, restarts, may_follow):
    """Returns where the compressed data that begins at a position ends: before each restart, and at last."""
    expected, ends = 0, []
    for match in MARKER.finditer(data, position):
        marker = match[1][0]
        if interval and marker == 0xD0 + expected % 8:
            expected += 1
            ends.append(match.start())
        elif marker not in may_follow:
            raise ValueError(f"the JPEG is damaged: marker ff{marker:02x} within compressed data")
        elif restarts not in (None, expected):
            raise ValueError(f"the JPEG is damaged: {expected} restart markers instead of {restarts}")
        else:
            return [*ends, match.start()]
    raise ValueError("the JPEG is cut off")


def _units(frame):
    """The number of coded units of a frame whose components are interleaved; a single one is coded in 8x8 blocks."""
    height, width, components = struct.unpack_from(">xHHB", frame)
    factors = [divmod(frame[7 + 3 * index], 16) for index in range(components)]
    across = 8 * max(x for x, _ in factors) if components > 1 else 8
    down = 8 * max(y for _, y in factors) if components > 1 else 8
    if not across or not down:
        raise ValueError("the JPEG is damaged: a sampling factor of 0")
    return -(-width // across) * -(-height // down)
