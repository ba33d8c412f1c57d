"""From records to batches: shuffled before decoding, decoded one entry at a time, mirrored.

A photo of one level meets the articles of another; only these two are read and decoded. Pictures stay 8-bit until they
are on the device that needs them: a quarter of the bytes to copy, and the conversion to floats would take as long as
half of the decoding. There they are mirrored, too.
"""

import math
import warnings

import tensorflow as tf

from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.data.records import is_raw
from tf_outfit_gan.data.shuffle import shuffled
from tf_outfit_gan.pixels import to_float
from tf_outfit_gan.pose.mpii import MIRROR, NUM_JOINTS
from tf_outfit_gan.util.errors import UserError

# Decoded batches that wait for the trainer. Pictures are large: more would only hold memory.
READY_BATCHES = 2


def batches(*args, **kwargs):
    """Streams batches ready for the networks: `compact_batches`, with the same arguments, after `to_inputs`."""
    return compact_batches(*args, **kwargs).map(to_inputs, num_parallel_calls=tf.data.AUTOTUNE).prefetch(READY_BATCHES)


def compact_batches(
    dataset, split, image_size, condition_size, batch_size, *, seed=None, mirror=False, start=0, replicas=1, shard=(0, 1)
):
    """Streams a split of a prepared `Dataset` as a tf.data.Dataset of dicts.

    Args:
        image_size, condition_size: (height, width) of stored levels; condition_size None leaves the outfits out.
        seed: None for one round in the order of the records, whose last batch may be short; otherwise rounds without
            end, each shuffled anew, and only full batches.
        mirror: flips half of the entries left to right, photo, articles and pose together; needs a seed.
        start: how many entries of this stream were consumed before, at whatever sizes: the stream starts after them.
        replicas: deals the entries of so many batches round-robin, as to the replicas of a training step: what they get
            together does not depend on how many they are.
        shard: (index, count) is the index-th of count readers that together read the whole split: files of its own, or
            with fewer files than readers, of which it warns, all files and its share of the records.

    Yields: ids string [N]; image uint8 [N, H, W, 3]; with a condition_size also articles, a tuple of S uint8
        [N, h, w, 3] (stacked here, they would all be copied once more), worn bool [N, S] (an article that is missing is
        black and must not be seen: see `to_inputs`), and keypoints float32 [N, K, 3]. With mirror also flip bool [N]:
        which entries `to_inputs` is to mirror.

    The same arguments give the same stream, entry by entry, also of what is mirrored; neither the sizes nor the batch
    change the order.
    """
    if (mirror or start) and seed is None:
        raise ValueError("a stream is mirrored or starts elsewhere only if it is shuffled: expected a seed, got None")
    if not dataset.count(split):
        raise UserError(
            f"{dataset.path}: no {split} entries; its splits: " + ", ".join(f"{dataset.count(name)} {name}" for name in SPLITS)
        )
    files = _files(dataset, split, image_size, condition_size)
    if len(files) < shard[1]:
        warnings.warn(
            f"{dataset.path}: {len(files)} {split} shards for {shard[1]} readers: each reads all of them and decodes its share",
            stacklevel=2,
        )
    if seed is None:
        stream = _in_order(files, shard).map(lambda *records: (1.0, records))
    else:
        # The window is that of the largest level, so that a run sees the same order at all of its levels.
        kinds = [("photos", dataset.levels[-1])] + ([("articles", condition_size)] if condition_size else [])
        record_bytes = sum(dataset.mean_bytes(split, kind, size) for kind, size in kinds)
        entries = [shard["entries"] for shard in dataset.splits[split]]
        stream = shuffled(files, entries, record_bytes, seed, start, shard)

    def prepare(coins, records):
        """Parses a global batch, which takes a third of the time that they take one by one, and deals it."""
        entries = _parse(records, len(dataset.slots)) | ({"flip": coins < 0.5} if mirror else {})
        return {name: _dealt(values, replicas) for name, values in entries.items()}

    def decode(entry):
        return _decode(entry, image_size, condition_size)

    full = seed is not None
    stream = stream.batch(batch_size * replicas, drop_remainder=full).map(prepare).unbatch()
    stream = stream.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    stream = stream.batch(batch_size, drop_remainder=full).prefetch(READY_BATCHES)
    options = tf.data.Options()
    # Decoding has threads of its own, one a core, and does not queue behind the training step's operations.
    options.threading.private_threadpool_size = 0
    options.threading.max_intra_op_parallelism = 1
    return stream.with_options(options)


def to_inputs(batch):
    """Turns the pictures of a compact batch into floats in [-1, 1], and mirrors what is to be mirrored.

    A missing article is exactly 0, mid-gray.
    """
    flip = batch.get("flip")

    def picture(pixels):
        return _mirrored_where(flip, to_float(pixels))

    found = {name: value for name, value in batch.items() if name not in ("flip", "worn")}
    found["image"] = picture(batch["image"])
    if "articles" in batch:
        articles, worn = tf.stack([picture(slot) for slot in batch["articles"]], axis=-4), batch["worn"]
        # Flat, as broadcasting over many axes takes six times as long.
        flat = tf.reshape(articles, tf.concat([tf.shape(worn), [-1]], 0))
        found["articles"] = tf.reshape(tf.where(worn[..., None], flat, tf.zeros_like(flat)), tf.shape(articles))
        if flip is not None:
            found["keypoints"] = tf.where(flip[:, None, None], _mirrored_pose(batch["keypoints"]), batch["keypoints"])
    return found


