"""Both ways of the conditions into the generator, through transfer and export: what a transfer takes with a layer."""

import io

import numpy as np
import pytest
import tensorflow as tf

from export.savedmodel import write_savedmodel
from tests.helpers.exported import make_snapshot, photo, points
from tf_outfit_gan import styles
from tf_outfit_gan.inference import Painter, Renderer
from tf_outfit_gan.outfit_request import Request

STYLE = ("pose_path=style", "article_path=style", "discriminator_pose=embedding")
LAYERS = (0, 1)  # The paper's for a pose, of these six.


def request(seed):
    out = io.BytesIO()
    photo(seed).save(out, "PNG")
    keypoints = np.float32(points(seed)["points"]) / [30, 40, 1]
    return Request("", {"top": out.getvalue()}, keypoints.astype(np.float32))


@pytest.fixture(scope="module")
def style():
    """(snapshot, its `Renderer`) of a model that sees conditions through its style vectors alone."""
    snapshot = make_snapshot(*STYLE)
    return snapshot, Renderer(snapshot)


@pytest.mark.parametrize("layers, copied", [((0, 1), [0]), ((1, 4), [1]), ((2, 3), [1]), ((3, 6), [2]), ((0, 6), [0, 1, 2])])
def test_a_transfer_takes_the_maps_that_enter_at_its_layers(layers, copied):
    painter = Painter(make_snapshot())
    sides = [(tf.constant([seed], tf.int64), tf.constant(articles), tf.constant(keypoints)) for seed, articles, keypoints
             in zip((1, 2), np.random.default_rng(5).uniform(-1, 1, (2, 1, 6, 16, 12, 3)).astype(np.float32),
                    np.float32([[request(seed).keypoints] for seed in (1, 2)]))]
    of_source, of_target = (painter.condition_maps(*side[1:]) for side in sides)
    maps = [(of_source if level in copied else of_target)[level] for level in range(3)]
    w = styles.copy_layers(*(painter.style_vectors(*side) for side in sides), *layers)
    expected = painter.draw(w, sides[1][0], maps)
    np.testing.assert_allclose(painter.transfer(*sides, layers), expected, atol=1e-5)
    # The maps matter: with the target's alone the picture is another one.
    assert np.abs(painter.draw(w, sides[1][0], of_target) - expected).max() > 1e-2


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
    mix |= dict(zip(("layer_begin", "layer_end"), layers))
    expected = {"serving_default": renderer.picture(source, 3, 0.8),
                "style_mix": renderer.transfer(source, target, 3, 3, 0.8, LAYERS)}
    signatures = tf.saved_model.load(str(tmp_path / "outfit_gan" / "1")).signatures
    for name, inputs in (("serving_default", side(source)), ("style_mix", mix)):
        inputs = {key: tf.constant(value) for key, value in (inputs | {"truncation_psi": psi}).items()}
        picture = tf.io.decode_png(signatures[name](**inputs)["image_bytes"][0]).numpy().astype(int)
        assert np.abs(picture - expected[name]).max() <= 1 and picture.std() > 20
