"""The arithmetic against NumPy, its gradients of both orders, and that TensorFlow fuses what it can."""

import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tf_outfit_gan import ops

NORMS = (ops._norm_by_moments, ops._norm_by_batch_norm)


class TestLeakyRelu:
    x = tf.constant([-3.0, -0.5, 0.25, 2.0])

    def test_values(self):
        np.testing.assert_allclose(ops.leaky_relu(self.x), [-0.6, -0.1, 0.25, 2.0], rtol=1e-6)

    def test_gradients_of_both_orders(self):
        with tf.GradientTape() as outer:
            outer.watch(self.x)
            with tf.GradientTape() as inner:
                inner.watch(self.x)
                y = tf.reduce_sum(ops.leaky_relu(self.x) ** 2)
            slope = inner.gradient(y, self.x)  # 2 y s
        np.testing.assert_allclose(slope, [-0.24, -0.04, 0.5, 4.0], rtol=1e-6)
        np.testing.assert_allclose(outer.gradient(slope, self.x), [0.08, 0.08, 2, 2], rtol=1e-6)  # 2 s^2


class TestStyledInstanceNorm:
    x = np.random.default_rng(0).normal(2, 3, [4, 6, 5, 8]).astype(np.float32)
    scale, shift = np.random.default_rng(1).normal(size=[2, 4, 8]).astype(np.float32)

    def expected(self):
        mean, deviation = self.x.mean((1, 2), keepdims=True), self.x.std((1, 2), keepdims=True)
        return (self.x - mean) / deviation * self.scale[:, None, None] + self.shift[:, None, None]

    @pytest.mark.parametrize("norm", NORMS)
    def test_against_numpy(self, norm):
        np.testing.assert_allclose(norm(self.x, self.scale, self.shift), self.expected(), atol=1e-5)

    @pytest.mark.parametrize("norm", NORMS)
    def test_bfloat16_keeps_float32_statistics(self, norm):
        # Far from zero, statistics in bfloat16 would be lost; the values' own rounding remains.
        x = tf.cast(self.x, tf.bfloat16)
        y = tf.cast(norm(x, self.scale, self.shift), tf.float32)
        reference = norm(tf.cast(x, tf.float32), self.scale, self.shift)
        np.testing.assert_allclose(y, reference, atol=0.05)

    def test_gradients_agree(self):
        found = []
        for norm in NORMS:
            inputs = [tf.constant(value) for value in (self.x, self.scale, self.shift)]
            with tf.GradientTape() as tape:
                tape.watch(inputs)
                y = tf.reduce_sum(norm(*inputs) * tf.sin(self.x))
            found.append(tape.gradient(y, inputs))
        for one, other in zip(*found):
            np.testing.assert_allclose(one, other, atol=2e-4)

    def test_any_batch(self):
        traced = tf.function(
            ops._norm_by_batch_norm,
            input_signature=[tf.TensorSpec([None, 6, 5, 8]), tf.TensorSpec([None, 8]), tf.TensorSpec([None, 8])],
        )
        np.testing.assert_allclose(traced(self.x, self.scale, self.shift), self.expected(), atol=1e-5)


_TRACE = """
import tensorflow as tf
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.networks import build_generator
config, _ = from_preset("tiny", [*FORM, "size=64x48"])
generator = build_generator(config, "mixed_bfloat16")
noise = [tf.zeros([2, *size, 1]) for size in config.level_sizes for _ in range(2)]
articles, keypoints = tf.zeros([2, 6, *config.condition_size, 3]), tf.zeros([2, 16, 3])

@tf.function
def gradients(latents):
    with tf.GradientTape() as tape:
        picture = generator(latents, noise, articles, keypoints)
    return tape.gradient(picture, [variable.value for variable in generator.trainable_variables])

gradients(tf.zeros([2, config.latent_dim]))
"""


