"""One entry becomes the bytes of its pictures at every level: the work of prepare's processes, without TensorFlow."""

import io
from dataclasses import dataclass

import numpy as np

from tf_outfit_gan.data.manifest import Skipped
from tf_outfit_gan.data.records import is_raw
from tf_outfit_gan.images.color_profile import UNPROFILED_CMYK
from tf_outfit_gan.images.cutout import open_article
from tf_outfit_gan.images.framing import place
from tf_outfit_gan.images.open import MAX_PIXELS, fit, open_image, pyramid
from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError

JPEG_QUALITY = 95

# A picture scaled down keeps its aspect up to the rounding of its sides.
ASPECT_TOLERANCE = 0.02


@dataclass(frozen=True)
class Encoding:
    """How entries become records: what a data set's shards have in common.

    Attributes:
        levels, article_levels: (height, width) of the photos and of the articles, from small to large.
        slots: names of the articles' slots, in the order of the records.
        pose_model: file or folder of an estimator for entries without keypoints; an entry in whose photo it finds no
            person is set aside. None leaves them without.
        require_pose: an entry that is left without keypoints is set aside.
        max_pixels: an entry with a larger picture is set aside.
        framing: what of a photo is shown, one of `FRAMINGS`.
        cmyk_profile: the bytes of the ICC profile of CMYK pictures that have none; None = by the plain formula.
    """

    levels: tuple
    article_levels: tuple
    slots: tuple = SLOTS
    pose_model: str | None = None
    require_pose: bool = False
    max_pixels: int = MAX_PIXELS
    framing: str = "pad"
    cmyk_profile: bytes | None = None


@dataclass(frozen=True)
class Encoded:
    """What the records of an entry hold: photos[level], and articles[level][slot] with b"" for a missing one.

    Of its pictures, `unprofiled_cmyk` were CMYK without a profile.
    """

    id: str
    photos: list
    articles: list
    keypoints: np.ndarray
    has_keypoints: bool
    unprofiled_cmyk: int


def encode_entries(entries, encoding):
    """Yields each entry `Encoded`; in the place of one whose pictures cannot be read comes a `Skipped`."""
    for entry in entries:
        try:
            yield encode_entry(entry, encoding)
        except UserError as error:
            yield Skipped(entry.line, entry.id, str(error), entry.listing)


def encode_entry(entry, encoding):
    """Fits an entry's pictures into the largest level and encodes them at all; its pose moves along with the photo."""
    if encoding.require_pose and entry.outfit.keypoints is None and not encoding.pose_model:
        raise UserError("no keypoints; expected a pose in every entry, as --require-pose is given")
    levels, article_levels, slots = encoding.levels, encoding.article_levels, encoding.slots
    frame = levels[-1] if encoding.framing == "pad" else None  # A part of a photo needs the photo's own pixels.
    options = {"max_pixels": encoding.max_pixels, "cmyk_profile": encoding.cmyk_profile}
    original = open_photo(entry, frame=frame, **options)
    unprofiled_cmyk = UNPROFILED_CMYK in original.info
    keypoints = entry.outfit.keypoints
    if keypoints is None and encoding.pose_model:
        from tf_outfit_gan.pose_estimation.persons import find_person

        keypoints = find_person(encoding.pose_model, original)
        keypoints[:, 2] = keypoints[:, 2] > 0
    photo, placement = place(original, levels[-1], encoding.framing, keypoints)
    articles = [[b""] * len(slots) for _ in article_levels]
    for slot, article in entry.outfit.articles.items():
        packshot = open_article(article, frame=article_levels[-1], **options)
        unprofiled_cmyk += UNPROFILED_CMYK in packshot.info
        packshot, _ = fit(packshot, article_levels[-1])
        for level, picture in enumerate(_encode_levels(packshot, article_levels)):
            articles[level][slots.index(slot)] = picture
    return Encoded(
        id=entry.id,
        photos=_encode_levels(photo, levels),
        articles=articles,
        keypoints=np.zeros((NUM_JOINTS, 3), np.float32) if keypoints is None else placement.move(keypoints),
        has_keypoints=keypoints is not None,
        unprofiled_cmyk=int(unprofiled_cmyk),
    )


def open_photo(entry, **options):
    """Opens an entry's photo, with the options of `open_image`.

    Raises `UserError` also when its aspect is not that of the picture its pose is of.

    Then height and width are swapped, the photo was cropped, or the pose was found before the photo was turned upright:
    the joints would lie beside the body.
    """
    photo = open_image(entry.image, **options)
    if entry.outfit.pose_size:
        height, width = entry.outfit.pose_size
        expected = photo.height * width / height
        if abs(photo.width - expected) > max(1, ASPECT_TOLERANCE * expected):
            raise UserError(
                f"{entry.image}: {photo.height}x{photo.width} pixels upright, but its keypoints are of a "
                f"picture of {height}x{width}; expected the same aspect"
            )
    return photo


def _encode_levels(image, levels):
    pictures = zip(levels, pyramid(image, levels))
    return [picture.tobytes() if is_raw(level) else _jpeg(picture) for level, picture in pictures]


def _jpeg(image):
    """Baseline, because progressive takes three times as long to decode; with all its color, which is the subject."""
    out = io.BytesIO()
    image.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0, comment=b"")  # Pillow would write the photo's.
    return out.getvalue()
