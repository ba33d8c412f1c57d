"""Draws the README's pictures with the shipped model: docs/images/strip.png and timeline.png.

python tools/draw_strips.py runs/dolls      # the run that was shipped, whose snapshots give the timeline
python tools/draw_strips.py runs/more --after 830000     # goes on with the timeline that is there
"""

import argparse
from pathlib import Path

from PIL import Image

import tf_outfit_gan as og
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.outfit_request import read_request
from tf_outfit_gan.viz.conditions import conditions
from tf_outfit_gan.viz.montage import montage, save_whole

ROOT = Path(__file__).parents[1]
IMAGES, EXAMPLES = ROOT / "docs" / "images", ROOT / "tf_outfit_gan" / "examples"
SIZE = (192, 144)  # Of a picture in the strips, height first: enlarged smoothly, as a page would show it.
SMALL = (128, 96)  # In the timeline.
OUTFITS = ("office", "evening", "weekend")
POSES = ("standing", "walking", "arm_raised", "hands_on_hips")
PLAIN, JACKET = "studio", "outerwear_olive_bomber"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", metavar="RUN", nargs="+", type=Path, help="run folders with the snapshots of the timeline")
    parser.add_argument(
        "--after", type=int, default=0, metavar="IMAGES", help="keep the timeline that is there, of runs before these"
    )
    args = parser.parse_args()
    model = og.load()
    save_whole(montage([[_outfits(model)], [_poses(model)]], margin=0), IMAGES / "strip.png")
    timeline = _timeline(args.runs, args.after)
    if args.after:  # Snapshots of earlier versions may not load any more.
        timeline = _beside(Image.open(IMAGES / "timeline.png"), timeline)
    save_whole(timeline, IMAGES / "timeline.png")


def _outfits(model):
    """Articles and pose, and people who wear them."""
    rows = []
    for name in OUTFITS:
        outfit = EXAMPLES / "outfits" / f"{name}.json"
        articles, pose = conditions(read_request(outfit, model.config.condition_size), model.config.slots, SIZE)
        rows.append([articles, pose, *map(_shown, model.render(outfit, seeds=[1, 2, 3, 4]))])
    return montage(rows, titles=["Articles and a pose in, pictures out: each column another person"], gap=4, margin=0)


def _poses(model):
    """One outfit in some poses, and again with a jacket."""
    outfit = read_request(EXAMPLES / "outfits" / f"{PLAIN}.json", model.config.condition_size)
    jacket = EXAMPLES / "articles" / f"{JACKET}.png"
    article = Image.open(jacket).convert("RGB").resize(SIZE[::-1], Image.Resampling.LANCZOS)
    rows = []
    for first, worn in ((_blank(), outfit), (article, outfit.edited([f"outerwear={jacket}"], [], model.config.slots))):
        poses = (EXAMPLES / "poses" / f"{pose}.json" for pose in POSES)
        rows.append([first, *(_shown(model.render(worn, seeds=1, pose=pose)[0]) for pose in poses)])
    return montage(rows, titles=["One outfit in four poses, and with a jacket put on"], gap=4, margin=0)


def _timeline(runs, before):
    """One outfit and seed, drawn by snapshots of runs that follow each other, every 40 kimg and the last one.

    `before` counts the images of earlier runs.
    """
    outfit = EXAMPLES / "outfits" / f"{OUTFITS[0]}.json"
    paths = {}
    for run in runs:
        found = {before + snapshots.read(path).cur_nimg: path for path in (run / "snapshots").glob("*kimg")}
        paths, before = paths | found, max(found)
    shown = [images for images in sorted(paths) if images % 40_000 == 0 or images == before]
    cells = [(_shown(og.load(paths[images]).render(outfit, seeds=2)[0], SMALL), f"{images // 1000}k") for images in shown]
    return montage([cells], gap=4, margin=0)


def _beside(left, right, gap=4):
    both = Image.new("RGB", (left.width + gap + right.width, left.height), "white")
    both.paste(left)
    both.paste(right, (left.width + gap, 0))
    return both


def _shown(pixels, size=SIZE):
    return Image.fromarray(pixels).resize(size[::-1], Image.Resampling.BICUBIC)


def _blank():
    return Image.new("RGB", SIZE[::-1], "white")


if __name__ == "__main__":
    main()
