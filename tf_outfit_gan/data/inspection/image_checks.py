"""Checks of a single image: its digest, by which copies are found, and its anomalies."""

import hashlib
from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.preparation.encode import open_photo
from tf_outfit_gan.images.color_profile import UNPROFILED_CMYK
from tf_outfit_gan.images.cutout import Cutout, open_article
from tf_outfit_gan.util.errors import UserError

# Of 255: a picture without color has channels no farther apart than this; what is seen differs from its background by
# more; white is lighter.
GRAY_SPREAD, SEEN, WHITE_FROM = 8, 12, 235
# Shares of the picture, and of its border: less is nearly nothing to see, or no white background.
SEEN_SHARE, WHITE_SHARE = 0.01, 0.5
# Statistics are taken of pictures reduced to about this many pixels a side.
REDUCED_SIDE = 64


@dataclass(frozen=True)
class ImageChecks:
    """Two pictures of the same pixels have the same `digest`; one that cannot be used has only a `fault`."""

    digest: bytes = b""
    odd: tuple = ()
    size: tuple | None = None  # (height, width), if the picture is as its maker left it.
    name: str | None = None
    fault: str | None = None


def check_image(pixels, is_article, **known):
    """Checks a picture uint8 [H, W, 3]."""
    odd = tuple(name for name, found in _oddities(pixels, is_article) if found)
    return ImageChecks(hashlib.blake2b(pixels.tobytes(), digest_size=16).digest(), odd, **known)


def check_photo(entry, max_pixels):
    """Checks the photo of a manifest's entry."""
    return _check_file(lambda: open_photo(entry, max_pixels=max_pixels), False, str(entry.image))


def check_article(article, max_pixels):
    """Checks an article of a manifest, a path or a `Cutout`."""
    name = f"{article.image} cut out" if isinstance(article, Cutout) else str(article)
    return _check_file(lambda: open_article(article, max_pixels=max_pixels), True, name)


def _check_file(opened, is_article, name):
    try:
        image = opened()
    except UserError as error:
        return ImageChecks(name=name, fault=str(error))
    digest = hashlib.blake2b(image.tobytes(), digest_size=16).digest()
    reduced = np.asarray(image.reduce(max(1, min(image.size) // REDUCED_SIDE)))
    odd = check_image(reduced, is_article).odd
    if UNPROFILED_CMYK in image.info:
        odd = (*odd, "in CMYK without a profile")
    return ImageChecks(digest, odd, (image.height, image.width), name)


def _oddities(pixels, is_article):
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    away = np.abs(pixels - np.median(border, axis=0)).max(axis=-1)
    yield "without color", not is_article and np.ptp(pixels, axis=-1).max() <= GRAY_SPREAD  # Garments may be gray.
    yield "nearly empty", (away > SEEN).mean() < SEEN_SHARE
    yield "background not white", is_article and (border >= WHITE_FROM).all(axis=-1).mean() < WHITE_SHARE
