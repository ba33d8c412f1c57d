"""Whether a discriminator sees what a picture wears: its scores of unseen photos under one other article, or another pose.

    python benchmarks/discriminator.py RUN --data OTHER-DATA [--count 200]

For each slot that a photo and the next one both wear: how much the score falls when the photo is shown under the article of the
next one (mean), in how many cases it falls at all, and the same for pictures that the generator draws of the photo's conditions;
in the last row under the pose of the next one.
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
    print("| part | photos | fall | of them falls | drawn: fall | of them falls |\n|---|---|---|---|---|---|")
    for part, (photos, drawn) in found.items():
        cells = [f"{np.mean(kind):.2f} | {np.mean(kind > 0):.2f}" for kind in (photos, drawn)]
        print(f"| {part} | {len(photos)} | {' | '.join(cells)} |")


def falls(snapshot, dataset, count):
    """How much less each photo, and each picture drawn of its conditions, gets under another one's article or pose.

    Args:
        snapshot: a conditional `Snapshot` with its training networks.
        dataset: a prepared `Dataset`.
        count: at most so many photos.

    Returns:
        By slot, and for "pose": an array of photos and one of drawn pictures; of a slot those that wear something in it, as the
        next one does.
    """
    config, sampler = snapshot.config, Sampler(snapshot)
    found = {part: ([], []) for part in (*config.slots, "pose")}
    for batch in samples.stream(dataset, "train", snapshot.size, config.condition_size, config.slots, count, BATCH, seed=0):
        articles, keypoints = tf.convert_to_tensor(batch.own.articles), tf.constant(batch.own.keypoints)
        others = tf.convert_to_tensor(batch.strangers.articles)
        pictures = to_float(batch.own.photos), sampler.picture(batch.seeds(), articles, keypoints)
        right = scores(snapshot, pictures, articles, keypoints)
        wrong = {"pose": (articles, batch.strangers.keypoints)}
        for i, slot in enumerate(config.slots):
            wrong[slot] = tf.concat([articles[:, :i], others[:, i : i + 1], articles[:, i + 1 :]], axis=1), keypoints
        for part, conditions in wrong.items():
            slot = slice(None) if part == "pose" else config.slots.index(part)
            counted = worn_in(articles, slot) & worn_in(others, slot)
            for kind, fall in zip(found[part], right - scores(snapshot, pictures, *conditions)):
                kind.extend(fall[counted])
    return {part: tuple(map(np.array, kinds)) for part, kinds in found.items()}


def scores(snapshot, pictures, articles, keypoints):
    """What the discriminator gives several kinds of pictures under the same conditions, [K, N]."""
    discriminator = snapshot.training[1]
    maps = discriminator.condition_maps(articles, keypoints, snapshot.level)
    embedding = discriminator.embed(articles, keypoints)
    return np.stack([discriminator(kind, embedding, level=snapshot.level, maps=maps) for kind in pictures])


def worn_in(articles, slot):
    """Which entries wear something in a slot, or in one of several, [N]."""
    return tf.reduce_any(tf.reshape(articles[:, slot] != 0, [len(articles), -1]), axis=1).numpy()


if __name__ == "__main__":
    main()
