"""Fine-tuning: a run that starts from another model draws that model's pictures first, whatever is new in it."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.exported import make_snapshot
from tf_outfit_gan import ops
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.inference import Sampler
from tf_outfit_gan.networks import build_networks
from tf_outfit_gan.util.errors import UserError
from training.checkpoint import named_weights
from training.finetune import UNLIKELY, load_init, resolve_init
from training.step import Steps

SEEDS = np.arange(4)
ARTICLES = np.random.default_rng(1).uniform(-1, 1, (4, 6, 8, 6, 3)).astype(np.float32)
KEYPOINTS = np.random.default_rng(2).uniform(0, 1, (4, 16, 3)).astype(np.float32)
STYLE = ("pose_path=style", "article_path=style", "discriminator_pose=embedding")
SMALL = ("size=8x6", "condition_size=8x6", *STYLE)
UNCONDITIONAL = ("size=8x6", "condition_size=8x6", "conditional=false")


def source(path, *overrides, training=True, **where):
    """Writes a snapshot whose training networks differ from the average."""
    snapshot = make_snapshot(*overrides, **where)
    if training:
        snapshot.training = build_networks(snapshot.config)
        for network in snapshot.training:
            for weight in network.weights:
                weight.assign(weight + 0.2)
    snapshots.save(path, snapshot)
    return snapshot


def started(path, *overrides):
    """Fresh `Steps` of other settings, started from a snapshot, and the line of the log."""
    model_config, config = from_preset("tiny", overrides)
    resolve_init(path.parent / "run", str(path), model_config, config, False)
    steps = Steps(tf.distribute.get_strategy(), model_config, config)
    (line,) = load_init(steps, path)
    return steps, line


def pictures(generator, config, level):
    conditions = (ARTICLES, KEYPOINTS) if config.conditional else ()
    return Sampler(snapshots.Snapshot(config, generator, level, 1.0, 0)).picture(SEEDS, *conditions)


def scores(discriminator, images, level, alpha=None):
    embedding = maps = None
    if discriminator.embedding is not None:
        embedding = discriminator.embed(ARTICLES, KEYPOINTS)
        maps = discriminator.condition_maps(ARTICLES, KEYPOINTS, level)
    return discriminator(images, embedding, level=level, alpha=alpha, maps=maps)


def assert_goes_on(steps, before):
    """All three networks compute what they did at the level where the source stands."""
    level, images = before.level, np.random.default_rng(3).uniform(-1, 1, (4, *before.size, 3)).astype(np.float32)
    generator, discriminator = before.training
    close = dict(rtol=1e-4, atol=1e-4)
    for ours, theirs in ((steps.average, before.generator), (steps.generator, generator)):
        expected = pictures(theirs, before.config, level)
        assert np.std(expected) > 0.1
        np.testing.assert_allclose(pictures(ours, ours.config, level), expected, **close)
    expected = scores(discriminator, images, level)
    np.testing.assert_allclose(scores(steps.discriminator, images, level), expected, **close)


def gradient_sizes(steps, level, of_generator, of_discriminator):
    """The norms of the gradients of some layers' kernels, by a loss that all of them change."""
    with tf.GradientTape() as tape:
        images = pictures(steps.generator, steps.generator.config, level)
        loss = tf.reduce_sum(images**2) + tf.reduce_sum(scores(steps.discriminator, images, level))
    sides = (steps.generator, of_generator), (steps.discriminator, of_discriminator)
    kernels = [named_weights(network)[f"{name}/kernel"].value for network, names in sides for name in names]
    return [float(tf.norm(gradient)) for gradient in tape.gradient(loss, kernels)]


def test_every_weight_has_a_name():
    for network in build_networks(from_preset("tiny")[0]):
        named = named_weights(network)
        assert {id(weight) for weight in named.values()} == {id(weight) for weight in network.weights}
        assert len(named) == len(network.weights)


def test_the_same_model_goes_on(tmp_path):
    before = source(tmp_path / "source", *SMALL)
    steps, line = started(tmp_path / "source", *SMALL)
    assert_goes_on(steps, before)
    assert "400.0 kimg at 8x6" in line and "new" not in line


