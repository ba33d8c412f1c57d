"""Where garments show: masks brought to the pictures' size, and the masks that are refused."""

import numpy as np
import pytest
from PIL import Image

from tf_outfit_gan.metrics.garment_regions import MIXED, GarmentRegions, garments, labels
from tf_outfit_gan.util.errors import UserError

SIZE = (8, 6)


def mask():
    """Twice as large as the pictures: 2x2 pixels of a top and half of two more, 1x3 of shoes."""
    pixels = np.zeros((16, 12), np.uint8)
    pixels[:4, :5] = 2
    pixels[8:10, :6] = 5
    return pixels


def test_a_pixel_belongs_to_what_it_shows_alone():
    found = labels(mask(), SIZE)
    assert (found[:2, :2] == 2).all() and (found[:2, 2] == MIXED).all() and (found[4, :3] == 5).all()
    assert (found > 0).sum() == 4 + 2 + 3
    np.testing.assert_array_equal(labels(found, SIZE), found)  # At the masks' own size nothing is mixed anew.


def test_a_garment_of_a_few_pixels_does_not_count():
    ((slot, region),) = garments(labels(mask(), SIZE)).items()
    assert slot == "top" and region.sum() == 4


def test_masks_are_found_by_the_ids_of_photos_and_odd_ones_refused(tmp_path):
    Image.fromarray(mask()).save(tmp_path / "a.png")
    regions = GarmentRegions(tmp_path, SIZE)
    np.testing.assert_array_equal(regions(["a", "a"]), [labels(mask(), SIZE)] * 2)
    with pytest.raises(UserError, match="b.png: expected a mask for each photo.*No such file"):
        regions(["a", "b"])
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / "c.png")
    with pytest.raises(UserError, match="c.png: expected a gray picture of 8x6 or a multiple of it, found 16x16"):
        regions(["c"])
    (tmp_path / "d.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="d.png: expected a mask.*no picture"):
        regions(["d"])
