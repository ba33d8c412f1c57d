"""The pipeline: batches hold the truth, in order or shuffled, mirrored, repeated, shared among readers."""

from contextlib import nullcontext

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.catalogues import article_pixels, photo_pixels, pose_points, worn, write_catalogue
from tf_outfit_gan.data.pipeline import batches, compact_batches, load_entry
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.pixels import array_to_float
from tf_outfit_gan.pose import mpii
from tf_outfit_gan.pose.convert import normalized
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError

# Not the smallest level, 4x3: its middle column mixes the two halves that a mirror exchanges.
LARGE, MIDDLE, SMALL = (32, 24), (16, 12), (8, 6)
TRAIN = [index for index in range(300) if index % 5]


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """300 entries: two shards of train, one of test."""
    folder = tmp_path_factory.mktemp("pipeline")
    return prepare(write_catalogue(folder / "shop", 300, LARGE), folder / "data", workers=1, quiet=True)


def numpy_batches(*args, **kwargs):
    return list(batches(*args, **kwargs).as_numpy_iterator())


def indices(stream):
    return [int(name[1:]) for batch in stream for name in batch["ids"]]


def check(batch, image_size, condition_size, mirrored=False):
    """Compares a batch with what its catalogue holds; returns which entries were mirrored."""
    flips = []
    entries = zip(*(batch[key] for key in ("ids", "image", "articles", "keypoints")), strict=True)
    for name, image, articles, pose in entries:
        index = int(name[1:])
        photo = array_to_float(photo_pixels(index, image_size))
        flips.append(mirrored and not np.array_equal(image, photo))
        columns = slice(None, None, -1 if flips[-1] else 1)
        np.testing.assert_array_equal(image, photo[:, columns])
        for slot, article in zip(SLOTS, articles, strict=True):
            if slot in worn(index):
                truth = array_to_float(article_pixels(index, slot, condition_size))
                np.testing.assert_array_equal(article, truth[:, columns])
            else:
                assert (article == 0).all() and not np.signbit(article).any()
        truth = normalized(pose_points(index, LARGE), LARGE)
        if flips[-1]:
            truth = mpii.mirror(truth)
            truth[truth[:, 2] == 0] = 0
        np.testing.assert_allclose(pose, truth, atol=1e-6)
    return flips


@pytest.mark.parametrize("image_size, condition_size", [(LARGE, SMALL), (SMALL, LARGE), (MIDDLE, MIDDLE)])
def test_batches_hold_the_truth_at_any_pair_of_levels(dataset, image_size, condition_size):
    stream = numpy_batches(dataset, "test", image_size, condition_size, 25)
    assert [len(batch["ids"]) for batch in stream] == [25, 25, 10]
    for batch in stream:
        assert batch["image"].dtype == batch["articles"].dtype == batch["keypoints"].dtype == np.float32
        check(batch, image_size, condition_size)
    assert sorted(indices(stream)) == list(range(0, 300, 5))


def test_without_a_condition_there_are_only_photos(dataset):
    [batch] = numpy_batches(dataset, "test", LARGE, None, 60)
    assert batch.keys() == {"ids", "image"}
    spec = batches(dataset, "train", LARGE, MIDDLE, 8, seed=1).element_spec
    assert spec["image"].shape == (8, 32, 24, 3) and spec["articles"].shape == (8, 6, 16, 12, 3)


def test_pictures_travel_as_bytes(dataset):
    compact = next(iter(compact_batches(dataset, "test", LARGE, MIDDLE, 60)))
    assert compact["image"].dtype == compact["articles"][5].dtype == tf.uint8
    worn_slots = [[slot in worn(int(name[1:])) for slot in SLOTS] for name in compact["ids"].numpy()]
    np.testing.assert_array_equal(compact["worn"], worn_slots)


def test_without_a_seed_the_order_is_that_of_the_records(dataset):
    in_order = indices(numpy_batches(dataset, "train", SMALL, None, 32))
    assert in_order == indices(numpy_batches(dataset, "train", SMALL, None, 32)) and sorted(in_order) == TRAIN


def test_a_seed_shuffles_every_round_anew_and_always_alike(dataset):
    def rounds(seed):
        taken = indices(batches(dataset, "train", SMALL, None, 24, seed=seed).take(20).as_numpy_iterator())
        return taken[:240], taken[240:]

    first, second = rounds(1)
    assert sorted(first) == sorted(second) == TRAIN and first != second
    assert (first, second) == rounds(1)
    assert first != rounds(2)[0] and first != indices(numpy_batches(dataset, "train", SMALL, None, 24))


