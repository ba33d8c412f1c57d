"""Entries side by side as a model sees them: the photo with its skeleton, and the articles in slot order."""

from PIL import Image, ImageDraw

from tf_outfit_gan.data.preparation.encode import open_photo
from tf_outfit_gan.images.cutout import open_article
from tf_outfit_gan.images.open import WHITE, fit
from tf_outfit_gan.pixels import array_to_uint8
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.viz.sheet import MISSING
from tf_outfit_gan.viz.skeleton import CELL_HEIGHT, draw_skeleton

# Entries that stand side by side, the pixels between cells and between entries, and the paper under white articles.
COLUMNS, GAP, GUTTER, PAGE = 2, 4, 28, (222, 226, 232)


def contact_sheet(rows):
    """Draws rows (id, [photo, articles ...]) of Pillow pictures of one size, as `recorded` and `listed` make them."""
    cells = [list(map(_enlarged, pictures)) for _, pictures in rows]
    width, height = cells[0][0].width + GAP, cells[0][0].height + GAP
    block = len(cells[0]) * width + GUTTER
    columns = min(COLUMNS, len(rows))
    sheet = Image.new("RGB", (columns * block - GUTTER + GAP, -(-len(rows) // columns) * height + GAP), PAGE)
    draw = ImageDraw.Draw(sheet)
    for number, ((entry_id, _), row) in enumerate(zip(rows, cells)):
        left, top = number % columns * block + GAP, number // columns * height + GAP
        for place, cell in enumerate(row):
            sheet.paste(cell, (left + place * width, top))
        draw.text((left + 4, top + 2), entry_id, fill="black", stroke_width=2, stroke_fill="white")
    return sheet


def recorded(entry):
    """The row of an entry of records: one of a pipeline's batches without the batch's axis."""
    photo, *articles = (Image.fromarray(array_to_uint8(pixels)) for pixels in (entry["image"], *entry["articles"]))
    return entry["ids"].decode(), [draw_skeleton(_enlarged(photo), entry["keypoints"]), *articles]


def listed(entry, size):
    """The row of a manifest's entry, fitted into (height, width) `size` as `prepare` would."""
    photo, placement = fit(open_photo(entry), size)
    outfit = entry.outfit
    if outfit.keypoints is not None:
        photo = draw_skeleton(_enlarged(photo), placement.move(outfit.keypoints))
    missing = Image.new("RGB", size[::-1], MISSING)
    articles = [
        fit(open_article(outfit.articles[slot]), size, WHITE)[0] if slot in outfit.articles else missing for slot in SLOTS
    ]
    return entry.id, [photo, *articles]


def _enlarged(image):
    scale = max(1, CELL_HEIGHT // image.height)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)
