"""Entries side by side as a model sees them: the photo with its skeleton, and the articles in slot order."""

from PIL import Image

from tf_outfit_gan.data.preparation.encode import open_photo
from tf_outfit_gan.images.cutout import open_article
from tf_outfit_gan.images.open import fit
from tf_outfit_gan.pixels import array_to_uint8
from tf_outfit_gan.viz.montage import MISSING, enlarged, montage
from tf_outfit_gan.viz.skeleton import draw_skeleton

# Entries that stand side by side, the pixels between cells and between entries, and the paper under white articles.
COLUMNS, GAP, GUTTER, PAGE = 2, 4, 20, (222, 226, 232)


def contact_sheet(rows):
    """Draws rows (id, [photo, articles ...]) of Pillow pictures of one size, as `recorded` and `listed` make them."""
    entries = [
        montage([list(map(enlarged, pictures))], titles=[entry_id], gap=GAP, margin=0, paper=PAGE) for entry_id, pictures in rows
    ]
    return montage([entries[start : start + COLUMNS] for start in range(0, len(entries), COLUMNS)], gap=GUTTER, paper=PAGE)


def recorded(entry):
    """The row of an entry of records: one of a pipeline's batches without the batch's axis."""
    photo, *articles = (Image.fromarray(array_to_uint8(pixels)) for pixels in (entry["image"], *entry["articles"]))
    articles = [article.resize(photo.size) for article in articles]  # Smaller ones are stored than of photos.
    return entry["ids"].decode(), [draw_skeleton(enlarged(photo), entry["keypoints"]), *articles]


def listed(entry, size, slots, max_pixels):
    """The row of a manifest's entry with articles in the order of `slots`, fitted into (height, width) `size`."""
    options = {"frame": size, "max_pixels": max_pixels}
    photo, placement = fit(open_photo(entry, **options), size)
    outfit = entry.outfit
    if outfit.keypoints is not None:
        photo = draw_skeleton(enlarged(photo), placement.move(outfit.keypoints))
    missing = Image.new("RGB", size[::-1], MISSING)
    worn = {slot: fit(open_article(article, **options), size)[0] for slot, article in outfit.articles.items()}
    return entry.id, [photo, *(worn.get(slot, missing) for slot in slots)]
