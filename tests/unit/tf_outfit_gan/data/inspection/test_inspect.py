"""inspect: the report counts and finds what is there, in a catalogue and in its records; the sheet shows it."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.catalogues import article_pixels, worn, write_catalogue
from tests.helpers.odd_catalogue import write_odd_catalogue
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.inspection import contact_sheet
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.pose.mpii import JOINTS
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.viz.montage import CAPTION, GAP
from tf_outfit_gan.viz.skeleton import COLORS, draw_skeleton


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("inspect")
    prepare(write_catalogue(folder / "shop", 6, (64, 48)), folder / "data", workers=1, quiet=True)
    return folder / "data"


@pytest.fixture(scope="module")
def odd(tmp_path_factory):
    """An odd catalogue's folder, and that of its records."""
    folder = tmp_path_factory.mktemp("odd")
    write_odd_catalogue(folder / "shop")
    prepare(folder / "shop", folder / "data", workers=1, quiet=True)
    return folder / "shop", folder / "data"


def inspected(folder, out, capsys, *options):
    command = ["inspect", str(folder), "--out", str(out), "--quiet", "--workers", "1", "--json", *options]
    assert main(command) == 0
    return json.loads(capsys.readouterr().out)


def sheet_height(rows):
    """Of rows of entries, each under its name."""
    return 2 * GAP + rows * (CAPTION + 256) + (rows - 1) * contact_sheet.GUTTER


def test_the_sheet_shows_articles_in_slot_order_and_gray_for_missing_ones(data, tmp_path, capsys):
    out = tmp_path / "sheet.png"
    assert main(["inspect", str(data), "--out", str(out), "--count", "3", "--quiet"]) == 0
    sheet = np.asarray(Image.open(out))
    cell_width = 192 + contact_sheet.GAP
    width = 7 * cell_width - contact_sheet.GAP
    assert sheet.shape == (sheet_height(2), 2 * width + contact_sheet.GUTTER + 2 * GAP, 3)

    from tf_outfit_gan.data.pipeline import batches
    from tf_outfit_gan.data.records import open_dataset

    first = next(iter(batches(open_dataset(data), "train", (64, 48), None, 1)))["ids"].numpy()[0]
    index = int(first.decode()[1:])
    for place, slot in enumerate(SLOTS, start=1):
        left = GAP + place * cell_width
        cell = sheet[GAP + CAPTION : GAP + CAPTION + 256, left : left + 192]
        article = article_pixels(index, slot, (64, 48)) if slot in worn(index) else np.full((64, 48, 3), 128)
        np.testing.assert_array_equal(cell, article.repeat(4, axis=0).repeat(4, axis=1))

    printed = capsys.readouterr().out
    rows = [line.replace("│", " ").replace("┃", " ").split() for line in printed.splitlines()]
    rows = {row[0]: row[1:] for row in rows if row}
    assert rows["split"] == ["entries", "poses", *SLOTS]
    counts = [sum(slot in worn(index) for index in (1, 2, 3, 4)) for slot in SLOTS]
    assert rows["train"] == [str(number) for number in (4, 4, *counts)]
    assert f"wrote {out}" in printed


def test_the_sheet_of_a_catalogue_is_that_of_its_records(odd, tmp_path, capsys):
    first, second = (inspected(folder, tmp_path / f"{folder.name}.png", capsys) for folder in odd)
    assert first["counts"] == second["counts"] and first["joints"] == second["joints"]
    sheets = [Image.open(tmp_path / f"{folder.name}.png") for folder in odd]
    assert sheets[0].size == sheets[1].size
    # The same cells in another order have the same colors equally often; ids are drawn on them.
    np.testing.assert_allclose(*(np.array(sheet.histogram()) / 1e3 for sheet in sheets), atol=2)


FOUND = {
    "duplicate id": ["000000"],
    "same photo": [["000002", "000003"]],
    "article in both splits": [["000004", "000011"]],
    "article background not white": ["000000"],
    "article nearly empty": ["000008"],
    "photo without color": ["000005"],
}
FOUND_IN_FILES = {"photo of odd aspect": ["000007"], "photo too small": ["000006"]}


def plain(findings):
    """Findings whose order does not matter: records are in the order of a hash."""
    return {name: sorted(sorted(item) if isinstance(item, list) else item for item in items) for name, items in findings.items()}


