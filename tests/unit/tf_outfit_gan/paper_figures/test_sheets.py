"""The figures: what is asked of the model for each picture, by a model that notes it."""

from types import SimpleNamespace

import numpy as np
import pytest

from tests.helpers.exported import photo
from tf_outfit_gan.images.article_bytes import article_bytes
from tf_outfit_gan.outfit_request import Request
from tf_outfit_gan.paper_figures.outfits import two_outfits
from tf_outfit_gan.paper_figures.page import layers_table
from tf_outfit_gan.paper_figures.sheets import COLUMNS, MAX_HEIGHT, PAIRS, ROWS, outfit_edits, random_samples, style_transfer
from tf_outfit_gan.viz.montage import GAP

SLOTS = ("outerwear", "top", "bottom", "shoes")


class Notes:
    """A model whose pictures are flat and as bright as its calls were many."""

    def __init__(self, size=(256, 192)):
        self.config, self.size, self.calls = SimpleNamespace(slots=SLOTS), size, []

    def render(self, outfit=None, seeds=1, pose=None):
        self.calls.append((outfit, seeds, pose))
        return np.full((1, *self.size, 3), len(self.calls), np.uint8)

    def transfer(self, source, target, what, **options):
        self.calls.append((source, target, what, options))
        return np.full((*self.size, 3), len(self.calls), np.uint8)


def outfit(name, *slots, joints=16):
    """Each article is a picture of its own."""
    articles = {slot: article_bytes(photo(sum((name + slot).encode()))) for slot in slots}
    keypoints = np.full((16, 3), 0.5, np.float32)
    keypoints[:joints, 2], keypoints[joints:, 2] = 1, 0
    return Request(name, articles, keypoints)


def test_the_outfits_differ_by_one_slot_the_earliest_and_wear_the_most():
    less, bag = outfit("less", "top"), outfit("bag", "top", "shoes")
    jacket, best = outfit("jacket", "outerwear", "top"), outfit("best", "outerwear", "top", "bottom", "shoes")
    plain = outfit("plain", "top", "bottom", "shoes")
    assert two_outfits([less, bag], SLOTS) == (bag, less, "shoes")
    assert two_outfits([less, bag, jacket], SLOTS) == (jacket, less, "outerwear")
    assert two_outfits([less, bag, jacket, plain, best], SLOTS) == (best, plain, "outerwear")
    assert two_outfits([jacket, plain], SLOTS) is None
    assert two_outfits([less, outfit("nothing")], SLOTS) is None


def test_an_outfit_is_edited_article_by_article_in_the_same_poses_and_with_the_same_seed():
    first, second = outfit("first", *SLOTS[:3], joints=9), outfit("second", *SLOTS[1:3])
    others = [outfit(f"other{i}", joints=16 - i % 2) for i in range(6)]
    model, outfits = Notes(), [first, second, *others]
    sheet = outfit_edits(model, outfits, 7)
    a, b = first.articles, second.articles
    expected = [a, b, b | {"outerwear": a["outerwear"]}, b | {"outerwear": a["outerwear"], "top": a["top"]}]
    # The first four poses that are whole.
    poses = [entry.keypoints for entry in (second, others[0], others[2], others[4])]
    asked = [(articles, 7, pose) for articles in expected for pose in poses]
    assert [(worn.articles, seed) for worn, seed, _ in model.calls] == [(articles, seed) for articles, seed, _ in asked]
    for (_, _, pose), (_, _, other) in zip(model.calls, asked):
        assert pose is other
    assert "first and second" in sheet.caption and "second, other0, other2, other4" in sheet.caption
    assert outfit_edits(model, others, 7) is None


def test_a_transfer_shows_both_pictures_and_both_results():
    model = Notes()
    outfits = [outfit(f"e{i}") for i in range(3)]
    style_transfer(model, outfits, 5)
    assert model.calls[4:8] == [
        (outfits[2], 6, None),
        (outfits[0], 6, None),
        (outfits[2], outfits[0], "color", {"seed": 6}),
        (outfits[2], outfits[0], "pose", {"seed": 6}),
    ]
    model = Notes()
    sheet = style_transfer(model, None, 5)
    assert model.calls[:4] == [(None, 5, None), (None, 6, None), (5, 6, "color", {}), (5, 6, "pose", {})]
    assert len(model.calls) == 4 * PAIRS and f"Seeds 5 to {4 + 2 * PAIRS}" in sheet.caption


@pytest.mark.parametrize("size, shown", [((32, 24), (256, 192)), ((1024, 768), (MAX_HEIGHT, 384))])
def test_samples_stand_in_rows_enlarged_or_reduced(size, shown):
    model = Notes(size)
    outfits = [outfit(f"e{i}") for i in range(5)]
    sheet = random_samples(model, outfits, 11)
    count = ROWS * COLUMNS
    assert model.calls == [(outfits[i % 5], 11 + i, None) for i in range(count)]
    pixels = np.asarray(sheet.image)
    assert pixels.shape[:2] == tuple(2 * GAP + n * side + (n - 1) * GAP // 2 for n, side in zip((ROWS, COLUMNS), shown))
    # The last picture is in the lower right corner.
    assert (pixels[-GAP - 1, -GAP - 1] == count).all() and (pixels[GAP, GAP] == 1).all()


def test_layers_are_counted_from_one():
    paper = layers_table(18, None)
    assert "| color | 13-18 | 1-12 |\n| pose | 1-3 | 4-18 |" in paper and "the paper's shares" in paper
    assert "| color | 2-4 | 1 |\n| pose | 1 | 2-4 |" in layers_table(4, 1)
