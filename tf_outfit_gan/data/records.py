"""A prepared data set on disk: TFRecords by level of resolution, and dataset.json that says what they hold.

    DATA/dataset.json                                    written last: without it the data set is not whole
    DATA/skipped.jsonl                                   the entries set aside, and why (only if there are any)
    DATA/records/train-00000-of-00008-photos-64x48       id, image, keypoints
    DATA/records/train-00000-of-00008-articles-64x48     one image a slot, no bytes for a missing article; the smaller levels
    DATA/records/train-00000-of-00008.done.json          written after the shard's records: what they hold
    DATA/records/train.0002-00000-of-00001-...           shards of an update, here the second version of the data set
    DATA/dataset-0001.json                               an earlier version that a run still reads
    DATA/removed.jsonl                                   the ids of entries that an update took out, and in which version
    DATA/statistics/                                     what `evaluate` knows of the photos; may be deleted

Photos and articles of a shard stand in the same order at every level, so a reader zips the photos of one level with
the articles of another: the size of the conditions does not follow the size of the picture.
"""

import contextlib
import fcntl
import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import RemotePath, as_path

FILENAME = "dataset.json"
SKIPPED_FILENAME = "skipped.jsonl"
REMOVED_FILENAME = "removed.jsonl"
FORMAT = 1
KINDS = ("photos", "articles")

# Levels up to this height are stored as raw pixels: a batch of them is decoded by one operation, at ten times the
# speed of as many small PNGs, and next to the large levels their bytes do not count. Larger ones are JPEG.
RAW_HEIGHT = 64


def is_raw(level):
    """Whether pictures of a level (height, width) are stored as raw uint8 [h, w, 3] rather than JPEG."""
    return level[0] <= RAW_HEIGHT


def record_name(shard, kind, level):
    """Names the file of one shard, by its name, of one kind and level."""
    return f"{shard}-{kind}-{format_size(level)}"


def shard_name(shard):
    """The name of a shard, given as `Dataset.splits` has it."""
    return next(iter(shard["files"])).rsplit("-", 2)[0]


def version_file(path, version):
    """Where an earlier version of the data set's dataset.json is kept."""
    return path / f"dataset-{version:04d}.json"


@dataclass(frozen=True)
class Dataset:
    """A whole, prepared data set. `splits` holds for each split what its shards hold, as dataset.json has it."""

    path: Path | RemotePath
    slots: tuple
    levels: tuple  # Of the photos, (height, width) from small to large.
    article_levels: tuple  # Of the articles: the smaller ones of `levels`, or all.
    splits: dict
    skipped: int
    version: int = 1  # Each update is another one.

    def count(self, split):
        """The number of entries of a split."""
        return sum(shard["entries"] for shard in self.splits[split])

    def articles(self, split):
        """The number of articles of a split by slot."""
        return {slot: sum(shard["articles"][slot] for shard in self.splits[split]) for slot in self.slots}

    @property
    def has_keypoints(self):
        """Whether every entry has a pose: what a conditional model needs."""
        return all(shard["with_keypoints"] == shard["entries"] for split in SPLITS for shard in self.splits[split])

    @property
    def unprofiled_cmyk(self):
        """How many pictures were CMYK without a profile; 0 also of what earlier versions prepared, which did not count."""
        return sum(shard.get("unprofiled_cmyk", 0) for split in SPLITS for shard in self.splits[split])

    @property
    def checksum(self):
        """What identifies this data, wherever it lies: SHA-256 of its slots, levels and files' checksums."""
        shards = [shard["files"] for split in SPLITS for shard in self.splits[split]]
        files = {name: file["sha256"] for shard in shards for name, file in shard.items()}
        content = json.dumps([self.slots, self.levels, files], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()

    def files(self, split, kind, size):
        """The record files of a split, in order; raises `UserError` for a size that is not stored."""
        levels = self.article_levels if kind == "articles" else self.levels
        if tuple(size) not in levels:
            message = f"{self.path}: no {kind} of size {format_size(size)}: it holds {', '.join(map(format_size, levels))}"
            if tuple(size) in self.levels:
                message += f"; for larger ones, prepare it with --article-size {format_size(size)}"
            raise UserError(message)
        return [str(self.path / "records" / record_name(shard_name(shard), kind, size)) for shard in self.splits[split]]

    def mean_bytes(self, split, kind, size):
        """The mean size of a record in bytes."""
        names = {os.path.basename(file) for file in self.files(split, kind, size)}
        files = [file for shard in self.splits[split] for name, file in shard["files"].items() if name in names]
        return sum(file["bytes"] for file in files) / max(1, self.count(split))


def is_dataset(path):
    """Whether a folder holds a whole data set, of whatever version."""
    return (as_path(path) / FILENAME).exists()


def open_dataset(path):
    """Opens a prepared folder; raises `UserError` if it is missing, not whole, or of another version."""
    path = as_path(path)
    try:
        fields = json.loads((path / FILENAME).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(
            f"{path / FILENAME}: no such file; expected a data set, made whole by `outfit-gan prepare CATALOGUE {path}`"
        ) from None
    except ValueError as error:
        raise UserError(f"{path / FILENAME}: damaged ({error}); delete {path} and prepare it again") from None
    if not isinstance(fields, dict) or fields.get("format") != FORMAT:
        raise UserError(f"{path / FILENAME}: not of format {FORMAT}; delete {path} and prepare it again")
    found = _sizes(path / "records")
    for shards in fields["splits"].values():
        for shard in shards:
            for name, file in shard["files"].items():
                if found.get(name, "none") not in (file["bytes"], None):
                    record = path / "records" / name
                    raise UserError(
                        f"{record}: expected {file['bytes']} bytes, found {found.get(name, 'none')}; prepare the data again"
                    )
    levels = tuple(map(tuple, fields["levels"]))
    # Earlier versions stored articles at every level.
    article_levels = tuple(map(tuple, fields.get("article_levels", levels)))
    version = fields.get("version", 1)
    return Dataset(path, tuple(fields["slots"]), levels, article_levels, fields["splits"], fields["skipped"], version)


def _sizes(folder):
    """{name: bytes} of the files in a folder; None for the bytes on a store, which takes one question for each."""
    if isinstance(folder, RemotePath):
        return dict.fromkeys(path.name for path in folder.iterdir())
    with os.scandir(folder) as files:
        return {file.name: file.stat().st_size for file in files if file.is_file()}


@contextlib.contextmanager
def reading(dataset):
    """Holds a data set's files: an update lets this version's files be until the end.

    The lock is one of the file system's, so it ends with the process. Where there are no locks, nothing is held.
    """
    if isinstance(dataset.path, RemotePath):
        yield
        return
    with contextlib.ExitStack() as held:
        for path in (version_file(dataset.path, dataset.version), dataset.path / FILENAME):
            with contextlib.suppress(OSError):
                file = held.enter_context(open(path, "rb"))
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                break
        yield


@contextlib.contextmanager
def unread(path):
    """Yields whether nobody reads the version whose file this is; until the end, nobody can begin to hold it."""
    if isinstance(path, RemotePath):
        yield False
        return
    with open(path, "rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # Held, or a file system without locks, where nobody can know.
            yield False
        else:
            yield True
