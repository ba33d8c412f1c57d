"""The distribution's metrics together: statistics of photos are kept, found again, and never those of other photos."""

import numpy as np
import pytest

from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.metrics import distribution
from tf_outfit_gan.metrics.distribution import Distribution, FeatureStatistics
from tf_outfit_gan.metrics.features import UntrainedFeatures
from tf_outfit_gan.metrics.samples import stream

SIZE = (16, 12)


@pytest.fixture
def data(tmp_path):
    write_catalogue(tmp_path / "catalogue", 20)
    return prepare(tmp_path / "catalogue", tmp_path / "data", workers=1, quiet=True)


def measured(data, count=10, change=0, seen=None):
    """The figures of pictures that are the photos but for a `change`; `seen` gets how often photos were looked at."""
    features = UntrainedFeatures(SIZE)
    found = Distribution(data, "train", SIZE, count, features)
    if seen is not None:
        add = found.real.add
        found.real.add = lambda values: (seen.append(len(values)), add(values))
    for batch in stream(data, "train", SIZE, None, (), count, 4, seed=0):
        found.add(batch, np.uint8(batch.own.photos // 2 + change))
    return {name: figure.value for name, figure in found.figures().items()}


def test_statistics_of_photos_are_kept_and_give_the_same_figures(data):
    seen = []
    first = measured(data, change=9, seen=seen)
    assert seen == [4, 4, 2] and first["distribution.frechet_distance"] > 0
    assert measured(data, change=9, seen=seen) == first and len(seen) == 3
    assert measured(data, change=60) != first
    measured(data, count=9, seen=seen)  # Fewer photos are others.
    assert len(seen) == 6
    assert len(list((data.path / "statistics").iterdir())) == 2  # Nothing half written is left.


def test_other_photos_are_looked_at_anew(data, tmp_path):
    first = measured(data)
    write_catalogue(tmp_path / "other", 20, size=(32, 24))
    other, seen = prepare(tmp_path / "other", tmp_path / "others", workers=1, quiet=True), []
    (data.path / "statistics").rename(other.path / "statistics")
    measured(other, seen=seen)
    assert seen and first


def test_data_that_may_only_be_read_are_measured_without(data, monkeypatch):
    def refuse(self, path):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(FeatureStatistics, "save", refuse)
    seen = []
    assert measured(data, seen=seen) == measured(data, seen=seen) and len(seen) == 6


def test_no_more_features_are_kept_than_there_is_room_for(monkeypatch, tmp_path):
    monkeypatch.setattr(distribution, "KEPT", 5)
    statistics, features = FeatureStatistics(2), np.random.default_rng(0).normal(size=(9, 2)).astype(np.float32)
    for part in np.split(features, [3, 6]):
        statistics.add(part)
    statistics.save(tmp_path / "a.npz")
    for found in (statistics, FeatureStatistics.load(tmp_path / "a.npz")):
        np.testing.assert_array_equal(found.kept, features[:5])
        np.testing.assert_allclose(found.moments.covariance, np.cov(features, rowvar=False), rtol=1e-6)
        assert found.moments.count == 9
