"""A small catalogue of paper dolls with one of each thing that inspect is to find."""

import json
import shutil

from PIL import Image, ImageOps

from tf_outfit_gan.data.paperdoll.catalogue import write_catalogue


def write_odd_catalogue(folder, count=12, size=(64, 48)):
    """Draws `count` >= 12 dolls, all for training but the last two, and spoils some. Returns the manifest's entries."""
    write_catalogue(folder, count, size)
    manifest = folder / "manifest.jsonl"
    entries = [json.loads(line) for line in manifest.read_text().splitlines()]
    for number, entry in enumerate(entries):
        entry["split"] = "test" if number >= count - 2 else "train"
    entries[0]["articles"]["bag"] = entries[1]["articles"]["bag"] = "brown.png"  # Shared within a split: no fault.
    Image.new("RGB", size[::-1], (120, 80, 40)).save(folder / "brown.png")
    shutil.copy(folder / entries[2]["image"], folder / "copy.png")
    entries[3]["image"] = "copy.png"
    entries[-1]["articles"] = {"shoes": "leak.png"}
    entries[4]["articles"]["shoes"] = "leak.png"
    shoe = Image.new("RGB", size[::-1], "white")
    shoe.paste((30, 60, 160), (10, 30, 38, 50))
    shoe.save(folder / "leak.png")
    with Image.open(folder / entries[5]["image"]) as photo:
        ImageOps.grayscale(photo).save(folder / "gray.png")
        photo.resize((size[1] // 4, size[0] // 4)).save(folder / "small.png")
        photo.crop((0, 0, size[1], size[0] // 2)).save(folder / "wide.png")
    entries[5]["image"] = "gray.png"
    entries[6]["image"] = "small.png"
    entries[7]["image"] = "wide.png"
    del entries[7]["keypoints"]  # They would be of another aspect.
    Image.new("RGB", size[::-1], "white").save(folder / "blank.png")
    entries[8]["articles"] = {"top": "blank.png"}
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 nothing")
    entries[9]["image"] = "broken.jpg"
    entries.append(entries[0])
    manifest.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return entries
