"""Grids and the timeline: what was asked for, the photo and the fakes stand where they should, at any size."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from tests.helpers.catalogues import photo_pixels, worn, write_catalogue
from tests.helpers.exported import write_snapshot
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.viz.montage import CAPTION, GAP
from training.monitor import image_grids
from training.monitor import image_grids as grids_module
from training.monitor.image_grids import ENTRIES, SEEDS, ImageGrids

CELL = (256, 192)  # Of 16x12 pixels, 16 times as large.


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogue")
    write_catalogue(folder / "catalogue", 48, (16, 12), suffix="png", test_every=2)
    return prepare(folder / "catalogue", folder / "data", quiet=True)


@pytest.fixture(scope="module")
def drawn(data, tmp_path_factory):
    """A run's folder after two snapshots of a growing conditional model."""
    folder = tmp_path_factory.mktemp("run")
    for number, (level, alpha) in enumerate([(1, 1.0), (2, 0.25)]):
        snapshot = write_snapshot(folder / str(number), "pose_path=spatial", level=level, alpha=alpha)
        snapshot.cur_nimg = (number + 1) * 200_000
        grids = ImageGrids(data, snapshot.config, seed=0)
        grids.fakes(folder, snapshot)
    grids.reals(folder / "reals.png")
    return folder


def cell(sheet, row, column, caption=CAPTION):
    left, top = GAP + column * (CELL[1] + GAP), GAP + row * (CELL[0] + caption + GAP)
    return np.asarray(sheet.crop((left, top, left + CELL[1], top + CELL[0])))


def test_a_row_holds_what_was_asked_for_the_photo_and_a_fake_a_seed(drawn):
    sheet = Image.open(drawn / "fakes_000400kimg.png")
    assert sheet.size == ((3 + SEEDS) * (CELL[1] + GAP) + GAP, ENTRIES * (CELL[0] + CAPTION + GAP) + GAP)
    for row in range(ENTRIES):
        # The photo, enlarged pixel by pixel, has the entry's number in its left half's red.
        photo = cell(sheet, row, 2)
        index = int(photo[0, 0, 0])
        np.testing.assert_array_equal(photo, photo_pixels(index, (16, 12)).repeat(16, axis=0).repeat(16, axis=1))
        # Articles have their slot in the green, two slots in a row of thirds; a missing one is gray.
        articles = cell(sheet, row, 0)
        for number, slot in enumerate(SLOTS):
            green = SLOTS.index(slot) * 40 if slot in worn(index) else 128
            assert articles[43 + number // 2 * 85, 48 + number % 2 * 96, 1] == green
        # The pose stands on gray ground.
        pose = cell(sheet, row, 1)
        assert (pose == 128).all(axis=2).mean() > 0.5 and not (pose == 128).all()
    # Another seed is another picture, the same seed the same.
    assert not np.array_equal(cell(sheet, 5, 3), cell(sheet, 5, 4))


def test_a_sheet_of_training_entries_says_so(data, tmp_path, monkeypatch):
    snapshot, captions = write_snapshot(tmp_path / "snapshot"), []

    def montage(rows, **options):
        captions.extend(cell[1] for row in rows for cell in row if isinstance(cell, tuple))
        return real(rows, **options)

    real = grids_module.montage
    monkeypatch.setattr(grids_module, "montage", montage)
    for splits, caption in ((data.splits, "photo"), ({**data.splits, "test": []}, "photo (trained on)")):
        captions.clear()
        ImageGrids(dataclasses.replace(data, splits=splits), snapshot.config, seed=0).fakes(tmp_path, snapshot)
        assert [text for text in captions if text.startswith("photo")] == [caption] * ENTRIES


def test_a_lower_level_fills_the_same_cells(drawn):
    sheet = Image.open(drawn / "fakes_000200kimg.png")
    assert sheet.size == Image.open(drawn / "fakes_000400kimg.png").size
    fake = cell(sheet, 0, 3)
    np.testing.assert_array_equal(fake, fake[::32, ::32].repeat(32, axis=0).repeat(32, axis=1))  # 8x6 pixels.


def test_the_photos_begin_with_those_of_the_sheet(drawn):
    sheet = Image.open(drawn / "fakes_000400kimg.png")
    np.testing.assert_array_equal(cell(Image.open(drawn / "reals.png"), 0, 3), cell(sheet, 3, 2))


def test_the_timeline_has_a_frame_of_the_final_size_for_each_snapshot(drawn):
    gif = Image.open(drawn / "timeline.gif")
    assert gif.n_frames == 2
    sizes = set()
    for frame in range(2):
        gif.seek(frame)
        sizes.add(gif.size)
    assert sizes == {(ENTRIES * (144 + GAP) + GAP, 192 + CAPTION + GAP)}
    gif.seek(0)
    first = np.asarray(gif.convert("RGB"))
    gif.seek(1)
    assert not np.array_equal(first, np.asarray(gif.convert("RGB")))


def test_many_frames_are_spread_evenly_from_the_first_to_the_last():
    assert image_grids.spread(3, 5) == [0, 1, 2]
    assert image_grids.spread(9, 5) == [0, 2, 4, 6, 8]
    found = image_grids.spread(1000)
    assert len(set(found)) == image_grids.MOST_FRAMES and found[0] == 0 and found[-1] == 999


def test_an_unconditional_model_has_a_plain_grid(data, tmp_path):
    snapshot = write_snapshot(tmp_path / "snapshot", "conditional=false")
    grids = ImageGrids(data, snapshot.config, seed=1)
    grids.fakes(tmp_path, snapshot)
    grids.reals(tmp_path / "reals.png")
    fakes, reals = (Image.open(tmp_path / f"{name}.png") for name in (f"fakes_{snapshot.name}", "reals"))
    assert fakes.size == reals.size == (8 * (CELL[1] + GAP) + GAP, 3 * (CELL[0] + GAP) + GAP)
    assert not np.array_equal(cell(fakes, 0, 0, 0), cell(fakes, 2, 7, 0))


@pytest.mark.parametrize(
    "size,cell_size",
    [
        ((8, 6), (256, 192)),
        ((64, 48), (256, 192)),
        ((512, 384), (512, 384)),
        ((1024, 768), (512, 384)),
        ((1280, 960), (320, 240)),
        ((48, 64), (240, 320)),
    ],
)
def test_cells_are_neither_too_small_nor_too_large(size, cell_size):
    assert grids_module._cell_size(size) == cell_size
