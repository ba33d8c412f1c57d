"""The outfits and poses that the figures show: entries of a prepared data set, in the order of its records."""

import itertools

from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.metrics.article_encoding import encode_articles
from tf_outfit_gan.outfit_request import Request

# So many entries are looked at, for outfits that differ as a figure needs it.
ENTRIES = 64

# Articles are read at this height or below, larger than the model sees them where it sees less: so they can be recognized.
ARTICLE_HEIGHT = 256


def read_outfits(dataset, split, condition_size, seed):
    """Reads `ENTRIES` entries of a split, or all if there are fewer, as `Request`s named after their ids.

    Args:
        condition_size: the (h, w) at which the model sees articles.
        seed: another seed gives other entries, in a data set that has enough.
    """
    size = max([level for level in dataset.article_levels if level[0] <= ARTICLE_HEIGHT] + [condition_size])
    total = dataset.count(split)
    entries = batches(dataset, split, dataset.levels[0], size, 16).unbatch().repeat()
    entries = entries.skip(seed * ENTRIES % total).take(min(ENTRIES, total))
    outfits = []
    for entry in entries.batch(16).as_numpy_iterator():
        for name, files, pose in zip(entry["ids"], encode_articles(entry["articles"]), entry["keypoints"]):
            articles = {slot: file for slot, file in zip(dataset.slots, files) if file}
            outfits.append(Request(name.decode(), articles, pose))
    return outfits


def two_outfits(outfits, slots):
    """Finds two outfits, of which the first one wears all slots of the second one and one more.

    The earlier in slot order the one more is, and the more both wear, the better; the paper adds a jacket.

    Returns:
        (first, second, slot), or None where no two entries are such.
    """
    pairs = []
    for first, second in itertools.permutations(outfits, 2):
        more = first.articles.keys() - second.articles.keys()
        if second.articles and second.articles.keys() < first.articles.keys() and len(more) == 1:
            pairs.append((first, second, *more))
    return min(pairs, key=lambda pair: (slots.index(pair[2]), -len(pair[1].articles)), default=None)
