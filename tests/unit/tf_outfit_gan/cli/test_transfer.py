"""`outfit-gan transfer`: which style vectors come from where, and what the sheet shows."""

import numpy as np
import pytest
from PIL import Image

from tests.helpers.exported import cell, tiny_renderer, write_outfit, write_snapshot
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.inference import Renderer
from tf_outfit_gan.outfit_request import read_request
from tf_outfit_gan.snapshot import save_transfer_split, transfer_split
from tf_outfit_gan.styles import transfer_layers
from tf_outfit_gan.util.errors import UserError

SIZE = (16, 12)


@pytest.fixture
def renderer():
    return tiny_renderer()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, seed in (("source", 1), ("target", 2)):
        (tmp_path / name).mkdir()
        write_outfit(tmp_path / name / "outfit.json", seed)
    return tmp_path


def transfer(path, *arguments):
    return main(["transfer", str(path), "--out", "out.png", *arguments])


OUTFITS = ("--source", "source/outfit.json", "--target", "target/outfit.json")


def test_the_papers_layers():
    assert transfer_layers("color", 18) == transfer_layers("colour", 18) == (12, 18)
    assert transfer_layers("pose", 18) == (0, 3)
    assert transfer_layers("color", 6) == (4, 6)
    with pytest.raises(UserError, match="unknown transfer 'hue': expected color or pose"):
        transfer_layers("hue", 18)


def test_the_layers_that_evaluate_found_take_the_papers_place(folder, renderer):
    write_snapshot(folder / "000400kimg")
    source, target = (read_request(f"{name}/outfit.json", SIZE) for name in ("source", "target"))
    save_transfer_split(folder / "000400kimg", 3)
    assert transfer_split(folder) == 3  # Of the run's newest snapshot.
    for what, layers in (("pose", (0, 3)), ("color", (3, 6)), ("colour", (3, 6))):
        assert transfer(folder / "000400kimg", *OUTFITS, "--what", what) == 0
        result = renderer.transfer(source, target, 1, 1, 1.0, layers)
        np.testing.assert_array_equal(cell(Image.open("out.png"), 0, 2, SIZE), result)


def test_damaged_layers_are_named(folder, capsys):
    write_snapshot(folder / "000400kimg")
    (folder / "000400kimg" / "transfer.json").write_text("{}")
    assert transfer(folder / "000400kimg", *OUTFITS, "--what", "pose") == 2
    assert "transfer.json: not readable ('split' is missing); delete it" in capsys.readouterr().err


def test_the_sheet_shows_source_target_and_result(folder, snapshot, renderer):
    assert transfer(snapshot, *OUTFITS, "--what", "pose", "--seed", "1,2") == 0
    sheet = Image.open("out.png")
    source, target = (read_request(f"{name}/outfit.json", SIZE) for name in ("source", "target"))
    for row, seed in enumerate((1, 2)):
        result = renderer.transfer(source, target, seed, seed, 1.0, (0, 1))
        pictures = renderer.picture(source, seed, 1.0), renderer.picture(target, seed, 1.0), result
        for column, picture in enumerate(pictures):
            np.testing.assert_array_equal(cell(sheet, row, column, SIZE), picture)


def test_all_layers_are_the_source(folder, renderer):
    source, target = (read_request(f"{name}/outfit.json", SIZE) for name in ("source", "target"))

    def distance(a, b):
        return np.abs(a.astype(int) - b).mean()

    pictures = renderer.picture(source, 1, 1.0), renderer.picture(target, 1, 1.0)
    whole = renderer.transfer(source, target, 1, 1, 1.0, (0, 6))
    assert distance(whole, pictures[0]) < 0.01 < distance(whole, pictures[1])
    color = renderer.transfer(source, target, 1, 1, 1.0, (4, 6))
    assert distance(color, pictures[0]) > 0.1 and distance(color, pictures[1]) > 0.1


def test_an_unconditional_model_renders_and_transfers_seeds(folder):
    snapshot = write_snapshot(folder / "snapshot", "conditional=false")
    assert transfer("snapshot", "--source", "1,2", "--target", "3,4", "--what", "color", "--layers", "2-3") == 0
    assert main(["render", "snapshot", "--out", "pictures.png", "--seed", "1,2,3,4", "--quiet"]) == 0
    sheet, pictures, renderer = Image.open("out.png"), Image.open("pictures.png"), Renderer(snapshot)
    for row, (source, target) in enumerate(((1, 3), (2, 4))):
        for column, seed in enumerate((source, target)):
            np.testing.assert_array_equal(cell(sheet, row, column, SIZE), cell(pictures, 0, seed - 1, SIZE))
        result = renderer.transfer(None, None, source, target, 0.7, (1, 3))
        np.testing.assert_array_equal(cell(sheet, row, 2, SIZE), result)


@pytest.mark.parametrize(
    "arguments, text",
    [
        (("--layers", "13-18"), "--layers 13-18: expected layers within 1-6, with which {} draws"),
        (("--layers", "low"), "--layers: expected FIRST-LAST, from 1, such as 13-18, got 'low'"),
        (("--source", "gone.json"), "gone.json: expected an outfit file, no such file"),
        (("--psi", "-1"), "--psi: expected a number from 0 to 2, got '-1'"),
    ],
)
def test_mistakes_are_one_line(folder, snapshot, capsys, arguments, text):
    assert transfer(snapshot, *OUTFITS, "--what", "color", *arguments) == 2
    error = capsys.readouterr().err
    assert text.format(snapshot) in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, text",
    [
        (
            ("--source", "outfit.json", "--target", "2"),
            "expected integers of 64 bits separated by commas, such as 1,2,3, got 'outfit.json'",
        ),
        (("--source", "1,2", "--target", "2"), "--source has 2 seeds and --target 1: expected one for one"),
        (("--source", "1", "--target", "2", "--seed", "3"), "--source and --target are seeds; leave out --seed"),
    ],
)
def test_an_unconditional_model_wants_seeds(folder, capsys, arguments, text):
    write_snapshot(folder / "snapshot", "conditional=false")
    assert transfer("snapshot", *arguments, "--what", "color") == 2
    assert text in capsys.readouterr().err
