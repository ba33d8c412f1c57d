"""How near articles come to the photo by being laid over the body, before any network: coverage, and distance of colors.

    python benchmarks/article_maps.py OTHER-DATA --masks OTHER/masks [--sheet SHEET.png]

Of each garment's region in a photo: the share where its article lies on the map, and there the median distance of their colors.
"""

import argparse
from pathlib import Path

import numpy as np
import tensorflow as tf
from PIL import Image

from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.metrics.color_difference import ciede2000, lab
from tf_outfit_gan.metrics.garment_regions import GarmentRegions, garments
from tf_outfit_gan.metrics.samples import stream
from tf_outfit_gan.networks.article_maps import article_map
from tf_outfit_gan.pixels import to_uint8

BATCH = 25
SHOWN = 12  # Entries of a sheet.
GRAY = 127
# Worn over one another, from the skin outwards.
LAYERS = ("top", "bottom", "dress", "shoes", "outerwear", "bag")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="prepared data")
    parser.add_argument("--masks", required=True, type=Path, help="of the catalogue: see `outfit-gan evaluate`")
    parser.add_argument("--count", type=int, default=200, help="photos (default: %(default)s)")
    parser.add_argument("--sheet", type=Path, help="a picture to write: photos, and all that is laid over the same bodies")
    args = parser.parse_args()

    dataset = open_dataset(args.data)
    slots, size = dataset.slots, dataset.levels[-1]
    articles_size = (size[0] // 2, size[1] // 2)
    found, sheet = {slot: [] for slot in slots}, []
    regions = GarmentRegions(args.masks, size)
    for batch in stream(dataset, "train", size, articles_size, slots, args.count, BATCH, 0):
        maps = article_map(slots, tf.constant(batch.own.keypoints), batch.own.articles, size)
        maps = np.array(maps).reshape(-1, *size, len(slots), 3)
        for labels, photo, laid in zip(regions(batch.own.ids), batch.own.photos, maps):
            sheet.append(np.concatenate([photo, dressed(laid, slots)]))
            for slot, region in garments(labels).items():
                found[slot].append(compared(photo, laid[:, :, slots.index(slot)], region))
    print("| slot | photos | covered | color (CIEDE2000), median |\n|---|---|---|---|")
    for slot, cases in found.items():
        covered, distances = zip(*cases)
        print(f"| {slot} | {len(cases)} | {np.mean(covered):.2f} | {np.nanmean(distances):.1f} |")
    if args.sheet:
        Image.fromarray(np.concatenate(sheet[:SHOWN], axis=1)).save(args.sheet)


def compared(photo, article, region):
    """(share of the region where the article lies, median distance of colors there, NaN where it lies nowhere)."""
    there = (article != 0).any(axis=-1) & region
    distance = ciede2000(lab(photo), lab(np.array(to_uint8(article))))
    return there.sum() / region.sum(), np.median(distance[there]) if there.any() else np.nan


def dressed(laid, slots):
    """All articles over one another, uint8 [H, W, 3]."""
    picture = np.full(laid.shape[:2] + (3,), GRAY, np.uint8)
    for slot in LAYERS:
        article = laid[:, :, slots.index(slot)]
        there = (article != 0).any(axis=-1)
        picture[there] = np.array(to_uint8(article))[there]
    return picture


if __name__ == "__main__":
    main()
