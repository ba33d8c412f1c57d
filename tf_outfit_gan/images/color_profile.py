"""Colors of any profile as sRGB: what a picture's numbers mean is in its ICC profile, and a garment's color matters."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

# A profile that moves no color by more than this, of 255, is sRGB by another name: such pictures stay as they are.
SRGB_TOLERANCE = 3

COLOR_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}


def to_srgb(image, profile=None):
    """Converts a picture of mode L, RGB or CMYK to sRGB, mode RGB.

    Args:
        profile: the bytes of an ICC profile. Without one, or with one for another kind of colors than the picture's,
            numbers are taken for sRGB, as every browser does.

    Raises:
        ImageCms.PyCMSError, OSError: for a profile that cannot be read.
    """
    transform = _transform(profile, image.mode) if profile else None
    image = ImageCms.applyTransform(image, transform) if transform else image.convert("RGB")
    image.info.pop("icc_profile", None)  # No longer true, and Pillow would write it along with the picture.
    return image


@lru_cache(maxsize=64)  # A catalogue has a few profiles, many thousand times.
def _transform(profile, mode):
    """The transform from a profile to sRGB; None if they are so already."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    if source.profile.xcolor_space.strip() != COLOR_SPACES[mode]:
        return None
    transform = ImageCms.buildTransform(
        source,
        ImageCms.createProfile("sRGB"),
        mode,
        "RGB",
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    probe = _lattice(len(Image.new(mode, (1, 1)).getbands()), mode)
    difference = np.int16(ImageCms.applyTransform(probe, transform)) - np.int16(probe.convert("RGB"))
    return transform if np.abs(difference).max() > SRGB_TOLERANCE else None


def _lattice(channels, mode):
    """A picture of the colors whose channels are multiples of 51."""
    axes = np.meshgrid(*[np.arange(0, 256, 51, dtype=np.uint8)] * channels)
    pixels = np.stack([axis.ravel() for axis in axes], axis=-1)[None]
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels, mode)
