"""The networks at the family's sizes: parameter counts, shapes, and what depends on what."""

import numpy as np
import pytest
import tensorflow as tf

from tf_outfit_gan.config import ModelConfig, from_preset
from tf_outfit_gan.networks import build_generator, build_networks
from tf_outfit_gan.networks.discriminator import Discriminator
from tf_outfit_gan.networks.generator import Generator


def count(network):
    return sum(int(np.prod(v.shape)) for v in network.trainable_variables)


# StyleGAN's own counts at 1024x1024; with the native 4x3 base the constant and one dense layer are smaller.
@pytest.mark.parametrize(
    "size, generator, discriminator",
    [
        ((1024, 1024), 26_219_627, 23_087_249),
        ((1024, 768), 26_217_579, 22_038_673),
    ],
)
def test_parameter_counts(size, generator, discriminator):
    config = ModelConfig(size=size, conditional=False)
    assert count(Generator(config)) == generator
    assert count(Discriminator(config)) == discriminator


def test_paper_has_18_layers_and_a_4x3_base():
    config, _ = from_preset("paper")
    assert config.num_layers == 18
    assert config.level_sizes[0] == (4, 3)
    assert [config.channels(level) for level in range(9)] == [512, 512, 512, 512, 256, 128, 64, 32, 16]


