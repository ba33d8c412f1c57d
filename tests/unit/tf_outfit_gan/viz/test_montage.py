"""Where a montage puts its pictures and its text."""

import numpy as np
import pytest
from PIL import Image

from tf_outfit_gan.viz.montage import CAPTION, FONT_SIZE, GAP, INK, PAPER, enlarged, montage, save_whole

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def block(color, height, width):
    return Image.new("RGB", (width, height), color)


def box_of(sheet, color):
    """(top, left, bottom, right) of the pixels of a color, the last two beyond it."""
    rows, columns = np.nonzero((np.asarray(sheet) == color).all(axis=2))
    return rows.min(), columns.min(), rows.max() + 1, columns.max() + 1


def text_rows(sheet):
    """First and last row with the darkest ink."""
    rows = np.nonzero((np.asarray(sheet) == INK).all(axis=2))[0]
    return (rows.min(), rows.max()) if len(rows) else None


def test_columns_and_rows_are_as_large_as_their_largest_picture():
    sheet = montage([[block(RED, 10, 20), block(GREEN, 30, 5)], [block(BLUE, 7, 40)]], gap=3, margin=2)
    assert sheet.size == (2 + 40 + 3 + 5 + 2, 2 + 30 + 3 + 7 + 2)
    assert box_of(sheet, RED) == (2, 2, 12, 22)
    assert box_of(sheet, GREEN) == (2, 45, 32, 50)
    assert box_of(sheet, BLUE) == (35, 2, 42, 42)
    assert sheet.getpixel((0, 0)) == PAPER and text_rows(sheet) is None


def test_a_caption_stands_below_its_picture_and_one_caption_makes_room_for_the_row():
    sheet = montage([[(block(RED, 20, 80), "seed 1"), block(GREEN, 20, 80)], [block(BLUE, 20, 80)]])
    assert sheet.size == (2 * 80 + 3 * GAP, 2 * 20 + 3 * GAP + CAPTION)
    first, last = text_rows(sheet)
    assert GAP + 20 <= first <= last < GAP + 20 + CAPTION
    assert box_of(sheet, BLUE)[0] == 2 * GAP + 20 + CAPTION
    assert text_rows(sheet.crop((GAP + 80, 0, *sheet.size))) is None


def test_a_title_of_two_lines_stands_above_its_row():
    sheet = montage([[block(RED, 9, 90)], [block(GREEN, 9, 90)]], titles=["first line\nsecond line"], margin=0)
    assert box_of(sheet, RED)[0] == 2 * CAPTION
    assert box_of(sheet, GREEN)[0] == 2 * CAPTION + 9 + GAP
    first, last = text_rows(sheet)
    assert first < CAPTION < last < 2 * CAPTION


@pytest.mark.parametrize("where", ["caption", "title"])
def test_text_that_is_too_long_is_cut(where):
    words = "a name of very many words " * 9
    image = block(RED, 9, 60)
    sheet = montage([[(image, words)]]) if where == "caption" else montage([[image]], titles=[words])
    assert sheet.width == 60 + 2 * GAP
    columns = np.nonzero((np.asarray(sheet) == INK).all(axis=2))[1]
    assert GAP <= columns.min() and columns.max() < GAP + 60


def test_small_pictures_are_enlarged_pixel_by_pixel():
    pixels = np.random.default_rng(0).integers(0, 255, (60, 45, 3), np.uint8)
    np.testing.assert_array_equal(enlarged(Image.fromarray(pixels)), pixels.repeat(4, axis=0).repeat(4, axis=1))
    assert enlarged(block(RED, 300, 200)).size == (200, 300)


def test_a_picture_is_written_whole_whatever_its_name_ends_in(tmp_path):
    save_whole(block(RED, FONT_SIZE, 2), tmp_path / "timeline", "GIF")
    assert Image.open(tmp_path / "timeline").format == "GIF"
