"""An article's picture as the bytes that a model's graph decodes, see `decode_in_graph`: PNG or JPEG, upright, in sRGB."""

import io
import os

from PIL import Image

from tf_outfit_gan.images.cutout import open_article
from tf_outfit_gan.images.open import MAX_BYTES, orientation, quiet_tags
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import read_file

MAX_SIDE = 8192  # Pixels; a larger article photo is refused.
PNG, JPEG = b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"  # What such files begin with.


def article_bytes(article, name=None):
    """Reads an article as bytes that the graph decodes as `open_article` would.

    PNG and JPEG stay as they are, unless they are stored turned, have a color profile, or inks for colors: the graph
    takes all numbers for sRGB, and exported models of earlier versions read no EXIF. Everything else becomes PNG.

    Args:
        article: a `Cutout`, or a picture as for `open_image`.
        name: what an error calls the picture; by default its path.

    Raises:
        UserError: names a picture that cannot be used.
    """
    if isinstance(article, (str, os.PathLike)):
        name = name or article
        article = read_file(article, MAX_BYTES)
    image = open_article(article, name)
    if max(image.size) > MAX_SIDE:
        raise UserError(f"{name}: {image.height}x{image.width} pixels; expected sides of {MAX_SIDE} at most")
    if isinstance(article, bytes) and _is_plain(article):
        return article
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()


def _is_plain(data):
    if not data.startswith((PNG, JPEG)):
        return False
    with quiet_tags(), Image.open(io.BytesIO(data)) as image:
        return image.mode != "CMYK" and "icc_profile" not in image.info and orientation(image) == 1
