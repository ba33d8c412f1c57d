"""The model that comes with the package: it is there, it is small, it dresses people as asked, and every verb finds it."""

import base64
import io
import json
import os
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tf_outfit_gan as og
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.outfit_request import read_request
from tf_outfit_gan.pose.mpii import JOINTS

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "tf_outfit_gan" / "shipped_model"
EXAMPLES = ROOT / "tf_outfit_gan" / "examples"
OUTFIT = str(EXAMPLES / "outfits" / "evening.json")
# What is worn over the chest in some examples, of colors that are far from each other.
WORN = {
    "evening": "dress_red_wrap",
    "summer": "dress_dotted_navy",
    "studio": "top_rust_sweater",
}


@pytest.fixture(scope="module")
def model():
    return og.load()


def test_it_is_small_and_says_how_it_was_made():
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) <= 8_000_000
    runs = json.loads((FOLDER / "recipe.json").read_text())
    assert sum(run["images"] for run in runs) == snapshots.read(snapshots.SHIPPED).cur_nimg
    assert all(run["preset"] == "dolls" and len(run["data_checksum"]) == 64 for run in runs)
    assert (FOLDER / "README.md").exists()


def test_training_goes_on_from_it():
    assert snapshots.load(snapshots.SHIPPED, training=True).training is not None


def test_a_folder_of_that_name_comes_first(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert snapshots.newest(snapshots.SHIPPED) == FOLDER / "snapshot"
    (tmp_path / snapshots.SHIPPED).mkdir()
    with pytest.raises(og.UserError, match="shipped: no snapshot here"):
        snapshots.newest(snapshots.SHIPPED)


def test_people_wear_what_is_asked_for(model):
    """The chest of each picture is nearer in color to its own garment than to any other's."""
    colors = {name: _garment_color(EXAMPLES / "articles" / f"{article}.png") for name, article in WORN.items()}
    for name in WORN:
        outfit = EXAMPLES / "outfits" / f"{name}.json"
        chest = _chest_color(model.render(outfit, seeds=range(8)), read_request(outfit).keypoints)
        distances = {other: np.linalg.norm(chest - color) for other, color in colors.items()}
        assert min(distances, key=distances.get) == name, distances


def test_seeds_are_different_people(model):
    pictures = model.render(OUTFIT, seeds=[1, 2]).astype(float)
    assert np.abs(pictures[0] - pictures[1]).mean() > 2


def test_render_and_transfer_take_it_where_no_model_is_named(model, tmp_path, capsys):
    assert main(["render", "--outfit", OUTFIT, "--seed", "3", "--out", str(tmp_path / "picture.png")]) == 0
    np.testing.assert_array_equal(np.asarray(Image.open(tmp_path / "picture.png")), model.render(OUTFIT, seeds=3)[0])
    sides = ["--source", OUTFIT, "--target", str(EXAMPLES / "outfits" / "summer.json")]
    assert main(["transfer", *sides, "--what", "color", "--out", str(tmp_path / "transfer.png")]) == 0
    assert (tmp_path / "transfer.png").exists()


@pytest.mark.slow
def test_serve_takes_it_where_no_model_is_named(model, tmp_path):
    """It is exported to the cache once; the README's curl body is answered with the picture that `render` draws."""
    drawn = model.render(EXAMPLES / "outfits" / "office.json", seeds=1)[0].astype(int)
    command = [sys.executable, "-P", "-m", "tf_outfit_gan.cli.main", "serve", "--port", "0", "--rest_api_port", "0"]
    env = os.environ | {"XDG_CACHE_HOME": str(tmp_path)}
    for exported in (True, False):
        process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        try:
            lines = []
            while not (found := re.search(r"REST (http://[^,\s]+)", lines[-1] if lines else "")):
                lines.append(process.stdout.readline())
                assert lines[-1], lines
            request = urllib.request.Request(f"{found[1]}:predict", (EXAMPLES / "request.json").read_bytes())
            answer = json.loads(urllib.request.urlopen(request, timeout=60).read())
        finally:
            process.kill()
            process.wait()
            process.stdout.close()
        served = Image.open(io.BytesIO(base64.b64decode(answer["predictions"][0]["image_bytes"]["b64"])))
        assert np.abs(np.asarray(served) - drawn).max() <= 2  # The body's joints have four digits.
        assert (len(lines) > 1) is exported


@pytest.mark.slow
def test_the_demo_from_start_to_end(tmp_path):
    command = [sys.executable, "-P", "-m", "tf_outfit_gan.cli.main", "demo", str(tmp_path / "demo"), "--minutes", "0.5"]
    printed = subprocess.run(command, capture_output=True, text=True, timeout=1500)
    assert printed.returncode == 0, printed.stdout + printed.stderr
    for name in ("sheet.png", "trained.png", "pictures/served-1.png", "models/outfit_gan/1/saved_model.pb"):
        assert (tmp_path / "demo" / name).exists(), name


def _garment_color(path):
    """The mean color of a packshot without its white ground."""
    pixels = np.asarray(Image.open(path).convert("RGB"), float)
    return pixels[(pixels < 235).any(-1)].mean(0)


def _chest_color(pictures, keypoints):
    """The mean color of a patch in the upper half of the torso, over pictures [N, H, W, 3]."""
    height, width = pictures.shape[1:3]
    thorax, pelvis = (keypoints[JOINTS.index(joint), :2] for joint in ("thorax", "pelvis"))
    x, y = (0.65 * thorax + 0.35 * pelvis) * (width, height)
    size = max(1, height // 24)
    patch = pictures[:, int(y) - size : int(y) + size + 1, int(x) - size : int(x) + size + 1]
    return patch.reshape(-1, 3).astype(float).mean(0)
