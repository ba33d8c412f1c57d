"""An article that is no file of its own: what a parsing mask cuts out of a photo, laid on white like a packshot.

In a manifest it stands where a file's name would: {"image": "photo.jpg", "mask": "parsing.png", "classes": [5, 6]}.
"""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from tf_outfit_gan.images.color_profile import UNPROFILED_CMYK
from tf_outfit_gan.images.open import MAX_BYTES, MAX_PIXELS, WHITE, open_image
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import read_file

# White around a cut-out part, as a share of its longer side: packshots do not touch their frame.
MARGIN = 0.05


@dataclass(frozen=True)
class Cutout:
    """The pixels of a photo whose value in a mask of the same size is one of `classes`."""

    image: Path
    mask: Path
    classes: tuple


def open_article(article, name=None, *, frame=None, max_pixels=MAX_PIXELS, cmyk_profile=None):
    """Opens an article as 8-bit RGB: a picture as `open_image` does, a `Cutout` cropped to its part, on white.

    `frame`, `max_pixels` and `cmyk_profile` are as of `open_image`; a `Cutout`, which needs every pixel of
    its mask, is not reduced. Raises `UserError` that names the file which cannot be used; what is no file is called `name`.
    """
    if not isinstance(article, Cutout):
        return open_image(article, name, frame=frame, max_pixels=max_pixels, cmyk_profile=cmyk_profile)
    photo = open_image(article.image, max_pixels=max_pixels, cmyk_profile=cmyk_profile)
    mask = read_mask(article.mask, max_pixels)
    if mask.shape != (photo.height, photo.width):
        raise UserError(
            f"{article.mask}: expected a mask of its photo's size, {photo.height}x{photo.width}, "
            f"found {mask.shape[0]}x{mask.shape[1]}"
        )
    part = np.isin(mask, article.classes)
    if not part.any():
        raise UserError(f"{article.mask}: no pixel is of class {' or '.join(map(str, article.classes))}")
    rows, columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
    pixels = np.where(part[..., None], np.asarray(photo), np.uint8(WHITE))[top:bottom, left:right]
    margin = round(MARGIN * max(pixels.shape[:2]))
    cut = Image.fromarray(np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)), constant_values=WHITE[0]))
    if UNPROFILED_CMYK in photo.info:
        cut.info[UNPROFILED_CMYK] = True
    return cut


def read_mask(path, max_pixels=MAX_PIXELS):
    """Reads a mask of classes [H, W] uint8 from a gray or palette PNG.

    Raises `UserError` that names a file which is missing, broken or of another kind.
    """
    data = read_file(path, MAX_BYTES)
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.mode not in ("L", "P") or image.width * image.height > max_pixels:
                raise ValueError(f"found {image.mode} of {image.height}x{image.width} pixels")
            return np.asarray(image)
    except UnidentifiedImageError:
        reason = "found something else"
    except Exception as error:
        reason = str(error) or type(error).__name__
    raise UserError(f"{path}: expected a mask as PNG, gray or palette, one class a pixel; {reason}")
