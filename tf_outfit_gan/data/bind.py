"""Binding: when all shards are made, dataset.json says so, and from then on the data set is whole.

Several may bind at once, such as the last tasks of a job array: they write the same bytes.
"""

import json
from dataclasses import asdict

from tf_outfit_gan.data import records
from tf_outfit_gan.data.manifest import SPLITS, Skipped
from tf_outfit_gan.data.preparation.shards import description
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.atomic import PARTIAL, write_whole
from tf_outfit_gan.util.errors import UserError


def bind(job, manifest, shards):
    """Makes a data set of the shards and returns it, opened; returns how many are missing if not all are made.

    Raises `UserError` when every entry is bad, or any of a strict job.
    """
    descriptions = {shard: description(job, shard) for shard in shards}
    missing = sum(fields is None for fields in descriptions.values())
    if missing:
        return missing
    skipped = manifest.skipped + [Skipped(**skip) for shard in shards for skip in descriptions[shard].pop("skipped")]
    skipped.sort(key=lambda skip: (skip.listing, skip.line))
    if job.strict and skipped:  # Set aside by an earlier run that was not strict.
        raise UserError(job.why(skipped[0]))
    if len(skipped) == len(manifest.entries) + len(manifest.skipped):
        raise UserError(f"{job.source}: every entry is bad; {job.why(skipped[0])}")
    if skipped:
        lines = [json.dumps(asdict(skip), ensure_ascii=False) + "\n" for skip in skipped]
        write_whole(job.data / records.SKIPPED_FILENAME, "".join(lines))
    fields = {
        "format": records.FORMAT, "slots": SLOTS, "levels": job.levels, "origin": job.origin, "skipped": len(skipped),
        "splits": {split: [descriptions[shard] for shard in shards if shard.split == split] for split in SPLITS},
    }
    write_whole(job.data / records.FILENAME, json.dumps(fields, indent=1) + "\n")
    # What killed runs left.
    for partial in (job.data / "records").glob(f".*{PARTIAL}"):
        partial.unlink(missing_ok=True)

    dataset = records.open_dataset(job.data)
    print(summary(dataset, "prepared"))
    for skip in skipped[:3]:
        print(f"skipped {job.why(skip)}")
    return dataset


def bound(job):
    """Returns the data set of the job if it is whole, else None; refuses to write over another."""
    if not (job.data / records.FILENAME).exists():
        return None
    dataset = records.open_dataset(job.data)
    found = json.loads((job.data / records.FILENAME).read_text(encoding="utf-8"))["origin"]
    if found != job.origin:
        changed = next(key for key in {**found, **job.origin} if found.get(key) != job.origin.get(key))
        what = changed.removesuffix("_sha256").replace("_", " ")
        raise UserError(f"{job.data}: holds a data set made from another {what}; delete it or choose another folder")
    if job.strict and dataset.skipped:
        set_aside = f"{dataset.skipped} bad entries were set aside"
        raise UserError(f"{job.data}: {set_aside}, see {job.data / records.SKIPPED_FILENAME}")
    print(summary(dataset, "already prepared"))
    return dataset


def summary(dataset, verb):
    """One line about a data set."""
    counts = ", ".join(f"{dataset.count(split)} {split}" for split in SPLITS)
    levels = f"{format_size(dataset.levels[0])} to {format_size(dataset.levels[-1])}"
    skipped = f", {dataset.skipped} set aside (see {records.SKIPPED_FILENAME})" if dataset.skipped else ""
    return f"{verb} {dataset.path}: {counts}, levels {levels}{skipped}"
