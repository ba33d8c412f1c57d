"""The whole pipeline at a tiny size, verb by verb as a user types it: from a drawn catalogue to a served picture."""

import json
import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tf_outfit_gan.cli.main import main


def outfit_gan(*arguments):
    assert main(list(map(str, arguments))) == 0


def pixels(path):
    return np.asarray(Image.open(path))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the pipeline ran up to the exported model."""
    at = tmp_path_factory.mktemp("pipeline")
    outfit_gan("paperdoll", at / "catalogue", "--count", 48, "--size", "16x12", "--quiet")
    outfit_gan("prepare", at / "catalogue", at / "data", "--quiet")
    outfit_gan(
        "train",
        at / "run",
        "--data",
        at / "data",
        "--preset",
        "tiny",
        "--set",
        "start_level=2",
        "--set",
        "total_kimg=0.064",
        "--quiet",
    )
    outfit_gan("export", at / "run", at / "models" / "outfit_gan")
    entry = json.loads((at / "catalogue" / "manifest.jsonl").read_text().splitlines()[5])
    articles = {slot: f"catalogue/{file}" for slot, file in entry["articles"].items()}
    (at / "outfit.json").write_text(json.dumps({"articles": articles, "keypoints": entry["keypoints"]}))
    return at


def test_records_can_be_inspected(folder):
    outfit_gan("inspect", folder / "data", "--out", folder / "inspect.png", "--count", 4)
    assert pixels(folder / "inspect.png").std() > 10


def test_the_run_left_pictures(folder):
    assert all(pixels(folder / "run" / f"{name}.png").std() > 10 for name in ("reals", "fakes_000000kimg"))


def test_a_served_picture_is_the_rendered_one(folder):
    outfit = folder / "outfit.json"
    outfit_gan("render", folder / "run", "--outfit", outfit, "--seed", 5, "--out", folder / "rendered.png", "--quiet")
    command = [sys.executable, "-m", "tf_outfit_gan.cli.main", "serve", str(folder / "models" / "outfit_gan")]
    server = subprocess.Popen([*command, "--port", "0", "--rest_api_port", "0"], stdout=subprocess.PIPE, text=True)
    try:
        address = re.search(r"REST http://([^/]+)/", server.stdout.readline())[1]
        outfit_gan("request", address, "--outfit", outfit, "--seed", 5, "--out", folder / "served.png")
    finally:
        server.terminate()
        assert server.wait(60) == 0
        server.stdout.close()
    assert pixels(folder / "served.png").shape == (16, 12, 3)
    np.testing.assert_array_equal(pixels(folder / "served.png"), pixels(folder / "rendered.png"))


def test_poses_edits_and_transfers_are_drawn(folder):
    outfit, data = folder / "outfit.json", folder / "data"
    entry = json.loads((folder / "catalogue" / "manifest.jsonl").read_text().splitlines()[7])["id"]
    outfit_gan(
        "render",
        folder / "run",
        "--outfit",
        outfit,
        "--pose",
        f"{data}:{entry}",
        "--pose",
        outfit,
        "--seed",
        "1,2",
        "--out",
        folder / "poses.png",
        "--quiet",
    )
    for what in ("color", "pose"):
        outfit_gan(
            "transfer",
            folder / "run",
            "--source",
            outfit,
            "--target",
            f"{data}:{entry}",
            "--what",
            what,
            "--out",
            folder / f"{what}.png",
        )
    assert all((folder / f"{name}.png").stat().st_size > 1000 for name in ("poses", "color", "pose"))


def test_the_snapshot_can_be_measured(folder):
    outfit_gan("evaluate", folder / "run", "--data", folder / "data", "--count", 24, "--json", folder / "fid.json", "--quiet")
    assert "not the standard FID" in (folder / "fid.json").read_text()
