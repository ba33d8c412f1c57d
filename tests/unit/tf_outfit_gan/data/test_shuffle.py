"""The order of a stream: every record once a round, shared among readers, and the same wherever one begins."""

import os
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.reference import data
from tf_outfit_gan.data import shuffle

ENTRIES = [7, 9, 0, 8, 5, 6, 7, 8, 9, 10, 3]
TOTAL = sum(ENTRIES)
RECORD_BYTES = 3
WINDOW_BYTES = shuffle.WINDOW_BYTES  # Before the tests make it smaller.


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Eleven shards, one of them empty, whose records are numbers."""
    folder, names, number = tmp_path_factory.mktemp("shards"), [], 0
    for shard, entries in enumerate(ENTRIES):
        names.append((str(folder / str(shard)),))
        with tf.io.TFRecordWriter(names[-1][0]) as writer:
            for _ in range(entries):
                writer.write(str(number).encode())
                number += 1
    return names


@pytest.fixture(scope="module", autouse=True)
def small_groups():
    """Three groups of shards and eight windows of ten records a round."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shuffle, "OPEN_SHARDS", 4)
        patch.setattr(shuffle, "WINDOW_BYTES", 10 * RECORD_BYTES)
        yield


def take(files, count, *, seed=5, **arguments):
    stream = shuffle.shuffled(files, ENTRIES[: len(files)], RECORD_BYTES, seed, **arguments).take(count)
    return [int(record) for _, (record,) in stream.as_numpy_iterator()]


@pytest.fixture(scope="module")
def whole(files):
    return take(files, 3 * TOTAL)


def test_each_round_has_every_record_once_in_another_order(files, whole):
    rounds = np.reshape(whole, [3, TOTAL]).tolist()
    assert all(sorted(found) == list(range(TOTAL)) for found in rounds)
    assert rounds[0] != rounds[1] != rounds[2] != rounds[0]
    assert take(files, TOTAL, seed=6) != rounds[0]


def test_the_order_is_the_references(whole):
    """Written down a second time, over lists: rounds of groups of shards, cut into windows."""
    records = data.order(ENTRIES, 5, window=10, open_shards=4)
    assert [record for _, (record, _) in zip(whole, records)] == whole


def test_a_window_holds_hundreds_of_large_pictures_and_two_of_them_little_memory():
    assert 100 * 1_000_000 <= WINDOW_BYTES <= 200 * 1_000_000


def test_a_window_mixes_the_shards_of_a_group(whole):
    shard_of = np.repeat(range(len(ENTRIES)), ENTRIES)
    assert len(set(shard_of[whole[:10]])) >= 3


def test_the_shards_of_a_group_are_opened_at_once(tmp_path, monkeypatch):
    """For the first record of a window all are opened: in a bucket, each takes its time."""
    monkeypatch.setattr(shuffle, "WINDOW_BYTES", RECORD_BYTES)
    names = [(str(tmp_path / f"{shard}.shard"),) for shard in range(4)]
    for (name,) in names:
        with tf.io.TFRecordWriter(name) as writer:
            for _ in range(20):  # Too much to be read ahead, so that the file stays open.
                writer.write(b"x" * (1 << 20))

    def opened():
        links = (os.path.join("/proc/self/fd", number) for number in os.listdir("/proc/self/fd"))
        return {os.readlink(link) for link in links if os.path.islink(link)} & {name for (name,) in names}

    stream = iter(shuffle.shuffled(names, [20] * 4, RECORD_BYTES, 5))
    next(stream)
    deadline = time.monotonic() + 20
    while len(opened()) < 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    assert len(opened()) == 4


@pytest.mark.parametrize("start", [10, 37, TOTAL - 1, 2 * TOTAL + 33])
def test_a_stream_begins_anywhere(files, whole, start):
    """Inside a window, at its start, in another group, and rounds later."""
    assert take(files, 24, start=start) == whole[start : start + 24]


@pytest.mark.parametrize("count", [2, 3])
def test_readers_share_every_round_and_begin_anywhere(files, count):
    parts = [take(files, TOTAL, shard=(index, count)) for index in range(count)]
    for index, part in enumerate(parts):
        assert sorted(part) == list(range(TOTAL))  # In the long run each reader comes past everything ...
        assert take(files, 12, start=29, shard=(index, count)) == part[29:41]
    shard_of = np.repeat(range(len(ENTRIES)), ENTRIES)
    shards = [set(shard_of[part[:8]]) for part in parts]
    assert len(set.union(*shards)) == sum(map(len, shards))  # ... but at any time they read different shards.


def test_fewer_shards_than_readers_are_read_by_all(files):
    parts = [take(files[:2], 8, shard=(index, 3)) for index in range(3)]
    assert [record for records in zip(*parts) for record in records] == take(files[:2], 24)
    assert take(files[:2], 3, start=5, shard=(1, 3)) == parts[1][5:]


def test_coins_are_fair_and_others_each_round_and_in_each_stream(files):
    streams = [shuffle.shuffled(files, ENTRIES, RECORD_BYTES, 5, shard=(index, 2)).take(2 * TOTAL) for index in range(2)]
    coins = [float(coin) for stream in streams for coin, _ in stream.as_numpy_iterator()]
    assert len(set(coins)) == 4 * TOTAL
    assert 0.4 < np.mean(coins) < 0.6 and 0 <= min(coins) and max(coins) < 1
