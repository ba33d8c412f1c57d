"""One outfit is one picture, whoever reads it: each kind of picture and pose drawn here and by a server."""

import json

import numpy as np
import pytest
from PIL import Image

from export.savedmodel import write_savedmodel
from tests.helpers.catalogues import write_catalogue
from tests.helpers.exported import points, write_snapshot
from tests.helpers.odd_pictures import ADOBE_RGB, encoded, matrix_profile, scene
from tests.helpers.serving_model import running_server
from tf_outfit_gan import api
from tf_outfit_gan.client import Client
from tf_outfit_gan.data.preparation.prepare import prepare

TURNED = Image.Exif()
TURNED[0x0112] = 6  # To be shown turned by a quarter, clockwise.
SIDEWAYS = scene().transpose(Image.Transpose.ROTATE_90)
KEYPOINTS = points(1)


def cut_out(folder):
    """A `scene` within a larger photo, and what a manifest says of it."""
    photo = Image.new("RGB", (80, 90), (10, 120, 10))
    photo.paste(scene(), (7, 11))
    photo.save(folder / "photo.png")
    mask = Image.new("L", photo.size, 1)
    mask.paste(6, (7, 11, 7 + 48, 11 + 64))
    mask.save(folder / "mask.png")
    return {"image": "photo.png", "mask": "mask.png", "classes": [6]}


def saved(name, image, format, **options):
    """A kind of file that shows `scene`."""

    def write(folder):
        (folder / name).write_bytes(encoded(image, format, **options))
        return name

    return write


def clear():
    """`scene`, transparent where it is white, and green there below."""
    pixels = np.asarray(scene().convert("RGBA")).copy()
    pixels[(pixels == 255).all(axis=-1)] = 0, 255, 0, 0
    return Image.fromarray(pixels)


