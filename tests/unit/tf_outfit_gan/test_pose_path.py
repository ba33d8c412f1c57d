"""Both ways of the conditions into the generator, through transfer and export: what a transfer takes with a layer."""

import io

import numpy as np
import pytest
import tensorflow as tf

from export.savedmodel import write_savedmodel
from tests.helpers.exported import make_snapshot, photo, points
from tf_outfit_gan import styles
from tf_outfit_gan.inference import Renderer, Sampler
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


@pytest.mark.parametrize(
    "layers, pose, articles",
    [
        ((0, 1), "source", "target"),
        ((1, 4), "target", "target"),
        ((3, 6), "target", "source"),
        ((0, 6), "source", "source"),
        ((0, 0), "target", "target"),  # A range without a layer copies nothing, at either end.
        ((6, 6), "target", "target"),
    ],
)
def test_the_maps_of_a_transfer_go_with_the_first_and_the_last_layer(layers, pose, articles):
    sampler = Sampler(make_snapshot())
    pictures = np.random.default_rng(5).uniform(-1, 1, (2, 1, 6, 16, 12, 3)).astype(np.float32)
    sides = {
        side: (tf.constant([seed], tf.int64), tf.constant(pictures[seed - 1]), tf.constant(request(seed).keypoints[None]))
        for seed, side in ((1, "source"), (2, "target"))
    }
    w = styles.copy_layers(*(sampler.style_vectors(*side) for side in sides.values()), *layers)
    maps = sampler.condition_maps(sides[articles][1], sides[pose][2])
    expected = sampler.draw(w, sides["target"][0], maps)
    np.testing.assert_allclose(sampler.transfer(*sides.values(), layers), expected, atol=1e-5)
    # Each half of the maps matters.
    for other in ((sides["source"][1], sides["target"][2]), (sides["target"][1], sides["source"][2])):
        if (other[0] is sides[articles][1]) != (other[1] is sides[pose][2]):
            changed = sampler.draw(w, sides["target"][0], sampler.condition_maps(*other))
            assert np.abs(changed - expected).max() > 1e-2


def test_rows_of_a_transfer_have_ranges_of_their_own():
    sampler = Sampler(make_snapshot())
    seeds, pictures = tf.constant([1, 1], tf.int64), tf.random.stateless_uniform([2, 2, 6, 16, 12, 3], [1, 2], -1, 1)
    source, target = ((seeds, pictures[side], tf.constant(np.stack([request(side + 1).keypoints] * 2))) for side in (0, 1))
    both = sampler.transfer(source, target, (tf.constant([0, 4]), tf.constant([1, 6])))
    for row, layers in enumerate(((0, 1), (4, 6))):
        one = sampler.transfer(*([part[row : row + 1] for part in side] for side in (source, target)), layers)
        np.testing.assert_allclose(both[row : row + 1], one, atol=1e-4)


def test_a_model_with_poses_in_its_style_alone_is_exported_as_it_renders(style, tmp_path):
    snapshot, renderer = style
    write_savedmodel(snapshot, tmp_path / "outfit_gan")
    source, target = request(1), request(2)

    def side(request):
        articles = np.array([[request.articles.get(slot, b"") for slot in snapshot.config.slots]], object)
        return {"article_images_bytes": articles, "keypoints": request.keypoints[None], "seed": np.array([3], np.int64)}

    psi, layers = np.array([0.8], np.float32), (np.array([end], np.int32) for end in LAYERS)
    mix = {
        f"{name}_{key}": value for name, given in (("source", source), ("target", target)) for key, value in side(given).items()
    }
    mix |= dict(zip(("layer_begin", "layer_end"), layers))
    expected = {
        "serving_default": renderer.picture(source, 3, 0.8),
        "style_mix": renderer.transfer(source, target, 3, 3, 0.8, LAYERS),
    }
    signatures = tf.saved_model.load(str(tmp_path / "outfit_gan" / "1")).signatures
    for name, inputs in (("serving_default", side(source)), ("style_mix", mix)):
        inputs = {key: tf.constant(value) for key, value in (inputs | {"truncation_psi": psi}).items()}
        picture = tf.io.decode_png(signatures[name](**inputs)["image_bytes"][0]).numpy().astype(int)
        assert np.abs(picture - expected[name]).max() <= 1 and picture.std() > 20
