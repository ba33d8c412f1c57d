"""The contact sheet of the demo: what was asked for, the real photo, and what the model drew."""

import numpy as np
from PIL import Image

from tf_outfit_gan.pose.convert import normalized, to_mpii16
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.viz.montage import MISSING, montage, save_whole
from tf_outfit_gan.viz.skeleton import draw_skeleton

HEIGHT, WIDTH = 256, 192  # Of a picture on the sheet, in pixels.
ROWS = 4


def draw_sheet(path, folder, entries, plain, jacket):
    """Writes the sheet of a demo folder.

    Args:
        path: where to.
        folder: of the demo.
        entries: manifest entries of `folder/shown`; a row for each of the first four.
        plain: which of them was rendered in the poses of all four rows.
        jacket: the image file of the article that was added to it.
    """
    shown = [
        (
            montage([_entry_row(folder, entry) for entry in entries[:ROWS]]),
            "Outfits that the model never saw: articles (gray = none), pose, photo,\nand what it drew from three seeds.",
        ),
        (_picture(folder, "poses"), f"The outfit of row {plain + 1}\nin each row's pose,"),
        (_picture(folder, "jacket"), "and with a jacket\nput on."),
        (montage([[_article(jacket)]]), "The jacket.\n "),
    ]
    transfers = [
        (_picture(folder, f"transfer_{what}"), f"The {what} of one picture given to another.") for what in ("color", "pose")
    ]
    rows = [[montage([[image]], titles=[title], margin=0) for image, title in row] for row in (shown, transfers)]
    save_whole(montage([[montage([row], margin=0)] for row in rows]), path)


def _entry_row(folder, entry):
    """Articles in slot order, the pose, the photo, and the served pictures, each with its caption."""
    half = (WIDTH // 2, HEIGHT // 2)
    files = [entry["articles"].get(slot) for slot in SLOTS]
    articles = [_article(folder / "shown" / file, half) if file else Image.new("RGB", half, MISSING) for file in files]
    keypoints = entry["keypoints"]
    pose = normalized(to_mpii16(keypoints["points"], keypoints["format"]), keypoints["size"])
    skeleton = draw_skeleton(Image.new("RGB", (WIDTH, HEIGHT), MISSING), np.asarray(pose))
    photo = _article(folder / "shown" / entry["image"])
    served = sorted((folder / "pictures").glob(f"served_{entry['id']}-*.png"))
    pictures = [
        (Image.open(file).resize((WIDTH, HEIGHT), Image.Resampling.NEAREST), f"seed {file.stem.rpartition('-')[2]}")
        for file in served
    ]
    wardrobe = montage([articles[:3], articles[3:]], gap=0, margin=0)
    return [(wardrobe, "articles"), (skeleton, "pose"), (photo, "photo"), *pictures]


def _article(file, size=(WIDTH, HEIGHT)):
    return Image.open(file).convert("RGB").resize(size, Image.Resampling.LANCZOS)


def _picture(folder, name):
    return Image.open(folder / "pictures" / f"{name}.png")
