"""JPEGs decoded by libjpeg-turbo, whose warnings are faults here.

A JPEG has no checksum. Its decoder paints over damage and warns; Pillow drops the warnings. Compressed data that runs out,
that is left over, or that holds an impossible code makes one. A changed byte that still decodes to as many blocks does not.
"""

import simplejpeg
from PIL import Image

COLOR_SPACES = {"L": "GRAY", "RGB": "RGB", "CMYK": "CMYK"}

# What TurboJPEG says of a color space or subsampling that it does not know, such as CMYK at half width.
UNKNOWN_FORM = "Could not determine"

# A reduced picture has at least so many times the pixels a side that are wanted: what is then scaled down from it is as if
# scaled down from the whole one, within 40 dB (see the test).
OVERSAMPLING = 2


def decode_jpeg(data, header, frame=None):
    """Decodes a JPEG's bytes to a Pillow image; of several pictures, the first one.

    Args:
        header: the image that Pillow opened from the same bytes, not loaded: its mode and metadata.
        frame: (height, width) that the picture is going to be fitted into, as it lies in the file: a much larger one is
            decoded at 1/2, 1/4 or 1/8 of its sides. None = at its size.

    Raises:
        ValueError: when the JPEG is damaged.
    """
    by = _reduction(header.size, frame[::-1]) if frame else 1
    width, height = header.size
    try:
        pixels = simplejpeg.decode_jpeg(data, COLOR_SPACES[header.mode], min_height=height // by, min_width=width // by)
    except ValueError as error:
        if UNKNOWN_FORM not in str(error):
            raise ValueError(f"the JPEG is damaged: {error}") from None
        return header  # Pillow knows all forms, and notices at least what was cut off.
    if header.mode == "CMYK":
        pixels = 255 - pixels  # Adobe's way round, as in every CMYK JPEG.
    image = Image.fromarray(pixels.squeeze(-1) if header.mode == "L" else pixels, header.mode)
    image.info = dict(header.info)
    return image


def _reduction(size, frame):
    """The largest of 8, 4, 2 and 1 that divides both sides, so that no edge is lost, and leaves enough pixels."""
    fitted = min(inner / side for inner, side in zip(frame, size))
    return next(by for by in (8, 4, 2, 1) if by == 1 or by * fitted * OVERSAMPLING <= 1 and not any(side % by for side in size))