def test_a_larger_model_grows_on(tmp_path):
    before = source(tmp_path / "source", *SMALL)
    steps, line = started(tmp_path / "source", "size=16x12", "condition_size=8x6", *STYLE)
    assert_goes_on(steps, before)
    assert "new: synthesis/levels/2;" in line and line.endswith("new: from_rgb/2, blocks/1")


@pytest.mark.parametrize("alpha", [1.0, 0.5], ids=["stable", "fading"])
def test_skips_begin_at_the_picture_of_the_level(tmp_path, alpha):
    """And where the next level begins to fade in; from there on each level can learn to add to it."""
    settings = ("size=32x24", "condition_size=8x6", "article_path=style")  # Worn articles are drawn for the highest level.
    before = source(tmp_path / "source", *settings, level=2, alpha=alpha)
    steps, line = started(tmp_path / "source", *settings, "skips=true")
    before.level = 2 - (alpha < 1)
    assert_goes_on(steps, before)
    assert "new" not in line

    next_level = before.level + 1
    images = tf.random.stateless_uniform((4, *steps.average.config.level_sizes[next_level], 3), (1, 2), -1, 1)
    below = scores(steps.discriminator, ops.downsample(images), before.level)
    np.testing.assert_allclose(scores(steps.discriminator, images, next_level, 0.0), below, rtol=1e-4, atol=1e-4)

    assert min(gradient_sizes(steps, 2, ["synthesis/levels/0/to_rgb"], ["from_rgb/0", "from_maps/0"])) > 0


def test_noise_can_be_left_out_and_comes_in_silently(tmp_path):
    before = source(tmp_path / "noisy", *SMALL)
    steps, _ = started(tmp_path / "noisy", *SMALL, "noise_injection=false")
    for weight in (*before.generator.weights, *before.training[0].weights):
        if weight.name == "strength":
            weight.assign(np.zeros(weight.shape, np.float32))
    assert_goes_on(steps, before)
    without = source(tmp_path / "plain", *SMALL, "noise_injection=false")
    assert_goes_on(started(tmp_path / "plain", *SMALL)[0], without)


def test_ways_of_maps_come_in_silently_and_can_be_learned(tmp_path):
    settings = ("size=8x6", "condition_size=8x6")
    before = source(tmp_path / "source", *settings)
    steps, line = started(tmp_path / "source", *settings, "maps_to_rgb=true", "article_differences=true")
    assert_goes_on(steps, before)
    assert "new: synthesis/levels/0, synthesis/levels/1;" in line and line.endswith("new: from_differences/0, from_differences/1")
    assert min(gradient_sizes(steps, 1, ["synthesis/levels/1/maps_to_rgb/out"], ["from_differences/1"])) > 0


@pytest.mark.parametrize("skips", ["true", "false"])
def test_composition_begins_with_unlikely_articles_that_can_be_learned(tmp_path, skips):
    """With skips the odds of both levels add up."""
    settings = ("size=8x6", "condition_size=8x6", f"skips={skips}", "maps_to_rgb=true")
    before = source(tmp_path / "source", *settings)
    steps, line = started(tmp_path / "source", *settings, "composition=true")
    assert "new" not in line
    odds = np.exp(UNLIKELY)
    *_, maps = steps.average.condition_maps(ARTICLES, KEYPOINTS)
    articles = 4 * np.reshape(maps[..., -18:], (4, 8, 6, 6, 3))
    covered = (articles != 0).any(axis=-1, keepdims=True).sum(axis=3)
    for ours, theirs in ((steps.average, before.generator), (steps.generator, before.training[0])):
        expected = (pictures(theirs, before.config, 1) + odds * articles.sum(axis=3)) / (1 + odds * covered)
        np.testing.assert_allclose(pictures(ours, ours.config, 1), expected, rtol=1e-4, atol=1e-4)
    assert min(gradient_sizes(steps, 1, ["synthesis/levels/1/to_rgb", "synthesis/levels/1/maps_to_rgb/out"], [])) > 0


