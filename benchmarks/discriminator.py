"""Whether a discriminator sees what a picture wears: its scores of unseen photos under one other article.

    python benchmarks/discriminator.py RUN --data OTHER-DATA [--count 200]

For each slot that a photo and the next one both wear: how much the score falls when the photo is shown under the article of the
next one (mean), in how many cases it falls at all, and the same for pictures that the generator draws of the photo's conditions.
A generator learns no color for which its discriminator gives it nothing.
"""

import argparse

import numpy as np
import tensorflow as tf

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.inference import Sampler
from tf_outfit_gan.metrics import samples
from tf_outfit_gan.pixels import to_float

BATCH = 40


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshot", metavar="RUN", help="run or snapshot folder, with its training networks")
    parser.add_argument("--data", required=True, help="prepared data that the model has not seen")
    parser.add_argument("--count", type=int, default=200, help="photos (default: %(default)s)")
    args = parser.parse_args()

    found = falls(snapshots.load(snapshots.newest(args.snapshot), training=True), open_dataset(args.data), args.count)
    print("| slot | photos | fall | of them falls | drawn: fall | of them falls |\n|---|---|---|---|---|---|")
    for slot, (photos, drawn) in found.items():
        cells = [f"{np.mean(kind):.2f} | {np.mean(kind > 0):.2f}" for kind in (photos, drawn)]
        print(f"| {slot} | {len(photos)} | {' | '.join(cells)} |")


def falls(snapshot, dataset, count):
    """How much less each photo, and each picture drawn of its conditions, gets under another one's article.

    Args:
        snapshot: a conditional `Snapshot` with its training networks.
        dataset: a prepared `Dataset`.
        count: at most so many photos.

    Returns:
        By slot: an array of photos and one of drawn pictures, of those that wear something in it, as the next one does.
    """
    config, sampler = snapshot.config, Sampler(snapshot)
    found = {slot: ([], []) for slot in config.slots}
    for batch in samples.stream(dataset, "train", snapshot.size, config.condition_size, config.slots, count, BATCH, seed=0):
        articles, keypoints = tf.convert_to_tensor(batch.own.articles), tf.constant(batch.own.keypoints)
        others = tf.convert_to_tensor(batch.strangers.articles)
        for kind, pictures in enumerate((to_float(batch.own.photos), sampler.picture(batch.seeds(), articles, keypoints))):
            right = scores(snapshot, pictures, articles, keypoints)
            for i, slot in enumerate(config.slots):
                worn = worn_in(articles, i) & worn_in(others, i)
                wrong = tf.concat([articles[:, :i], others[:, i : i + 1], articles[:, i + 1 :]], axis=1)
                found[slot][kind].extend((right - scores(snapshot, pictures, wrong, keypoints))[worn])
    return {slot: tuple(map(np.array, kinds)) for slot, kinds in found.items()}


def scores(snapshot, pictures, articles, keypoints):
    """What the discriminator gives pictures under conditions, [N]."""
    discriminator = snapshot.training[1]
    maps = discriminator.condition_maps(articles, keypoints, snapshot.level)
    return discriminator(pictures, discriminator.embed(articles, keypoints), level=snapshot.level, maps=maps).numpy()


def worn_in(articles, slot):
    """Which entries wear something in a slot, [N]."""
    return tf.reduce_any(articles[:, slot] != 0, axis=[1, 2, 3]).numpy()


if __name__ == "__main__":
    main()
