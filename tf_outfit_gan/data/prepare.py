"""`outfit-gan prepare`: a catalogue with a manifest becomes training records at every level of resolution.

Entries are dealt to shards in the order of a hash of their ids: the plan depends on the manifest alone, and what lies
together in a catalogue does not lie together in training. A process pool encodes, this process writes. A shard counts
as done when a file says so that is written after its records, so a rerun after a kill goes on with the next shard; the
bytes are the same whatever the number of processes or interruptions.
"""

import itertools
import json
import os
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

from tf_outfit_gan.data import importers, records
from tf_outfit_gan.data.encode import encode_entries
from tf_outfit_gan.data.images import open_image
from tf_outfit_gan.data.manifest import SPLITS, Skipped
from tf_outfit_gan.data.shards import finished, plan_shards, write_shard
from tf_outfit_gan.errors import UserError
from tf_outfit_gan.outfit import SLOTS
from tf_outfit_gan.progress import progress
from tf_outfit_gan.sizes import default_size, format_size, levels_of, parse_size


def add_arguments(parser):
    parser.add_argument("source", metavar="SOURCE", help="catalogue folder")
    parser.add_argument("data", metavar="DATA", help="folder to write the records to")
    parser.add_argument("--format", choices=importers.FORMATS, default="manifest",
                        help="how SOURCE is laid out (default: with a %(default)s.jsonl); see docs/data.md")
    parser.add_argument("--size", metavar="HEIGHTxWIDTH",
                        help="largest level (default: the first photo's, or the largest 4x3 or 4x4 doubled inside it)")
    parser.add_argument("--workers", type=int, metavar="N", help="processes (default: one a core)")
    parser.add_argument("--strict", action="store_true", help="stop at the first bad entry instead of setting it aside")
    parser.add_argument("--quiet", action="store_true", help="show no progress bar")


def run(args):
    if args.workers is not None and args.workers < 1:
        raise UserError(f"--workers {args.workers}: expected 1 or more")
    size = args.size and parse_size(args.size)
    prepare(args.source, args.data, size, format=args.format, workers=args.workers, strict=args.strict, quiet=args.quiet)


