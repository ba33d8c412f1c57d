"""Both ways of the pose into the generator, through transfer and export: whose pose a transfer draws."""

import io

import numpy as np
import pytest
import tensorflow as tf

from export.savedmodel import write_savedmodel
from tests.exported import make_snapshot, photo, points, tiny_renderer
from tf_outfit_gan.renderer import Renderer
from tf_outfit_gan.request_inputs import Request

LAYERS = (0, 1)  # The paper's for a pose, of these six.


def request(seed):
    out = io.BytesIO()
    photo(seed).save(out, "PNG")
    keypoints = np.float32(points(seed)["points"]) / [30, 40, 1]
    return Request("", {"top": out.getvalue()}, keypoints.astype(np.float32))


@pytest.fixture(scope="module")
def style():
    """(snapshot, its `Renderer`) of a model that sees poses through its style vectors alone."""
    snapshot = make_snapshot("pose_path=style")
    return snapshot, Renderer(snapshot)


def test_the_pose_of_a_transfer_is_its_own_where_poses_enter_spatially(style):
    source, target = request(1), request(2)
    pictures = {name: [renderer.transfer(source, target, 1, 1, 1.0, LAYERS, pose.keypoints).astype(int)
                       for pose in (source, target)]
                for name, renderer in (("style", style[1]), ("spatial", tiny_renderer()))}
    np.testing.assert_array_equal(*pictures["style"])
    assert np.abs(np.subtract(*pictures["spatial"])).mean() > 1


def test_a_model_with_poses_in_its_style_alone_is_exported_as_it_renders(style, tmp_path):
    snapshot, renderer = style
    write_savedmodel(snapshot, tmp_path / "outfit_gan")
    source, target = request(1), request(2)

    def side(request):
        articles = np.array([[request.articles.get(slot, b"") for slot in snapshot.config.slots]], object)
        return {"article_images_bytes": articles, "keypoints": request.keypoints[None], "seed": np.array([3], np.int64)}

    psi, layers = np.array([0.8], np.float32), (np.array([end], np.int32) for end in LAYERS)
    mix = {f"{name}_{key}": value for name, given in (("source", source), ("target", target))
           for key, value in side(given).items()}
    # The pose of the picture itself is asked for here, too, whatever the model: it changes nothing.
    mix |= {"keypoints": np.zeros([1, 16, 3], np.float32), **dict(zip(("layer_begin", "layer_end"), layers))}
    expected = {"serving_default": renderer.picture(source, 3, 0.8),
                "style_mix": renderer.transfer(source, target, 3, 3, 0.8, LAYERS, source.keypoints)}
    signatures = tf.saved_model.load(str(tmp_path / "outfit_gan" / "1")).signatures
    for name, inputs in (("serving_default", side(source)), ("style_mix", mix)):
        inputs = {key: tf.constant(value) for key, value in (inputs | {"truncation_psi": psi}).items()}
        picture = tf.io.decode_png(signatures[name](**inputs)["image_bytes"][0]).numpy().astype(int)
        assert np.abs(picture - expected[name]).max() <= 1 and picture.std() > 20
