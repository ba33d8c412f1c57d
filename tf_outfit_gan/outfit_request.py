"""What a user asks a model for, read and checked: outfits, poses, seeds, truncation.

This is the one reader of outfits, for drawing and for the client of a server. It needs no TensorFlow, but for
entries of prepared data. An outfit is one of

    "outfit.json"                                   a file, as docs/data.md describes it
    "DATA:ID"                                       an entry of a prepared data set
    {"articles": {SLOT: ARTICLE}, "keypoints": POSE}    what such a file holds; a manifest's entry has this form, too
    {SLOT: ARTICLE, ..., "keypoints": POSE}             the same, shorter
    a `Request`                                     an outfit that was read before

where an article is the path or the bytes of a picture's file, a Pillow image, an array uint8 [H, W, 3], a `Cutout`, or
{"image", "mask", "classes"} as in a manifest. A pose is a file of keypoints or another outfit.json, "DATA:ID", the
{"format", "points", "size"} of such a file, or an array [K, 3] of x in widths, y in heights, and 1 = there, 0 = not there.
"""

import dataclasses
import hashlib
import numbers
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from PIL import Image

from tf_outfit_gan.data.manifest import Outfit, article_file, load_outfit, load_pose
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.images.article_bytes import article_bytes
from tf_outfit_gan.images.cutout import Cutout
from tf_outfit_gan.pixels import array_to_uint8
from tf_outfit_gan.pose.keypoints import check_pose, read_keypoints
from tf_outfit_gan.slots import SLOTS, slot_index
from tf_outfit_gan.util.errors import UserError

OUTFIT_HELP = "outfit.json (article files by slot, keypoints), or DATA:ID, an entry of a prepared data set"
POSE_HELP = "a file of keypoints, another outfit.json, or DATA:ID"
PSI_HELP = (
    "truncation: 0 = the average picture, 1 = full variety (default: 1 for a conditional model, 0.7 for an unconditional one)"
)
MAX_PSI = 2  # As the exported model has it.

# Words that mean a slot, beside the slot's own name: before a file, or in its name.
ALIASES = {
    "outerwear": ("jacket", "coat", "blazer", "cardigan", "parka"),
    "top": ("shirt", "tshirt", "blouse", "sweater", "pullover", "hoodie"),
    "dress": ("gown",),
    "bottom": ("trousers", "pants", "jeans", "skirt", "shorts"),
    "shoes": ("shoe", "boots", "sneakers", "sandals", "heels"),
    "bag": ("handbag", "backpack", "purse"),
}


@dataclasses.dataclass(frozen=True)
class Request:
    """An outfit as a server would be sent it.

    `articles` holds PNG or JPEG bytes by slot, `keypoints` is a pose [K, 3] or None, `name` what the user called it.
    """

    name: str
    articles: dict[str, bytes]
    keypoints: np.ndarray | None

    def edited(self, add: Iterable[str] = (), remove: Iterable[str] = (), slots: Sequence[str] = SLOTS) -> "Request":
        """The outfit without some slots and with some articles: what --remove SLOT and --add [SLOT=]FILE give."""
        articles = dict(self.articles)
        for slot in remove:
            slot_index(slot, slots)
            if articles.pop(slot, None) is None:
                raise UserError(f"--remove {slot}: not in {self.name}, which wears {', '.join(articles) or 'nothing'}")
        for text in add:
            slot, file = parse_article(text, slots)
            articles[slot] = article_bytes(file)
        return dataclasses.replace(self, articles=articles)

    def checksum(self) -> str:
        """Of the articles and the pose, in 16 hexadecimal digits: another one where anything else is to be drawn."""
        found = hashlib.sha256()
        for slot, article in sorted(self.articles.items()):
            found.update(f"{slot} {len(article)} ".encode() + article)
        found.update(b"" if self.keypoints is None else np.asarray(self.keypoints, np.float32).tobytes())
        return found.hexdigest()[:16]

    def checked(self) -> "Request":
        """Itself, if there is a pose to draw it in."""
        if self.keypoints is None:
            raise UserError(f"{self.name}: has no keypoints; a conditional model needs a pose: add them, or give one (--pose)")
        return self


