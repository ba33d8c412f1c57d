"""`outfit-gan inspect`: a contact sheet of prepared records, to see what a model will see, and their counts."""

from pathlib import Path

from PIL import Image, ImageDraw

from tf_outfit_gan.data.manifest import SPLITS
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.errors import UserError
from tf_outfit_gan.pixels import array_to_uint8
from tf_outfit_gan.pose.mpii import JOINTS, LIMBS

# Pictures on the sheet are about this high; smaller ones are enlarged pixel by pixel, so that they can be judged.
CELL_HEIGHT = 256

# Entries that stand side by side, the pixels between cells and between entries, and the paper under white articles.
COLUMNS, GAP, GUTTER, PAGE = 2, 4, 28, (222, 226, 232)

# The person's right is warm, the left is cold, the middle is green: a swapped pose shows at a glance.
COLOURS = {"right": (230, 60, 40), "left": (40, 110, 230), "middle": (30, 170, 80)}


def add_arguments(parser):
    parser.add_argument("data", metavar="DATA", help="folder that `outfit-gan prepare` wrote")
    parser.add_argument("--out", metavar="FILE", default="sheet.png", help="picture to write (default: %(default)s)")
    parser.add_argument("--count", type=int, default=16, metavar="N", help="entries to show (default: %(default)s)")


def run(args):
    if args.count < 1:
        raise UserError(f"--count {args.count}: expected 1 or more")
    dataset = open_dataset(args.data)
    out = Path(args.out)
    if not out.parent.is_dir():
        raise UserError(f"--out {out}: no such folder {out.parent}")
    if out.suffix.lower() not in (".png", ".jpg", ".jpeg"):
        raise UserError(f"--out {out}: expected a name that ends in .png or .jpg")
    contact_sheet(dataset, args.count).save(out)
    _print_counts(dataset)
    print(f"wrote {out}")


def contact_sheet(dataset, count):
    """Draws the first `count` entries: a photo with its skeleton, and its articles in slot order, gray if missing."""
    from tf_outfit_gan.data.pipeline import batches

    split = next(split for split in SPLITS if dataset.count(split))
    size = next((level for level in dataset.levels if level[0] >= CELL_HEIGHT), dataset.levels[-1])
    entries = list(batches(dataset, split, size, size, 1).take(count).as_numpy_iterator())
    cells = [[draw_skeleton(_enlarged(entry["image"][0]), entry["keypoints"][0]),
              *map(_enlarged, entry["articles"][0])] for entry in entries]

    # Everything stands on a grid of equal cells.
    width, height = cells[0][0].width + GAP, cells[0][0].height + GAP
    block = len(cells[0]) * width + GUTTER
    columns = min(COLUMNS, len(entries))
    sheet = Image.new("RGB", (columns * block - GUTTER + GAP, -(-len(entries) // columns) * height + GAP), PAGE)
    draw = ImageDraw.Draw(sheet)
    for number, (entry, row) in enumerate(zip(entries, cells)):
        left, top = number % columns * block + GAP, number // columns * height + GAP
        for place, cell in enumerate(row):
            sheet.paste(cell, (left + place * width, top))
        draw.text((left + 4, top + 2), entry["ids"][0].decode(), fill="black", stroke_width=2, stroke_fill="white")
    return sheet


def draw_skeleton(image, keypoints):
    """Draws the bones and joints of a pose [K, 3] that are there on a copy of a picture."""
    image = image.copy()
    draw = ImageDraw.Draw(image)
    points = [(x * image.width, y * image.height) for x, y, _ in keypoints]
    unit = image.height / CELL_HEIGHT
    for joint, parent in LIMBS:
        if keypoints[joint, 2] and keypoints[parent, 2]:
            draw.line([points[joint], points[parent]], fill=_colour(joint), width=max(1, round(2 * unit)))
    for joint, (x, y) in enumerate(points):
        if keypoints[joint, 2]:
            draw.circle((x, y), 2.5 * unit, fill=_colour(joint), outline="white")
    return image


def _colour(joint):
    return COLOURS.get(JOINTS[joint].split("_")[0], COLOURS["middle"])


def _enlarged(pixels):
    image = Image.fromarray(array_to_uint8(pixels))
    scale = max(1, CELL_HEIGHT // image.height)
    return image.resize((image.width * scale, image.height * scale), Image.Resampling.NEAREST)


def _print_counts(dataset):
    """Prints a table: a row a split, a column a slot."""
    rows = [["split", "entries", "shards", *dataset.slots, "poses"]]
    for split in SPLITS:
        shards = dataset.splits[split]
        poses = sum(shard["with_keypoints"] for shard in shards)
        rows.append([split, dataset.count(split), len(shards), *dataset.articles(split).values(), poses])
    for row in rows:
        print(f"{row[0]:6}" + "".join(f"{cell:>10}" for cell in row[1:]))
