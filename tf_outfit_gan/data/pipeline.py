"""From records to batches: zipped, shuffled before decoding, decoded a batch at a time, mirrored.

A photo of one level meets the articles of another; only these two are read and decoded.
"""

import tensorflow as tf

from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.data.records import is_raw
from tf_outfit_gan.errors import UserError
from tf_outfit_gan.pixels import to_float
from tf_outfit_gan.pose.mpii import MIRROR, NUM_JOINTS

# Memory that shuffled records, still encoded, may take.
SHUFFLE_BYTES = 256 << 20

# Shards that a shuffled stream reads from at once.
OPEN_SHARDS = 8

# Decoded batches that wait for the trainer. Pictures are large: more would only hold memory.
READY_BATCHES = 2


def batches(dataset, split, image_size, condition_size, batch_size, *,
            seed=None, mirror=False, repeat=False, shard=(0, 1)):
    """Streams a split of a prepared `Dataset` as a tf.data.Dataset of dicts.

    Args:
        image_size, condition_size: (height, width) of stored levels; condition_size None leaves the outfits out.
        seed: None for the order of the records; otherwise entries are shuffled, anew in each round.
        mirror: flips half of the entries left to right, photo, articles and pose together; needs a seed.
        repeat: rounds without end and only full batches; otherwise one round, whose last batch may be short.
        shard: (index, count) reads the index-th of count parts that together are the whole split.

    Yields: ids string [N]; image float32 [N, H, W, 3] in [-1, 1]; with a condition_size also articles float32
        [N, S, h, w, 3] in [-1, 1], exactly 0 for a missing article, and keypoints float32 [N, K, 3].

    The same arguments give the same stream: what is mirrored is drawn from (seed, shard, number of the batch).
    """
    if mirror and seed is None:
        raise ValueError("mirror draws at random: expected a seed, got None")
    if not dataset.count(split):
        raise UserError(f"{dataset.path}: no {split} entries; its splits: "
                        + ", ".join(f"{dataset.count(name)} {name}" for name in SPLITS))
    stream = _records(dataset, split, image_size, condition_size, seed, shard)
    if seed is not None:
        kinds = [("photos", image_size)] + ([("articles", condition_size)] if condition_size else [])
        record_bytes = sum(dataset.mean_bytes(split, kind, size) for kind, size in kinds)
        stream = stream.shuffle(max(1, min(dataset.count(split), int(SHUFFLE_BYTES / record_bytes))), seed=seed)
    if repeat:
        stream = stream.repeat()
    stream = stream.batch(batch_size, drop_remainder=repeat)

    index, count = shard

    def decode(number, serialized):
        flip = None
        if mirror:
            flip = tf.random.stateless_uniform(tf.shape(serialized[0]), [seed, number * count + index]) < 0.5  # [N]
        return _parse(serialized, len(dataset.slots), image_size, condition_size, flip)

    return stream.enumerate().map(decode, num_parallel_calls=tf.data.AUTOTUNE).prefetch(READY_BATCHES)


def load_entry(dataset, entry_id, image_size, condition_size):
    """Loads one entry by its id, from whichever split, as `batches` gives it but without the batch axis.

    Raises `UserError` for an unknown id, naming a few that there are.
    """
    examples = []
    for split in SPLITS:
        num_shards = len(dataset.splits[split])
        for part in ((index, num_shards) for index in range(num_shards)):
            # The smallest level holds the ids in the fewest bytes.
            smallest = _records(dataset, split, dataset.levels[0], None, shard=part).batch(1024)
            ids = [found.decode() for (photos,) in smallest for found in _photos(photos)["id"].numpy()]
            if entry_id in ids:
                record = _records(dataset, split, image_size, condition_size, shard=part).skip(ids.index(entry_id))
                batch = _parse(next(iter(record.batch(1))), len(dataset.slots), image_size, condition_size)
                return {name: value[0] for name, value in batch.items()}
            examples = examples or sorted(ids)[:3]
    raise UserError(f"{dataset.path}: no entry {entry_id!r}; expected one of its ids, such as {', '.join(examples)}")