ArticleLike = str | os.PathLike[str] | bytes | Image.Image | np.ndarray | Cutout | Mapping[str, Any]
PoseLike = str | os.PathLike[str] | Mapping[str, Any] | ArrayLike
OutfitLike = str | os.PathLike[str] | Mapping[str, Any] | Request


def read_request(
    outfit: OutfitLike,
    condition_size: tuple[int, int] | None = None,
    pose: PoseLike | None = None,
    slots: Sequence[str] | None = SLOTS,
) -> Request:
    """Reads an outfit.

    Args:
        outfit: in one of the forms that this module's docstring lists.
        condition_size: the (h, w) at which entries of a data set come; a model's own, or None for the largest stored.
        pose: instead of the outfit's own, in one of the forms of a pose.
        slots: of the model; None = any name, where the model is not known yet.

    Raises:
        UserError: names what is missing, damaged or unknown.
    """
    request = _read_outfit(outfit, condition_size, slots)
    _check_slots(request.articles, slots)
    return request if pose is None else dataclasses.replace(request, keypoints=read_pose(pose))


def _read_outfit(outfit: OutfitLike, condition_size: tuple[int, int] | None, slots: Sequence[str] | None) -> Request:
    if isinstance(outfit, Request):
        return outfit
    if isinstance(outfit, Mapping):
        return _read_mapping(outfit, slots)
    if not isinstance(outfit, (str, os.PathLike)):
        raise UserError(f"expected an outfit: the path of an outfit.json, DATA:ID or a dict, got {outfit!r:.80}")
    text = os.fspath(outfit)
    if not _is_entry(text):
        return read_articles(text, load_outfit(text, slots))
    entry, stored = _read_entry(text, condition_size, level=-1)
    # A missing article is 0 throughout; no pixel of another one is.
    articles = {
        slot: article_bytes(array_to_uint8(article), f"{slot} of {text}")
        for slot, article in zip(stored, entry["articles"].numpy())
        if article.any()
    }
    return Request(text, articles, _pose_or_none(entry))


def read_articles(name: str, outfit: Outfit) -> Request:
    """Reads the articles' files of an outfit; raises `UserError` that names one that cannot be used."""
    return Request(name, {slot: article_bytes(file) for slot, file in outfit.articles.items()}, outfit.keypoints)


def _read_mapping(fields: Mapping[str, Any], slots: Sequence[str] | None) -> Request:
    keypoints = fields.get("keypoints")
    articles = fields.get("articles", {key: value for key, value in fields.items() if key != "keypoints"})
    if not isinstance(articles, Mapping):
        raise UserError(f"an outfit's 'articles' must be a dict of slots and pictures, got {articles!r:.80}")
    _check_slots(articles, slots)  # Before any picture is opened.
    articles = {slot: read_article(article, slot) for slot, article in articles.items()}
    return Request("the outfit", articles, None if keypoints is None else read_pose(keypoints))


def _check_slots(articles: Iterable[str], slots: Sequence[str] | None) -> None:
    if slots is not None:
        for slot in articles:
            slot_index(slot, slots)


def read_article(article: ArticleLike, slot: str) -> bytes:
    """Reads one article, in one of the forms that this module's docstring lists, as bytes that a model decodes.

    Raises `UserError` that names the article's slot or file.
    """
    if isinstance(article, Mapping):
        article = article_file(dict(article), slot, Path(), confined=False)
    elif not isinstance(article, (str, os.PathLike, bytes, Image.Image, Cutout)) and not hasattr(article, "__array__"):
        raise UserError(f"{slot}: expected a picture's path or bytes, a Pillow image or an array, got {article!r:.80}")
    return article_bytes(article, None if isinstance(article, (str, os.PathLike, Cutout)) else slot)


