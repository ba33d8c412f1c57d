"""The order of a training stream: a function of a seed and a place, so that a stream can begin anywhere.

A stream goes through all shards round after round, each round in another order. It reads a group of shards at a time,
one record of each round-robin, and shuffles what it has read window by window; nothing is decoded yet. Every permutation
is drawn from (seed, round) or (seed, window), and how many records a shard has is known. So a stream that begins at its
n-th record, because n were consumed before a run was killed, is the rest of the stream that begins at the first: whole
groups are passed over unopened, and of one group the records before the window are skipped, not read.
"""

import numpy as np
import tensorflow as tf

# Shards that are read together: what is mixed in a window comes from that many.
OPEN_SHARDS = 16

# Records of a window, still encoded; two windows are in memory, the one that is consumed and the next one.
WINDOW_BYTES = 128 << 20

# What a random draw is for.
_SHARDS, _WINDOWS, _COINS = range(3)


def shuffled(files, entries, record_bytes, seed, start=0, shard=(0, 1)):
    """Streams the records of shards without end, each once a round, in an order of the seed's.

    Args:
        files: [shards, kinds] file names; the files of a shard are read in step.
        entries: [shards] records in each.
        record_bytes: of a record of all kinds together. It sets the window: to resume a stream, give the same.
        seed: integer.
        start: how many records of this stream were consumed before.
        shard: (index, count) is the index-th of count streams that read different shards at any time, and each of which
            comes past all of them. With fewer shards than streams each reads all and keeps every count-th record.

    Yields: (coin, (serialized of each kind)); the coin is a random number in [0, 1), for this record in this round.
    """
    index, count = shard
    if len(files) < count:
        return shuffled(files, entries, record_bytes, seed, start * count).shard(count, index)
    files, entries = np.array(files), np.array(entries, np.int64)
    window = int(max(1, min(entries.sum(), WINDOW_BYTES // record_bytes)))
    groups = _groups(len(files), index, count)

    # Find the place to start at.
    rounds, rest = divmod(start, int(entries.sum()))
    order, first = _permutation(len(files), seed, _SHARDS, rounds).numpy(), rounds * len(groups)
    for low, high in groups:
        size = int(entries[order[low:high]].sum())
        if rest < size:
            break
        rest, first = rest - size, first + 1
    windows, rest = divmod(rest, window)

    def read_group(number):
        """The windows of one group: its shards read round-robin, cut, and shuffled."""
        bounds = tf.gather(groups, number % len(groups))
        members = _permutation(len(files), seed, _SHARDS, number // len(groups))[bounds[0] : bounds[1]]
        skip = tf.where(number == first, np.int64(windows * window), 0)
        # As long as no shard has ended, all of them have given the same number of records (or one more).
        each = tf.minimum(skip // tf.size(members, tf.int64), tf.reduce_min(tf.gather(entries, members)))

        def read(names):
            kinds = tuple(tf.data.TFRecordDataset(names[kind]) for kind in range(files.shape[1]))
            return tf.data.Dataset.zip(kinds).skip(each)

        # All shards of the group are read at once: in a bucket a request takes long, but many do not take longer.
        records = tf.data.Dataset.from_tensor_slices(tf.gather(files, members))
        records = records.interleave(read, cycle_length=OPEN_SHARDS, num_parallel_calls=OPEN_SHARDS)
        records = records.skip(skip - each * tf.size(members, tf.int64))
        # No two streams of a run, and no two rounds, count alike.
        first_number = (number * count + index) * 2**32 + skip // window
        return records.batch(window).enumerate(first_number).map(shuffle_window)

    def shuffle_window(number, records):
        size = tf.size(records[0])
        order = _permutation(size, seed, _WINDOWS, number)
        coins = _uniform([size], seed, _COINS, number)
        return coins, tf.nest.map_structure(lambda values: tf.gather(values, order), records)

    # The next window is read while this one is consumed.
    return tf.data.Dataset.range(first, tf.int64.max).flat_map(read_group).prefetch(1).unbatch().skip(rest)


def _groups(shards, index, count):
    """[G, 2]: bounds of a round's groups, as places in its order of shards, in the order of one of count streams.

    Each stream has a share of the round's shards to itself, and then reads the others' shares.
    """
    shares = [(index + offset) % count for offset in range(count)]
    bounds = [(shards * share // count, shards * (share + 1) // count) for share in shares]
    return [(low, min(low + OPEN_SHARDS, end)) for start, end in bounds for low in range(start, end, OPEN_SHARDS)]


def _permutation(size, seed, purpose, number):
    return tf.argsort(_uniform([size], seed, purpose, number), stable=True)


def _uniform(shape, seed, purpose, number):
    """The algorithm is named, because the default may be another one on another machine."""
    key = tf.stack([tf.cast(seed * 3 + purpose, tf.int64), tf.cast(number, tf.int64)])
    return tf.random.stateless_uniform(shape, key, alg="philox")
