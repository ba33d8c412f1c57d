"""`outfit-gan pose` with one photo: the file that it writes is a pose that `render` takes."""

import numpy as np
import pytest
from PIL import Image

from tests.helpers.pose_models import brightest_pixel
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.outfit_request import read_pose


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return brightest_pixel(tmp_path_factory.mktemp("model"))


@pytest.fixture
def photo(tmp_path):
    """64 wide and 32 high, black but for two by two white pixels."""
    pixels = np.zeros((32, 64, 3), np.uint8)
    pixels[8:10, 48:50] = 255
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_photos_pose_is_a_pose_file(model, photo, tmp_path):
    out = tmp_path / "pose.json"
    assert main(["pose", str(photo), "--pose-model", str(model), "--out", str(out)]) == 0
    pose = read_pose(out)
    assert pose.shape == (16, 3) and (pose[:, 2] > 0).all()
    np.testing.assert_allclose(pose[:, :2], [[49 / 64, 9 / 32]] * 16, atol=0.02)


def test_refusals(model, photo, tmp_path, capsys):
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (32, 32)).save(tmp_path / "black.png")
    out = ["--out", str(tmp_path / "pose.json")]
    for words, text in (
        ([str(photo)], "photo.png: one photo needs --out pose.json"),
        ([str(tmp_path), *out], "go into its manifest; --out is for one photo"),
        ([str(tmp_path / "none.png"), *out], "none.png"),
        ([str(tmp_path / "text.png"), *out], "text.png"),
        ([str(tmp_path / "black.png"), *out], "no person found"),
    ):
        assert main(["pose", *words, "--pose-model", str(model)]) == 2
        assert text in capsys.readouterr().err
    assert not (tmp_path / "pose.json").exists()
