"""VITON-HD (Choi et al., CVPR 2021): a top and a person wearing it, poses as OpenPose JSON.

    train_pairs.txt, test_pairs.txt                         "<person>.jpg <cloth>.jpg"; those for testing are unpaired
    train/, test/   image/  cloth/  openpose_json/          or openpose-json, as the first release had it

What a person in a photo wears has the photo's name, so the second column, a garment to try on, is not needed.
"""

from functools import partial
from pathlib import PurePath

from tf_outfit_gan.data.importers.files import first_of, json_object, listings, table
from tf_outfit_gan.errors import UserError

# The annotations are in pixels of the photos as they are released, (height, width).
SIZE = [1024, 768]
NUM_POINTS = 25


def viton_hd(source):
    """Yields the rows of a folder such as zalando-hd-resized; without OpenPose files, entries without a pose."""
    for listing in listings(source, "train_pairs.txt", "test_pairs.txt"):
        split = listing.removesuffix("_pairs.txt")
        poses = first_of(source / split, "openpose_json", "openpose-json")
        for line, (photo, *_) in table(source / listing):
            name = PurePath(photo).stem
            yield f"{listing} line", line, name, partial(_fields, split, photo, poses and poses / f"{name}_keypoints.json")


def _fields(split, photo, pose_file):
    fields = {"image": f"{split}/image/{photo}", "articles": {"top": f"{split}/cloth/{photo}"}, "split": split}
    if pose_file:
        fields["keypoints"] = {"format": "body25", "points": openpose_person(pose_file), "size": SIZE}
    return fields


def openpose_person(path):
    """Reads the points [25, 3] of the one person in an OpenPose file: of several, who has the most confidence.

    Raises `UserError` for a file that is missing, broken, or has nobody in it.
    """
    people = json_object(path).get("people")
    if not isinstance(people, list):
        raise UserError(f"{path}: expected a list of people, found {people!r:.80}")
    found = [_points(person, path) for person in people]
    if not found:
        raise UserError(f"{path}: nobody in it (people is empty)")
    return max(found, key=lambda points: sum(confidence for _, _, confidence in points))


def _points(person, path):
    flat = person.get("pose_keypoints_2d") if isinstance(person, dict) else None
    if not isinstance(flat, list) or len(flat) != 3 * NUM_POINTS or any(type(n) not in (int, float) for n in flat):
        raise UserError(f"{path}: expected pose_keypoints_2d with {NUM_POINTS} times x, y, confidence, "
                        f"found {flat!r:.80}")
    return [flat[start:start + 3] for start in range(0, len(flat), 3)]
