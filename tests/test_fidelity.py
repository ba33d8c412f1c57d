"""Condition fidelity with hand-worked numbers, and through `outfit-gan evaluate`."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.pose_models import brightest_pixel
from tests.test_evaluate import dataset, refused, save_untrained, untrained  # noqa: F401 - fixtures
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.metrics.fidelity import Fidelity, colour_errors
from tf_outfit_gan.pose_estimation import load_estimator
from tf_outfit_gan.util.errors import UserError

SIZE = (16, 12)


def test_a_garments_colour_is_the_mean_over_the_pixels_that_are_all_its_own():
    mask = np.zeros((16, 12), np.uint8)
    mask[:4, :4] = 2  # 2x2 pixels of a picture half as large ...
    mask[:4, 4] = 2  # ... and half of two more, which do not count.
    mask[8:10, :6] = 5  # 1x3 pixels: too few.
    photo, picture = np.zeros((8, 6, 3), np.float32), np.zeros((8, 6, 3), np.float32)
    picture[:2, :2] = [30, 0, 0]
    picture[0, 0] = [30, 60, 0]
    picture[:2, 2], picture[4] = 255, 255
    assert colour_errors(photo, picture, mask) == [pytest.approx((30 + 15 + 0) / 3)]


@pytest.fixture(scope="module")
def estimator(tmp_path_factory):
    return brightest_pixel(tmp_path_factory.mktemp("estimator") / "model", SIZE)


def spot(x, y):
    picture = np.zeros((1, *SIZE, 3), np.uint8)
    picture[0, y, x] = 255
    return picture


def test_drawn_poses_are_measured_beside_the_estimators_own_error(estimator):
    # All joints asked for at pixel (5, 6) but the thorax, 10 pixels above: a torso of 10 pixels.
    asked = np.tile(np.float32([5.5 / 12, 8.5 / 16, 1]), (1, 16, 1))
    asked[0, 7, 1] -= 10 / 16
    fidelity = Fidelity(SIZE, load_estimator(estimator))
    fidelity.add(["a"], spot(5, 8), spot(8, 12), asked)
    result = fidelity.result()
    # Found at (5, 8) in the photo, where all are but the thorax; at (8, 12) in the drawn picture, 5 pixels from there.
    assert result["pck_of_photos"] == pytest.approx(15 / 16) and result["pck"] == 0
    assert result["joint_distance_of_photos"] == pytest.approx(1 / 16, abs=1e-6)
    assert result["joint_distance"] == pytest.approx((15 * 0.5 + np.hypot(3, 14) / 10) / 16, abs=1e-6)
    assert result["picture_error"] == pytest.approx(2 * 255 / (16 * 12))


def test_masks_that_do_not_fit_are_refused(tmp_path):
    pictures = np.zeros((1, *SIZE, 3), np.uint8)
    fidelity = Fidelity(SIZE, masks=tmp_path)
    with pytest.raises(UserError, match="a.png: expected a mask for each photo.*No such file"):
        fidelity.add(["a"], pictures, pictures, None)
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(tmp_path / "b.png")
    with pytest.raises(UserError, match="b.png: expected a gray picture of 16x12 or a multiple of it, found 16x16"):
        fidelity.add(["b"], pictures, pictures, None)
    (tmp_path / "c.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="c.png: expected a mask.*no picture"):
        fidelity.add(["c"], pictures, pictures, None)


def test_evaluate_tells_it(dataset, untrained, estimator, tmp_path, capsys):  # noqa: F811
    masks = dataset.path.parent / "shop" / "masks"
    assert main(["evaluate", str(untrained), "--data", str(dataset.path), "--count", "20", "--pose-model",
                     str(estimator), "--masks", str(masks), "--json", str(tmp_path / "out.json"), "--quiet"]) == 0
    printed, result = capsys.readouterr().out, json.loads((tmp_path / "out.json").read_text())
    assert 0 <= result["pck"] <= 1 and result["joint_distance"] > 0 and 10 < result["colour_error"] < 200
    for line in (f"picture error     {result['picture_error']:.1f} of 255", f"colour error      {result['colour_error']:.1f}",
                 f"PCK@0.1           {result['pck']:.3f} (in the photos {result['pck_of_photos']:.3f})", "torso lengths"):
        assert line in printed


def test_an_unconditional_snapshot_is_asked_for_nothing(dataset, estimator, tmp_path, capsys):  # noqa: F811
    unconditional = save_untrained(tmp_path / "unconditional", overrides=["conditional=false"])
    assert "leave out --pose-model" in refused(capsys, unconditional, "--data", dataset.path, "--pose-model", estimator)
