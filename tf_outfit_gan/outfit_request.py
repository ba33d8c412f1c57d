"""What a user asks a model for, read and checked: outfits, poses, seeds, truncation, and a place for the picture.

An outfit is a file, outfit.json, or an entry of a prepared data set, DATA:ID; so is a pose.
"""

import dataclasses
import io
import re
from pathlib import Path

import numpy as np
from PIL import Image

from tf_outfit_gan.data.manifest import load_outfit, load_pose
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.images.cutout import Cutout, open_article
from tf_outfit_gan.pixels import array_to_uint8
from tf_outfit_gan.slots import SLOTS, slot_index
from tf_outfit_gan.util.errors import UserError

OUTFIT_HELP = "outfit.json (article files by slot, keypoints), or DATA:ID, an entry of a prepared data set"
POSE_HELP = "a file of keypoints, another outfit.json, or DATA:ID"
PSI_HELP = ("truncation: 0 = the average picture, 1 = full variety "
            "(default: 1 for a conditional model, 0.7 for an unconditional one)")
MAX_PSI = 2  # As the exported model has it.

# Words in a file's name that tell the slot of its article; a slot's own name is one too.
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
    articles: dict
    keypoints: np.ndarray | None

    def edited(self, add=(), remove=()):
        """The outfit without some slots and with some articles: what --remove SLOT and --add [SLOT=]FILE give."""
        articles = dict(self.articles)
        for slot in remove:
            slot_index(slot)
            if articles.pop(slot, None) is None:
                raise UserError(f"--remove {slot}: not in {self.name}, which wears {', '.join(articles) or 'nothing'}")
        for text in add:
            slot, file = parse_article(text)
            articles[slot] = read_article(file)
        return dataclasses.replace(self, articles=articles)

    def checked(self, option):
        """Itself, if there is a pose to draw it in."""
        if self.keypoints is None:
            raise UserError(f"{option} {self.name}: has no keypoints; a conditional model needs a pose")
        return self


def read_request(text, condition_size):
    """Reads an outfit as a `Request`; entries of a data set come at the model's (h, w) `condition_size`."""
    if not _is_entry(text):
        outfit = load_outfit(text)
        return Request(text, {slot: read_article(file) for slot, file in outfit.articles.items()}, outfit.keypoints)
    entry, slots = _read_entry(text, condition_size)
    # A missing article is 0 throughout; no pixel of another one is.
    articles = {slot: _png(Image.fromarray(array_to_uint8(article)))
                for slot, article in zip(slots, entry["articles"].numpy()) if article.any()}
    return Request(text, articles, _pose_or_none(entry))


def read_pose(text):
    """Reads a pose [K, 3]."""
    if not _is_entry(text):
        return load_pose(text)
    pose = _pose_or_none(_read_entry(text)[0])
    if pose is None:
        raise UserError(f"{text}: this entry has no keypoints")
    return pose


def read_article(file):
    """Reads an article's picture as bytes that the model decodes: what is not upright PNG or JPEG is made a PNG.

    So is one whose colours only its profile tells, or in inks: the model's decoder takes all numbers for sRGB.
    """
    from tf_outfit_gan.images.decode_in_graph import MAX_SIDE
    from tf_outfit_gan.images.header_in_graph import JPEG, PNG

    image = open_article(file)
    if max(image.size) > MAX_SIDE:
        raise UserError(f"{file}: {image.height}x{image.width} pixels; expected sides of {MAX_SIDE} at most")
    if isinstance(file, Cutout):
        return _png(image)
    content = Path(file).read_bytes()
    with Image.open(io.BytesIO(content)) as found:
        plain = found.mode != "CMYK" and "icc_profile" not in found.info and found.getexif().get(0x0112, 1) == 1
    return content if content.startswith((PNG, JPEG)) and plain else _png(image)


def parse_article(text):
    """Splits "outerwear=photo.jpg" into slot and file; without a slot, a word in the file's name tells it."""
    slot, equals, file = text.partition("=")
    if equals and not Path(text).is_file():
        slot_index(slot)
        return slot, file
    words = set(re.split("[^a-z]+", Path(text).stem.lower()))
    slots = [slot for slot in SLOTS if words & {slot, *ALIASES[slot]}]
    if len(slots) != 1:
        raise UserError(f"--add {text}: the file's name tells {'no' if not slots else 'more than one'} slot; "
                        f"say --add SLOT={text} with one of {', '.join(SLOTS)}")
    return slots[0], text


def parse_seeds(text):
    """Reads "1,2,3"."""
    try:
        seeds = [int(seed) for seed in text.split(",")]
    except ValueError:
        seeds = []
    if not seeds or any(not -(2**63) <= seed < 2**63 for seed in seeds):
        raise UserError(f"seeds {text!r}: expected integers of 64 bits separated by commas, such as 1,2,3")
    return seeds


def check_psi(psi, conditional):
    """Returns psi, or the model's default for None."""
    if psi is None:
        return 1.0 if conditional else 0.7
    if not 0 <= psi <= MAX_PSI:
        raise UserError(f"--psi {psi:g}: expected a number from 0 to {MAX_PSI}")
    return psi


def check_out(text):
    """Returns the path of the picture to write."""
    out = Path(text)
    if out.suffix.lower() != ".png":
        raise UserError(f"--out {out}: expected a name that ends in .png")
    if not out.parent.is_dir():
        raise UserError(f"--out {out}: no such folder {out.parent}")
    return out


def _is_entry(text):
    return ":" in text and not Path(text).is_file()


def _read_entry(text, condition_size=None):
    """Returns (entry as `load_entry` gives it, the data set's slots); at the smallest size if none is asked for."""
    from tf_outfit_gan.data.pipeline import load_entry

    folder, _, entry_id = text.partition(":")
    dataset = open_dataset(folder)
    return load_entry(dataset, entry_id, dataset.levels[0], condition_size or dataset.levels[0]), dataset.slots


def _pose_or_none(entry):
    pose = entry["keypoints"].numpy()
    return pose if pose[:, 2].any() else None


def _png(image):
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=1)
    return out.getvalue()
