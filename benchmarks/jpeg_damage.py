"""Counts which damaged JPEGs open as another picture, and which good ones are refused.

    python benchmarks/jpeg_damage.py FOLDER [FOLDER ...]

The pictures under the folders are encoded as baseline and as progressive JPEGs, and damaged by a generator with a fixed
seed. What opens with other pixels than the whole file is damage that goes unseen.
"""

import argparse
import io
import random
from pathlib import Path

import numpy as np
from PIL import Image
from rich.console import Console
from rich.table import Table

from tf_outfit_gan.images.open import open_image
from tf_outfit_gan.util.errors import UserError

LOST = 4096  # Bytes, a block of a file system.
SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
GOOD_FORMS = [
    {"quality": quality, "subsampling": subsampling, "progressive": progressive, "optimize": progressive}
    for quality in (60, 90, 95)
    for subsampling in (0, 2)
    for progressive in (False, True)
] + [{"quality": 90, "restart_marker_rows": 1}]


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--count", type=int, default=120, help="files of each kind of damage (default: %(default)s)")
    parser.add_argument("--good", type=int, default=700, help="good files (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def damages(draw, data, other):
    """Yields (kind, bytes): each kind of damage to a JPEG's compressed data, drawn by a `random.Random`."""
    start = data.index(b"\xff\xda") + 16
    end = len(data) - 2
    place = draw.randrange(start, max(start + 1, end - LOST))
    yield "cut off", data[: draw.randrange(start, end)]
    yield "cut off, with an end marker", data[: draw.randrange(start, end)] + data[end:]
    yield "4 KiB lost", data[:place] + data[min(end, place + LOST) :]
    yield "4 KiB zeroed", data[:place] + bytes(min(LOST, end - place)) + data[min(end, place + LOST) :]
    share = draw.uniform(0.1, 0.9)
    yield "tail of another file", data[: int(len(data) * share)] + other[int(len(other) * share) :]
    place = draw.randrange(start, end)
    yield "one byte changed", data[:place] + bytes([data[place] ^ draw.randrange(1, 256)]) + data[place + 1 :]


def unseen(data, whole):
    """Whether damaged bytes open as another picture than `whole`."""
    try:
        return not np.array_equal(np.asarray(open_image(data, "a file")), whole)
    except UserError:
        return False


def encoded(image, **form):
    out = io.BytesIO()
    image.save(out, "JPEG", **form)
    return out.getvalue()


def main():
    args = parse_args()
    paths = sorted(path for folder in args.folders for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    pictures = [Image.open(path).convert("RGB") for path in paths]
    draw = random.Random(args.seed)

    # Damage as many files as asked for, with every picture in turn.
    counts = {}
    for form in ("baseline", "progressive"):
        files = [encoded(picture, quality=90, progressive=form == "progressive") for picture in pictures]
        for number in range(args.count):
            data, other = files[number % len(files)], files[(number + 1) % len(files)]
            whole = np.asarray(open_image(data))
            for kind, damaged in damages(draw, data, other):
                counts.setdefault(kind, dict(baseline=0, progressive=0))[form] += unseen(damaged, whole)

    # Open as many good files, in every form that cameras and shops write.
    refused = 0
    for number in range(args.good):
        form = GOOD_FORMS[number % len(GOOD_FORMS)]
        try:
            open_image(encoded(pictures[number % len(pictures)], **form), "a file")
        except UserError:
            refused += 1

    table = Table("damage", "baseline, unseen", "progressive, unseen", "of")
    for kind, by_form in counts.items():
        table.add_row(kind, str(by_form["baseline"]), str(by_form["progressive"]), str(args.count))
    Console().print(table)
    print(f"good files refused: {refused} of {args.good}; {len(pictures)} pictures")


if __name__ == "__main__":
    main()