def adobe():
    """`scene` in the numbers of Adobe RGB: a wrong reading sees other colors."""
    return scene().point(lambda value: value // 2)


# Of each kind how it is written, and the picture that it shows; None where its numbers are not sRGB.
PICTURES = {
    "png": (saved("a.png", scene(), "PNG"), scene()),
    "jpeg": (saved("a.jpg", scene(), "JPEG", quality=95, subsampling=0), scene()),
    "jpeg turned by exif": (saved("a.jpg", SIDEWAYS, "JPEG", quality=95, subsampling=0, exif=TURNED), scene()),
    "jpeg with broken exif": (saved("a.jpg", scene(), "JPEG", quality=95, subsampling=0, exif=b"Exif\0\0none"), scene()),
    "webp": (saved("a.webp", scene(), "WEBP", lossless=True), scene()),
    "gif": (saved("a.gif", scene(), "GIF"), scene()),
    "transparent": (saved("a.png", clear(), "PNG"), scene()),
    "inks": (saved("a.jpg", scene().convert("CMYK"), "JPEG", quality=95), scene()),
    "profile": (saved("a.png", adobe(), "PNG", icc_profile=matrix_profile(*ADOBE_RGB)), None),
    # The margin around it is a twentieth.
    "cut-out": (cut_out, Image.fromarray(np.pad(scene(), ((3, 3), (3, 3), (0, 0)), constant_values=255))),
}
SAME_POSE = {
    "mpii16": KEYPOINTS,
    "no confidence": KEYPOINTS | {"points": [point if point[2] else [5, 5, 0] for point in KEYPOINTS["points"]]},
    "other size": KEYPOINTS | {"points": [[2 * x, 2 * y, v] for x, y, v in KEYPOINTS["points"]], "size": [80, 60]},
    "no number": KEYPOINTS | {"points": [point if point[2] else [float("nan"), 5, 1] for point in KEYPOINTS["points"]]},
}
COCO = {
    "format": "coco17",
    "size": [40, 30],
    "points": (np.random.default_rng(2).uniform(0.1, 0.9, (17, 3)) * [30, 40, 0] + [0, 0, 0.9]).tolist(),
}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    """The folder of a snapshot, and beside it its export."""
    folder = tmp_path_factory.mktemp("run") / "000400kimg"
    write_savedmodel(write_snapshot(folder), folder.parent / "export")
    return folder


@pytest.fixture(scope="module")
def model(snapshot):
    return api.load(snapshot)


@pytest.fixture(scope="module")
def server(snapshot):
    with running_server(snapshot.parent / "export") as running:
        yield running


@pytest.fixture(scope="module")
def both(model, server):
    """Draws an outfit in both ways, and returns the one picture if they are equal."""
    client = Client(f"localhost:{server.rest_port}", "gen")

    def draw(outfit, **options):
        rendered, served = (drawer.render(outfit, seeds=[7], **options)[0] for drawer in (model, client))
        np.testing.assert_allclose(np.int16(served), rendered, atol=1)
        assert rendered.std() > 20  # There is something in it to agree about.
        return np.int16(rendered)

    return draw


@pytest.fixture
def outfit(tmp_path):
    """Writes an outfit.json, as whoever keeps outfits as files."""

    def write(article, keypoints=KEYPOINTS):
        path = tmp_path / "outfit.json"
        path.write_text(json.dumps({"articles": {"top": article}, "keypoints": keypoints}))
        return path

    return write


@pytest.mark.parametrize("kind", PICTURES)
def test_each_kind_of_picture_is_the_same_picture(kind, both, outfit, tmp_path):
    write, shown = PICTURES[kind]
    found = both(outfit(write(tmp_path)))
    if shown is None:
        # As far from a reading without the profile as its colors are.
        assert np.abs(found - both({"top": adobe(), "keypoints": KEYPOINTS})).max() > 3
    else:
        np.testing.assert_allclose(found, both({"top": shown, "keypoints": KEYPOINTS}), atol=4)
        # A wrong reading would be seen: the scene lying on its side is another picture.
        assert np.abs(found - both({"top": SIDEWAYS, "keypoints": KEYPOINTS})).max() > 12


@pytest.mark.parametrize(
    "article",
    [
        encoded(scene(), "PNG"),
        scene(),
        np.asarray(scene()),
        encoded(scene(), "WEBP", lossless=True),
        np.asarray(scene().convert("RGBA")),
    ],
    ids=["bytes", "pillow", "array", "webp bytes", "rgba array"],
)
def test_an_article_may_be_in_memory(article, both, outfit, tmp_path):
    expected = both(outfit(PICTURES["png"][0](tmp_path)))
    np.testing.assert_array_equal(both({"top": article, "keypoints": KEYPOINTS}), expected)
    np.testing.assert_array_equal(both({"articles": {"top": article}, "keypoints": KEYPOINTS}), expected)


@pytest.mark.parametrize("kind", SAME_POSE)
def test_one_pose_in_other_words_is_the_same_picture(kind, both, outfit, tmp_path):
    article = PICTURES["png"][0](tmp_path)
    expected = both(outfit(article))
    np.testing.assert_array_equal(both(outfit(article, SAME_POSE[kind])), expected)
    # And where it stands elsewhere: in a file of its own, as a dict, in widths and heights.
    (tmp_path / "pose.json").write_text(json.dumps(SAME_POSE[kind]))
    array = np.array(KEYPOINTS["points"]) / [30, 40, 1]
    for pose in (tmp_path / "pose.json", str(outfit(article)), SAME_POSE[kind], array, array.tolist()):
        np.testing.assert_allclose(both({"top": tmp_path / article}, pose=pose), expected, atol=1)


def test_coco_points_and_a_null_pose(both, outfit, tmp_path):
    article = PICTURES["png"][0](tmp_path)
    coco = both(outfit(article, COCO))
    assert np.abs(coco - both(outfit(article))).max() > 12
    np.testing.assert_array_equal(both(outfit(article, None), pose=COCO), coco)


def test_an_entry_of_prepared_data(both, tmp_path):
    prepare(write_catalogue(tmp_path / "catalogue", 4, (16, 12)), tmp_path / "data", workers=1, quiet=True)
    entry = f"{tmp_path / 'data'}:e003"
    [line] = [json.loads(line) for line in (tmp_path / "catalogue" / "manifest.jsonl").read_text().splitlines() if "e003" in line]
    articles = {slot: tmp_path / "catalogue" / file for slot, file in line["articles"].items()}
    expected = both({"articles": articles, "keypoints": line["keypoints"]})
    np.testing.assert_allclose(both(entry), expected, atol=1)
    np.testing.assert_allclose(both({"articles": articles}, pose=entry), expected, atol=1)
