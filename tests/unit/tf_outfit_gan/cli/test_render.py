"""`outfit-gan render`: what is asked is drawn, in its place on the sheet, and mistakes are one line."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers.catalogues import article_pixels, pose_points, write_catalogue
from tests.helpers.exported import cell, photo, points, tiny_renderer, write_outfit, write_snapshot
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.images.article_bytes import article_bytes
from tf_outfit_gan.outfit_request import Request, parse_article, read_pose, read_request
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.viz.montage import GAP, MIN_HEIGHT

SIZE = (16, 12)


@pytest.fixture
def renderer():
    return tiny_renderer()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with outfit.json (a top and shoes), a jacket and a pose."""
    monkeypatch.chdir(tmp_path)
    write_outfit(tmp_path / "outfit.json", 1)
    photo(5).save(tmp_path / "my-jacket_2.jpg")
    (tmp_path / "pose.json").write_text(json.dumps(points(7)))
    return tmp_path


def render(snapshot, *arguments):
    return main(["render", str(snapshot), "--out", "out.png", "--quiet", *arguments])


def test_one_picture_is_just_the_picture(folder, snapshot, renderer):
    assert render(snapshot, "--outfit", "outfit.json", "--seed", "3", "--psi", "0.6") == 0
    expected = renderer.picture(read_request("outfit.json", SIZE), 3, 0.6)
    np.testing.assert_array_equal(Image.open("out.png"), expected)
    assert sorted(path.name for path in folder.iterdir()) == [
        "my-jacket_2.jpg",
        "out.png",
        "outfit.json",
        "pose.json",
        "shoes.jpg",
        "top.png",
    ]


def test_a_grid_has_a_row_for_each_pose_and_a_column_for_each_seed(folder, snapshot, renderer):
    assert (
        render(
            snapshot,
            "--outfit",
            "outfit.json",
            "--add",
            "my-jacket_2.jpg",
            "--remove",
            "shoes",
            "--pose",
            "outfit.json",
            "--pose",
            "pose.json",
            "--seed",
            "2,5,9",
        )
        == 0
    )
    sheet = Image.open("out.png")
    articles = {"outerwear": article_bytes("my-jacket_2.jpg"), "top": article_bytes("top.png")}
    for row, pose in enumerate(("outfit.json", "pose.json")):
        request = Request("", articles, read_pose(pose))
        for column, seed in enumerate((2, 5, 9)):
            np.testing.assert_array_equal(cell(sheet, row, column, SIZE), renderer.picture(request, seed, 1.0))


