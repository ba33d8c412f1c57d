"""What every importer does: a contact sheet of the true layout, a checksum, and refusals."""

import os
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers import fixtures_public as public
from tests.helpers.catalogues import write_catalogue
from tests.helpers.manifests import described
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data import importers
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.util.errors import UserError

FORMAT_OF = {"fastfit": "dress-code"}


@pytest.mark.parametrize(
    "name, counts, articles, with_poses",
    [
        ("viton-hd", (2, 2), {"top": 4}, True),
        ("dress-code", (3, 3), {"top": 2, "dress": 2, "bottom": 2}, True),
        ("fastfit", (0, 3), {"top": 1, "dress": 1, "bottom": 1}, False),
        ("dress-code-mr", (2, 1), {"top": 2, "dress": 1, "bottom": 2, "shoes": 3, "bag": 2}, False),
        ("deepfashion-multimodal", (3, 1), {"outerwear": 2, "top": 3, "dress": 1, "bottom": 3, "shoes": 4, "bag": 2}, True),
        ("garments2look", (2, 1), {"outerwear": 2, "top": 2, "dress": 1, "bottom": 2, "shoes": 2, "bag": 1}, False),
    ],
)
def test_it_is_prepared_and_drawn(public_originals, tmp_path, name, counts, articles, with_poses):
    dataset = prepare(
        public_originals[name], tmp_path / "data", public.SIZE, format=FORMAT_OF.get(name, name), workers=1, quiet=True
    )
    assert (dataset.count("train"), dataset.count("test"), dataset.skipped) == (*counts, 0)
    train, test = dataset.articles("train"), dataset.articles("test")
    assert {slot: train[slot] + test[slot] for slot in train if train[slot] + test[slot]} == articles
    assert dataset.has_keypoints == with_poses
    sheet = Path(os.environ.get("OUTFIT_GAN_SHEETS", tmp_path)) / f"{name}.png"
    assert main(["inspect", str(tmp_path / "data"), "--out", str(sheet), "--count", "4"]) == 0
    assert np.asarray(Image.open(sheet)).std() > 20


@pytest.mark.parametrize(
    "name, file, old, new",
    [
        ("viton-hd", "test/openpose_json/00006_00_keypoints.json", "0.9", "0.8"),
        ("dress-code", "upper_body/keypoints/030000_2.json", "0.9", "0.8"),
        ("dress-code-mr", "test.jsonl", "048392_lower", "000007_lower"),
        ("deepfashion-multimodal", "keypoints/keypoints_vis.txt", " 0", " 2"),
        ("garments2look", "mytheresa_outfit_v1.0_2512.json", "train", "test"),
    ],
)
def test_the_checksum_follows_listing_and_annotations_but_not_the_place(public_originals, public_copy, name, file, old, new):
    source = public_copy(name)
    before = importers.read(public_originals[name], name).sha256
    assert importers.read(source, name).sha256 == before
    text = (source / file).read_text()
    assert old in text
    (source / file).write_text(text.replace(old, new, 1))
    assert importers.read(source, name).sha256 != before


def test_a_rerun_with_other_annotations_is_refused(public_copy, tmp_path):
    source = public_copy("viton-hd")
    command = ["prepare", str(source), str(tmp_path / "data"), "--format", "viton-hd", "--quiet", "--size", "16x12"]
    assert main(command) == 0 and main(command) == 0
    public.write_openpose(source / "train/openpose_json/00000_00_keypoints.json", np.full((25, 3), 0.5) + 300)
    assert main(command) == 2


@pytest.mark.parametrize("name", importers.IMPORTERS)
def test_another_folder_is_refused_in_one_line(tmp_path, name):
    with pytest.raises(UserError, match="expected a folder that holds|no such file"):
        importers.read(tmp_path, name)
    with pytest.raises(UserError, match="found no folder"):
        importers.read(tmp_path / "nowhere", name)
    assert UserError.exit_code == 2


