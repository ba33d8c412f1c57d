"""A data set is brought up to date with its catalogue, without preparing everything again.

The catalogue is the truth. Entries that are new, that changed (by what is said of them, or by size or time of their
files) or that were set aside before are made into new shards. Shards that lose an entry, because it changed or is gone,
are copied without it. All other shards stay as they are. Then a new version of dataset.json names what belongs to the
data set now; the files that it no longer names go as soon as nobody reads them. Killed at any moment, the same command
continues, and readers see one version or the other.
"""

import contextlib
import hashlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

from tf_outfit_gan.data import records
from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.data.preparation.shards import (
    Shard,
    contents,
    description,
    done_file,
    fingerprint,
    held,
    make_all,
    plan_shards,
    skipped_of,
    summary,
    write_dataset,
)
from tf_outfit_gan.util.atomic import keep_under, write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import RemotePath


def bring_up_to_date(job, manifest, workers=None, quiet=False):
    """Makes the next version of a data set from its catalogue as it is now, and returns it, opened.

    Raises `UserError` when the data set was made in another way than the job says, when no entry would be left, and, if
    the job is strict, at any bad entry.
    """
    before = records.open_dataset(job.data)
    origin = json.loads((job.data / records.FILENAME).read_text(encoding="utf-8"))["origin"]
    for key in {**origin, **job.origin}.keys() - {"manifest_sha256"}:
        if origin.get(key) != job.origin.get(key):
            what = key.removesuffix("_sha256").replace("_", " ")
            raise UserError(f"{job.data}: was made with another {what}; give the same options as then, or choose another folder")

    # Compare: what every record is of, and what it should be of.
    now = {entry.id: (entry.split, fingerprint(entry, job.source)) for entry in manifest.entries}
    kept, copies, there = {split: [] for split in SPLITS}, {split: [] for split in SPLITS}, {}
    for split in SPLITS:
        for shard in before.splits[split]:
            name = records.shard_name(shard)
            members = json.loads(done_file(job.data, name).read_text()).get("members", [])
            there.update({id: (split, mark) for id, mark in members})
            stay = tuple(place for place, (id, mark) in enumerate(members) if now.get(id) == (split, mark))
            if len(stay) == shard["entries"]:
                kept[split].append(shard)
            elif stay:
                copies[split].append((name, stay))
    missing = [entry for entry in manifest.entries if there.get(entry.id) != now[entry.id]]
    removed = sorted(there.keys() - now.keys() - {skip.id for skip in manifest.skipped})
    version = before.version + 1

    # Make what is missing. Shards of a killed update are whole if the catalogue is still as it was then.
    marks = hashlib.sha256(json.dumps(sorted(now.items())).encode()).hexdigest()
    making = replace(job, origin=job.origin | {"entries_sha256": marks, "version": version})
    shards = _plan(making, missing, copies, version)
    make_all(making, shards, workers, quiet)
    descriptions = {shard: description(making, shard) for shard in shards}
    skipped = skipped_of(job, manifest, descriptions)
    empty = [shard for shard, fields in descriptions.items() if not fields["entries"]]
    splits = {
        split: kept[split]
        + [held(fields) for shard, fields in descriptions.items() if shard.split == split and shard not in empty]
        for split in SPLITS
    }
    if not any(splits.values()):
        raise UserError(f"{job.source}: no entry would be left in {job.data}")

    # Nothing added and nothing lost is no new version, though other entries may be bad now.
    if splits == before.splits:
        dataset = write_dataset(job, skipped, splits, before.version)
        print(summary(dataset, "up to date"))
    else:
        if removed:
            _note_removed(job.data, removed, version)
        keep_under(job.data / records.FILENAME, records.version_file(job.data, before.version))
        dataset = write_dataset(job, skipped, splits, version)
        made = {entry.id for entry in missing} - {skip.id for skip in skipped}
        print(summary(dataset, "updated"))
        print(contents(dataset))
        added, changed, copied = len(made - there.keys()), len(made & there.keys()), sum(map(len, copies.values()))
        print(
            f"version {version}: {added} added, {changed} changed, {len(removed)} removed; of "
            f"{sum(map(len, splits.values()))} shards {len(shards) - len(empty) - copied} are new, {copied} copied"
        )
    for shard in empty:  # All that was to be in them is bad.
        for name in _files(held(descriptions[shard])):
            (job.data / "records" / name).unlink(missing_ok=True)
    drop_unread(dataset)
    return dataset


def _plan(job, entries, copies, version):
    """The shards of a version: copies of those that lose entries, and new ones."""
    added = plan_shards(entries, job.encoding.levels[-1], job.encoding.article_levels[-1])
    shards = []
    for split in SPLITS:
        new = [shard.entries for shard in added if shard.split == split]
        count = len(copies[split]) + len(new)
        shards += [Shard(split, index, count, (), version, copied) for index, copied in enumerate(copies[split])]
        shards += [Shard(split, index, count, part, version) for index, part in enumerate(new, start=len(copies[split]))]
    return shards


def _note_removed(data, removed, version):
    """Writes down which entries a version takes out; a run that was killed here has done so already."""
    path = data / records.REMOVED_FILENAME
    before = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    lines = [json.dumps({"id": id, "version": version}, ensure_ascii=False) for id in removed]
    write_whole(path, "".join(f"{line}\n" for line in [*before, *(line for line in lines if line not in before)]))


def drop_unread(dataset):
    """Removes what earlier versions alone have, of each version that nobody reads."""
    path, dropped = dataset.path, set()
    used = {name for shards in dataset.splits.values() for shard in shards for name in _files(shard)}
    with contextlib.ExitStack() as held:
        for file in sorted(path.glob("dataset-*.json")):
            names = {
                name
                for shards in json.loads(file.read_text(encoding="utf-8"))["splits"].values()
                for shard in shards
                for name in _files(shard)
            }
            if held.enter_context(records.unread(file)):
                file.unlink()
                dropped |= names
            else:
                used |= names
                why = (
                    "whether a run reads this version is not known here"
                    if isinstance(file, RemotePath)
                    else "a run still reads it"
                )
                print(f"{file.name}: {why}; its files stay")
        for name in dropped - used:
            (path / "records" / name).unlink(missing_ok=True)
    if dropped - used and isinstance(path, Path):
        # What was measured of photos that may be gone.
        shutil.rmtree(path / "statistics", ignore_errors=True)


def _files(shard):
    """The names of a shard's files, given as `Dataset.splits` has it."""
    return [*shard["files"], f"{records.shard_name(shard)}.done.json"]
