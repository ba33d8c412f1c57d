"""Colors of any profile as sRGB: what a picture's numbers mean is in its ICC profile, and a garment's color matters."""

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import read_file

# A profile that moves no color by more than this, of 255, is sRGB by another name: such pictures stay as they are.
SRGB_TOLERANCE = 3

MAX_PROFILE_BYTES = 1 << 24  # Those of printing have up to three million.

COLOR_SPACES = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}

# The key in a converted picture's `info` that says: it was CMYK, and came without a profile that says of which inks.
UNPROFILED_CMYK = "unprofiled_cmyk"


def to_srgb(image, profile=None, cmyk_profile=None):
    """Converts a picture of mode L, RGB or CMYK to sRGB, mode RGB; its `info` has `UNPROFILED_CMYK` where that is so.

    A picture that is in sRGB loses its profile, and is given back.

    Args:
        profile: the bytes of an ICC profile. Without one, or with one for another kind of colors than the picture's,
            numbers are taken for sRGB, as every browser does.
        cmyk_profile: the bytes of the ICC profile of a CMYK picture without one; None = by the plain formula.

    Raises:
        ImageCms.PyCMSError, OSError: for a profile that cannot be read.
    """
    if profile and _color_space(profile) != COLOR_SPACES[image.mode]:
        profile = None
    unprofiled = image.mode == "CMYK" and not profile
    if unprofiled:
        profile = cmyk_profile
    transform = _transform(profile, image.mode) if profile else None
    if transform:
        image = ImageCms.applyTransform(image, transform)
    elif image.mode != "RGB":
        image = image.convert("RGB")
    image.info.pop("icc_profile", None)  # No longer true, and Pillow would write it along with the picture.
    if unprofiled:
        image.info[UNPROFILED_CMYK] = True
    return image


def read_cmyk_profile(path):
    """Reads an ICC profile of CMYK colors; raises `UserError` that names a file which is none."""
    content = read_file(path, MAX_PROFILE_BYTES)
    try:
        found = _color_space(content)
        if found == "CMYK":
            _transform(content, "CMYK")
            return content
    except (ImageCms.PyCMSError, OSError) as error:
        found = str(error)
    raise UserError(f"{path}: expected an ICC profile of CMYK colors, found {found}")


@lru_cache(maxsize=64)
def _color_space(profile):
    return ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space.strip()


@lru_cache(maxsize=64)  # A catalogue has a few profiles, many thousand times.
def _transform(profile, mode):
    """The transform from a profile to sRGB; None if they are so already."""
    transform = ImageCms.buildTransform(
        ImageCms.ImageCmsProfile(io.BytesIO(profile)),
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