@pytest.mark.parametrize(
    "form",
    [
        ("pose_path=style", "article_path=style"),
        ("pose_path=spatial", "article_path=worn"),
        ("pose_path=spatial", "article_path=worn", "composition=true"),
    ],
    ids=["style", "maps", "composition"],
)
def test_tensorflow_fuses_the_synthesis_network(form):
    """A pattern that TensorFlow's fusion breaks on costs all fusions of the graph, which shows in the log alone."""
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "0", "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, "-c", _TRACE.replace("FORM", str(form))]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert "remapper failed" not in run.stderr


@pytest.mark.parametrize("name", ["blur", "upsample", "downsample"])
def test_gradients_of_resampling_are_the_adjoints(name):
    """<A x, y> = <x, A' y>, for what the gradient says is A', and for the gradient of that, which is A again."""
    operation = getattr(ops, name)
    x = tf.random.stateless_normal([2, 4, 6, 3], [1, 2])
    y = tf.random.stateless_normal(operation(x).shape, [3, 4])
    with tf.GradientTape() as outer:
        outer.watch(y)
        with tf.GradientTape() as tape:
            tape.watch(x)
            product = tf.reduce_sum(operation(x) * y)
        adjoint = tape.gradient(product, x)
        second = tf.reduce_sum(adjoint * x)
    np.testing.assert_allclose(second, product, rtol=1e-4)
    np.testing.assert_allclose(outer.gradient(second, y), operation(x), rtol=1e-4, atol=1e-6)


def test_a_point_is_blurred_by_hand():
    """In the middle, and in a corner, beyond which zeros are taken."""
    x = np.zeros([1, 5, 4, 2], np.float32)
    x[0, 2, 1, 0] = 16
    x[0, 0, 0, 1] = 16
    middle, corner = np.moveaxis(ops.blur(x).numpy()[0], -1, 0)
    np.testing.assert_array_equal(middle, [[0, 0, 0, 0], [1, 2, 1, 0], [2, 4, 2, 0], [1, 2, 1, 0], [0, 0, 0, 0]])
    np.testing.assert_array_equal(corner[:3, :3], [[4, 2, 0], [2, 1, 0], [0, 0, 0]])


def test_resampling_by_hand():
    x = np.float32([[1, 2, 3], [5, 6, 7]])
    twice = np.float32([[1, 1, 2, 2, 3, 3], [1, 1, 2, 2, 3, 3], [5, 5, 6, 6, 7, 7], [5, 5, 6, 6, 7, 7]])
    np.testing.assert_array_equal(ops.upsample(x[None, :, :, None])[0, :, :, 0], twice)
    np.testing.assert_array_equal(ops.downsample(twice[None, :, :, None])[0, :, :, 0], x)
    np.testing.assert_array_equal(ops.downsample(np.float32([[1, 2], [4, 9]])[None, :, :, None]), [[[[4]]]])


def test_smooth_upsampling_is_linear_between_pixels():
    x = np.float32([[0, 4], [16, 20]])[None, :, :, None]
    expected = np.float32([[0, 1, 3, 4], [4, 5, 7, 8], [12, 13, 15, 16], [16, 17, 19, 20]])
    np.testing.assert_array_equal(ops.upsample_smooth(x)[0, :, :, 0], expected)
    np.testing.assert_allclose(ops.upsample_smooth(x), tf.image.resize(x, [4, 4]))


def test_simple_arithmetic_by_hand():
    np.testing.assert_allclose(ops.pixel_norm(tf.constant([[3.0, -4.0]])), [[0.848528, -1.131371]], rtol=1e-5)
    np.testing.assert_array_equal(ops.lerp(tf.constant([1.0, 2.0]), tf.constant([3.0, 6.0]), 0.25), [1.5, 3.0])
    np.testing.assert_array_equal(ops.add_bias_unfused(tf.ones([1, 1, 1, 2]), tf.constant([0.5, -3.0])), [[[[1.5, -2.0]]]])


@pytest.mark.parametrize(("dtype", "limit"), [("float16", 256), ("float32", 60_000), ("bfloat16", 59_904)])
def test_float16_has_a_limit(dtype, limit):
    x = tf.constant([60_000, -60_000, 3], dtype)
    np.testing.assert_array_equal(tf.cast(ops.clamp(x), tf.float32), [limit, -limit, 3])
