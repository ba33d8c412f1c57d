"""Measures what `prepare --update` saves: a catalogue is prepared, changed a little, and updated.

    outfit-gan paperdoll dolls --count 20000 --size 64x48
    python benchmarks/update.py dolls WORK

WORK gets a catalogue of links to the dolls, without the last ADDED of them and with MENDED broken photos. Then these are
added and mended, and REMOVED entries are taken out.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

ADDED, MENDED, REMOVED = 100, 3, 5


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dolls", type=Path, metavar="DOLLS")
    parser.add_argument("work", type=Path, metavar="WORK")
    args = parser.parse_args()
    dolls, shop = args.dolls.resolve(), args.work / "shop"
    lines = [json.loads(line) for line in (dolls / "manifest.jsonl").read_text().splitlines()]
    (shop / "broken").mkdir(parents=True)
    for folder in ("images", "articles"):
        os.symlink(dolls / folder, shop / folder)
    for line in lines[:MENDED]:
        whole = (dolls / line["image"]).read_bytes()
        line["image"] = f"broken/{Path(line['image']).name}"
        (shop / line["image"]).write_bytes(whole[: len(whole) // 2])

    data = args.work / "data"
    _write(shop, lines[:-ADDED])
    _timed("prepared in full", "prepare", shop, data)
    before = _files(data)
    for line in lines[:MENDED]:
        (shop / line["image"]).write_bytes((dolls / "images" / Path(line["image"]).name).read_bytes())
    middle = len(lines) // 2
    _write(shop, lines[:middle] + lines[middle + REMOVED :])
    _timed("updated", "prepare", "--update", shop, data)
    after = _files(data)
    written = [name for name, stat in after.items() if before.get(name) != stat]
    print(
        f"written: {len(written)} of {len(after)} files, {sum(after[name][0] for name in written) / 1e6:.1f} of "
        f"{sum(size for size, _ in after.values()) / 1e6:.1f} MB; {len(before.keys() - after.keys())} files are gone"
    )
    _timed("nothing to update", "prepare", "--update", shop, data)


def _write(shop, lines):
    (shop / "manifest.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def _files(folder):
    """{name: (bytes, time of writing)} of all files."""
    stats = {path.relative_to(folder): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


def _timed(what, *arguments):
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "tf_outfit_gan.cli.main", *map(str, arguments), "--quiet", "--workers", "1"]
    subprocess.run(command, check=True)
    used, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    processor = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    print(f"{what}: {seconds:.1f} s, {processor:.1f} s of processor time", flush=True)


if __name__ == "__main__":
    main()