def test_composition_stays(tmp_path):
    settings = ("size=8x6", "condition_size=8x6", "composition=true")
    before = source(tmp_path / "source", *settings)
    assert_goes_on(started(tmp_path / "source", *settings)[0], before)
    with pytest.raises(UserError, match="add --set composition=true"):
        started(tmp_path / "source", *settings[:2])


PLAIN = ("skips=false",)
ALL_WAYS = ("skips=true", "maps_to_rgb=true", "article_differences=true", "composition=true")


@pytest.mark.parametrize("ways", [PLAIN, ALL_WAYS], ids=["plain", "all ways"])
def test_new_feature_maps_change_nothing_and_can_be_learned(tmp_path, ways):
    """Of levels 0 to 3 the source has 8, 8, 4 and 2, the model 8, 8, 8 and 4."""
    settings = ("size=32x24", "condition_size=8x6", *ways)
    before = source(tmp_path / "source", "fmap_base=32", *settings, level=3)
    steps, line = started(tmp_path / "source", "fmap_base=64", *settings)
    assert_goes_on(steps, before)
    assert "weights, with more feature maps: synthesis/levels/2, synthesis/levels/3;" in line and "new: " not in line

    generator, discriminator = (named_weights(network) for network in (steps.generator, steps.discriminator))
    with tf.GradientTape() as tape:
        images = pictures(steps.generator, steps.generator.config, 3)
        loss = tf.reduce_sum(images**2) + tf.reduce_sum(scores(steps.discriminator, images, 3))
    kernels = [generator["synthesis/levels/3/second/kernel"].value, discriminator["blocks/2/conv_down/kernel"].value]
    for kernel, outputs, gradient in zip(kernels, (2, 4), tape.gradient(loss, kernels)):
        assert np.abs(kernel[:, :, 2:, outputs:]).max() > 0  # New ones have weights,
        assert np.abs(kernel[:, :, 2:, :outputs]).max() == 0  # old ones read none of them,
        assert np.abs(gradient[:, :, 2:, :outputs]).max() > 0  # until they learn to.