def prepare(source, data, size=None, *, format="manifest", workers=None, strict=False, quiet=False):
    """Writes the records of the catalogue `source` to the folder `data` and returns the opened `Dataset`.

    `format` is one of `importers.FORMATS`.

    Does nothing when `data` is whole and made from the same manifest. Raises `UserError` for a missing manifest, a size
    outside the family, a `data` folder made from something else, no good entry at all, and, when `strict`, any bad one.
    """
    data = Path(data)
    if data.exists() and not data.is_dir():
        raise UserError(f"{data}: expected a folder to write to, found a file")
    manifest = importers.read(source, format)
    if strict and manifest.skipped:
        raise UserError(_why(source, manifest.skipped[0]))
    levels = levels_of(size or _first_photo_size(manifest.entries))
    origin = {"manifest_sha256": manifest.sha256, "size": list(levels[-1])}

    if (data / records.FILENAME).exists():
        return _check_same(data, origin, strict)
    (data / "records").mkdir(parents=True, exist_ok=True)

    # Plan.
    shards = plan_shards(manifest.entries)
    done = {shard: finished(data, shard, origin) for shard in shards}
    missing = [shard for shard in shards if done[shard] is None]
    chunks = [entries for shard in missing for entries in shard.chunks()]

    def watched(results):
        """Counts entries as their chunks come, and stops at a bad one if the user wants that."""
        for chunk in results:
            advance(len(chunk))
            for result in chunk:
                if strict and isinstance(result, Skipped):
                    raise UserError(_why(source, result))
                yield result

    # Encode and write, shard after shard.
    with progress("prepare", len(manifest.entries), "entries", quiet) as advance:
        advance(sum(len(shard.entries) for shard in shards) - sum(map(len, chunks)))
        with closing(_encode_all(chunks, levels, min(workers or os.cpu_count(), -(-len(chunks) // 2)))) as encoded:
            results = watched(encoded)
            for shard in missing:
                done[shard] = write_shard(data, shard, itertools.islice(results, len(shard.entries)), levels, origin)

    # Bind the shards together; from here on the data set is whole.
    skipped = manifest.skipped + [Skipped(**skip) for shard in shards for skip in done[shard].pop("skipped")]
    skipped.sort(key=lambda skip: (skip.listing, skip.line))
    if strict and skipped:  # Set aside by an earlier run that was not strict.
        raise UserError(_why(source, skipped[0]))
    if len(skipped) == len(manifest.entries) + len(manifest.skipped):
        raise UserError(f"{source}: every entry is bad; {_why(source, skipped[0])}")
    if skipped:
        lines = [json.dumps(asdict(skip), ensure_ascii=False) + "\n" for skip in skipped]
        records.write_whole(data / records.SKIPPED_FILENAME, "".join(lines))
    fields = {
        "format": records.FORMAT, "slots": SLOTS, "levels": levels, "origin": origin, "skipped": len(skipped),
        "splits": {split: [done[shard] for shard in shards if shard.split == split] for split in SPLITS},
    }
    records.write_whole(data / records.FILENAME, json.dumps(fields, indent=1) + "\n")
    for shard in shards:
        shard.done_file(data).unlink()

    dataset = records.open_dataset(data)
    print(_summary(dataset, "prepared"))
    for skip in skipped[:3]:
        print(f"skipped {_why(source, skip)}")
    return dataset


def _encode_all(chunks, levels, workers):
    """Yields each chunk's encoded entries, in order, from a pool of processes that works only a little ahead."""
    if workers <= 1:
        yield from (encode_entries(chunk, levels) for chunk in chunks)
        return
    # Processes start afresh: a fork of this one, which holds TensorFlow's threads, could deadlock.
    pool = ProcessPoolExecutor(workers, get_context("spawn"), initializer=_follow_parent)
    try:
        pending = deque()
        for chunk in chunks:
            pending.append(pool.submit(encode_entries, chunk, levels))
            if len(pending) > 4 * workers:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _follow_parent():
    """Leaves Ctrl-C to the parent process, and ends with it even when it is killed."""
    import signal
    import threading
    from multiprocessing import parent_process

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=lambda: (parent_process().join(), os._exit(1)), daemon=True).start()


def _check_same(data, origin, strict):
    """Accepts a whole data set of the same origin; refuses to write over another."""
    dataset = records.open_dataset(data)
    found = json.loads((data / records.FILENAME).read_text(encoding="utf-8"))["origin"]
    if found != origin:
        what = "manifest" if found["manifest_sha256"] != origin["manifest_sha256"] else "size"
        raise UserError(f"{data}: holds a data set made from another {what}; delete it or choose another folder")
    if strict and dataset.skipped:
        raise UserError(f"{data}: {dataset.skipped} bad entries were set aside, see {data / records.SKIPPED_FILENAME}")
    print(_summary(dataset, "already prepared"))
    return dataset


def _first_photo_size(entries):
    """The default size: that of the first photo that opens."""
    for entry in entries:
        try:
            width, height = open_image(entry.image).size
            return default_size((height, width))
        except UserError:
            continue
    raise UserError(f"{entries[0].image}: could not be read, and none of the other {len(entries) - 1} photos either")


def _why(source, skip):
    return f"{source}/{skip.listing} {skip.line}: {skip.reason}"


def _summary(dataset, verb):
    counts = ", ".join(f"{dataset.count(split)} {split}" for split in SPLITS)
    levels = f"{format_size(dataset.levels[0])} to {format_size(dataset.levels[-1])}"
    skipped = f", {dataset.skipped} set aside (see {records.SKIPPED_FILENAME})" if dataset.skipped else ""
    return f"{verb} {dataset.path}: {counts}, levels {levels}{skipped}"
