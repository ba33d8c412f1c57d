"""Features: untrained ones grow with corruption, InceptionV3's and a pose encoder's are those of their files."""

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.pose_models import brightest_pixel
from tf_outfit_gan import ops
from tf_outfit_gan.data.paperdoll.scene import draw_entry
from tf_outfit_gan.metrics.features import InceptionFeatures, UntrainedFeatures, choose_features, pose_encoder
from tf_outfit_gan.metrics.frechet_distance import Moments, frechet_distance
from tf_outfit_gan.pixels import array_to_float
from tf_outfit_gan.pose_estimation.simple_baselines import build_estimator
from tf_outfit_gan.util.errors import UserError

SIZE = (32, 24)


@pytest.fixture(scope="module")
def photos():
    return array_to_float(np.stack([draw_entry(0, index, SIZE).photo for index in range(128)]))


@pytest.fixture(scope="module")
def distance(photos):
    """The distance of pictures from the first half of the photos."""
    features = UntrainedFeatures(SIZE)
    graph = tf.function(features)

    def moments(pictures):
        result = Moments(features.num_features)
        result.add(graph(tf.constant(pictures, tf.float32)))
        return result

    truth = moments(photos[:64])

    def measure(pictures):
        other = moments(pictures)
        return frechet_distance(truth.mean, truth.covariance, other.mean, other.covariance)

    return measure


def noisy(pictures, strength):
    noise = np.random.default_rng(0).normal(size=pictures.shape)
    return np.clip(pictures + strength * noise, -1, 1)


def blurred(pictures, times):
    for _ in range(times):
        framed = np.pad(pictures, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        pictures = ops.blur(tf.constant(framed, tf.float32)).numpy()[:, 1:-1, 1:-1]
    return pictures


@pytest.mark.parametrize("corrupt, strengths", [(noisy, [0, 0.05, 0.1, 0.2, 0.4]), (blurred, [0, 1, 2, 4, 8])])
def test_untrained_features_grow_with_corruption(photos, distance, corrupt, strengths):
    distances = [distance(corrupt(photos[64:], strength)) for strength in strengths]
    assert distances == sorted(distances)
    assert distances[-1] > 2 * distances[0]


def test_untrained_features_see_color_layout_and_variety(photos, distance):
    others = photos[64:]
    gray = np.broadcast_to(others.mean(axis=-1, keepdims=True), others.shape)
    few = np.repeat(others[:4], 16, axis=0)
    for wrong in (gray, others[:, ::-1], few):
        assert distance(wrong) > 2 * distance(others)


def test_untrained_features_are_the_same_everywhere():
    """Pinned numbers: another version or machine that draws other filters would give distances of another kind."""
    features = UntrainedFeatures((16, 12))
    ramp = np.linspace(-1, 1, 16 * 12 * 3, dtype=np.float32).reshape(1, 16, 12, 3)
    values = features(tf.constant(np.sin(40 * ramp))).numpy()[0]
    assert values.shape == (features.num_features,) == (2 * 2 * 32 + 36,)
    pinned = [0.274150, 0.174008, 0.218614, 0.316015, 0.202996, 0.034821]
    np.testing.assert_allclose(values[[0, 1, 40, 70, 100, 130]], pinned, rtol=1e-4)


@pytest.fixture(scope="module")
def inception(tmp_path_factory):
    """An InceptionV3 with random weights, and its file in the format of the published one (Keras 2's, by layer)."""
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    keras.utils.set_random_seed(0)
    network = keras.applications.InceptionV3(include_top=False, weights=None, input_shape=(299, 299, 3), pooling="avg")
    path = tmp_path_factory.mktemp("inception") / "inception_v3_notop.h5"
    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, network)
    return network, path


def test_inception_features_are_those_of_the_file(inception):
    network, path = inception
    features = InceptionFeatures(path)
    pictures = np.random.default_rng(0).uniform(-1, 1, (2, 299, 299, 3)).astype(np.float32)
    expected = network(pictures, training=False).numpy()
    assert expected.shape == (2, features.num_features) and expected.std() > 0
    np.testing.assert_allclose(features(tf.constant(pictures)), expected, rtol=1e-4, atol=1e-7)
    assert features(tf.zeros([1, 32, 24, 3])).shape == (1, 2048)
    assert "inception_v3_notop.h5 (sha256 " in features.name


def test_wrong_inception_files_are_refused(inception, tmp_path):
    _, path = inception
    cut, other = tmp_path / "cut.h5", tmp_path / "other.weights.h5"
    cut.write_bytes(path.read_bytes()[:100_000])
    keras.Sequential([keras.Input([3]), keras.layers.Dense(2)]).save_weights(other)
    for wrong in (cut, other):
        with pytest.raises(UserError, match="expected weights of Keras's InceptionV3 without its top") as error:
            InceptionFeatures(wrong)
        assert str(wrong) in str(error.value) and "\n" not in str(error.value)
    with pytest.raises(UserError, match="no such file"):
        InceptionFeatures(tmp_path / "nowhere.h5")


def test_a_pose_encoders_features_are_what_its_decoder_gets(tmp_path, photos):
    keras.utils.set_random_seed(0)
    network = build_estimator((64, 48), "small")
    network.export(str(tmp_path / "estimator"), verbose=False)
    decoder = next(layer for layer in network.layers if isinstance(layer, keras.layers.Conv2DTranspose))
    encoder = keras.Model(network.input, decoder.input)
    features = pose_encoder(tmp_path / "estimator")
    pictures = tf.image.resize(photos[:3], (64, 48))
    expected = encoder(pictures, training=False).numpy().mean(axis=(1, 2))
    assert expected.shape == (3, features.num_features) == (3, 96) and expected.std() > 0
    np.testing.assert_allclose(features(pictures), expected, rtol=1e-3, atol=1e-4)
    assert features(tf.zeros([2, 32, 24, 3])).shape == (2, 96)  # Any size.
    assert features.name.startswith("encoder of the pose estimator estimator (sha256 ")
    assert "not the standard FID" in features.name


def test_the_best_features_that_there_are_files_for(inception, tmp_path):
    no_encoder = brightest_pixel(tmp_path / "heatmaps", SIZE)
    build_estimator((32, 32), "small").export(str(tmp_path / "estimator"), verbose=False)
    for files, kind in (
        ({}, "untrained"),
        ({"pose_model": no_encoder}, "untrained"),
        ({"pose_model": tmp_path / "estimator"}, "encoder of the pose estimator"),
        ({"pose_model": tmp_path / "estimator", "inception": inception[1]}, "InceptionV3"),
    ):
        features = choose_features(SIZE, **files)
        assert features.name.startswith(kind)
        assert features.metric == ("FID" if kind == "InceptionV3" else "Frechet distance")
