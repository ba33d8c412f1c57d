"""Shards: which entries share a file, how they are written, and how a rerun knows that one is done."""

import hashlib
import itertools
import json
import os
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from tf_outfit_gan.data import records
from tf_outfit_gan.data.manifest import SPLITS, Skipped
from tf_outfit_gan.outfit import SLOTS

# Shards of a small set give the shuffle something to shuffle; those of a large one stay below half a gigabyte a file.
FEW_ENTRIES, FEW_SHARDS, MANY_ENTRIES = 128, 8, 2048

# Entries that a process encodes at once: enough to hide the cost of handing them over.
CHUNK = 16


@dataclass(frozen=True, eq=False)
class Shard:
    """A share of a split: the entries whose records stand in the same files."""

    split: str
    index: int
    num_shards: int
    entries: tuple

    def chunks(self):
        return [self.entries[start:start + CHUNK] for start in range(0, len(self.entries), CHUNK)]

    def done_file(self, data):
        return data / "records" / f"{self.split}-{self.index:05d}-of-{self.num_shards:05d}.done.json"


def plan_shards(entries):
    """Deals each split's entries, sorted by a hash of their ids, to shards of equal length (give or take one)."""
    shards = []
    for split in SPLITS:
        members = sorted((entry for entry in entries if entry.split == split),
                         key=lambda entry: hashlib.sha256(entry.id.encode()).digest())
        few = min(FEW_SHARDS, -(-len(members) // FEW_ENTRIES))
        count = max(few, -(-len(members) // MANY_ENTRIES))
        bounds = [len(members) * index // count for index in range(count + 1)] if count else []
        shards += [Shard(split, index, count, tuple(members[start:end]))
                   for index, (start, end) in enumerate(itertools.pairwise(bounds))]
    return shards


def write_shard(data, shard, results, levels, origin):
    """Writes the records of `results`, each an `Encoded` or a `Skipped`, and returns what dataset.json says of them.

    Files are written beside, brought to disk and renamed; then another file says that the shard is done, and of which
    origin.
    """
    import tensorflow as tf

    outputs = [(kind, level) for kind in records.KINDS for level in range(len(levels))]
    names = {output: records.record_name(shard.split, shard.index, shard.num_shards, output[0], levels[output[1]])
             for output in outputs}
    partial = {output: data / "records" / f".{names[output]}.partial" for output in outputs}
    entries, with_keypoints, skipped, articles = 0, 0, [], dict.fromkeys(SLOTS, 0)
    with ExitStack() as stack:
        writers = {output: stack.enter_context(tf.io.TFRecordWriter(str(partial[output]))) for output in outputs}
        for encoded in results:
            if isinstance(encoded, Skipped):
                skipped.append(asdict(encoded))
                continue
            for kind, level in outputs:
                writers[kind, level].write(_example(encoded, kind, level))
            entries += 1
            with_keypoints += encoded.has_keypoints
            for slot, article in zip(SLOTS, encoded.articles[0]):
                articles[slot] += bool(article)
    files = {}
    for output in outputs:
        with open(partial[output], "rb") as file:
            os.fsync(file.fileno())
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        files[names[output]] = {"bytes": partial[output].stat().st_size, "sha256": digest}
        os.replace(partial[output], data / "records" / names[output])
    fields = {"entries": entries, "with_keypoints": with_keypoints, "articles": articles, "files": files,
              "skipped": skipped}
    records.write_whole(shard.done_file(data), json.dumps({"origin": origin, **fields}))
    return fields


def _example(encoded, kind, level):
    """One record: what `pipeline` parses."""
    from tensorflow.train import BytesList, Example, Feature, Features, FloatList

    if kind == "articles":
        feature = {"articles": Feature(bytes_list=BytesList(value=encoded.articles[level]))}
    else:
        feature = {
            "id": Feature(bytes_list=BytesList(value=[encoded.id.encode()])),
            "image": Feature(bytes_list=BytesList(value=[encoded.photos[level]])),
            "keypoints": Feature(float_list=FloatList(value=encoded.keypoints.ravel())),
        }
    return Example(features=Features(feature=feature)).SerializeToString(deterministic=True)


def finished(data, shard, origin):
    """Returns what an interrupted run said of a shard, if it had the same origin and the files are whole."""
    try:
        fields = json.loads(shard.done_file(data).read_text())
        if fields.pop("origin") != origin:
            return None
        for name, file in fields["files"].items():
            with open(data / "records" / name, "rb") as record:
                if hashlib.file_digest(record, "sha256").hexdigest() != file["sha256"]:
                    return None
        return fields
    except FileNotFoundError:
        return None