def test_mirrored_entries_are_mirrored_as_a_whole(dataset):
    def taken():
        return list(batches(dataset, "train", LARGE, MIDDLE, 24, seed=3, mirror=True).take(10).as_numpy_iterator())

    stream = taken()
    flips = [flip for batch in stream for flip in check(batch, LARGE, MIDDLE, mirrored=True)]
    assert 90 < sum(flips) < 150  # Of 240.
    assert all(np.array_equal(a["image"], b["image"]) for a, b in zip(stream, taken(), strict=True))


def test_batches_are_full_across_rounds(dataset):
    seen = indices(batches(dataset, "test", SMALL, None, 32, seed=1).take(15).as_numpy_iterator())
    assert len(seen) == 480
    assert np.bincount(seen)[::5].tolist() == [8] * 60


@pytest.mark.parametrize("count", [2, 3])  # Two shards: dealt as files to two readers, entry by entry to three.
@pytest.mark.parametrize("seed", [None, 7])
def test_readers_share_a_split(dataset, count, seed):
    with pytest.warns(match="2 train shards for 3 readers") if count == 3 else nullcontext():
        parts = [
            indices(
                batches(dataset, "train", SMALL, None, 20, seed=seed, shard=(index, count)).take(12 // count).as_numpy_iterator()
            )
            for index in range(count)
        ]
    assert sorted(index for part in parts for index in part) == TRAIN


def test_replicas_get_the_entries_of_a_global_batch_in_turns(dataset):
    joint = indices(batches(dataset, "train", SMALL, None, 16, seed=5, mirror=True).take(3).as_numpy_iterator())
    shares = [
        batch["ids"]
        for batch in batches(dataset, "train", SMALL, None, 8, seed=5, mirror=True, replicas=2).take(6).as_numpy_iterator()
    ]
    dealt = [int(name[1:]) for a, b in zip(shares[::2], shares[1::2]) for pair in zip(a, b) for name in pair]
    assert dealt == joint


def test_large_levels_come_back_from_jpeg(tmp_path):
    source = write_catalogue(tmp_path / "shop", 10, (128, 96))
    dataset = prepare(source, tmp_path / "data", workers=1, quiet=True)
    [batch] = numpy_batches(dataset, "train", (128, 96), (128, 96), 8)
    for name, image, articles in zip(batch["ids"], batch["image"], batch["articles"], strict=True):
        index = int(name[1:])
        assert np.abs(image - array_to_float(photo_pixels(index, (128, 96)))).mean() < 0.02
        for slot, article in zip(SLOTS, articles, strict=True):
            if slot in worn(index):
                assert np.abs(article - array_to_float(article_pixels(index, slot, (128, 96)))).mean() < 0.02
            else:
                assert (article == 0).all()


@pytest.mark.parametrize("name", ["e005", "e007"])  # One of each split.
def test_an_entry_is_found_by_its_id(dataset, name):
    entry = load_entry(dataset, name, LARGE, MIDDLE)
    assert entry["ids"].numpy().decode() == name
    check({key: np.expand_dims(value.numpy(), 0) for key, value in entry.items()}, LARGE, MIDDLE)


def test_refusals(dataset, tmp_path):
    with pytest.raises(UserError, match=r"no entry 'e999'; expected one of its ids, such as e\d"):
        load_entry(dataset, "e999", LARGE, None)
    with pytest.raises(UserError, match="no photos of size 64x48: it holds 4x3, 8x6, 16x12, 32x24"):
        batches(dataset, "train", (64, 48), None, 8)
    with pytest.raises(UserError, match="no articles of size 64x48"):
        batches(dataset, "train", LARGE, (64, 48), 8)
    for arguments in ({"mirror": True}, {"start": 8}):
        with pytest.raises(ValueError, match="expected a seed"):
            batches(dataset, "train", LARGE, MIDDLE, 8, **arguments)
    source = write_catalogue(tmp_path / "shop", 3, LARGE, test_every=1)
    only_test = prepare(source, tmp_path / "data", workers=1, quiet=True)
    with pytest.raises(UserError, match="no train entries; its splits: 0 train, 3 test"):
        batches(only_test, "train", LARGE, None, 8)
