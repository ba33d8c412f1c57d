"""Writes a synthetic catalogue with exact truth; a call after a kill resumes it.

    OUT/images/000000.png         the photo
    OUT/articles/000000_top.png   a packshot of each worn slot
    OUT/masks/000000.png          one gray picture a photo: the visible slot's index + 1, 0 where there is none
    OUT/manifest.jsonl            an entry a line, written last
    OUT/paperdoll.json            what was asked for

Entries that share an article list one packshot: that of the first of them. Where `variety` leaves a worn article out of
the list, its packshot is written and the mask shows it all the same.

Pictures up to 256 high are PNG: JPEG's blocks of 8x8 pixels would smear garments that are a few pixels wide. Larger
ones are JPEG (quality 95), for a fraction of the bytes. Masks are always PNG.
"""

import json
import os
from pathlib import Path

from tf_outfit_gan.data.paperdoll.variety import PLAIN
from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.process_pool import run_in_processes
from tf_outfit_gan.util.progress import progress

LOSSLESS_HEIGHT = 256
CHUNK_PIXELS = 1 << 21  # Of the photos in a chunk: few enough to lose little when killed.
SETTINGS, MANIFEST, PARTS = "paperdoll.json", "manifest.jsonl", ".parts"


def write_catalogue(out, count, size, seed=0, workers=1, quiet=True, shares=PLAIN):
    """Writes a whole catalogue to the folder `out`, or the rest of one that was begun; raises `UserError`.

    `shares` {name: 0 to 1} are those of `variety`.
    """
    out = Path(out)
    for name, value in (("count", count), ("workers", workers)):
        if value < 1:
            raise UserError(f"--{name} {value}: expected 1 or more")
    if seed < 0:
        raise UserError(f"--seed {seed}: expected 0 or more")
    settings = {"count": count, "seed": seed, "size": list(size)}
    if not _begin(out, settings | ({"shares": shares} if any(shares.values()) else {})):
        return
    step = max(1, min(64, CHUNK_PIXELS // (size[0] * size[1]), count // (4 * workers)))
    chunks = [(out, seed, size, shares, first, min(first + step, count)) for first in range(0, count, step)]
    with progress("drawing", count, "entries", quiet) as advance:
        run_in_processes(_draw_chunk, chunks, workers, advance)
    write_whole(out / MANIFEST, "".join(_part(out, first, end).read_text() for *_, first, end in chunks))
    for path in (out / PARTS).iterdir():
        path.unlink()
    (out / PARTS).rmdir()


def _begin(out, settings):
    """Makes the folders; returns whether anything is left to draw."""
    found = out / SETTINGS
    if found.is_file():
        try:
            before = json.loads(found.read_text())
        except ValueError:
            before = None
        if before != settings:
            difference = f"expected {settings}, found {before}"
            raise UserError(f"{out}: holds a catalogue of other settings: {difference}; choose another folder")
        if (out / MANIFEST).is_file():
            return False
    elif out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"{out}: expected a new or empty folder, found other content; choose another folder")
    for folder in ("images", "articles", "masks", PARTS):
        (out / folder).mkdir(parents=True, exist_ok=True)
    write_whole(found, json.dumps(settings) + "\n")
    return True


def _part(out, first, end):
    """Returns where a chunk's manifest lines wait; the file says that the chunk is drawn."""
    return out / PARTS / f"{first:06d}-{end:06d}.jsonl"


def _draw_chunk(out, seed, size, shares, first, end, advance):
    """Draws a chunk's entries and then its manifest lines."""
    part = _part(out, first, end)
    if not part.is_file():
        lines = [json.dumps(_write_entry(out, seed, i, size, shares)) + "\n" for i in range(first, end)]
        # The lines say that the pictures are whole: those must be on the disk before. One call serves all of them.
        os.sync()
        write_whole(part, "".join(lines))
    advance(end - first)


def _write_entry(out, seed, index, size, shares):
    """Draws one entry, writes its pictures, and returns its line of the manifest."""
    from PIL import Image

    from tf_outfit_gan.data.paperdoll.scene import draw_entry

    suffix, options = ("png", {"compress_level": 3}) if size[0] <= LOSSLESS_HEIGHT else ("jpg", {"quality": 95})
    name = f"{index:06d}"
    doll = draw_entry(seed, index, size, shares)
    image, mask = f"images/{name}.{suffix}", f"masks/{name}.png"
    articles = {slot: f"articles/{entry:06d}_{slot}.{suffix}" for slot, entry in doll.listed.items()}
    Image.fromarray(doll.photo).save(out / image, **options)
    Image.fromarray(doll.masks).save(out / mask)
    for slot, article in doll.articles.items():
        Image.fromarray(article).save(out / f"articles/{name}_{slot}.{suffix}", **options)
    points = [[round(x, 3), round(y, 3), int(seen)] for x, y, seen in doll.keypoints.tolist()]
    return {
        "id": name,
        "image": image,
        "articles": articles,
        "masks": mask,
        "keypoints": {"format": "mpii16", "points": points, "size": list(size)},
        "split": doll.split,
    }
