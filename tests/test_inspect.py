"""inspect: the sheet shows photo, skeleton and articles where they belong, and the table counts them."""

import numpy as np
import pytest
from PIL import Image

from tests.catalogues import article_pixels, worn, write_catalogue
from tf_outfit_gan import cli
from tf_outfit_gan.data import inspect
from tf_outfit_gan.data.prepare import prepare
from tf_outfit_gan.outfit import SLOTS


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspect")
    prepare(write_catalogue(folder / "shop", 6, (64, 48)), folder / "data", workers=1, quiet=True)
    return folder / "data"


def test_the_sheet_shows_articles_in_slot_order_and_gray_for_missing_ones(data, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert cli.main(["inspect", str(data), "--out", str(out), "--count", "3"]) == 0
    sheet = np.asarray(Image.open(out))
    cell_height, cell_width = 256 + inspect.GAP, 192 + inspect.GAP
    assert sheet.shape == (2 * cell_height + inspect.GAP, 2 * 7 * cell_width + inspect.GUTTER + inspect.GAP, 3)

    from tf_outfit_gan.data.pipeline import batches
    from tf_outfit_gan.data.records import open_dataset
    first = next(iter(batches(open_dataset(data), "train", (64, 48), None, 1)))["ids"].numpy()[0]
    index = int(first.decode()[1:])
    for place, slot in enumerate(SLOTS, start=1):
        cell = sheet[inspect.GAP:cell_height, place * cell_width + inspect.GAP:(place + 1) * cell_width]
        article = article_pixels(index, slot, (64, 48)) if slot in worn(index) else np.full((64, 48, 3), 128)
        np.testing.assert_array_equal(cell, article.repeat(4, axis=0).repeat(4, axis=1))

    printed = capsys.readouterr().out
    rows = {line.split()[0]: line.split()[1:] for line in printed.splitlines() if line.strip()}
    assert rows["split"] == ["entries", "shards", *SLOTS, "poses"]
    counts = [sum(slot in worn(index) for index in (1, 2, 3, 4)) for slot in SLOTS]
    assert rows["train"] == [str(number) for number in (4, 1, *counts, 4)]
    assert f"wrote {out}" in printed


def test_the_skeleton_joins_what_is_there_in_the_colour_of_its_side():
    pose = np.zeros((16, 3), np.float32)
    pose[[12, 11]] = [[0.25, 0.25, 1], [0.25, 0.75, 1]]  # The right upper arm.
    pose[10, :2] = 0.75, 0.75  # A wrist that is not there.
    blank = Image.new("RGB", (192, 256), "white")
    drawn = np.asarray(inspect.draw_skeleton(blank, pose))
    assert tuple(drawn[128, 48]) == inspect.COLOURS["right"]
    assert (drawn[:, 60:] == 255).all() and (np.asarray(blank) == 255).all()


@pytest.mark.parametrize("arguments, words", [
    (["{tmp}/nowhere"], "expected a data set"),
    (["{data}", "--count", "0"], "--count 0: expected 1 or more"),
    (["{data}", "--out", "{tmp}/no/sheet.png"], "no such folder"),
    (["{data}", "--out", "{tmp}/sheet.txt"], "ends in .png or .jpg"),
])
def test_wrong_usage_is_one_line_and_exit_2(data, tmp_path, capsys, arguments, words):
    assert cli.main(["inspect", *(text.format(data=data, tmp=tmp_path) for text in arguments)]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