def _mirrored_where(flip, images):
    """Mirrors those of the images [N, H, W, 3] that `flip` [N] selects; None = none of them."""
    if flip is None:
        return images
    flat = [tf.reshape(x, [-1, math.prod(images.shape[1:])]) for x in (tf.reverse(images, [2]), images)]
    return tf.reshape(tf.where(flip[:, None], *flat), [-1, *images.shape[1:]])


def _mirrored_pose(keypoints):
    """Poses [N, K, 3] seen in a mirror; hidden joints stay at (0, 0, 0)."""
    x, y, v = tf.unstack(tf.gather(keypoints, MIRROR, axis=1), axis=-1)
    return tf.stack([tf.where(v > 0, 1 - x, x), y, v], axis=-1)


def stored_entries(dataset, split, image_size, condition_size):
    """Streams entries in order, still encoded: id, image, keypoints [K, 3]; with a condition_size also articles [S]."""
    stream = _in_order(_files(dataset, split, image_size, condition_size)).batch(64)
    return stream.map(lambda *records: _parse(records, len(dataset.slots))).unbatch()


def load_entry(dataset, entry_id, image_size, condition_size):
    """Loads one entry by its id, from whichever split, as `batches` gives it but without the batch axis.

    Raises `UserError` for an unknown id, naming a few that there are.
    """
    examples = []
    for split in SPLITS:
        # The smallest level holds the ids in the fewest bytes.
        smallest = _files(dataset, split, dataset.levels[0], None)
        for small, files in zip(smallest, _files(dataset, split, image_size, condition_size)):
            photos = _in_order([small]).batch(1024)
            ids = [found.decode() for part in photos for found in _parse(part, 0)["id"].numpy()]
            if entry_id in ids:
                record = _in_order([files]).skip(ids.index(entry_id)).batch(1)
                entry = {name: value[0] for name, value in _parse(next(iter(record)), len(dataset.slots)).items()}
                return to_inputs(_decode(entry, image_size, condition_size))
            examples = examples or sorted(ids)[:3]
    raise UserError(f"{dataset.path}: no entry {entry_id!r}; expected one of its ids, such as {', '.join(examples)}")


_PHOTO = {
    "id": tf.io.FixedLenFeature([], tf.string),
    "image": tf.io.FixedLenFeature([], tf.string),
    "keypoints": tf.io.FixedLenFeature([NUM_JOINTS, 3], tf.float32),
}


def _files(dataset, split, image_size, condition_size):
    """[shards, kinds]: the names of the files to read in step."""
    kinds = [("photos", image_size)] + ([("articles", condition_size)] if condition_size else [])
    return list(zip(*(dataset.files(split, kind, size) for kind, size in kinds)))


def _in_order(files, shard=(0, 1)):
    """Streams serialized (photo,) or (photo, articles) records in the order in which they are stored."""
    index, count = shard
    whole_files = len(files) >= count

    def read(names):
        return tf.data.Dataset.zip(tuple(tf.data.TFRecordDataset(names[kind]) for kind in range(len(files[0]))))

    stream = tf.data.Dataset.from_tensor_slices(files[index::count] if whole_files else files).flat_map(read)
    return stream if whole_files else stream.shard(count, index)


def _dealt(values, replicas):
    """Orders a global batch [N, ...] so that replica r, which takes the r-th share, gets places r, r + replicas, ..."""
    if replicas == 1:
        return values
    return tf.concat([values[replica::replicas] for replica in range(replicas)], 0)


def _parse(records, num_slots):
    """Parses (photos,) or (photos, articles) [N] to id [N], image [N], keypoints [N, K, 3], and articles [N, S]."""
    entries = tf.io.parse_example(records[0], _PHOTO)
    for articles in records[1:]:
        entries |= tf.io.parse_example(articles, {"articles": tf.io.FixedLenFeature([num_slots], tf.string)})
    return entries


def _decode(entry, image_size, condition_size):
    """Decodes a parsed entry."""
    decoded = {"ids": entry["id"], "image": decode_picture(entry["image"], image_size)}
    if "flip" in entry:
        decoded["flip"] = entry["flip"]
    if condition_size:
        decoded["articles"] = tuple(decode_article(encoded, condition_size) for encoded in tf.unstack(entry["articles"]))
        decoded["worn"] = tf.strings.length(entry["articles"]) > 0
        decoded["keypoints"] = entry["keypoints"]
    return decoded


def decode_article(encoded, size):
    """`decode_picture`; a missing one, an empty string, gives black."""
    if is_raw(size):
        return decode_raw(encoded, size)
    there = tf.strings.length(encoded) > 0
    return tf.cond(there, lambda: decode_picture(encoded, size), lambda: tf.zeros([*size, 3], tf.uint8))


def decode_picture(encoded, size):
    """Decodes one string to uint8 [h, w, 3]."""
    return decode_raw(encoded, size) if is_raw(size) else tf.ensure_shape(decode_jpeg(encoded), [*size, 3])


def decode_raw(encoded, size):
    """Turns raw pixels [...] into uint8 [..., h, w, 3]; an empty string gives black."""
    height, width = size
    pixels = tf.io.decode_raw(encoded, tf.uint8, fixed_length=height * width * 3)
    return tf.reshape(pixels, [*encoded.shape, height, width, 3])


def decode_jpeg(encoded):
    """Decodes one JPEG to uint8 [h, w, 3]."""
    return tf.io.decode_jpeg(encoded, channels=3, dct_method="INTEGER_ACCURATE")