def read_pose(pose: PoseLike) -> np.ndarray:
    """Reads a pose, in one of the forms that this module's docstring lists, as float32 [K, 3]; see `pose.mpii`.

    Raises `UserError` that names what is missing, wrong or unknown.
    """
    if isinstance(pose, Mapping):
        return read_pose(pose["keypoints"]) if "keypoints" in pose else read_keypoints(dict(pose))[0]
    if not isinstance(pose, (str, os.PathLike)):
        return check_pose(pose)
    text = os.fspath(pose)
    if not _is_entry(text):
        return load_pose(text)
    found = _pose_or_none(_read_entry(text, level=0)[0])
    if found is None:
        raise UserError(f"{text}: this entry has no keypoints")
    return found


def parse_article(text: str, slots: Sequence[str] = SLOTS) -> tuple[str, str]:
    """Splits "outerwear=photo.jpg" or "jacket=photo.jpg" into slot and file; else a word in the file's name decides."""
    slot, equals, file = text.partition("=")
    if equals and not Path(text).is_file():
        if slot not in slots:
            slot = next((known for known in slots if slot in ALIASES.get(known, ())), slot)
        slot_index(slot, slots)
        return slot, file
    words = set(re.split("[^a-z]+", Path(text).stem.lower()))
    found = [slot for slot in slots if words & {slot, *ALIASES.get(slot, ())}]
    if len(found) != 1:
        raise UserError(
            f"--add {text}: the file's name contains {'no' if not found else 'more than one'} slot; "
            f"say --add SLOT={text} with one of {', '.join(slots)}"
        )
    return found[0], text


def check_seeds(seeds: int | Iterable[int]) -> list[int]:
    """Returns one seed or several as a list that is not empty; raises `UserError` for anything else."""
    try:
        found = list(seeds if isinstance(seeds, Iterable) else [seeds])
    except TypeError:  # An array without an axis.
        found = []
    if not found or any(not isinstance(seed, numbers.Integral) or not -(2**63) <= seed < 2**63 for seed in found):
        raise UserError(f"seeds {seeds!r:.80}: expected one or more integers of 64 bits, such as [1, 2, 3]")
    return [int(seed) for seed in found]


def check_psi(psi: float | None, conditional: bool) -> float:
    """Returns psi, or the model's default for None; raises `UserError` outside of 0 .. `MAX_PSI`."""
    if psi is None:
        return 1.0 if conditional else 0.7
    if not isinstance(psi, numbers.Real) or not 0 <= psi <= MAX_PSI:
        raise UserError(f"psi {psi!r}: expected a number from 0 to {MAX_PSI}")
    return float(psi)


def check_layers(layers: tuple[int, int], num_layers: int) -> tuple[int, int]:
    """Returns the style layers (begin, end), from 0, the end not included; raises `UserError` where they are none."""
    try:
        begin, end = map(int, layers)
    except (TypeError, ValueError):
        begin, end = 0, 0
    if not 0 <= begin < end <= num_layers:
        raise UserError(f"layers {layers!r}: expected (begin, end) with 0 <= begin < end <= {num_layers}")
    return begin, end


def _is_entry(text: str) -> bool:
    return ":" in text and not Path(text).is_file()


def _read_entry(
    text: str, condition_size: tuple[int, int] | None = None, level: int = 0
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Returns (entry as `load_entry` gives it, the data set's slots).

    Its articles have the `condition_size`; if that is None, the size of an article level of the data set: 0 = smallest.
    """
    from tf_outfit_gan.data.pipeline import load_entry

    folder, _, entry_id = text.partition(":")
    dataset = open_dataset(folder)
    return load_entry(dataset, entry_id, dataset.levels[0], condition_size or dataset.article_levels[level]), dataset.slots


def _pose_or_none(entry: dict[str, Any]) -> np.ndarray | None:
    pose = entry["keypoints"].numpy()
    return pose if pose[:, 2].any() else None
