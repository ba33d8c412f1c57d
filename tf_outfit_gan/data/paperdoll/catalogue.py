"""Writes a synthetic catalogue with exact truth; a call after a kill resumes it.

    OUT/images/000000.png         the photo
    OUT/articles/000000_top.png   a packshot of each worn slot
    OUT/masks/000000.png          one gray picture a photo: the visible slot's index + 1, 0 where there is none
    OUT/manifest.jsonl            an entry a line, written last
    OUT/paperdoll.json            what was asked for

Pictures up to 256 high are PNG: JPEG's blocks of 8x8 pixels would smear garments that are a few pixels wide. Larger
ones are JPEG (quality 95), for a fraction of the bytes. Masks are always PNG.
"""

import json
import os
from pathlib import Path

from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.process_pool import run_in_processes
from tf_outfit_gan.util.progress import progress

LOSSLESS_HEIGHT = 256
CHUNK_PIXELS = 1 << 21  # Of the photos in a chunk: few enough to lose little when killed.
SETTINGS, MANIFEST, PARTS = "paperdoll.json", "manifest.jsonl", ".parts"


def write_catalogue(out, count, size, seed=0, workers=1, quiet=True):
    """Writes a whole catalogue to the folder `out`, or the rest of one that was begun; raises `UserError`."""
    out = Path(out)
    for name, value in (("count", count), ("workers", workers)):
        if value < 1:
            raise UserError(f"--{name} {value}: expected 1 or more")
    if seed < 0:
        raise UserError(f"--seed {seed}: expected 0 or more")
    if not _begin(out, {"count": count, "seed": seed, "size": list(size)}):
        return
    step = max(1, min(64, CHUNK_PIXELS // (size[0] * size[1]), count // (4 * workers)))
    chunks = [(out, seed, size, first, min(first + step, count)) for first in range(0, count, step)]
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


def _draw_chunk(out, seed, size, first, end, advance):
    """Draws a chunk's entries and then its manifest lines."""
    part = _part(out, first, end)
    if not part.is_file():
        lines = [json.dumps(_write_entry(out, seed, i, size)) + "\n" for i in range(first, end)]
        # The lines say that the pictures are whole: those must be on the disk before. One call serves all of them.
        os.sync()
        write_whole(part, "".join(lines))
    advance(end - first)


def _write_entry(out, seed, index, size):
    """Draws one entry, writes its pictures, and returns its line of the manifest."""
    from PIL import Image

    from tf_outfit_gan.data.paperdoll.scene import draw_entry

    suffix, options = ("png", {"compress_level": 3}) if size[0] <= LOSSLESS_HEIGHT else ("jpg", {"quality": 95})
    name = f"{index:06d}"
    doll = draw_entry(seed, index, size)
    image, mask = f"images/{name}.{suffix}", f"masks/{name}.png"
    articles = {slot: f"articles/{name}_{slot}.{suffix}" for slot in doll.articles}
    Image.fromarray(doll.photo).save(out / image, **options)
    Image.fromarray(doll.masks).save(out / mask)
    for slot, article in articles.items():
        Image.fromarray(doll.articles[slot]).save(out / article, **options)
    points = [[round(x, 3), round(y, 3), int(seen)] for x, y, seen in doll.keypoints.tolist()]
    return {
        "id": name,
        "image": image,
        "articles": articles,
        "masks": mask,
        "keypoints": {"format": "mpii16", "points": points, "size": list(size)},
        "split": doll.split,
    }