def inputs(config, batch, seed=0):
    rng = np.random.default_rng(seed)
    h, w = config.condition_size
    z = tf.constant(rng.normal(size=(batch, config.latent_dim)), tf.float32)
    noise = [tf.constant(rng.normal(size=(batch, *config.level_sizes[i // 2], 1)), tf.float32) for i in range(config.num_layers)]
    articles = tf.constant(rng.uniform(-1, 1, (batch, 6, h, w, 3)), tf.float32)
    keypoints = rng.uniform(0.1, 0.9, (batch, 16, 3))
    keypoints[..., 2] = 1
    return z, noise, articles, tf.constant(keypoints, tf.float32)


@pytest.mark.parametrize("pose_path", ["style", "spatial"])
def test_pictures_follow_each_condition(pose_path):
    config, _ = from_preset("tiny", [f"pose_path={pose_path}"])
    generator = Generator(config)
    z, noise, articles, keypoints = inputs(config, 2)
    picture = generator(z, noise, articles, keypoints)
    assert picture.shape == (2, 16, 12, 3)
    other_articles = tf.concat([articles[:, :5], -articles[:, 5:]], axis=1)
    for changed in [
        (-z, noise, articles, keypoints),
        (z, noise, other_articles, keypoints),
        (z, noise, articles, keypoints * [0.5, 1, 1]),
    ]:
        assert np.abs(generator(*changed) - picture).max() > 1e-4


def test_the_pose_enters_each_level_as_soft_maps_of_joints_and_bones():
    config, _ = from_preset("tiny", ["size=64x48", "article_path=style"])
    generator, (_, _, articles, keypoints) = Generator(config), inputs(config, 1)
    maps = generator.condition_maps(articles, keypoints)
    assert [tuple(level.shape) for level in maps] == [(1, *size, 16 + 15) for size in config.level_sizes]
    for level, (height, width) in zip(maps, config.level_sizes):
        # A joint's Gaussian is two thirds of a pixel wide at least: its pixel has a part in it, wherever it stands.
        x, y, _ = np.array(keypoints)[0].T
        at_joints = np.array(level)[0, (y * height).astype(int), (x * width).astype(int), np.arange(16)]
        assert at_joints.min() > 0.5
    kernels = [level.from_maps.kernel_size for level in generator.synthesis.levels]
    assert kernels == [3, 3, 3, 3, 1]


def test_a_joint_that_is_not_there_does_not_matter():
    config, _ = from_preset("tiny")
    generator = Generator(config)
    z, noise, articles, keypoints = inputs(config, 1)
    hidden = np.array(keypoints)
    hidden[0, 3, 2] = 0
    moved = hidden.copy()
    moved[0, 3, :2] = np.nan
    np.testing.assert_array_equal(
        generator(z, noise, articles, tf.constant(hidden)), generator(z, noise, articles, tf.constant(moved))
    )


def test_without_noise_injection_the_noise_is_neither_weighed_nor_read():
    config, _ = from_preset("tiny", ["noise_injection=false"])
    generator = Generator(config)
    assert not any("noise" in weight.path for weight in generator.weights)
    z, noise, articles, keypoints = inputs(config, 2)
    picture = generator(z, noise, articles, keypoints)
    np.testing.assert_array_equal(generator(z, [3 * each for each in noise], articles, keypoints), picture)
    np.testing.assert_array_equal(generator(z, None, articles, keypoints), picture)


@pytest.mark.parametrize("skips", ["false", "true"])
def test_fading_ends_where_the_stable_level_starts(skips):
    config, _ = from_preset("tiny", [f"skips={skips}"])
    generator, discriminator = Generator(config), Discriminator(config)
    z, noise, articles, keypoints = inputs(config, 4)
    for level in (1, 2):
        picture = generator(z, noise, articles, keypoints, level=level)
        np.testing.assert_allclose(generator(z, noise, articles, keypoints, level=level, alpha=1.0), picture, atol=1e-6)
        embedding = discriminator.embed(articles, keypoints)
        np.testing.assert_allclose(
            discriminator(picture, embedding, level=level, alpha=1.0),
            discriminator(picture, embedding, level=level),
            atol=1e-5,
        )


@pytest.mark.parametrize("form, terms", [("full", 2), ("inner", 1)])
def test_projection_score(form, terms):
    config, _ = from_preset("tiny", [f"projection={form}"])
    discriminator = Discriminator(config)
    _, _, articles, keypoints = inputs(config, 4)
    images = tf.random.stateless_normal([4, 16, 12, 3], [1, 2])
    embedding = discriminator.embed(articles, keypoints)
    features = discriminator.features(images)
    expected = tf.einsum("nf,nf->n", features, embedding) / features.shape[-1] ** 0.5
    if terms == 2:
        expected += (features @ discriminator.unconditional.kernel / features.shape[-1] ** 0.5)[:, 0]
    else:
        assert discriminator.unconditional is None
    np.testing.assert_allclose(discriminator(images, embedding), expected, rtol=1e-4)


def test_mixed_precision_keeps_float32_weights_and_pictures():
    config, _ = from_preset("tiny")
    generator, discriminator = build_networks(config, "mixed_bfloat16")
    z, noise, articles, keypoints = inputs(config, 4)
    picture = generator(z, noise, articles, keypoints)
    assert picture.dtype == tf.float32
    assert {v.dtype for v in generator.variables} == {"float32"}
    assert generator.synthesis.levels[0].second.compute_dtype == "bfloat16"
    reference, _ = build_networks(config, "float32")
    reference.set_weights(generator.get_weights())
    expected = reference(z, noise, articles, keypoints)
    assert np.mean(np.abs(picture - expected)) < 0.1 * np.std(expected)
    assert discriminator(picture, discriminator.embed(articles, keypoints)).dtype == tf.float32


def test_recomputed_levels_have_the_same_gradients():
    config, _ = from_preset("tiny")
    plain, saving = build_generator(config), build_generator(config, recompute_from=8)
    saving.set_weights(plain.get_weights())
    gradients = []
    for generator in (plain, saving):

        @tf.function
        def gradient(generator=generator):
            with tf.GradientTape() as tape:
                picture = tf.reduce_sum(tf.sin(generator(*inputs(config, 4))))
            return tape.gradient(picture, [variable.value for variable in generator.trainable_variables])

        gradients.append(gradient())
        operations = [op.type for op in gradient.get_concrete_function().graph.get_operations()]
        gradients[-1].append(operations.count("Conv2D"))
    # What is computed again is in the graph twice.
    assert gradients[1].pop() > gradients[0].pop()
    for variable, one, other in zip(plain.trainable_variables, *gradients):
        if one is not None:
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5, err_msg=variable.path)