def test_composition_and_feature_maps_come_together(tmp_path):
    """New feature maps change no picture of a model that begins to compose."""
    settings = ("size=8x6", "condition_size=8x6", "fmap_max=8", "maps_to_rgb=true")
    source(tmp_path / "source", "fmap_base=16", *settings)
    narrow, wide = (
        started(tmp_path / "source", base, *settings, "composition=true")[0] for base in ("fmap_base=16", "fmap_base=32")
    )
    expected = pictures(narrow.generator, narrow.generator.config, 1)
    np.testing.assert_allclose(pictures(wide.generator, wide.generator.config, 1), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("norm", ["joint", "apart"])
def test_conditions_come_in_silently_and_can_be_learned(tmp_path, norm):
    """Also those that enter spatially; and their gradients are not zero."""
    before = source(tmp_path / "source", *UNCONDITIONAL)
    steps, line = started(tmp_path / "source", "size=8x6", "condition_size=8x6", f"condition_norm={norm}")
    assert_goes_on(steps, before)
    assert "new: embedding, synthesis/levels/0, synthesis/levels/1;" in line
    sizes = gradient_sizes(steps, 1, ["embedding/out", "synthesis/levels/1/from_maps"], ["embedding/out", "from_maps/1"])
    assert min(sizes) > 0
    # An embedding of zero is normalized, too: that must not make its first step a hundred times that of the others.
    assert sizes[0] < 30 * max(sizes[1:]), sizes


def test_without_its_training_the_average_stands_in(tmp_path):
    before = source(tmp_path / "source", *SMALL, training=False)
    steps, line = started(tmp_path / "source", *SMALL)
    assert "the discriminator afresh" in line
    expected = pictures(before.generator, before.config, 1)
    for ours in (steps.generator, steps.average):
        np.testing.assert_array_equal(pictures(ours, ours.config, 1), expected)


class TestResolveInit:
    """Where a run starts, which is known before anything is built."""

    @pytest.fixture(scope="class")
    def path(self, tmp_path_factory):
        path = tmp_path_factory.mktemp("source") / "snapshots" / "000400kimg"
        snapshots.save(path, make_snapshot("size=32x24", "condition_size=8x6", level=2, alpha=0.5))
        return path

    def ask(self, folder, init, *overrides, chosen=False):
        return resolve_init(folder, str(init), *from_preset("tiny", ("condition_size=8x6", *overrides)), chosen)

    def test_the_run_starts_at_the_last_whole_level_unless_asked_otherwise(self, path, tmp_path):
        origin, config = self.ask(tmp_path, path.parent.parent, "start_level=0")
        assert (origin, config.start_level) == (str(path), 1)
        assert self.ask(tmp_path, path, "start_level=0", chosen=True)[1].start_level == 0

    def test_a_run_remembers_and_needs_its_source_no_more(self, path, tmp_path):
        moved = tmp_path / "moved"
        shutil.copytree(path, moved)
        origin, config = self.ask(tmp_path / "run", moved)
        (tmp_path / "run").mkdir()
        kept = {"init": origin, "training": {"start_level": config.start_level}}
        (tmp_path / "run" / "config.json").write_text(json.dumps(kept))
        shutil.rmtree(moved)
        assert self.ask(tmp_path / "run", moved) == (origin, config)

    def test_a_run_that_began_by_itself_takes_no_source(self, path, tmp_path):
        (tmp_path / "config.json").write_text('{"training": {"start_level": 1}}')
        with pytest.raises(UserError, match="did not start from another model"):
            self.ask(tmp_path, path)

    @pytest.mark.parametrize(
        "overrides, text",
        [
            (
                ("latent_dim=16", "condition_size=4x3"),
                "than latent_dim=16, condition_size=4x3; add --set latent_dim=8 --set condition_size=8x6",
            ),
            (("fmap_max=16",), "add --set fmap_max=8"),  # More at the base, which the embedding is as wide as.
            (("fmap_base=8",), "add --set fmap_base=64"),
            (("fmap_base=32", "size=32x24"), "add --set fmap_base=64"),  # Fewer at 32x24 alone.
            (("slots=top,bag",), "the data top, bag: prepare the data with --slots outerwear,top,dress,bottom,shoes,bag"),
            (("conditional=false",), "other settings than conditional=false; add --set conditional=true"),
            (("pose_path=style",), "add --set pose_path=spatial"),
            (("discriminator_pose=embedding",), "add --set discriminator_pose=spatial"),
            (("condition_norm=joint",), "add --set condition_norm=apart"),
            (("size=8x8", "condition_size=8x8"), "add --set condition_size=8x6"),
            (("size=4x3", "condition_size=4x3"), "add --set condition_size=8x6"),
        ],
    )
    def test_what_does_not_fit_is_refused_with_the_cure(self, path, tmp_path, overrides, text):
        with pytest.raises(UserError, match=text) as error:
            self.ask(tmp_path, path, *overrides)
        assert "\n" not in str(error.value)

    def test_skips_stay_and_join_where_the_source_stands(self, path, tmp_path):
        snapshots.save(tmp_path / "skips", make_snapshot("size=32x24", "condition_size=8x6", "skips=true"))
        with pytest.raises(UserError, match="made with other settings than skips=false; add --set skips=true"):
            self.ask(tmp_path / "run", tmp_path / "skips", "size=32x24")
        with pytest.raises(UserError, match="leave start_level out, or set 1"):
            self.ask(tmp_path / "run", path, "skips=true", "start_level=0", chosen=True)
        assert self.ask(tmp_path / "run", path, "skips=true", "start_level=1", chosen=True)[1].start_level == 1

    def test_other_shapes_and_smaller_sizes_are_refused(self, tmp_path):
        snapshots.save(tmp_path / "square", make_snapshot("size=16x16", "conditional=false"))
        with pytest.raises(UserError, match="grows from 4x4, this model from 4x3; choose a size that is 16x16 doubled"):
            self.ask(tmp_path / "run", tmp_path / "square", "conditional=false")
        with pytest.raises(UserError, match="draws 16x16, this model only 8x8"):
            self.ask(tmp_path / "run", tmp_path / "square", "conditional=false", "size=8x8")
