"""Small catalogues whose every pixel a test can predict: flat colors, left and right halves different."""

import json

import numpy as np
from PIL import Image

from tf_outfit_gan.slots import SLOTS


def photo_pixels(index, size):
    """The photo of an entry: its number in the left half's red, 200 in the right half's."""
    pixels = np.full((*size, 3), 90, np.uint8)
    pixels[:, : size[1] // 2, 0] = index % 256
    pixels[:, size[1] // 2 :, 0] = 200
    return pixels


def article_pixels(index, slot, size):
    """An article: the entry's number in red, the slot's in green, a dark left half in blue."""
    pixels = np.full((*size, 3), 255, np.uint8)
    pixels[..., 0] = index % 256
    pixels[..., 1] = SLOTS.index(slot) * 40
    pixels[:, : size[1] // 2, 2] = 10
    return pixels


def worn(index):
    """The slots that an entry wears; the first wears none."""
    return [slot for number, slot in enumerate(SLOTS) if index >> number & 1]


def pose_points(index, size):
    """16 joints inside the picture; joint 3 is missing."""
    points = np.random.default_rng(index).uniform(0, 1, (16, 3)) * [size[1], size[0], 0] + [0, 0, 1]
    points[3] = 0
    return points.round(3).tolist()


def write_catalogue(folder, count, size=(16, 12), *, test_every=5, poses=True, suffix="png"):
    """Writes `count` entries e000, e001 ... with pictures of `size`; each test_every-th is for testing."""
    folder.mkdir(parents=True)
    lines = []
    for index in range(count):
        name = f"e{index:03d}"
        Image.fromarray(photo_pixels(index, size)).save(folder / f"{name}.{suffix}")
        articles = {}
        for slot in worn(index):
            articles[slot] = f"{name}_{slot}.{suffix}"
            Image.fromarray(article_pixels(index, slot, size)).save(folder / articles[slot])
        entry = {
            "id": name,
            "image": f"{name}.{suffix}",
            "articles": articles,
            "split": "test" if index % test_every == 0 else "train",
        }
        if poses:
            entry["keypoints"] = {"format": "mpii16", "points": pose_points(index, size), "size": list(size)}
        lines.append(json.dumps(entry))
    (folder / "manifest.jsonl").write_text("\n".join(lines) + "\n")
    return folder
