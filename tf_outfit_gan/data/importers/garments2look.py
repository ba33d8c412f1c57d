"""Garments2Look (Hu et al., CVPR 2026): whole outfits with their garments, from two shops.

    mytheresa_outfit_v1.0_2512.json     {outfit: {"gender", "section": "train|test", "is_official_look",
                                                  "outfit": {garment: name}, "outfit_info": {"dressing_details":
                                                  {"layering_structure": [garments, from the skin outwards]}}}}
    mytheresa_image_v1.0_2512.json      {garment: {"type", "main_category", "images": {"product": {"full": [file]}}}}
    mytheresa/images/<garment>/<file>   mytheresa/looks-resized/<gender>/<outfit>.png or .jpg
    polyvore_..., polyvore/             the same, but images/<gender>/<type>/<garment>.jpg

There are no keypoints: unless an estimator fills them in, entries have no pose. Accessories have no slot. A garment
whose id begins with U, or of which the shop has no whole picture, or whose file is missing, is worn but cannot be given to
the model.
"""

import re
from functools import partial

from tf_outfit_gan.data.importers.listings import first_of, read_json
from tf_outfit_gan.util.errors import UserError

SHOPS = ("mytheresa", "polyvore")

UPPER = "clothing::top/full"
SLOT_OF = {"clothing::bottom": "bottom", "shoes": "shoes", "bag": "bag"}

# Words that divide the category UPPER.
OUTERWEAR = re.compile(r"\b(jackets?|blazers?|(over|rain|trench)?coats?|outwear|outerwear|cardigans?)\b")
DRESS = re.compile(r"\b(\w*dress(es)?(?! shirt)|jumpsuits?|playsuits?)\b")


def garments2look(source, official=False):
    """Yields the rows of both shops, or of whichever is there; raises `UserError` when none is."""
    shops = [shop for shop in SHOPS if any(source.glob(f"{shop}_outfit_v*.json"))]
    if not shops:
        raise UserError(
            f"{source}: expected a folder that holds mytheresa_outfit_v1.0_2512.json or polyvore_outfit_..., found none of them"
        )
    for shop in shops:
        listing = _newest(source, f"{shop}_outfit_v*.json")
        garments = read_json(_newest(source, f"{shop}_image_v*.json"))
        for number, (look_id, look) in enumerate(read_json(listing).items(), start=1):
            if not official or (isinstance(look, dict) and look.get("is_official_look")):
                yield f"{listing.name} look", number, look_id, partial(_fields, source, shop, garments, look_id, look)


def garments2look_official(source):
    """Yields the rows of the looks that were photographed; the listing says that a model drew the others."""
    return garments2look(source, official=True)


def _newest(source, pattern):
    files = sorted(source.glob(pattern))
    if not files:
        raise UserError(f"{source / pattern}: no such file")
    return files[-1]


def _fields(source, shop, garments, look_id, look):
    gender = look["gender"]
    folder = f"{shop}/looks-resized/{gender}"
    photo = first_of(source / folder, f"{look_id}.png", f"{look_id}.jpg") or f"{look_id}.png"
    pictures, slots = {}, {}
    for garment, name in look["outfit"].items():
        described = garments.get(garment)
        if garment.startswith("U") or described is None:
            continue
        slot = slot_of_garment(described["main_category"], described["type"], name)
        picture = _picture(shop, gender, garment, described)
        if slot and picture and (source / picture).is_file():
            pictures[garment], slots[garment] = picture, slot
    layers = look.get("outfit_info", {}).get("dressing_details", {}).get("layering_structure", [])
    articles = {slot: pictures[garment] for slot, garment in _visible(slots, layers).items()}
    return {"image": f"{folder}/{photo}", "articles": articles, "split": look["section"]}


def slot_of_garment(category, *texts):
    """Returns the slot of a garment by its category, and by the first of the texts that decides; None if it has none."""
    if category != UPPER:
        return SLOT_OF.get(category)
    for text in map(str.lower, texts):
        if OUTERWEAR.search(text):
            return "outerwear"
        if DRESS.search(text):
            return "dress"
    return "top"


def _picture(shop, gender, garment, described):
    if shop == "polyvore":
        return f"polyvore/images/{gender}/{described['type']}/{garment}.jpg"
    files = described["images"]["product"]["full"]
    return files and f"mytheresa/images/{garment}/{files[0]}"


def _visible(slots, layers):
    """Returns one garment a slot: the outermost. Of two tops and nothing over them, the outer one is the outerwear."""
    stacks = {}
    for garment in sorted(slots, key=lambda garment: layers.index(garment) if garment in layers else -1):
        stacks.setdefault(slots[garment], []).append(garment)
    if len(stacks.get("top", [])) > 1 and "outerwear" not in stacks:
        stacks["outerwear"] = [stacks["top"].pop()]
    return {slot: stack[-1] for slot, stack in stacks.items()}
