"""How near all drawn pictures together are to all photos: Frechet distance, KID, precision and recall.

Each photo lends its conditions to one drawn picture, so both sides wear and do the same in all; pictures are drawn
without truncation. Nothing is mirrored on either side.
"""

import contextlib
import hashlib
import json
from pathlib import Path

import numpy as np
import tensorflow as tf

from tf_outfit_gan.metrics.figure import Figure
from tf_outfit_gan.metrics.frechet_distance import Moments, frechet_distance
from tf_outfit_gan.metrics.kernel_distance import kernel_distance
from tf_outfit_gan.metrics.precision_recall import precision_recall
from tf_outfit_gan.pixels import to_float
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.atomic import whole_file

# Features that are kept, of each side, for the metrics that compare them one by one; the moments need none.
KEPT = 10_000

_CACHE = "statistics"  # Folder in a data set.


class FeatureStatistics:
    """The moments of features that come a batch at a time, and the first `KEPT` of them."""

    def __init__(self, num_features):
        self.moments, self._kept = Moments(num_features), []

    def add(self, features):
        """Takes in a batch, [N, F]."""
        room = KEPT - min(self.moments.count, KEPT)
        self._kept.append(np.asarray(features[:room], np.float32))
        self.moments.add(features)

    @property
    def kept(self):
        return np.concatenate(self._kept)  # [min(N, KEPT), F]

    def save(self, path):
        """Writes a file that is whole or not there."""
        path.parent.mkdir(exist_ok=True)
        # To an open file: to a name numpy would add its own suffix.
        with whole_file(path) as partial, open(partial, "wb") as file:
            moments = self.moments
            np.savez(file, count=moments.count, mean=moments.mean, scatter=moments.scatter, kept=self.kept)

    @classmethod
    def load(cls, path):
        """Reads what `save` wrote."""
        with np.load(path) as found:
            statistics = cls(len(found["mean"]))
            statistics.moments = Moments(len(found["mean"]), int(found["count"]), found["mean"], found["scatter"])
            statistics._kept = [found["kept"]]
        return statistics


class Distribution:
    """Compares drawn pictures with photos by their features.

    Statistics of photos are kept in DATA/statistics under a checksum of the photos, the features, the size and the
    count, where that folder may be written: the next snapshot is measured in less time.

    Args:
        dataset, split, size, count: the photos, the first `count` of a split at (height, width) `size`.
        features: see `features`.
        seed: decides about the subsets of KID.
    """

    def __init__(self, dataset, split, size, count, features, seed=0):
        self._features, self._seed = features, seed
        self._cache = dataset.path / _CACHE / f"{_checksum(dataset, split, size, count, features)}.npz"
        # A store would be asked more than it saves.
        self._cached = isinstance(self._cache, Path) and self._cache.is_file()
        self.real = FeatureStatistics.load(self._cache) if self._cached else FeatureStatistics(features.num_features)
        self.drawn = FeatureStatistics(features.num_features)
        pictures = tf.TensorSpec([None, *size, 3], tf.uint8)
        self._graph = tf.function(lambda pictures: features(to_float(pictures)), input_signature=[pictures])

    def add(self, samples, drawn):
        """Takes in `Samples` and their pictures, uint8 [N, H, W, 3]."""
        if not self._cached:
            self.real.add(self._graph(samples.own.photos).numpy())
        self.drawn.add(self._graph(drawn).numpy())

    def figures(self):
        """frechet_distance, kernel_distance, precision and recall."""
        if not self._cached and isinstance(self._cache, Path):
            with contextlib.suppress(OSError):  # A data set that may only be read is measured anew each time.
                self.real.save(self._cache)
        real, drawn = self.real, self.drawn
        moments = (part for side in (real, drawn) for part in (side.moments.mean, side.moments.covariance))
        distance = frechet_distance(*moments)
        precision, recall = precision_recall(real.kept, drawn.kept)
        return {
            "distribution.frechet_distance": Figure(distance, 0.0, unit=self._features.metric, higher_is_better=False),
            "distribution.kernel_distance": Figure(
                kernel_distance(real.kept, drawn.kept, self._seed), 0.0, unit="KID, unbiased", higher_is_better=False
            ),
            "distribution.precision": Figure(precision, 1.0),
            "distribution.recall": Figure(recall, 1.0),
        }


def _checksum(dataset, split, size, count, features):
    """Names the statistics of photos by all that they depend on."""
    files = [
        shard["files"][name]["sha256"]
        for shard, name in zip(dataset.splits[split], (path.rpartition("/")[2] for path in dataset.files(split, "photos", size)))
    ]
    key = {"photos": files, "features": features.name, "size": format_size(size), "count": count, "kept": KEPT}
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()[:32]
