"""Articles cut out of photos: hand-worked pixels, what a manifest says of them, and refusals."""

import json

import numpy as np
import pytest
from PIL import Image

from tf_outfit_gan.data.manifest import load_outfit, read_manifest
from tf_outfit_gan.images.color_profile import UNPROFILED_CMYK
from tf_outfit_gan.images.cutout import Cutout, open_article, read_mask
from tf_outfit_gan.outfit_request import read_request
from tf_outfit_gan.util.errors import UserError


@pytest.fixture
def shop(tmp_path):
    """A photo 60 high and 40 wide whose red is the row and green the column; its mask has two parts and a speck."""
    pixels = np.zeros((60, 40, 3), np.uint8)
    pixels[..., 0], pixels[..., 1] = np.arange(60)[:, None], np.arange(40)
    mask = np.zeros((60, 40), np.uint8)
    mask[10:30, 5:15], mask[20:30, 15:25], mask[50, 30] = 5, 6, 9
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path


def test_a_part_is_cropped_with_a_margin_on_white(shop):
    article = np.asarray(open_article(Cutout(shop / "photo.png", shop / "mask.png", (5, 6))))
    assert article.shape == (22, 22, 3)  # Twenty each way and a twentieth around it.
    expected = np.full((22, 22, 3), 255)
    expected[1:21, 1:11, 0], expected[11:21, 11:21, 0] = np.arange(10, 30)[:, None], np.arange(20, 30)[:, None]
    expected[1:21, 1:11, 1], expected[11:21, 11:21, 1] = np.arange(5, 15), np.arange(15, 25)
    expected[1:21, 1:11, 2], expected[11:21, 11:21, 2] = 0, 0
    np.testing.assert_array_equal(article, expected)


def test_a_part_of_a_cmyk_photo_without_a_profile_says_so(shop):
    Image.new("CMYK", (40, 60), (0, 0, 255, 0)).save(shop / "photo.tiff")
    article = open_article(Cutout(shop / "photo.tiff", shop / "mask.png", (5,)))
    assert UNPROFILED_CMYK in article.info and article.getpixel((5, 5)) == (255, 255, 0)
    assert UNPROFILED_CMYK not in open_article(Cutout(shop / "photo.png", shop / "mask.png", (5,))).info


def test_a_manifest_and_an_outfit_file_name_photo_mask_and_classes(shop):
    articles = {"bottom": {"image": "photo.png", "mask": "mask.png", "classes": [5]}}
    (shop / "manifest.jsonl").write_text(json.dumps({"id": "a", "image": "photo.png", "articles": articles}))
    (shop / "outfit.json").write_text(json.dumps({"articles": articles}))
    expected = Cutout(shop / "photo.png", shop / "mask.png", (5,))
    assert read_manifest(shop).entries[0].outfit.articles == {"bottom": expected}
    assert load_outfit(shop / "outfit.json").articles == {"bottom": expected}
    assert read_request(str(shop / "outfit.json"), None).articles["bottom"].startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "change, words",
    [
        ({"mask": "../mask.png"}, "bottom mask '../mask.png' leads out"),
        ({"image": "gone.png"}, "no such file"),
        ({"classes": []}, "'classes' must be a list"),
        ({"classes": ["5"]}, "'classes' must be a list"),
        ({"mask": 3}, "bottom mask' must be the name of a file"),
    ],
)
def test_what_a_manifest_may_not_say(shop, change, words):
    article = {"image": "photo.png", "mask": "mask.png", "classes": [5]} | change
    (shop / "manifest.jsonl").write_text(
        json.dumps({"id": "a", "image": "photo.png"})
        + "\n"
        + json.dumps({"id": "b", "image": "photo.png", "articles": {"bottom": article}})
    )
    [skipped] = read_manifest(shop).skipped
    assert skipped.id == "b" and words in skipped.reason


def test_masks_that_do_not_fit_are_named(shop):
    with pytest.raises(UserError, match=r"mask.png: no pixel is of class 1 or 7"):
        open_article(Cutout(shop / "photo.png", shop / "mask.png", (1, 7)))
    Image.new("P", (20, 30)).save(shop / "small.png")
    with pytest.raises(UserError, match=r"small.png: expected a mask of its photo's size, 60x40, found 30x20"):
        open_article(Cutout(shop / "photo.png", shop / "small.png", (5,)))
    (shop / "cut.png").write_bytes((shop / "mask.png").read_bytes()[:70])
    for name, words in (("photo.png", "found RGB"), ("cut.png", "expected a mask"), ("gone.png", "no such file")):
        with pytest.raises(UserError, match=f"{name}: .*{words}"):
            read_mask(shop / name)
