"""Data of a run that goes on: exactly what the undisturbed run would have seen."""

import numpy as np
import pytest

from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.data.preparation.prepare import prepare

SIZE, SMALLER = (16, 12), (8, 6)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume")
    return prepare(write_catalogue(folder / "shop", 45, SIZE), folder / "data", workers=1, quiet=True)


def entries(dataset, count, *, size=SIZE, batch=4, start=0):
    """What a stream yields one after another: ids and pictures."""
    stream = batches(dataset, "train", size, SIZE, batch, seed=3, mirror=True, start=start)
    found = list(stream.take(count // batch).as_numpy_iterator())
    return np.concatenate([item["ids"] for item in found]), np.concatenate([item["image"] for item in found])


def test_a_new_stream_goes_on_where_the_old_one_was(dataset):
    ids, images = entries(dataset, 80)
    for start in (8, 44):  # In the first round of 36 and in the second.
        again_ids, again_images = entries(dataset, 16, start=start)
        assert again_ids.tolist() == ids[start : start + 16].tolist()
        np.testing.assert_array_equal(again_images, images[start : start + 16])


def test_another_level_and_batch_keep_the_place_and_the_mirrored(dataset):
    ids, images = entries(dataset, 48)
    smaller_ids, smaller = entries(dataset, 24, size=SMALLER, batch=8, start=20)
    assert smaller_ids.tolist() == ids[20:44].tolist()
    means = images[20:44].reshape(24, 8, 2, 6, 2, 3).mean((2, 4))
    assert np.abs(smaller - means).max() < 0.01
