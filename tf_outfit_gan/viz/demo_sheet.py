"""The contact sheet of the demo: what was asked for, the real photo, and what the model drew."""

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tf_outfit_gan.pose.convert import normalized, to_mpii16
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.viz.sheet import CAPTION, FONT_SIZE, GAP, INK, PAPER, save_whole
from tf_outfit_gan.viz.skeleton import draw_skeleton

HEIGHT, WIDTH = 256, 192  # Of a picture on the sheet, in pixels.
GRAY = (128, 128, 128)  # What a model sees for a missing article.
ROWS = 4
TITLE = 52


def draw_sheet(path, folder, entries, plain, jacket):
    """Writes the sheet of a demo folder.

    Args:
        path: where to.
        folder: of the demo.
        entries: manifest entries of `folder/shown`; a row for each of the first four.
        plain: which of them was rendered in the poses of all four rows.
        jacket: the image file of the article that was added to it.
    """
    rows = _titled(
        _below([_entry_row(folder, entry) for entry in entries[:ROWS]]),
        "Outfits that the model never saw: articles (gray = none), pose, photo,\nand what it drew from three seeds.",
    )
    poses = _titled(_picture(folder, "poses"), f"The outfit of row {plain + 1}\nin each row's pose,")
    added = _titled(_picture(folder, "jacket"), "and with a jacket\nput on.")
    jacket = _titled(_article(jacket), "The jacket.\n")
    transfers = [
        _titled(_picture(folder, f"transfer_{what}"), f"The {what} of one picture given to another.\n")
        for what in ("color", "pose")
    ]
    save_whole(_below([_beside([rows, poses, added, jacket]), _beside(transfers)]), path)


def _entry_row(folder, entry):
    """Articles in slot order, the pose, the photo, and the served pictures."""
    articles = Image.new("RGB", (3 * WIDTH // 2, HEIGHT), PAPER)
    for i, slot in enumerate(SLOTS):
        file = entry["articles"].get(slot)
        half = (WIDTH // 2, HEIGHT // 2)
        article = _article(folder / "shown" / file, half) if file else Image.new("RGB", half, GRAY)
        articles.paste(article, (i % 3 * half[0], i // 3 * half[1]))
    keypoints = entry["keypoints"]
    pose = normalized(to_mpii16(keypoints["points"], keypoints["format"]), keypoints["size"])
    skeleton = draw_skeleton(Image.new("RGB", (WIDTH, HEIGHT), GRAY), np.asarray(pose))
    photo = _article(folder / "shown" / entry["image"])
    served = sorted((folder / "pictures").glob(f"served_{entry['id']}-*.png"))
    pictures = [Image.open(file).resize((WIDTH, HEIGHT), Image.Resampling.NEAREST) for file in served]
    return _beside([articles, skeleton, photo, *pictures])


def _article(file, size=(WIDTH, HEIGHT)):
    return Image.open(file).convert("RGB").resize(size, Image.Resampling.LANCZOS)


def _picture(folder, name):
    return Image.open(folder / "pictures" / f"{name}.png")


def _titled(image, title):
    """Puts two lines of text above a picture."""
    sheet = Image.new("RGB", (image.width, image.height + TITLE), PAPER)
    sheet.paste(image, (0, TITLE))
    ImageDraw.Draw(sheet).text((GAP, GAP), title, INK, ImageFont.load_default(FONT_SIZE + 2))
    return sheet


def _beside(images):
    sheet = Image.new("RGB", (sum(i.width + GAP for i in images), max(i.height for i in images)), PAPER)
    left = 0
    for image in images:
        sheet.paste(image, (left, 0))
        left += image.width + GAP
    return sheet


def _below(images):
    sheet = Image.new("RGB", (max(i.width for i in images), sum(i.height + GAP + CAPTION for i in images)), PAPER)
    top = 0
    for image in images:
        sheet.paste(image, (0, top))
        top += image.height + GAP + CAPTION
    return sheet
