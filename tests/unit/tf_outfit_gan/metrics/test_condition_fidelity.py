"""Condition fidelity with hand-worked numbers: poses, garments, whole pictures, each between its ceiling and floor."""

import numpy as np
import pytest

from tests.helpers.metric_samples import SIZE, entries, flat, samples
from tests.helpers.pose_models import brightest_pixel
from tf_outfit_gan.metrics.color_difference import ciede2000, lab
from tf_outfit_gan.metrics.condition_fidelity import ArticleFidelity, PictureError, PoseFidelity
from tf_outfit_gan.pose_estimation import load_estimator


@pytest.fixture(scope="module")
def estimator(tmp_path_factory):
    return load_estimator(brightest_pixel(tmp_path_factory.mktemp("estimator") / "model", SIZE))


def spots(*places):
    """Black pictures with a white pixel at (x, y), where the estimator finds all joints."""
    pictures = np.zeros((len(places), *SIZE, 3), np.uint8)
    for picture, (x, y) in zip(pictures, places):
        picture[y, x] = 255
    return pictures


def asked_at(*places):
    """All joints at the middle of pixel (x, y) but the thorax, 10 pixels above: a torso of 10 pixels."""
    poses = np.stack([np.tile(np.float32([(x + 0.5) / 12, (y + 0.5) / 16, 1]), (16, 1)) for x, y in places])
    poses[:, 7, 1] -= 10 / 16
    return poses


def test_drawn_poses_are_measured_beside_the_estimators_own_error_and_a_strangers_pose(estimator):
    fidelity = PoseFidelity(SIZE, estimator)
    own = entries(spots((5, 12), (8, 12)), [set(), set()], keypoints=asked_at((5, 12), (8, 12)))
    shown = fidelity.add(samples(own, None), spots((8, 15), (8, 12)))
    figures = fidelity.figures()
    pck, distance = figures["pose.pck"], figures["pose.joint_distance"]
    # In the photos all are found but the thorax; in the drawn pictures those of the second; in a stranger's none.
    assert pck.value == pytest.approx(15 / 32) and pck.ceiling == pytest.approx(15 / 16) and pck.floor == 0
    thorax = [np.hypot(3, 13) / 10, 1]
    assert distance.value == pytest.approx((15 * np.hypot(3, 3) / 10 + sum(thorax)) / 32, abs=1e-6)
    assert distance.ceiling == pytest.approx(1 / 16, abs=1e-6)
    assert distance.floor == pytest.approx((15 * 0.3 + np.hypot(3, 10) / 10) / 16, abs=1e-6)
    assert pck.higher_is_better and not distance.higher_is_better
    np.testing.assert_allclose(shown[0], [0, 15 / 16])


def test_garments_are_compared_where_the_photo_wears_them():
    labels = np.zeros((1, *SIZE), np.uint8)
    labels[0, :6, :6], labels[0, 10:, :6] = 2, 4  # A top and a bottom.
    photo, drawn, stranger = flat(0), flat(0), flat(0)
    photo[0, :6, :6], drawn[0, :6, :6], stranger[0, :6, :6] = [200, 30, 30], [200, 60, 30], [30, 30, 200]
    photo[0, 10:], drawn[0, 10:], stranger[0, 10:] = 90, 90, 180
    photo[0, 10::2], drawn[0, 10:] = 150, 120  # The bottom is striped; drawn plain, in the middle of its colors.
    fidelity = ArticleFidelity(lambda ids: labels)
    score, *_ = fidelity.add(samples(entries(photo, [{"top", "bottom"}]), entries(stranger, [set()])), drawn)
    figures = fidelity.figures()

    def difference(picture, other, *region):
        return ciede2000(lab(picture[region]).mean(axis=(0, 1)), lab(other[region]).mean(axis=(0, 1)))

    top, bottom = (0, slice(0, 6), slice(0, 6)), (0, slice(10, 16), slice(0, 6))
    for slot, region in (("top", top), ("bottom", bottom)):
        color = figures[f"articles.{slot}.color"]
        assert color.value == pytest.approx(difference(photo, drawn, *region))
        assert color.floor == pytest.approx(difference(photo, stranger, *region)) and color.ceiling == 0
        assert figures[f"articles.{slot}.pattern"].ceiling == 1
    assert figures["articles.top.pattern"].value == 1 and figures["articles.bottom.pattern"].value < 0.75
    both = [figures[f"articles.{slot}.color"].value for slot in ("top", "bottom")]
    assert score == pytest.approx([np.mean(both)])
    assert figures["articles.all.color"].value == pytest.approx(np.mean(both))
    assert figures["articles.dress.color"].value is None  # Nobody wears one.


def test_the_whole_picture():
    error = PictureError()
    error.add(samples(entries(flat(10, 20), [set()] * 2), entries(flat(20, 10), [set()] * 2)), flat(10, 24))
    figure = error.figures()["picture.error"]
    assert (figure.value, figure.ceiling, figure.floor) == (2, 0, 10)
