"""Shards: which entries share a file, how their records are made, and how a rerun knows that they are.

Whoever makes a shard (a process of this machine, a task of a job array, a worker of a Beam runner) makes the same
bytes, and does not harm another who makes the same shard at the same time, as a batch system that repeats lost work
does: each writes to files of its own and renames them. When all shards are made, dataset.json says so, and from then on
the data set is whole. Several tasks of a job array may finalize it together: they write the same bytes.
"""

import hashlib
import itertools
import json
import math
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from tf_outfit_gan.data import records
from tf_outfit_gan.data.example_pb2 import BytesList, Example, Feature, Features, FloatList
from tf_outfit_gan.data.manifest import SPLITS, Skipped
from tf_outfit_gan.data.preparation.encode import Encoding, encode_entries
from tf_outfit_gan.data.tfrecord import write_record
from tf_outfit_gan.images.cutout import Cutout
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.atomic import clear_partials, whole_file, write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import sha256_of
from tf_outfit_gan.util.process_pool import available_cores, run_in_processes
from tf_outfit_gan.util.progress import progress
from tf_outfit_gan.util.storage import RemotePath, relative

# A set has as many shards as it takes to keep the largest levels' records of a shard below SHARD_BYTES, so that hundreds of
# readers find files of their own and a killed run loses little; and a small set has FEW_SHARDS, eight readers with eight
# each, unless it is so small that they would hold fewer than FEW_ENTRIES.
SHARD_BYTES, MANY_ENTRIES = 800 << 20, 2048
FEW_SHARDS, FEW_ENTRIES = 64, 128

# A process takes a second to start: fewer entries than this are not worth another one.
ENTRIES_A_WORKER = 256

# What a pixel of a photo takes as JPEG, about: the plan must not depend on having encoded it.
PIXEL_BYTES = 0.35


@dataclass(frozen=True)
class Job:
    """What all shards of a data set share; `origin` says what it is made of, and `strict` allows no bad entry."""

    source: Path | RemotePath
    data: Path | RemotePath
    encoding: Encoding
    origin: dict
    strict: bool

    def why(self, skip):
        """Says of an entry set aside where it stands and what is wrong with it."""
        return f"{self.source}/{skip.listing} {skip.line}: {skip.reason}"


@dataclass(frozen=True, eq=False)
class Shard:
    """A share of a split: the entries whose records stand in the same files.

    An update's shards are of a later `version`. Of a shard that loses entries it makes another one, a copy of the records
    that stay: `copied` is then (the name of the shard, the places of the records).
    """

    split: str
    index: int
    num_shards: int
    entries: tuple
    version: int = 1
    copied: tuple | None = None

    @property
    def name(self):
        version = f".{self.version:04d}" if self.version > 1 else ""
        return f"{self.split}{version}-{self.index:05d}-of-{self.num_shards:05d}"

    def done_file(self, data):
        """The file that says that the shard's records are whole, and what they hold."""
        return done_file(data, self.name)

    def __len__(self):
        return len(self.copied[1] if self.copied else self.entries)


def done_file(data, name):
    """The file that says that the records of the shard of a name are whole, and what they hold."""
    return data / "records" / f"{name}.done.json"


def fingerprint(entry, source):
    """Identifies an entry: all that is said of it, and size and time of each of its files.

    Times, because reading the pictures of a large catalogue to find the few that changed takes as long as preparing it.
    """
    outfit, files = entry.outfit, [entry.image]
    articles = {}
    for slot, article in outfit.articles.items():
        cutout = isinstance(article, Cutout)
        files += [article.image, article.mask] if cutout else [article]
        articles[slot] = list(article.classes) if cutout else None
    points = None if outfit.keypoints is None else outfit.keypoints.tolist()
    stats = [(relative(file, source), *_stamp(file)) for file in files]
    content = json.dumps([entry.split, stats, articles, points, outfit.pose_size])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _stamp(file):
    """Size and time of a file, or None for each: it is missing, as whoever opens it will say."""
    try:
        stat = file.stat()
    except OSError:
        return None, None
    return stat.st_size, stat.st_mtime_ns


