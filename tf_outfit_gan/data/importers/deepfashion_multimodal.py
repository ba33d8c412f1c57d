"""DeepFashion-MultiModal (Jiang et al., Text2Human, 2022): people, their parsing, and 21 points set by hand.

    images/MEN-Denim-id_00000265-01_1_front.jpg       or image/
    segm/MEN-Denim-id_00000265-01_1_front_segm.png    or parsing/; full-body photos only, 24 classes
    keypoints/keypoints_loc.txt                       "<photo> x1 y1 ... x21 y21", -1 -1 = not there
    keypoints/keypoints_vis.txt                       "<photo> v1 ... v21", 0 = visible, 1 = hidden, 2 = not there

There are no photos of articles, so they are cut out of photos of people by the parsing. Of each article, that is the
photo of the same look that shows most of it, other than the entry's own: what the model is given must not lie pixel
by pixel in what it has to draw. A look with one photo gives its own parts. They lie on white, like the packshots
of every other catalogue, for gray means that an article is missing.

There is no split. One item in ten is for testing, by a hash of its name, so no look stands in both splits.
"""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import PurePath

import numpy as np

from tf_outfit_gan.data.importers.listings import all_of, table
from tf_outfit_gan.images.cutout import read_mask
from tf_outfit_gan.util.errors import UserError

# The parsing's classes by slot: outer; top; dress, rompers; skirt, pants, leggings; footwear; bag.
CLASSES = {"outerwear": [2], "top": [1], "dress": [4, 21], "bottom": [3, 5, 6], "shoes": [11], "bag": [12]}
NUM_CLASSES = 24

# A part below this share of a photo is a speck of the parsing rather than an article.
MIN_SHARE = 0.001

# The points are in pixels of the released photos, (height, width).
SIZE = [1101, 750]
NUM_POINTS = 21
THERE = ("0", "1")

TEST_EVERY = 10


@dataclass(frozen=True)
class Parsing:
    """What a mask [H, W] shows of each slot, as a share of the photo, and a checksum of it."""

    mask: str
    shares: dict
    sha256: str


def deepfashion_multimodal(source):
    """Yields the rows of keypoints_loc.txt; raises `UserError` when a folder or listing is not there."""
    images, masks = (all_of(source, *names)[0] for names in (("images", "image"), ("segm", "parsing")))
    rows = list(table(source / "keypoints/keypoints_loc.txt"))
    visibility = {words[0]: words[1:] for _, words in table(source / "keypoints/keypoints_vis.txt")}

    # Every parsing is read first: which photo gives an article depends on all photos of the look.
    photos = list(dict.fromkeys(photo for _, (photo, *_) in rows))
    with ThreadPoolExecutor() as pool:
        parsings = dict(zip(photos, pool.map(partial(_parsing, source, masks), photos)))
    looks = {}
    for photo in photos:
        looks.setdefault(_look(photo), []).append(photo)

    def fields_of(photo, numbers):
        if isinstance(parsings[photo], UserError):
            raise parsings[photo]
        test = hashlib.sha256(_look(photo).rsplit("-", 1)[0].encode()).digest()[0] % TEST_EVERY == 0
        return {
            "image": f"{images}/{photo}",
            "articles": _articles(images, photo, looks[_look(photo)], parsings),
            "keypoints": {"format": "deepfashion21", "points": _points(numbers, visibility.get(photo)), "size": SIZE},
            "split": "test" if test else "train",
            "parsing_sha256": parsings[photo].sha256,
        }

    for line, (photo, *numbers) in rows:
        yield "keypoints/keypoints_loc.txt line", line, PurePath(photo).stem, partial(fields_of, photo, numbers)


def _look(photo):
    """Item and color: MEN-Denim-id_00000265-01 of MEN-Denim-id_00000265-01_1_front.jpg."""
    return PurePath(photo).stem.rsplit("_", 2)[0]


def _parsing(source, masks, photo):
    """Reads the `Parsing` of a photo, or returns the `UserError` that says why there is none."""
    mask = f"{masks}/{PurePath(photo).stem}_segm.png"
    try:
        pixels = read_mask(source / mask)
    except UserError as error:
        return error
    counts = np.bincount(pixels.ravel(), minlength=NUM_CLASSES) / pixels.size
    shares = {slot: float(sum(counts[number] for number in classes)) for slot, classes in CLASSES.items()}
    return Parsing(mask, shares, hashlib.sha256(pixels.tobytes()).hexdigest())


def _articles(images, photo, look, parsings):
    """Says, for each slot that a photo shows, out of which photo of its look the article is cut."""
    articles = {}
    for slot, classes in CLASSES.items():
        if parsings[photo].shares[slot] < MIN_SHARE:
            continue
        others = {
            other: parsings[other].shares[slot] for other in look if other != photo and isinstance(parsings[other], Parsing)
        }
        best = max(others, key=others.get, default=photo)
        giver = best if others.get(best, 0) >= MIN_SHARE else photo
        articles[slot] = {"image": f"{images}/{giver}", "mask": parsings[giver].mask, "classes": classes}
    return articles


def _points(numbers, marks):
    """Joins a line of places and a line of visibility as points [21, 3]; a hidden joint is there, an absent is not."""
    if marks is None:
        raise UserError("keypoints_vis.txt has no line of this photo")
    try:
        places = [float(number) for number in numbers]
    except ValueError:
        places = []
    if len(places) != 2 * NUM_POINTS or len(marks) != NUM_POINTS:
        raise UserError(f"expected {NUM_POINTS} times x y, and as many marks in keypoints_vis.txt")
    return [[x, y, float(mark in THERE and (x, y) != (-1, -1))] for x, y, mark in zip(places[0::2], places[1::2], marks)]
