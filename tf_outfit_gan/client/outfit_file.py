"""An outfit as a user writes it: outfit.json with articles by slot and keypoints in pixels, read and checked.

Needs the standard library only, so that a client runs where no model does.
"""

import json
import math
from pathlib import Path

from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError

NUM_KEYPOINTS = 16  # As many as `pose.mpii` has, which needs NumPy; a test holds it equal.
KEYPOINT_FORMAT = "mpii16"

# What the exported model decodes, by its first bytes.
IMAGE_MAGIC = {"PNG": b"\x89PNG\r\n\x1a\n", "JPEG": b"\xff\xd8\xff"}


def read_outfit(path):
    """Reads outfit.json.

    Returns: (path of an image file by slot, keypoints as in `normalize_keypoints` or None when the file has none).
    Raises: `UserError`.
    """
    outfit = _read_json(path)
    articles = outfit.get("articles")
    if not isinstance(articles, dict):
        raise UserError(f'{path}: expected "articles": {{"top": "top.jpg", ...}}, found {_found(articles)}')
    for slot, article in articles.items():
        check_slot(slot, path)
        if not isinstance(article, str):
            raise UserError(f"{path}: article {slot!r}: expected the path of an image file, found {_found(article)}")
    articles = {slot: Path(path).parent / article for slot, article in articles.items()}
    return articles, normalize_keypoints(outfit["keypoints"], path) if "keypoints" in outfit else None


def read_pose(path):
    """Reads a pose: keypoints alone, or any file with a "keypoints" member, such as another outfit.json."""
    pose = _read_json(path)
    return normalize_keypoints(pose.get("keypoints", pose), path)


def read_article(article, slot):
    """Returns an article's encoded bytes, from a path or as given; refuses what is not PNG or JPEG."""
    if isinstance(article, bytes):
        image, name = article, f"article {slot!r}"
    else:
        name = f"{article} ({slot})"
        try:
            image = Path(article).read_bytes()
        except OSError as error:
            raise UserError(f"{name}: cannot be read: {error.strerror}") from None
    if not image.startswith(tuple(IMAGE_MAGIC.values())):
        raise UserError(f"{name}: not a PNG or JPEG image (it begins with {image[:8]!r}); convert it to one of them")
    return image


def check_slot(slot, place):
    """Raises `UserError` for a slot's name that no model knows."""
    if slot not in SLOTS:
        raise UserError(f"{place}: unknown slot {slot!r}; expected one of {', '.join(SLOTS)}")


def normalize_keypoints(keypoints, place):
    """Turns {"format", "points": [[x, y, confidence]] * 16 in pixels, "size": [height, width]} into model inputs.

    Returns: [[x in widths, y in heights, 1.0 or 0.0]] * 16; a point without confidence or place is 0.0 throughout.
    Raises: `UserError` that names `place`.
    """
    if not isinstance(keypoints, dict):
        raise UserError(f'{place}: keypoints: expected an object with "format", "points" and "size", '
                        f"found {_found(keypoints)}")
    if keypoints.get("format") != KEYPOINT_FORMAT:
        raise UserError(f"{place}: keypoints: expected \"format\": \"{KEYPOINT_FORMAT}\", found "
                        f"{_found(keypoints.get('format'))}; convert the keypoints first")
    size = keypoints.get("size")
    if not _is_numbers(size, 2) or not all(side > 0 for side in size):
        raise UserError(f'{place}: keypoints: expected "size": [height, width] in pixels, found {_found(size)}')
    points = keypoints.get("points")
    if not isinstance(points, list) or len(points) != NUM_KEYPOINTS:
        count = f"{len(points)} points" if isinstance(points, list) else _found(points)
        raise UserError(f"{place}: keypoints: expected {NUM_KEYPOINTS} points, found {count}")
    for index, point in enumerate(points):
        if not _is_numbers(point, 3):
            raise UserError(f"{place}: keypoints: point {index}: expected [x, y, confidence], found {_found(point)}")
    height, width = size
    return [
        [x / width, y / height, 1.0] if confidence > 0 and math.isfinite(x) and math.isfinite(y) else [0.0, 0.0, 0.0]
        for x, y, confidence in points
    ]


def _is_numbers(value, count):
    return isinstance(value, list) and len(value) == count and all(
        isinstance(number, (int, float)) and not isinstance(number, bool) for number in value)


def _read_json(path):
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UserError(f"{path}: not a JSON file: {error}") from None
    if not isinstance(content, dict):
        raise UserError(f"{path}: expected a JSON object, found {_found(content)}")
    return content


def _found(value):
    return "nothing" if value is None else json.dumps(value)[:60]