def plan_shards(entries, size, article_size):
    """Deals each split's entries, sorted by a hash of their ids, to shards of equal length (give or take one).

    The plan depends on the entries and on the largest levels of photos and articles, (height, width), alone.
    """
    shards = []
    for split in SPLITS:
        members = sorted(
            (entry for entry in entries if entry.split == split), key=lambda entry: hashlib.sha256(entry.id.encode()).digest()
        )
        articles = sum(len(entry.outfit.articles) for entry in members)
        pixels = len(members) * math.prod(size) + articles * math.prod(article_size)
        count = max(
            min(FEW_SHARDS, -(-len(members) // FEW_ENTRIES)),
            -(-len(members) // MANY_ENTRIES),
            min(len(members), math.ceil(pixels * PIXEL_BYTES / SHARD_BYTES)),
        )
        bounds = [len(members) * index // count for index in range(count + 1)] if count else []
        shards += [
            Shard(split, index, count, tuple(members[start:end])) for index, (start, end) in enumerate(itertools.pairwise(bounds))
        ]
    return shards


def make_all(job, shards, workers, quiet):
    """Makes shards in `workers` processes; None for one a core, or fewer for few entries."""
    entries = sum(map(len, shards))
    workers = min(workers or min(available_cores(), -(-entries // ENTRIES_A_WORKER)), len(shards))
    with progress("prepare", entries, "entries", quiet) as advance:
        run_in_processes(make_shard, [(job, shard) for shard in shards], workers, advance)


def make_shard(job, shard, advance):
    """Makes a shard's records, unless they are whole already; `advance(count)` is called with the number of entries done.

    Raises `UserError` at the first bad entry if the job is strict.
    """
    if finished(job, shard):
        advance(len(shard))
        return
    if shard.copied:
        _copy_shard(job, shard)
        advance(len(shard))
        return

    def encoded():
        for result in encode_entries(shard.entries, job.encoding):
            if job.strict and isinstance(result, Skipped):
                raise UserError(job.why(result))
            advance(1)
            yield result

    try:
        _write_shard(job, shard, encoded())
    except FileNotFoundError:
        # Somebody else made this very shard meanwhile, made the data set whole with it, and tidied up.
        if not finished(job, shard):
            raise


def _write_shard(job, shard, results):
    """Writes the records of `results`, each an `Encoded` or a `Skipped`.

    When all of its files are whole, another one says that the shard is done, and of which origin.
    """
    # Taken before the pictures are read: what changes meanwhile is another entry.
    prints = {entry.id: fingerprint(entry, job.source) for entry in shard.entries}
    members, with_keypoints, skipped, articles = [], 0, [], dict.fromkeys(job.encoding.slots, 0)
    unprofiled_cmyk = {}
    with _outputs(job, shard) as (outputs, files):
        for encoded in results:
            if isinstance(encoded, Skipped):
                skipped.append(asdict(encoded))
                continue
            for (kind, level), file in outputs.items():
                write_record(file, _example(encoded, kind, level))
            members.append([encoded.id, prints[encoded.id]])
            with_keypoints += encoded.has_keypoints
            if encoded.unprofiled_cmyk:
                unprofiled_cmyk[encoded.id] = encoded.unprofiled_cmyk
            for slot, article in zip(job.encoding.slots, encoded.articles[0]):
                articles[slot] += bool(article)
    fields = {"entries": len(members), "with_keypoints": with_keypoints, "articles": articles, "files": files}
    _done(job, shard, fields, skipped, members, unprofiled_cmyk)


def _copy_shard(job, shard):
    """Writes a shard of the records of another one that stay, and counts what they hold."""
    import tensorflow as tf

    name, places = shard.copied
    before = json.loads(done_file(job.data, name).read_text())
    members, stay, slots = [before["members"][place] for place in places], set(places), job.encoding.slots
    counts = before.get("unprofiled_cmyk", {})
    with_keypoints, articles = 0, dict.fromkeys(slots, 0)
    with _outputs(job, shard) as (outputs, files):
        for (kind, level), file in outputs.items():
            size = (job.encoding.levels if kind == "photos" else job.encoding.article_levels)[level]
            kept = 0
            for place, record in enumerate(
                tf.data.TFRecordDataset(str(job.data / "records" / records.record_name(name, kind, size)))
            ):
                if place not in stay:
                    continue
                serialized = record.numpy()
                write_record(file, serialized)
                if level == 0 and kind == "photos":
                    feature = Example.FromString(serialized).features.feature
                    if feature["id"].bytes_list.value[0].decode() != members[kept][0]:
                        raise UserError(f"{job.data}/records/{name}: damaged, its records are not in the order of its done file")
                    with_keypoints += any(feature["keypoints"].float_list.value[2::3])
                elif level == 0:
                    worn = Example.FromString(serialized).features.feature["articles"].bytes_list.value
                    for slot, article in zip(slots, worn, strict=True):
                        articles[slot] += bool(article)
                kept += 1
    fields = {"entries": len(members), "with_keypoints": with_keypoints, "articles": articles, "files": files}
    _done(job, shard, fields, [], members, {id: counts[id] for id, _ in members if id in counts})


@contextmanager
def _outputs(job, shard):
    """Yields {(kind, level): opened file} of a shard's files, and a dict that says of each in the end what it holds."""
    levels = {"photos": job.encoding.levels, "articles": job.encoding.article_levels}
    names = {
        (kind, level): records.record_name(shard.name, kind, size)
        for kind in records.KINDS
        for level, size in enumerate(levels[kind])
    }
    files = {}
    with ExitStack() as whole:
        partial = {output: whole.enter_context(whole_file(job.data / "records" / name)) for output, name in names.items()}
        with ExitStack() as opened:
            yield {output: opened.enter_context(open(path, "wb")) for output, path in partial.items()}, files
        for output, path in partial.items():
            files[names[output]] = {"bytes": path.stat().st_size, "sha256": sha256_of(path)}


def _done(job, shard, fields, skipped, members, unprofiled_cmyk):
    """Says that a shard's files are whole.

    Args:
        members: id and fingerprint of each record, in order.
        unprofiled_cmyk: {id: how many pictures}, of the entries that have any.
    """
    content = {"origin": job.origin, **fields, "skipped": skipped, "members": members}
    if unprofiled_cmyk:
        content["unprofiled_cmyk"] = unprofiled_cmyk
    write_whole(shard.done_file(job.data), json.dumps(content))


def _example(encoded, kind, level):
    """One record: what `pipeline` parses."""
    if kind == "articles":
        feature = {"articles": Feature(bytes_list=BytesList(value=encoded.articles[level]))}
    else:
        feature = {
            "id": Feature(bytes_list=BytesList(value=[encoded.id.encode()])),
            "image": Feature(bytes_list=BytesList(value=[encoded.photos[level]])),
            "keypoints": Feature(float_list=FloatList(value=encoded.keypoints.ravel())),
        }
    return Example(features=Features(feature=feature)).SerializeToString(deterministic=True)


def description(job, shard):
    """Returns what a shard's done file says that it holds, or None: not made yet, or of another origin."""
    try:
        fields = json.loads(shard.done_file(job.data).read_text())
    except FileNotFoundError:
        return None
    return fields if fields.pop("origin") == job.origin else None


def finished(job, shard):
    """Whether a shard is made and every byte of its files is as it was written."""
    fields = description(job, shard)
    try:
        return fields is not None and all(_is_whole(job.data / "records" / name, file) for name, file in fields["files"].items())
    except FileNotFoundError:
        return False


def _is_whole(path, file):
    if isinstance(path, RemotePath):  # A store has checksums of its own; reading all back would take as long as writing.
        return path.stat().st_size == file["bytes"]
    return sha256_of(path) == file["sha256"]


def finalize(job, manifest, shards):
    """Makes a data set of the shards and returns it, opened; returns how many are missing if not all are made.

    Raises `UserError` when every entry is bad, or any of a strict job.
    """
    descriptions = {shard: description(job, shard) for shard in shards}
    missing = sum(fields is None for fields in descriptions.values())
    if missing:
        return missing
    skipped = skipped_of(job, manifest, descriptions)
    splits = {split: [held(descriptions[shard]) for shard in shards if shard.split == split] for split in SPLITS}
    dataset = write_dataset(job, skipped, splits)
    print(summary(dataset, "prepared"))
    print(contents(dataset))
    return dataset


def held(description):
    """What dataset.json says of a shard whose done file says `description`."""
    fields = {key: value for key, value in description.items() if key not in ("skipped", "members")}
    if "unprofiled_cmyk" in fields:
        fields["unprofiled_cmyk"] = sum(fields["unprofiled_cmyk"].values())
    return fields


def skipped_of(job, manifest, descriptions):
    """Returns all that was set aside, in the catalogue's order; `descriptions` = {shard: what its done file says}.

    Raises `UserError` when every entry is bad, or any of a strict job.
    """
    skipped = manifest.skipped + [Skipped(**skip) for fields in descriptions.values() for skip in fields["skipped"]]
    skipped.sort(key=lambda skip: (skip.listing, skip.line))
    if job.strict and skipped:  # Set aside by an earlier run that was not strict.
        raise UserError(job.why(skipped[0]))
    if len(skipped) == len(manifest.entries) + len(manifest.skipped):
        raise UserError(f"{job.source}: every entry is bad; {job.why(skipped[0])}")
    return skipped


def write_dataset(job, skipped, splits, version=1):
    """Makes a data set of shards that are made, `splits` as `Dataset` has them, and returns it, opened."""
    path = job.data / records.SKIPPED_FILENAME
    lines = [json.dumps(asdict(skip), ensure_ascii=False) + "\n" for skip in skipped]
    if lines or path.exists():
        write_whole(path, "".join(lines))
    fields = {
        "format": records.FORMAT,
        **({"version": version} if version > 1 else {}),
        "slots": job.encoding.slots,
        "levels": job.encoding.levels,
        "article_levels": job.encoding.article_levels,
        "origin": job.origin,
        "skipped": len(skipped),
        "splits": splits,
    }
    write_whole(job.data / records.FILENAME, json.dumps(fields, indent=1) + "\n")
    # What killed runs left.
    clear_partials(job.data / "records")
    for skip in skipped[:3]:
        print(f"skipped {job.why(skip)}")
    dataset = records.open_dataset(job.data)
    if dataset.unprofiled_cmyk:
        how = "the profile of --cmyk-profile" if job.encoding.cmyk_profile else "the plain formula; --cmyk-profile gives them one"
        print(f"warning: {dataset.unprofiled_cmyk} pictures are CMYK without a profile, converted by {how}")
    return dataset


def finalized(job):
    """Returns the data set of the job if it is whole, else None; refuses to write over another."""
    if not (job.data / records.FILENAME).exists():
        return None
    dataset = records.open_dataset(job.data)
    found = json.loads((job.data / records.FILENAME).read_text(encoding="utf-8"))["origin"]
    if found != job.origin:
        changed = next(key for key in {**found, **job.origin} if found.get(key) != job.origin.get(key))
        what = changed.removesuffix("_sha256").replace("_", " ")
        hint = "; add --update to bring it up to date" if changed == "manifest_sha256" else ""
        raise UserError(f"{job.data}: holds a data set made from another {what}{hint or '; delete it or choose another folder'}")
    if job.strict and dataset.skipped:
        set_aside = f"{dataset.skipped} bad entries were set aside"
        raise UserError(f"{job.data}: {set_aside}, see {job.data / records.SKIPPED_FILENAME}")
    print(summary(dataset, "already prepared"))
    return dataset


def contents(dataset):
    """One line about a data set's poses and articles."""
    shards = [shard for split in SPLITS for shard in dataset.splits[split]]
    articles = {slot: sum(shard["articles"][slot] for shard in shards) for slot in dataset.slots}
    poses, entries = (sum(shard[count] for shard in shards) for count in ("with_keypoints", "entries"))
    return f"{poses} of {entries} entries have a pose; articles: " + ", ".join(f"{slot} {n}" for slot, n in articles.items())


def summary(dataset, verb):
    """One line about a data set."""
    counts = ", ".join(f"{dataset.count(split)} {split}" for split in SPLITS)
    levels = f"{format_size(dataset.levels[0])} to {format_size(dataset.levels[-1])}"
    skipped = f", {dataset.skipped} set aside (see {records.SKIPPED_FILENAME})" if dataset.skipped else ""
    reduced = dataset.article_levels != dataset.levels
    articles = f", articles up to {format_size(dataset.article_levels[-1])}" if reduced else ""
    return f"{verb} {dataset.path}: {counts}, levels {levels}{articles}{skipped}"
