"""Adaptive augmentation: what is altered, that everything is altered alike, and how its probability moves."""

import colorsys
import math

import numpy as np
import pytest
import tensorflow as tf

from tf_outfit_gan.config import from_preset
from tf_outfit_gan.losses import discriminator_loss, mismatch_loss, r1_penalty
from tf_outfit_gan.pose.heatmaps import render_heatmaps
from tf_outfit_gan.randomness import BatchDraws
from tf_outfit_gan.util.errors import UserError
from training.augment import Augmentation, Unaltered, adapted, color_matrix, resampling
from training.checkpoint import Checkpoints
from training.schedule import Stage
from training.step import Steps

SIZE = (16, 12)


@pytest.fixture(scope="module")
def steps():
    settings = from_preset("tiny", ("ada_target=0.6", "mismatch_weight=1", "mixing_probability=0"))
    return Steps(tf.distribute.get_strategy(), *settings)


def constants(*values):
    return [tf.constant([value], tf.float32) for value in values]


def drawn(probability, batch=8, size=SIZE, key=5):
    return Augmentation(probability, BatchDraws(tf.constant(key, tf.int64), batch), size)


def random_batch(batch=8):
    return {
        "image": tf.random.stateless_uniform([batch, *SIZE, 3], [0, 1], -1, 1),
        "articles": tf.random.stateless_uniform([batch, 6, *SIZE, 3], [0, 2], -1, 1),
        "keypoints": tf.concat([tf.random.stateless_uniform([batch, 16, 2], [0, 3]), tf.ones([batch, 16, 1])], axis=-1),
    }


class TestResampling:
    def test_a_shift_mirrors_what_comes_in(self):
        (matrix,) = resampling(*constants(1, 2), 4)
        np.testing.assert_array_equal(matrix @ [[10.0], [20.0], [30.0], [40.0]], [[20], [10], [10], [20]])

    def test_doubling_takes_keys_weights(self):
        """New pixel 4 of 8 shows the place 3.75: weights of the cubic at distances 1.75, 0.75, 0.25, 1.25."""
        (matrix,) = resampling(*constants(2, 0), 8)
        weights = [-0.0078125 * 3, 0.2265625, 0.8671875, -0.0703125]
        np.testing.assert_allclose(matrix[4, 2:6], weights, atol=1e-6)
        assert not np.any(matrix[4, :2]) and not np.any(matrix[4, 6:])

    def test_a_constant_stays_one(self):
        matrices = resampling(tf.constant([0.6, 1.0, 1.7]), tf.constant([-3.0, 1.0, 2.0]), 24)
        np.testing.assert_allclose(tf.reduce_sum(matrices, axis=2), np.ones([3, 24]), rtol=1e-5)

    def test_shrinking_does_not_alias(self):
        """Stripes of one pixel, finer than the smaller picture can show, become gray in its inside.

        At half the size they would in any case: each new pixel lies between two old ones.
        """
        (matrix,) = resampling(*constants(0.55, 0), 32)
        stripes = np.where(np.arange(32) % 2, 1.0, -1.0)[:, None].astype(np.float32)
        assert np.abs((matrix @ stripes)[10:22]).max() < 0.1


class TestColors:
    def test_a_third_of_a_turn_makes_red_green(self):
        (matrix,) = color_matrix(*constants(1, 2 * math.pi / 3, 1))
        np.testing.assert_allclose(matrix @ [[0.9], [0.2], [-0.4]], [[-0.4], [0.9], [0.2]], atol=1e-6)

    def test_gray_has_no_hue_and_no_saturation(self):
        (matrix,) = color_matrix(*constants(2, 1.3, 1.7))
        np.testing.assert_allclose(matrix @ [[0.3], [0.3], [0.3]], [[0.6], [0.6], [0.6]], rtol=1e-5)

    def test_saturation_leaves_the_hue(self):
        (matrix,) = color_matrix(*constants(1, 0, 0.5))
        before, after = (0.8, 0.5, 0.1), np.dot(matrix, [0.8, 0.5, 0.1])
        assert colorsys.rgb_to_hsv(*before)[0] == pytest.approx(colorsys.rgb_to_hsv(*after)[0], abs=1e-6)