def _records(dataset, split, image_size, condition_size, seed=None, shard=(0, 1)):
    """Streams serialized (photo,) or (photo, articles) records; a seed puts the files in random order."""
    kinds = [("photos", image_size)] + ([("articles", condition_size)] if condition_size else [])
    files = list(zip(*(dataset.files(split, kind, size) for kind, size in kinds)))
    index, count = shard
    # Whole files to each reader if they can be dealt fairly; otherwise everyone reads all and keeps each count-th.
    by_file = len(files) % count == 0
    files = tf.data.Dataset.from_tensor_slices(files[index::count] if by_file else files)

    def read(names):
        return tf.data.Dataset.zip(tuple(tf.data.TFRecordDataset(names[kind]) for kind in range(len(kinds))))

    if seed is None:
        stream = files.flat_map(read)
    else:
        stream = files.shuffle(files.cardinality(), seed=seed).interleave(read, cycle_length=OPEN_SHARDS)
    return stream if by_file else stream.shard(count, index)


def _photos(serialized):
    return tf.io.parse_example(serialized, {
        "id": tf.io.FixedLenFeature([], tf.string),
        "image": tf.io.FixedLenFeature([], tf.string),
        "keypoints": tf.io.FixedLenFeature([NUM_JOINTS, 3], tf.float32),
    })


def _parse(serialized, num_slots, image_size, condition_size, flip=None):
    """Parses and decodes a batch of records; `flip` [N] tells which entries to mirror."""
    photos = _photos(serialized[0])
    batch = {"ids": photos["id"], "image": to_float(_flipped(_decode(photos["image"], image_size), flip))}
    if condition_size:
        features = {"articles": tf.io.FixedLenFeature([num_slots], tf.string)}
        encoded = tf.io.parse_example(serialized[1], features)["articles"]  # [N, S]
        articles = to_float(_flipped(_decode(encoded, condition_size), flip))  # [N, S, h, w, 3]
        # Missing is mid-gray, which no uint8 is: it can only be filled in here.
        batch["articles"] = _where(tf.strings.length(encoded) > 0, articles, tf.zeros_like(articles))
        batch["keypoints"] = _flipped_pose(photos["keypoints"], flip)
    return batch


def _decode(encoded, size):
    """Decodes a string tensor of any shape to uint8 [..., h, w, 3]; an empty string gives black."""
    height, width = size
    if is_raw(size):
        pixels = tf.io.decode_raw(encoded, tf.uint8, fixed_length=height * width * 3)
    else:
        def jpeg(one):
            return tf.cond(tf.strings.length(one) > 0,
                           lambda: tf.io.decode_jpeg(one, channels=3, dct_method="INTEGER_ACCURATE"),
                           lambda: tf.zeros([height, width, 3], tf.uint8))
        picture = tf.TensorSpec([height, width, 3], tf.uint8)
        pixels = tf.map_fn(jpeg, tf.reshape(encoded, [-1]), fn_output_signature=picture)
    pixels = tf.reshape(pixels, tf.concat([tf.shape(encoded), [height, width, 3]], 0))
    return tf.ensure_shape(pixels, [*encoded.shape, height, width, 3])


def _flipped(pictures, flip):
    """Mirrors the pictures [N, ..., H, W, C] of the entries in `flip` [N]."""
    return pictures if flip is None else _where(flip, tf.reverse(pictures, [-2]), pictures)


def _flipped_pose(keypoints, flip):
    """Mirrors the poses [N, K, 3] of the entries in `flip` [N]; hidden joints stay at (0, 0, 0)."""
    if flip is None:
        return keypoints
    x, y, v = tf.unstack(tf.gather(keypoints, MIRROR, axis=1), axis=-1)
    return _where(flip, tf.stack([tf.where(v > 0, 1 - x, x), y, v], axis=-1), keypoints)


def _where(condition, yes, no):
    """tf.where for a condition on the leading axes; flat, as broadcasting over many axes takes six times as long."""
    def flat(values):
        return tf.reshape(values, tf.concat([tf.shape(condition), [-1]], 0))
    return tf.reshape(tf.where(condition[..., None], flat(yes), flat(no)), tf.shape(yes))
