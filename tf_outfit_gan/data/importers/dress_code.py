"""Dress Code (Morelli et al., 2022): a garment and a person wearing it, in three categories, poses of 18 points.

    dresses/, upper_body/, lower_body/     train_pairs.txt  test_pairs_paired.txt  test_pairs_unpaired.txt
                                           images/000000_0.jpg (person), 000000_1.jpg (garment)
                                           keypoints/000000_2.json
    FastFit's copy: person/, cloth/, and at the top a test_pairs_unpaired.txt whose third column is the category

Person and garment of a pair share a number, so the second column, a garment to try on, is not needed.
"""

from functools import partial
from pathlib import PurePath

from tf_outfit_gan.data.importers.listings import all_of, read_json, table
from tf_outfit_gan.util.errors import UserError

# upper_body has jackets too, which nothing distinguishes from tops. The short names are those of the third column.
SLOT_OF = {"dresses": "dress", "upper_body": "top", "lower_body": "bottom", "upper": "top", "lower": "bottom"}
CATEGORIES = ("dresses", "upper_body", "lower_body")

# The points are in pixels of photos of half the released size, (height, width).
SIZE = [512, 384]


def dress_code(source):
    """Yields the rows of Dress Code's categories, or of FastFit's copy; without keypoints/, entries without a pose."""
    for folder in [source / name for name in CATEGORIES if (source / name).is_dir()] or [source]:
        names = all_of(folder, "train_pairs.txt", "test_pairs_paired.txt", "test_pairs_unpaired.txt")
        if "test_pairs_paired.txt" in names and "test_pairs_unpaired.txt" in names:
            names.remove("test_pairs_unpaired.txt")  # The same people once more.
        for name in names:
            listing = (folder / name).relative_to(source)
            for line, words in table(folder / name):
                category = words[2] if len(words) > 2 else folder.name
                fields_of = partial(_fields, source, folder, name.split("_")[0], words[0], category)
                yield f"{listing} line", line, number_of(words[0]), fields_of


def _fields(source, folder, split, photo, category):
    if category not in SLOT_OF:
        raise UserError(f"category {category!r}: expected one of {', '.join(SLOT_OF)}")
    people, garments = (new if (folder / new).is_dir() else "images" for new in ("person", "cloth"))
    folder_name = folder.relative_to(source)
    garment = f"{number_of(photo)}_1{PurePath(photo).suffix}"
    fields = {
        "image": f"{folder_name}/{people}/{photo}",
        "articles": {SLOT_OF[category]: f"{folder_name}/{garments}/{garment}"},
        "split": split,
    }
    if (folder / "keypoints").is_dir():
        fields["keypoints"] = dress_code_pose(folder / "keypoints" / pose_name(photo))
    return fields


def number_of(photo):
    """The number that all files of a pair share: 000000 of 000000_0.jpg."""
    return PurePath(photo).stem.split("_")[0]


def pose_name(photo):
    """The name of a photo's file in keypoints/."""
    return f"{number_of(photo)}_2.json"


def dress_code_pose(path):
    """Reads a file of keypoints/, {"keypoints": [[x, y, confidence, candidate], ...]}, as a manifest's keypoints.

    The place in the list is the part, not the fourth number. A missing point is -1; one at 0 or less was guessed at the
    edge of the photos, which are cropped through the face, and is taken as missing as well. Raises `UserError` for a
    file that is missing or broken.
    """
    found = read_json(path)
    try:
        points = [[x, y, confidence if x > 0 and y > 0 else 0] for x, y, confidence, *_ in found["keypoints"]]
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{path}: expected keypoints, a list of [x, y, confidence, candidate]") from None
    return {"format": "body18", "points": points, "size": SIZE}
