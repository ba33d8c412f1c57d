"""A prepared data set on disk: TFRecords by level of resolution, and dataset.json that says what they hold.

    DATA/dataset.json                                    written last: without it the data set is not whole
    DATA/skipped.jsonl                                   the entries set aside, and why (only if there are any)
    DATA/records/train-00000-of-00008-photos-64x48       id, image, keypoints
    DATA/records/train-00000-of-00008-articles-64x48     one image a slot, no bytes for a missing article; the smaller levels
    DATA/records/train-00000-of-00008.done.json          written after the shard's records: what they hold
    DATA/statistics/                                     what `evaluate` knows of the photos; may be deleted

Photos and articles of a shard stand in the same order at every level, so a reader zips the photos of one level with
the articles of another: the size of the conditions does not follow the size of the picture.
"""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError

FILENAME = "dataset.json"
SKIPPED_FILENAME = "skipped.jsonl"
FORMAT = 1
KINDS = ("photos", "articles")

# Levels up to this height are stored as raw pixels: a batch of them is decoded by one operation, at ten times the
# speed of as many small PNGs, and next to the large levels their bytes do not count. Larger ones are JPEG.
RAW_HEIGHT = 64


def is_raw(level):
    """Whether pictures of a level (height, width) are stored as raw uint8 [h, w, 3] rather than JPEG."""
    return level[0] <= RAW_HEIGHT


def record_name(split, shard, num_shards, kind, level):
    """Names the file of one shard, kind and level."""
    return f"{split}-{shard:05d}-of-{num_shards:05d}-{kind}-{format_size(level)}"


@dataclass(frozen=True)
class Dataset:
    """A whole, prepared data set. `splits` holds for each split what its shards hold, as dataset.json has it."""

    path: Path
    slots: tuple
    levels: tuple  # Of the photos, (height, width) from small to large.
    article_levels: tuple  # Of the articles: the smaller ones of `levels`, or all.
    splits: dict
    skipped: int

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
        shards = self.splits[split]
        return [str(self.path / "records" / record_name(split, index, len(shards), kind, size)) for index in range(len(shards))]

    def mean_bytes(self, split, kind, size):
        """The mean size of a record in bytes."""
        return sum(map(os.path.getsize, self.files(split, kind, size))) / max(1, self.count(split))


def open_dataset(path):
    """Opens a prepared folder; raises `UserError` if it is missing, not whole, or of another version."""
    path = Path(path)
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
    for shards in fields["splits"].values():
        for shard in shards:
            for name, file in shard["files"].items():
                record = path / "records" / name
                found = record.stat().st_size if record.is_file() else "none"
                if found != file["bytes"]:
                    raise UserError(f"{record}: expected {file['bytes']} bytes, found {found}; prepare the data again")
    levels = tuple(map(tuple, fields["levels"]))
    # Earlier versions stored articles at every level.
    article_levels = tuple(map(tuple, fields.get("article_levels", levels)))
    return Dataset(path, tuple(fields["slots"]), levels, article_levels, fields["splits"], fields["skipped"])
