"""What is measured: who meets whom, with which seeds, whatever the batch."""

import numpy as np
import pytest

from tests.helpers.catalogues import worn, write_catalogue
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.metrics.samples import stream
from tf_outfit_gan.slots import SLOTS


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("samples")
    write_catalogue(folder / "catalogue", 20)
    return prepare(folder / "catalogue", folder / "data", workers=1, quiet=True)


def found(data, batch, count=7):
    return list(stream(data, "train", (16, 12), (8, 6), SLOTS, count, batch, seed=3))


def test_an_entrys_stranger_is_the_next_one_whatever_the_batch(data):
    for batch in (2, 3, 7, 16):
        parts = found(data, batch)
        ids = [entry for part in parts for entry in part.own.ids]
        assert [entry for part in parts for entry in part.strangers.ids] == ids[1:] + ids[:1] and len(set(ids)) == 7
        photos = np.concatenate([part.own.photos for part in parts])
        strangers = np.concatenate([part.strangers.photos for part in parts])
        np.testing.assert_array_equal(strangers, np.roll(photos, -1, axis=0))
        seeds = np.concatenate([part.seeds() for part in parts])
        np.testing.assert_array_equal(seeds, 3 * 2**32 + np.arange(7))
    for entry, slots in zip(parts[0].own.ids, parts[0].own.worn):
        assert slots == set(worn(int(entry[1:])))


def test_each_series_of_seeds_is_another_one(data):
    (part,) = found(data, 16)
    seeds = [seed for series in range(16) for seed in part.seeds(series).numpy().tolist()]
    assert len(set(seeds)) == 16 * 7 and max(seeds) < 4 * 2**32  # And none is another measurement's.