def test_the_documented_importer_works(tmp_path, monkeypatch):
    page = (Path(__file__).parents[5] / "docs/data.md").read_text()
    module = {}
    exec(page.split("```python\n")[1].split("```")[0], module)
    monkeypatch.setitem(importers.IMPORTERS, "my-shop", module["my_shop"])
    public.save(tmp_path / "photos/a.png", np.zeros((16, 12, 3), np.uint8))
    public.save(tmp_path / "tops/b.png", np.zeros((16, 12, 3), np.uint8))
    public.write_text(tmp_path / "pairs.txt", "a.png b.png\n\nc.png\nd.png b.png\n")
    manifest = importers.read(tmp_path, "my-shop")
    assert described(manifest, tmp_path) == {"a.png": ("train", "photos/a.png", {"top": "tops/b.png"})}
    assert [(skip.listing, skip.line, skip.id) for skip in manifest.skipped] == [
        ("pairs.txt line", 3, "c.png"),
        ("pairs.txt line", 4, "d.png"),
    ]


MY_SHOP = """
def rows(source):
    for line, text in enumerate((source / "photos.txt").read_text().split(), start=1):
        yield "photos.txt line", line, text, lambda text=text: {"image": f"{text}.png"}
"""


@pytest.fixture
def my_shop(tmp_path, monkeypatch):
    """A folder of photos in a layout of its own, and the current folder with the module that reads it."""
    source = write_catalogue(tmp_path / "shop", 3)
    (source / "photos.txt").write_text("e000 e001 e002 e009")
    (tmp_path / "here").mkdir()
    (tmp_path / "here/my_shop_layout.py").write_text(MY_SHOP)
    monkeypatch.chdir(tmp_path / "here")
    yield source
    sys.modules.pop("my_shop_layout", None)


def test_an_importer_of_ones_own_by_its_name(my_shop, tmp_path, capsys):
    command = ["prepare", str(my_shop), str(tmp_path / "data"), "--size", "16x12", "--workers", "1", "--quiet"]
    assert main([*command, "--format", "my_shop_layout:rows"]) == 0
    assert "3 train, 0 test" in (out := capsys.readouterr().out)
    assert "photos.txt line 4: image 'e009.png': no such file" in out
    assert str(tmp_path / "here") not in sys.path


def test_an_importer_of_an_installed_package(my_shop, tmp_path, monkeypatch):
    (tmp_path / "site/their_shop-1.dist-info").mkdir(parents=True)
    (tmp_path / "site/their_shop-1.dist-info/METADATA").write_text("Metadata-Version: 2.1\nName: their-shop\nVersion: 1\n")
    points = f"[{importers.GROUP}]\ntheir-shop = their_shop:rows\n"
    (tmp_path / "site/their_shop-1.dist-info/entry_points.txt").write_text(points)
    (tmp_path / "site/their_shop.py").write_text(MY_SHOP)
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert [entry.id for entry in importers.read(my_shop, "their-shop").entries] == ["e000", "e001", "e002"]
    with pytest.raises(UserError, match="--format odd: expected one of manifest, .*, their-shop, or MODULE:FUNCTION"):
        importers.read(my_shop, "odd")


@pytest.mark.parametrize(
    "format, fault",
    [("no_module:rows", "No module named"), ("my_shop_layout:none", "no attribute 'none'"), (":x", "Empty module")],
)
def test_an_importer_that_cannot_be_loaded_is_one_clear_line(my_shop, format, fault):
    with pytest.raises(UserError, match=f"--format {format}: expected an importer, could not load it .*{fault}"):
        importers.read(my_shop, format)


@pytest.mark.parametrize("name", [name for name in importers.FORMATS if name not in ("manifest", "garments2look-official")])
def test_a_plain_layout_needs_no_name(public_originals, name):
    assert importers.guess(public_originals[name]) == name
    assert importers.read(public_originals[name]).sha256 == importers.read(public_originals[name], name).sha256


def test_an_unclear_layout_is_named(tmp_path):
    assert importers.guess(tmp_path) is None
    (tmp_path / "train.jsonl").touch()
    (tmp_path / "dresses").mkdir()
    (tmp_path / "dresses/train_pairs.txt").touch()
    with pytest.raises(UserError, match="looks like dress-code and like dress-code-mr; choose one by --format"):
        importers.read(tmp_path)
    (tmp_path / "manifest.jsonl").touch()
    assert importers.guess(tmp_path) == "manifest"
