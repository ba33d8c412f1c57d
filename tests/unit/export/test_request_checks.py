"""What a request must hold, check by check, at the edge of what is allowed and just beyond."""

import io

import numpy as np
import pytest
import tensorflow as tf

from export.limits import Limits
from export.request_checks import condition_problems, keypoint_problems, number_problems, of_side, row_count_checks
from tests.helpers.exported import photo
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.images.decode_in_graph import article_headers

CONFIG = from_preset("tiny")[0]  # 16x12: articles are filled up to 4:3.


def pose(**joint):
    """[1, 16, 3] with all joints in the middle but the pelvis, number 6."""
    found = np.tile(np.float32([0.5, 0.5, 1]), (1, 16, 1))
    found[0, 6] = [joint.get("x", 0.5), joint.get("y", 0.5), joint.get("v", 1)]
    return found


@pytest.mark.parametrize("joint", [{"x": -1, "y": 2}, {"x": 2, "y": -1}, {"x": 99, "v": 0}, {"y": np.nan, "v": 0}, {"v": 0.01}])
def test_joints_a_little_outside_and_those_that_are_not_there_are_let_through(joint):
    assert keypoint_problems(pose(**joint)).numpy().tolist() == [b""]


@pytest.mark.parametrize("joint", [{"x": 2.25}, {"x": -1.25}, {"y": 2.25}, {"y": -1.25}, {"x": np.nan}, {"x": 99, "v": 0.01}])
def test_the_first_joint_out_of_range_is_named(joint):
    keypoints = np.concatenate([pose(), pose(**joint)])
    keypoints[1, 9] = 50, 50, 1  # A later one.
    good, sentence = keypoint_problems(keypoints).numpy()
    numbers = {name: f"{joint.get(name, 0.5):g}" for name in "xy"}
    assert good == b"" and sentence.decode().startswith(
        "keypoints must be x in widths and y in heights of the picture, from -1 to 2"
    )
    assert (
        f"got x = {numbers['x']}, y = {numbers['y']} for pelvis. If these are pixels, divide x by the width" in sentence.decode()
    )


@pytest.mark.parametrize("psi, good", [(0, True), (2, True), (-0.125, False), (2.125, False), (np.nan, False)])
def test_truncation_is_within_its_range(psi, good):
    ((found,),) = number_problems({"truncation_psi": tf.constant([psi], tf.float32)}, 6)
    assert found.numpy().decode() == ("" if good else f"truncation_psi must be in [0, 2], got {psi:g}")


@pytest.mark.parametrize(
    "begin, end, good", [(0, 6, True), (5, 6, True), (0, 1, True), (-1, 2, False), (3, 3, False), (4, 3, False), (0, 7, False)]
)
def test_layers_are_some_of_the_models(begin, end, good):
    ((found,),) = number_problems({"layer_begin": tf.constant([begin]), "layer_end": tf.constant([end])}, 6)
    assert found.numpy().decode() == (
        "" if good else f"layers must satisfy 0 <= layer_begin < layer_end <= 6, got {begin} and {end}"
    )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_w_is_finite(value):
    w = np.zeros([2, 6, 8], np.float32)
    w[1, 5, 7] = value
    (found,) = number_problems({"w": tf.constant(w)}, 6)
    assert found.numpy().tolist() == [b"", b"w must be finite"]


def test_a_side_is_named_where_something_is_wrong_with_it():
    assert of_side("source", tf.constant(["", "bad"])).numpy().tolist() == [b"", b"source: bad"]


def png(size):
    out = io.BytesIO()
    photo(0, size).save(out, "PNG")
    return out.getvalue()


def problems(limit, *sizes):
    """Of a row with photos of some (height, width)."""
    articles = tf.constant([[*map(png, sizes), *[b""] * (len(CONFIG.slots) - len(sizes))]])
    headers = article_headers(articles)
    limits = Limits(max_rows=1, max_article_pixels=limit)
    (found,) = condition_problems(articles, headers, tf.constant(pose()), CONFIG, limits).numpy()
    return found.decode()


def test_articles_may_have_so_many_pixels_as_they_fill():
    # 10x30 is filled up to 40x30; 8x6 has the model's form.
    assert problems(1248, (10, 30), (8, 6)) == "" == problems(2000, (10, 30), (8, 6))
    expected = (
        "the articles of a row may have 1247 pixels together, each filled up to 4:3 (height:width); send smaller photos. Got 1248"
    )
    assert problems(1247, (10, 30), (8, 6)) == expected


@pytest.mark.parametrize(
    "rows, words",
    [
        ((3, 3), None),
        ((1, 1), None),
        ((4, 4), "a request may have 3 rows at most; send fewer at once. Got"),
        ((0, 0), "a request must have one row at least, got"),
        ((2, 3), "seed, psi must have the same number of rows, got"),
        ((3, 2), "seed, psi must have the same number of rows, got"),
    ],
)
def test_the_number_of_rows(rows, words):
    inputs = dict(zip(("seed", "psi"), (tf.zeros([count]) for count in rows)))
    if words is None:
        row_count_checks(inputs, Limits(max_rows=3))
    else:
        with pytest.raises(tf.errors.InvalidArgumentError, match=words):
            row_count_checks(inputs, Limits(max_rows=3))


@pytest.mark.parametrize("size, rows", [((1024, 768), 8), ((2048, 1536), 2), ((8192, 6144), 1), ((512, 384), 32), ((64, 48), 64)])
def test_a_request_has_the_pixels_of_eight_large_pictures(size, rows):
    assert Limits.of_size(size) == Limits(rows, 2**25)
    assert Limits.of_size(size, max_rows=5, max_article_pixels=9) == Limits(5, 9)
