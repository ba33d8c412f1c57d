"""The sheets of figures 3, 4 and 5; each with the text that says what is seen."""

import dataclasses

from PIL import Image

from tf_outfit_gan.paper_figures.outfits import two_outfits
from tf_outfit_gan.viz.conditions import wardrobe
from tf_outfit_gan.viz.montage import GAP, MISSING, PAPER, montage, picture
from tf_outfit_gan.viz.skeleton import draw_skeleton

# Pictures higher than this are reduced on a sheet.
MAX_HEIGHT = 512

ROWS, COLUMNS = 3, 8  # Of figure 3.
PAIRS = 6  # Of figure 4.
POSES = 4  # Of figure 5.
MOST_EDITS = 4


@dataclasses.dataclass(frozen=True)
class Sheet:
    """A figure: a Pillow image, and a caption in Markdown."""

    image: Image.Image
    caption: str


def draw_sheets(model, outfits, first_seed):
    """Draws the figures that a model can have: yields (heading, `Sheet`), or (heading, None) for one that lacks outfits.

    Args:
        model: a `Model` of `tf_outfit_gan.load`.
        outfits: for a conditional model `Request`s, which are worn in turn; else None.
        first_seed: the first one of the pictures' seeds.
    """
    yield "Figure 3: samples", random_samples(model, outfits, first_seed)
    yield "Figure 4: color and pose of one picture on another", style_transfer(model, outfits, first_seed)
    if outfits:
        yield "Figure 5: outfits in poses, edited article by article", outfit_edits(model, outfits, first_seed)


def random_samples(model, outfits, first_seed):
    """Figure 3: pictures that are not selected; the arguments here and below are those of `draw_sheets`."""
    seeds = range(first_seed, first_seed + ROWS * COLUMNS)
    cells = [_cell(model.render(_nth(outfits, number), seed)[0]) for number, seed in enumerate(seeds)]
    what = "each with the articles and the pose of another entry" if outfits else "from seeds alone"
    rows = [cells[start : start + COLUMNS] for start in range(0, len(cells), COLUMNS)]
    return Sheet(montage(rows, gap=GAP // 2), f"Samples, not selected, {what}. Seeds {seeds[0]} to {seeds[-1]}.")


def style_transfer(model, outfits, first_seed):
    """Figure 4: the color and the pose of one picture on another."""
    pairs, seeds = [], range(first_seed, first_seed + (PAIRS if outfits else 2 * PAIRS))
    for pair in range(PAIRS):
        if outfits:
            sides, options = [_nth(outfits, 2 * pair + side) for side in (0, 1)], {"seed": seeds[pair]}
            originals = [model.render(side, seeds[pair])[0] for side in sides]
        else:
            sides, options = seeds[2 * pair : 2 * pair + 2], {}
            originals = [model.render(seeds=side)[0] for side in sides]
        results = [model.transfer(*sides, what, **options) for what in ("color", "pose")]
        captions = "source", "target", "target, source's colors", "target, source's pose"
        pairs.append(montage([[(_cell(pixels), text) for pixels, text in zip(originals + results, captions)]], margin=0))
    rows = [pairs[start : start + 2] for start in range(0, PAIRS, 2)]
    which = "Source and target are two entries with one seed" if outfits else "Source and target are two seeds"
    return Sheet(
        montage(rows, gap=4 * GAP, margin=GAP),
        "Transfer: the target again with the style vectors of some layers copied from the source (table 1). "
        f"{which}; pairs are not selected. Seeds {seeds[0]} to {seeds[-1]}.",
    )


def outfit_edits(model, outfits, seed):
    """Figure 5: two outfits in several poses, and the second one with articles of the first one, added one by one.

    None where no two outfits differ as the figure needs it: see `two_outfits`.
    """
    slots = model.config.slots
    found = two_outfits(outfits, slots)
    if not found:
        return None
    first, second, added = found
    poses = _whole_poses(outfits)
    steps = [("Outfit 1", first, None), ("Outfit 2", second, None)]  # (title, outfit, slot that is new)
    # All articles but the last one: with that one, too, it is outfit 1.
    changes = [added, *(slot for slot in slots if slot in second.articles)][: min(MOST_EDITS, len(second.articles))]
    for number, slot in enumerate(changes):
        worn = steps[-1][1]
        title = f"Outfit 2 with the {slot} of outfit 1" if number == 0 else f"... and its {slot}"
        steps.append((title, dataclasses.replace(worn, articles=worn.articles | {slot: first.articles[slot]}), slot))

    drawn = [[_cell(model.render(outfit, seed, pose=pose.keypoints)[0]) for pose in poses] for _, outfit, _ in steps]
    width, height = drawn[0][0].size
    rows = [[wardrobe(outfit, slots, (height, width), new), *row] for (_, outfit, new), row in zip(steps, drawn)]
    skeletons = [draw_skeleton(Image.new("RGB", (width, height), MISSING), pose.keypoints) for pose in poses]
    blank = Image.new("RGB", rows[0][0].size, PAPER)
    names = ", ".join(pose.name for pose in poses)
    return Sheet(
        montage([[blank, *skeletons], *rows], ["Poses", *(title for title, _, _ in steps)]),
        f"Two outfits (entries {first.name} and {second.name}) in the poses of the entries {names}; then the second one again, "
        f"with articles of the first one put on one by one. The outfits are the first two of which one has the {added} more; "
        "poses are the first ones with all joints. On the left the articles (gray = none, framed = new). All pictures have the "
        f"seed {seed}.",
    )


def _cell(pixels):
    """A picture, uint8 [H, W, 3], as large as it is shown."""
    image = picture(pixels)
    image.thumbnail((image.width, MAX_HEIGHT), Image.Resampling.LANCZOS)
    return image


def _nth(outfits, number):
    return outfits[number % len(outfits)] if outfits else None


def _whole_poses(outfits):
    """The first `POSES` outfits with all joints; with fewer joints where there are not so many."""
    return sorted(outfits, key=lambda outfit: not outfit.keypoints[:, 2].all())[:POSES]