class TestAugmentation:
    def test_at_zero_everything_stays(self):
        batch, view = random_batch(), drawn(0.0)
        np.testing.assert_allclose(view.images(batch["image"]), batch["image"], atol=1e-6)
        for name, values in view.conditions(batch).items():
            np.testing.assert_allclose(values, batch[name], atol=1e-6)

    def test_about_every_second_alteration_happens_at_a_half(self):
        view = drawn(0.5, 1000)
        assert np.mean(view.brightness != 0) == pytest.approx(0.5, abs=0.06)
        assert np.std(view.brightness[view.brightness != 0]) == pytest.approx(0.2, abs=0.02)
        np.testing.assert_array_equal(view.shifts[0], np.round(view.shifts[0]))
        assert np.abs(view.shifts[0]).max() == SIZE[0] / 8

    def test_a_moved_picture_moves_its_pose(self):
        """The dot that a heatmap shows of a joint, moved as a picture, has its middle where the moved joint is."""
        size = (64, 48)
        view = drawn(1.0, 12, size)
        rng = np.random.default_rng(1)
        keypoints = np.zeros((12, 16, 3), np.float32)
        keypoints[:, 0, :2], keypoints[:, 0, 2] = rng.uniform(0.4, 0.6, (12, 2)), 1
        moved = view.conditions({"articles": tf.zeros([12, 6, 4, 3, 3]), "keypoints": keypoints})["keypoints"]
        dots = tf.einsum("nyh,nxw,nhw->nyx", view.rows, view.columns, render_heatmaps(keypoints, size)[..., 0])
        mass = np.sum(dots, axis=(1, 2))
        x, y = ((np.arange(side) + 0.5) / side for side in size[::-1])
        np.testing.assert_allclose(np.sum(dots * x, axis=(1, 2)) / mass, moved[:, 0, 0], atol=0.2 / 48)
        np.testing.assert_allclose(np.sum(dots * y[:, None], axis=(1, 2)) / mass, moved[:, 0, 1], atol=0.2 / 64)
        assert np.abs(moved[:, 0, :2] - keypoints[:, 0, :2]).min(axis=1).max() > 0.02
        assert not np.any(moved[:, 1:, 2])

    def test_a_recolored_picture_recolors_its_articles_and_none_that_is_missing(self):
        color = tf.random.stateless_uniform([8, 1, 1, 3], [0, 1], -1, 1)
        articles = np.tile(color[:, None], [1, 6, 4, 3, 1])
        articles[:, 2] = 0.0
        view = drawn(1.0)
        altered = view.conditions({"articles": tf.constant(articles), "keypoints": tf.zeros([8, 16, 3])})["articles"]
        photo = view.images(tf.tile(color, [1, *SIZE, 1]))
        np.testing.assert_allclose(altered[:, 1, 0, 0], photo[:, 3, 3], atol=1e-5)
        assert np.abs(altered[:, 1] - articles[:, 1]).max(axis=(1, 2, 3)).min() > 0.02
        assert not np.any(altered[:, 2])

    def test_the_gradient_is_the_adjoint(self):
        view = drawn(0.8)
        x, y = (tf.random.stateless_normal([8, *SIZE, 3], [0, seed]) for seed in (1, 2))
        with tf.GradientTape() as tape:
            tape.watch(x)
            product = tf.reduce_sum(view.images(x) * y)
        linear = view.images(x) - view.images(tf.zeros_like(x))  # Without the brightness.
        np.testing.assert_allclose(tf.reduce_sum(linear * y), tf.reduce_sum(x * tape.gradient(product, x)), rtol=1e-4)

    def test_r1_differentiates_through_it(self):
        """How R1's penalty changes with a weight of a smooth score: the second order against differences."""
        images, view = random_batch()["image"], drawn(0.8)

        def penalty(weight):
            with tf.GradientTape() as tape:
                tape.watch(images)
                score = tf.reduce_sum(tf.sin(weight * view.images(images)))
            return tf.reduce_sum(r1_penalty(tape.gradient(score, images)))

        weight = tf.constant(1.3)
        with tf.GradientTape() as tape:
            tape.watch(weight)
            value = penalty(weight)
        difference = (penalty(weight + 0.01) - penalty(weight - 0.01)) / 0.02
        np.testing.assert_allclose(tape.gradient(value, weight), difference, rtol=1e-3)

    def test_the_discriminator_sees_altered_conditions(self, steps):
        """The generator's loss at p = 0.8 is that of altered fakes under conditions altered along."""
        steps.ada_probability.assign(0.8)
        batch, draws, stage = random_batch(), BatchDraws(tf.constant(5, tf.int64), 8), Stage(2, False, 8, 1)
        statistics, _ = steps.phases.generator_phase(stage, batch, draws, None)
        view, discriminator = drawn(0.8), steps.discriminator
        seen = view.conditions(batch)
        given = steps.phases._conditions(steps.generator, stage, batch, Unaltered())
        fake, _ = steps.phases._fake(stage, given, draws, None)

        def scores_of(images, conditions):
            given = conditions["articles"], conditions["keypoints"]
            return discriminator(images, discriminator.embed(*given), maps=discriminator.condition_maps(*given))

        scores = scores_of(view.images(fake), seen)
        np.testing.assert_allclose(statistics["loss_generator"], np.mean(np.log1p(np.exp(-scores))), rtol=1e-5)
        assert np.abs(scores - scores_of(fake, batch)).max() > 1e-3


class TestProbability:
    def test_it_rises_and_falls_at_its_pace(self):
        _, config = from_preset("tiny", ("ada_target=0.6", "ada_kimg=2"))
        assert float(adapted(0.3, 0.9, 20, config)) == pytest.approx(0.31)
        assert float(adapted(0.3, 0.5, 20, config)) == pytest.approx(0.29)

    def test_it_stays_between_nothing_and_what_would_leak(self):
        _, config = from_preset("tiny", ("ada_target=0.6", "ada_kimg=2"))
        assert float(adapted(0.799, 1.0, 20, config)) == pytest.approx(0.8)
        assert float(adapted(0.001, -1.0, 20, config)) == 0

    @pytest.mark.parametrize("setting", ("ada_target=1", "ada_target=-0.1", "ada_kimg=0"))
    def test_a_target_that_nothing_reaches_is_refused(self, setting):
        with pytest.raises(UserError, match="expected a target from 0"):
            from_preset("tiny", (setting,))

    def test_chance_is_lower_where_photos_count_as_fakes(self, steps):
        """One real, one fake and one photo under wrong conditions: without any knowledge the odds are 1 : 2, or -log 2."""
        score = tf.Variable(steps.phases._chance())
        with tf.GradientTape() as tape:
            loss = discriminator_loss(score, score) + mismatch_loss(score)
        assert float(score) == pytest.approx(-math.log(2))
        assert float(tape.gradient(loss, score)) == pytest.approx(0, abs=1e-6)

    def test_a_checkpoint_remembers_it(self, steps, tmp_path):
        steps.ada_probability.assign(0.25)
        Checkpoints(tmp_path, steps.memory()).save(8, 0)
        steps.ada_probability.assign(0.75)
        assert Checkpoints(tmp_path, steps.memory()).restore() == (8, 0, [])
        assert float(steps.ada_probability) == 0.25
