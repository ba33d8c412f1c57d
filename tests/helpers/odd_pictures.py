"""Files that catalogues come with, besides the good ones."""

import io
import struct

import numpy as np
from PIL import Image

# The primaries of Adobe RGB (1998) as XYZ under D50, and its gamma: from its published specification.
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457)), 563 / 256


def scene(height=64, width=48):
    """A garment-like picture: red left, blue right, shaded and woven, on white; no two corners alike."""
    y, x = np.mgrid[:height, :width]
    pixels = np.full((height, width, 3), 255, np.uint8)
    shade = (y * 150 // height + (7 * x + 5 * y * y) % 23).astype(np.uint8)
    inside = (abs(x - width / 2) < width / 3) & (abs(y - height / 2) < height / 3)
    left = x < width / 2
    pixels[inside & left] = np.stack([200 + 0 * shade, shade, shade // 2], -1)[inside & left]
    pixels[inside & ~left] = np.stack([shade // 3, shade, 210 + 0 * shade], -1)[inside & ~left]
    return Image.fromarray(pixels)


def encoded(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def matrix_profile(primaries, gamma):
    """A minimal ICC display profile (version 2.1): XYZ of the primaries, and one gamma for all."""
    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(gamma * 256))
    primaries = {name: _xyz(values) for name, values in zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries)}
    return _profile(b"mntr", b"RGB ", b"XYZ ", {**primaries, b"rTRC": curve, b"gTRC": curve, b"bTRC": curve})


def cmyk_profile(colors):
    """A minimal ICC profile of a press (version 2.1), linear between the corners of CMYK.

    Args:
        colors: [2, 2, 2, 2, 3], the CIELAB color of each combination of no ink and full ink, by C, M, Y and K.
    """
    lab = np.round(np.asarray(colors) * [2.55, 1, 1] + [0, 128, 128]).astype(np.uint8)
    identity = struct.pack(">9i", *(65536 * (place % 4 == 0) for place in range(9)))
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0]) + identity + bytes(range(256)) * 4 + lab.tobytes() + bytes(range(256)) * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def _xyz(values):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


def _profile(device, colors, connection, tags):
    description = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + b"\0" * (4 + 4 + 2 + 1 + 67)
    white, rights = _xyz((0.9642, 1.0, 0.8249)), b"text\0\0\0\0none\0\0\0\0"
    tags = {b"desc": description, b"cprt": rights, b"wtpt": white, **tags}
    offset, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        content += b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", offset + len(body), len(content))
        body += content
    header = struct.pack(
        ">I4sI4s4s4s12s4s",
        offset + len(body),
        b"\0" * 4,
        0x02100000,
        device,
        colors,
        connection,
        struct.pack(">6H", 2020, 1, 1, 0, 0, 0),
        b"acsp",
    )
    header = header.ljust(68, b"\0") + struct.pack(">3i", 63190, 65536, 54061)  # The illuminant, D50.
    return header.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


def adobe_to_srgb(color):
    """What the specifications of Adobe RGB and sRGB say a color of the one is in the other."""
    primaries, gamma = ADOBE_RGB
    xyz = (np.array(color) / 255) ** gamma @ np.array(primaries)
    srgb_d50 = np.array([(0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410)])
    linear = np.clip(xyz @ np.linalg.inv(srgb_d50), 0, 1)
    return 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def bomb_png(side):
    """A PNG that says it has side x side pixels, in a hundred bytes."""
    import zlib

    def chunk(kind, body):
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
