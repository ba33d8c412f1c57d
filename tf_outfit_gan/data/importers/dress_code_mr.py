"""DressCode-MR (Chong et al., FastFit, 2025): people of Dress Code with up to five articles each.

    train.jsonl, test.jsonl     {"person": "person/000000_0.jpg", "upper": "...", "lower": ..., "shoe": ..., "bag": ...}
    keypoints/000000_2.json     not part of it: Dress Code's, of whose photos these are copies

Poses are released as pictures only. Those of Dress Code, copied or linked into keypoints/ or as Dress Code's own
folders (dresses/keypoints/ ...), are found by the number; without any, entries have no pose. test_unpair.jsonl lists
articles that nobody in a photo wears, so it is not read.
"""

from functools import partial

from tf_outfit_gan.data.importers.dress_code import CATEGORIES, dress_code_pose, number_of, pose_name
from tf_outfit_gan.data.importers.listings import MAX_BYTES, all_of
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import json_object, read_file

SLOT_OF = {"upper": "top", "overall": "dress", "lower": "bottom", "shoe": "shoes", "bag": "bag"}


def dress_code_mr(source):
    """Yields the rows of train.jsonl and test.jsonl."""
    folders = [source / "keypoints", *(source / category / "keypoints" for category in CATEGORIES)]
    folders = [folder for folder in folders if folder.is_dir()]
    for listing in all_of(source, "train.jsonl", "test.jsonl"):
        for line, text in enumerate(read_file(source / listing, MAX_BYTES).split(b"\n"), start=1):
            if text.strip():
                yield f"{listing} line", line, None, partial(_fields, text, listing.removesuffix(".jsonl"), folders)


def _fields(text, split, folders):
    row = json_object(text)
    photo = row["person"]
    fields = {
        "id": number_of(photo),
        "image": photo,
        "split": split,
        "articles": {slot: row[name] for name, slot in SLOT_OF.items() if row.get(name)},
    }
    if folders:
        name = pose_name(photo)
        path = next((folder / name for folder in folders if (folder / name).is_file()), None)
        if path is None:
            raise UserError(f"{name}: no such file in {' or '.join(map(str, folders))}")
        fields["keypoints"] = dress_code_pose(path)
    return fields
