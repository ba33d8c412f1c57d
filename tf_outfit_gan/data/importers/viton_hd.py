"""VITON-HD (Choi et al., CVPR 2021): a top and a person wearing it, poses as OpenPose JSON.

    train_pairs.txt, test_pairs.txt                         "<person>.jpg <cloth>.jpg"; those for testing are unpaired
    train/, test/   image/  cloth/  openpose_json/          or openpose-json, as the first release had it

What a person in a photo wears has the photo's name, so the second column, a garment to try on, is not needed.
"""

from functools import partial
from pathlib import PurePath

from tf_outfit_gan.data.importers.listings import all_of, first_of, read_json, table
from tf_outfit_gan.util.errors import UserError

# The poses are in pixels of the released photos, (height, width).
SIZE = [1024, 768]


def viton_hd(source):
    """Yields the rows of a folder such as zalando-hd-resized; without OpenPose files, entries without a pose."""
    for listing in all_of(source, "train_pairs.txt", "test_pairs.txt"):
        split = listing.removesuffix("_pairs.txt")
        poses = first_of(source / split, "openpose_json", "openpose-json")
        for line, words in table(source / listing):
            photo = words[0]
            yield f"{listing} line", line, PurePath(photo).stem, partial(_fields, source, split, photo, poses)


def _fields(source, split, photo, poses):
    fields = {"image": f"{split}/image/{photo}", "articles": {"top": f"{split}/cloth/{photo}"}, "split": split}
    if poses:
        points = openpose_points(source / split / poses / f"{PurePath(photo).stem}_keypoints.json")
        fields["keypoints"] = {"format": "body25", "points": points, "size": SIZE}
    return fields


def openpose_points(path):
    """Reads the points [25, 3] of one person in an OpenPose file: of several, the one with the most confidence.

    Raises `UserError` for a file that is missing, broken, or holds no person.
    """
    found = read_json(path)
    try:
        people = [_triples(person["pose_keypoints_2d"]) for person in found["people"]]
        if not people:
            raise UserError(f"{path}: no person: 'people' is empty")
        return max(people, key=lambda points: sum(confidence for _, _, confidence in points))
    except (KeyError, TypeError):
        raise UserError(f"{path}: expected people with their pose_keypoints_2d, as OpenPose writes it") from None


def _triples(flat):
    return [list(triple) for triple in zip(flat[0::3], flat[1::3], flat[2::3], strict=False)]