def test_what_is_odd_about_a_catalogue_is_found_and_nothing_else(odd, tmp_path, capsys):
    report = inspected(odd[0], tmp_path / "sheet.png", capsys)
    # The brown bag fills its picture: it is odd for its background, and for showing nothing on it.
    assert plain(report["findings"]) == FOUND | FOUND_IN_FILES | {"article nearly empty": ["000000", "000008"]}
    assert [(skip["line"], skip["id"]) for skip in report["skipped"]] == [(13, "000000"), (10, "000009")]
    assert "broken.jpg: expected a picture" in report["skipped"][1]["reason"]


def test_records_tell_the_same_up_to_what_fitting_hides(odd, tmp_path, capsys):
    report = inspected(odd[1], tmp_path / "sheet.png", capsys)
    found = plain(report["findings"])
    # Which of those that share an article stands for it depends on the order.
    assert found.pop("article nearly empty") in (["000000", "000008"], ["000001", "000008"])
    assert found.pop("article background not white") in (["000000"], ["000001"])
    expected = {name: items for name, items in FOUND.items() if not name.startswith("article ") or "splits" in name}
    assert found == expected
    assert sorted((skip["line"], skip["id"]) for skip in report["skipped"]) == [(10, "000009"), (13, "000000")]


def test_odd_entries_can_be_shown(odd, tmp_path, capsys):
    for folder, entries in zip(odd, (9, 7)):
        inspected(folder, tmp_path / "sheet.png", capsys, "--odd")
        shown = np.int16(Image.open(tmp_path / "sheet.png"))
        assert shown.shape[0] == sheet_height(-(-entries // 2))
    inspected(odd[0], tmp_path / "sheet.png", capsys, "--odd", "--count", "3")
    shown = np.int16(Image.open(tmp_path / "sheet.png"))
    # 000000, then 000002 and 000003 with one photo: but for the skeletons they are the same.
    right = GAP + 7 * (192 + contact_sheet.GAP) - contact_sheet.GAP + contact_sheet.GUTTER
    top = GAP + CAPTION + 256 + contact_sheet.GUTTER + CAPTION
    second, third = shown[GAP + CAPTION :, right:][:256, :192], shown[top:, GAP:][:256, :192]
    assert (np.abs(second - third).max(axis=-1) > 20).mean() < 0.1


def test_joints_are_counted_by_split_and_place(tmp_path, capsys):
    shop = write_catalogue(tmp_path / "shop", 5, (16, 12), test_every=5)
    lines = [json.loads(line) for line in (shop / "manifest.jsonl").read_text().splitlines()]
    for entry in lines[1:3]:
        entry["keypoints"]["points"][9] = [5, -3, 1]  # The head's top, above the picture.
    del lines[4]["keypoints"]
    (shop / "manifest.jsonl").write_text("\n".join(map(json.dumps, lines)))
    report = inspected(shop, tmp_path / "sheet.png", capsys)
    assert report["counts"]["train"]["poses"] == 3 and report["counts"]["test"]["poses"] == 1
    assert list(report["joints"]) == list(JOINTS)
    assert report["joints"][JOINTS[9]]["train"] == {"present": 1, "outside": 0.6667}
    assert report["joints"][JOINTS[3]] == {split: {"present": 0, "outside": 0} for split in ("train", "test")}


def test_processes_find_the_same(odd, tmp_path, capsys):
    one = inspected(odd[0], tmp_path / "one.png", capsys)
    assert inspected(odd[0], tmp_path / "two.png", capsys, "--workers", "2") == one
    assert (tmp_path / "one.png").read_bytes() == (tmp_path / "two.png").read_bytes()


def test_the_skeleton_joins_what_is_there_in_the_color_of_its_side():
    pose = np.zeros((16, 3), np.float32)
    pose[[12, 11]] = [[0.25, 0.25, 1], [0.25, 0.75, 1]]  # The right upper arm.
    pose[10, :2] = 0.75, 0.75  # A wrist that is not there.
    blank = Image.new("RGB", (192, 256), "white")
    drawn = np.asarray(draw_skeleton(blank, pose))
    assert tuple(drawn[128, 48]) == COLORS["right"]
    assert (drawn[:, 60:] == 255).all() and (np.asarray(blank) == 255).all()


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["{tmp}/nowhere"], "expected a data set"),
        (["{data}", "--count", "0"], "--count: expected a whole number of 1 or more"),
        (["{data}", "--workers", "0"], "--workers: expected a whole number of 1 or more"),
        (["{data}", "--out", "{tmp}/no/sheet.png"], "no such folder"),
        (["{data}", "--out", "{tmp}/sheet.txt"], "ends in .png or .jpg"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(data, tmp_path, capsys, arguments, words):
    assert main(["inspect", *(text.format(data=data, tmp=tmp_path) for text in arguments)]) == 2
    error = capsys.readouterr().err
    assert words in error and error.count("\n") == 1