def test_a_grid_shows_the_conditions_of_a_row_once(folder, snapshot, renderer):
    """Articles and pose stand before the pictures, each as large as one."""
    assert render(snapshot, "--outfit", "outfit.json", "--seed", "2,5", "--show-conditions") == 0
    sheet = Image.open("out.png")
    width = GAP + (MIN_HEIGHT // SIZE[0]) * SIZE[1]
    last_three = sheet.crop((sheet.width - 3 * width - GAP, 0, sheet.width, sheet.height))
    assert len(np.unique(cell(last_three, 0, 0, SIZE).reshape(-1, 3), axis=0)) > 3  # A skeleton on gray.
    request = read_request("outfit.json", SIZE)
    for column, seed in ((1, 2), (2, 5)):
        np.testing.assert_array_equal(cell(last_three, 0, column, SIZE), renderer.picture(request, seed, 1.0))


def test_every_part_of_a_request_shows(folder, renderer):
    request = read_request("outfit.json", SIZE)
    picture = renderer.picture(request, 1, 1.0).astype(int)
    for other in (
        renderer.picture(request, 2, 1.0),
        renderer.picture(request, 1, 0.3),
        renderer.picture(request.edited(add=["my-jacket_2.jpg"]), 1, 1.0),
        renderer.picture(request.edited(remove=["top"]), 1, 1.0),
        renderer.picture(Request("", request.articles, read_pose("pose.json")), 1, 1.0),
    ):
        assert np.abs(picture - other).max() > 1


def test_an_entry_of_a_data_set_is_an_outfit_and_a_pose(folder):
    """Entry 3 wears outerwear and a top; what is stored at the model's size comes back pixel by pixel."""
    catalogue = write_catalogue(folder / "catalogue", 4, SIZE)
    prepare(catalogue, folder / "data", workers=1, quiet=True)
    request = read_request("data:e003", SIZE)
    assert list(request.articles) == ["outerwear", "top"]
    stored = Image.open(folder / "catalogue" / "e003_top.png")
    with open("top.png", "wb") as file:
        file.write(request.articles["top"])
    np.testing.assert_array_equal(Image.open("top.png"), stored)
    np.testing.assert_array_equal(stored, article_pixels(3, "top", SIZE))
    np.testing.assert_allclose(read_pose("data:e003"), request.keypoints)
    x, y, _ = pose_points(3, SIZE)[0]
    np.testing.assert_allclose(request.keypoints[0], [x / 12, y / 16, 1], rtol=1e-5)


def test_articles_are_sent_as_they_are_or_made_upright_png(folder):
    for name in ("top.png", "shoes.jpg"):
        assert article_bytes(name) == (folder / name).read_bytes()
    image = photo(8)
    image.save("article.webp", lossless=True)
    turned = image.getexif()
    turned[0x0112] = 6  # To be shown turned by a quarter, clockwise.
    image.save("turned.png", exif=turned)
    for name, expected in (("article.webp", image), ("turned.png", image.transpose(Image.Transpose.ROTATE_270))):
        with open("converted.png", "wb") as file:
            file.write(article_bytes(name))
        converted = Image.open("converted.png")
        assert converted.format == "PNG" and 0x0112 not in converted.getexif()
        np.testing.assert_array_equal(converted, expected)


@pytest.mark.parametrize(
    "text, slot",
    [
        ("bag=photo.jpg", "bag"),
        ("jacket=photo.jpg", "outerwear"),
        ("red-Jacket_01.JPG", "outerwear"),
        ("a/top.png", "top"),
        ("my skirt.jpg", "bottom"),
    ],
)
def test_the_slot_of_an_article_is_given_or_in_the_name(text, slot):
    assert parse_article(text) == (slot, text.rpartition("=")[2])


def test_a_slot_of_ones_own_comes_before_a_word_for_another():
    assert parse_article("jacket=photo.jpg", ("outerwear", "jacket")) == ("jacket", "photo.jpg")


@pytest.mark.parametrize(
    "text, message",
    [
        ("hat=photo.jpg", "unknown slot 'hat': expected one of outerwear, top,"),
        ("photo.jpg", "--add photo.jpg: the file's name contains no slot; say --add SLOT=photo.jpg with one of outerwear,"),
        ("shirt-and-bag.jpg", "more than one slot"),
        ("laptop.jpg", "no slot"),  # "top" is not a word of it.
    ],
)
def test_an_unknown_slot_is_asked_for(text, message):
    with pytest.raises(UserError, match=message):
        parse_article(text)


def test_an_article_that_the_graph_refuses_is_one_line(renderer):
    with pytest.raises(UserError) as error:
        renderer.picture(Request("", {"top": b"text"}, np.zeros([16, 3])), 1, 1.0)
    assert str(error.value).startswith("an article does not decode: assertion failed: [row 0: article top is no picture")
    assert "\n" not in str(error.value)


OUTFIT = ("--outfit", "outfit.json")


@pytest.mark.parametrize(
    "arguments, text",
    [
        ((), "is a conditional model: --outfit is required"),
        (("--outfit", "missing.json"), "missing.json: expected an outfit file, no such file"),
        (("--outfit", "lost.json"), "lost.json: top 'gone.png': no such file"),
        (("--outfit", "short.json"), "short.json: mpii16 keypoints must be 16 times [x, y, confidence], got shape [15, 3]"),
        (("--outfit", "hat.json"), "hat.json: unknown slot 'hat'"),
        (("--outfit", "still.json"), "still.json: has no keypoints; a conditional model needs a pose: add them, or give one"),
        (("--outfit", "data:e001"), "expected a data set, made whole by"),
        ((*OUTFIT, "--add", "top=note.png"), "note.png: expected a picture such as PNG or JPEG"),
        ((*OUTFIT, "--add", "top=gone.png"), "gone.png: no such file"),
        ((*OUTFIT, "--remove", "bag"), "--remove bag: not in outfit.json, which wears top, shoes"),
        ((*OUTFIT, "--remove", "hat"), "unknown slot 'hat'"),
        ((*OUTFIT, "--pose", "gone.json"), "gone.json: expected a file of keypoints, no such file"),
        ((*OUTFIT, "--psi", "3"), "--psi: expected a number from 0 to 2, got '3'"),
        ((*OUTFIT, "--seed", "one"), "--seed/--seeds: expected integers of 64 bits"),
        ((*OUTFIT, "--out", "out.jpg"), "--out: out.jpg: expected a name that ends in .png"),
        ((*OUTFIT, "--out", "nowhere/out.png"), "--out: nowhere/out.png: no such folder nowhere"),
    ],
)
def test_mistakes_are_one_line(folder, snapshot, capsys, arguments, text):
    pose = points(1)
    for name, outfit in {
        "lost": {"articles": {"top": "gone.png"}, "keypoints": pose},
        "short": {"articles": {}, "keypoints": pose | {"points": pose["points"][:15]}},
        "hat": {"articles": {"hat": "top.png"}, "keypoints": pose},
        "still": {"articles": {}},
    }.items():
        (folder / f"{name}.json").write_text(json.dumps(outfit))
    (folder / "note.png").write_text("this is a text file")
    assert render(snapshot, *arguments) == 2
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1
    assert not (folder / "out.png").exists()


def test_an_unconditional_model_takes_no_outfit(folder, capsys):
    write_snapshot(folder / "snapshot", "conditional=false")
    assert render(folder / "snapshot", *OUTFIT) == 2
    assert "unconditional model: it draws from seeds alone; leave out --outfit" in capsys.readouterr().err
