"""What a model is asked for when it is measured: photos with their conditions, a batch at a time, and seeds."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.pixels import to_uint8

# One seed of a measurement gives so many seeds of pictures, and so many independent series of them.
_SEEDS, _SERIES = 2**32, 2**28


@dataclass(frozen=True)
class Entries:
    """N photos with their conditions.

    photos uint8 [N, H, W, 3]; for a conditional model also articles, a tensor [N, S, h, w, 3] as the networks take
    them, worn, a list of N sets of slots, and keypoints float32 [N, K, 3], both else None.
    """

    ids: list
    photos: np.ndarray
    articles: tf.Tensor | None
    worn: list | None
    keypoints: np.ndarray | None


@dataclass(frozen=True)
class Samples:
    """A batch of a measurement: entries, and for each of them another entry of the same split, its stranger.

    A photo of a stranger is a perfect picture of the wrong person, outfit and pose: the floor of what is measured.
    `number` is the place of the first entry among all that are measured.
    """

    number: int
    own: Entries
    strangers: Entries
    seed: int

    def seeds(self, series=0):
        """Seeds int64 [N] of pictures for these entries; each series, 0 to 15, gives other ones."""
        first = self.seed * _SEEDS + series * _SERIES + self.number
        return tf.range(first, first + len(self.own.ids), dtype=tf.int64)


def stream(dataset, split, size, condition_size, slots, count, batch, seed):
    """Yields `Samples` of the first `count` entries of a split in the order of the records, which is a random one.

    An entry's stranger is the one after it, the last one's is the first: no batch changes who meets whom.

    Args:
        dataset: a prepared `Dataset`.
        size: (height, width) of the photos.
        condition_size: (h, w) of the articles; None leaves the conditions out.
        slots: names of the articles' slots, in order.
        count: at most as many as there are.
        seed: decides about all seeds of pictures.
    """
    entries = batches(dataset, split, size, condition_size, batch).unbatch().take(count)
    strangers = entries.skip(1).concatenate(entries.take(1))
    number = 0
    for own, other in tf.data.Dataset.zip(entries, strangers).batch(batch):
        yield Samples(number, _entries(own, slots), _entries(other, slots), seed)
        number += len(own["ids"])


def _entries(batch, slots):
    ids, photos = [entry.decode() for entry in batch["ids"].numpy()], to_uint8(batch["image"]).numpy()
    if "articles" not in batch:
        return Entries(ids, photos, None, None, None)
    # A missing article is 0 throughout; no pixel of another one is.
    there = tf.reduce_any(batch["articles"] != 0, axis=[2, 3, 4]).numpy()  # [N, S]
    worn = [{slot for slot, is_there in zip(slots, row) if is_there} for row in there]
    return Entries(ids, photos, batch["articles"], worn, batch["keypoints"].numpy())
