"""Truncation to the mean of all style vectors, as the model does it, and to the mean of those of a picture's own conditions.

    python benchmarks/truncation.py SNAPSHOT --data OTHER-DATA --masks OTHER/masks --pose-model ESTIMATOR

One table: each mean at each psi, measured as `evaluate` does. "shipped" is the model that comes with the package.
"""

import argparse
from pathlib import Path

import tensorflow as tf

from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan import styles
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.inference import Sampler
from tf_outfit_gan.metrics.measure import measure
from tf_outfit_gan.metrics.protocol import Protocol
from tf_outfit_gan.metrics.subject import of_snapshot
from tf_outfit_gan.pixels import to_uint8
from tf_outfit_gan.randomness import LATENT, normal

MEANS = ("all", "conditions")
LATENTS = 64  # Of which the mean under a picture's conditions is taken.
# What the table shows: heading, name among the figures of `evaluate`, digits.
COLUMNS = (
    ("Frechet distance", "distribution.frechet_distance", 3),
    ("PCK@0.1", "pose.pck", 3),
    ("color (CIEDE2000)", "articles.all.color", 1),
    ("pattern", "articles.all.pattern", 3),
    ("spread of hair", "diversity.hair", 1),
    ("of skin", "diversity.skin", 1),
)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("snapshot", help='a snapshot, a run, or "shipped"; conditional')
    parser.add_argument("--data", required=True, help="prepared data that the model did not train on")
    parser.add_argument("--masks", required=True, type=Path, help="of the catalogue: see `outfit-gan evaluate`")
    parser.add_argument("--pose-model", required=True, help="a pose estimator")
    parser.add_argument(
        "--psi", type=float, nargs="+", default=[0.7, 0.5], help="beside 1, which truncates nothing (default: 0.7 0.5)"
    )
    parser.add_argument("--count", type=int, default=200, help="photos (default: %(default)s)")
    args = parser.parse_args()

    path = snapshots.newest(args.snapshot)
    snapshot, dataset = snapshots.load(path), open_dataset(args.data)
    metrics = ("distribution", "pose", "articles", "diversity")
    protocol = Protocol(metrics, count=args.count, pose_model=args.pose_model, masks=args.masks)
    print(
        "| psi | mean of | "
        + " | ".join(heading for heading, _, _ in COLUMNS)
        + " |"
        + "\n|---|---"
        + "|---" * len(COLUMNS)
        + "|"
    )
    for psi, mean in [(1.0, "all"), *((psi, mean) for psi in args.psi for mean in MEANS)]:
        subject = of_snapshot(path, snapshot, drawing(Sampler(snapshot), mean, psi))
        figures = measure(subject, dataset, protocol, lambda count: None).figures
        cells = [f"{figures[name].value:.{digits}f}" for _, name, digits in COLUMNS]
        print(f"| {psi:g} | {mean} | {' | '.join(cells)} |", flush=True)


def drawing(sampler, mean, psi):
    """A function that draws pictures, uint8 [N, H, W, 3], of seeds, articles and keypoints, truncated to one of `MEANS`."""

    @tf.function
    def draw(seeds, articles, keypoints):
        if mean == "all":
            w = sampler.style_vectors(seeds, articles, keypoints, psi)
        else:
            w = styles.truncate(sampler.style_vectors(seeds, articles, keypoints), mean_of_conditions(articles, keypoints), psi)
        return to_uint8(sampler.draw(w, seeds, sampler.condition_maps(articles, keypoints)))

    def mean_of_conditions(articles, keypoints):
        """[N, 1, D]"""
        generator = sampler.generator
        embedding = tf.repeat(generator.embed(articles, keypoints), LATENTS, axis=0)
        latents = tf.tile(normal([LATENTS, sampler.config.latent_dim], 0, LATENT), [tf.shape(articles)[0], 1])
        w = generator.mapping(latents, embedding)
        return tf.reduce_mean(tf.reshape(w, [-1, 1, LATENTS, w.shape[-1]]), axis=2)

    return lambda *request: draw(*request).numpy()


if __name__ == "__main__":
    main()
