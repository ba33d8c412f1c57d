"""Times `outfit-gan prepare` against plain Pillow that makes the same levels, whole commands in alternation.

    outfit-gan paperdoll dolls --count 400 --size 1024x768 && python benchmarks/prepare.py dolls WORK --size 1024x768

The plain program opens each picture of the manifest, converts it to RGB, pads it to the largest level, halves it by Pillow's
box filter, encodes as `prepare` does, and appends the bytes to one file for each level. It checks nothing, keeps no
checksums and writes no records. One process each; processor time, so that other work on the machine disturbs little.
"""

import argparse
import io
import json
import resource
import shutil
import statistics
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

from PIL import Image, ImageOps

from tf_outfit_gan.data.preparation.encode import JPEG_QUALITY
from tf_outfit_gan.data.preparation.prepare import ARTICLE_SIZE
from tf_outfit_gan.data.records import is_raw
from tf_outfit_gan.images.jpeg import OVERSAMPLING
from tf_outfit_gan.sizes import format_size, levels_of, parse_size


def parse_args():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("catalogue", type=Path, metavar="CATALOGUE")
    parser.add_argument("work", type=Path, metavar="WORK", help="folder for both results")
    parser.add_argument("--size", type=parse_size, default=(1024, 768), metavar="HxW", help="largest level (default: 1024x768)")
    parser.add_argument("--repeats", type=int, default=3, metavar="N", help="pairs (default: %(default)s)")
    parser.add_argument("--plain", action="store_true", help="run the plain program alone")
    return parser.parse_args()


def plain(catalogue, work, size):
    """Makes the levels of a catalogue's pictures with Pillow alone."""
    work.mkdir(parents=True)
    levels = levels_of(size)
    article_levels = [level for level in levels if max(level) <= max(ARTICLE_SIZE)]
    with ExitStack() as opened:
        files = {
            (kind, level): opened.enter_context(open(work / f"{kind}-{format_size(level)}", "wb"))
            for kind in ("photos", "articles")
            for level in levels
        }
        for line in (catalogue / "manifest.jsonl").read_text().splitlines():
            entry = json.loads(line)
            for level, encoded in _levels(catalogue / entry["image"], levels):
                files["photos", level].write(encoded)
            for article in entry["articles"].values():
                for level, encoded in _levels(catalogue / article, article_levels):
                    files["articles", level].write(encoded)


def _levels(path, levels):
    """Yields (level, bytes) of a picture, from large to small."""
    height, width = levels[-1]
    with Image.open(path) as image:
        image.draft("RGB", (OVERSAMPLING * width, OVERSAMPLING * height))  # A large JPEG is decoded reduced, as in `prepare`.
        picture = ImageOps.pad(image.convert("RGB"), (width, height), Image.Resampling.LANCZOS, "white")
    for level in reversed(levels):
        if level != levels[-1]:
            picture = picture.reduce(2)
        if is_raw(level):
            yield level, picture.tobytes()
        else:
            out = io.BytesIO()
            picture.save(out, "JPEG", quality=JPEG_QUALITY, subsampling=0)
            yield level, out.getvalue()


def processor_seconds(command):
    """What a command takes of the processors, all of its processes together."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *map(str, command)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    args = parse_args()
    if args.plain:
        return plain(args.catalogue, args.work, args.size)
    size, folders = format_size(args.size), {name: args.work / name for name in ("prepare", "plain")}
    commands = {
        "prepare": [*"-m tf_outfit_gan.cli.main prepare --workers 1 --quiet --size".split(), size, args.catalogue],
        "plain": [__file__, "--plain", "--size", size, args.catalogue],
    }
    pairs = []
    for _ in range(args.repeats):
        seconds = {}
        for name, command in commands.items():
            shutil.rmtree(folders[name], ignore_errors=True)
            seconds[name] = processor_seconds([*command, folders[name]])
        pairs.append(seconds)
        print(f"prepare {seconds['prepare']:.2f} s, plain Pillow {seconds['plain']:.2f} s", flush=True)
    ratios = [pair["prepare"] / pair["plain"] for pair in pairs]
    print(f"prepare takes {statistics.median(ratios):.2f} times as long ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
