"""The examples that the package ships are those that the tool draws, and what every command reads."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tf_outfit_gan.outfit_request import parse_article, read_pose, read_request
from tf_outfit_gan.slots import SLOTS

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "tf_outfit_gan" / "examples"


@pytest.fixture(scope="module")
def index():
    return json.loads((EXAMPLES / "index.json").read_text())


def test_the_tool_draws_them(tmp_path):
    runpy.run_path(str(ROOT / "tools" / "draw_examples.py"))["draw_examples"](tmp_path)
    files = sorted(path.relative_to(tmp_path) for path in tmp_path.rglob("*.*"))
    assert files == sorted(path.relative_to(EXAMPLES) for path in EXAMPLES.rglob("*.*"))
    for file in files:
        if file.suffix == ".png":
            with Image.open(tmp_path / file) as drawn, Image.open(EXAMPLES / file) as shipped:
                np.testing.assert_array_equal(np.asarray(drawn), np.asarray(shipped), str(file))
        else:
            assert (tmp_path / file).read_text() == (EXAMPLES / file).read_text(), file


def test_the_index_names_every_file(index):
    articles = {f"articles/{slot}_{name}.png" for slot, names in index["articles"].items() for name in names}
    others = {f"{kind}/{name}.json" for kind in ("poses", "outfits") for name in index[kind]}
    found = {str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob("*/*")}
    assert found == articles | others
    assert list(index["articles"]) == list(SLOTS)
    assert all(6 <= len(names) <= 8 for names in index["articles"].values())


def test_an_article_names_its_slot(index):
    for slot, names in index["articles"].items():
        for name in names:
            file = EXAMPLES / "articles" / f"{slot}_{name}.png"
            assert parse_article(str(file))[0] == slot
            assert file.stat().st_size < 8192


def test_poses_and_outfits_are_read(index):
    for name in index["poses"]:
        pose = read_pose(str(EXAMPLES / "poses" / f"{name}.json"))
        assert pose[:, 2].all() and ((pose[:, :2] > 0) & (pose[:, :2] < 1)).all(), name
    for name in index["outfits"]:
        outfit = read_request(str(EXAMPLES / "outfits" / f"{name}.json"))
        assert outfit.articles and outfit.keypoints is not None
