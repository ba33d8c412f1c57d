"""A run: it leaves what it promises, goes on after it was killed, and refuses what does not fit."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.helpers.catalogues import write_catalogue
from tests.helpers.runs import QUICK, memory
from tf_outfit_gan import snapshot
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.config_file import read_settings
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.randomness import BatchDraws
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.provenance import provenance
from training.loop import train
from training.phases import Phases
from training.run_options import RunOptions
from training.schedule import Stage
from training.step import Steps


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogue")
    write_catalogue(folder / "catalogue", 48, (16, 12))
    return prepare(folder / "catalogue", folder / "data", quiet=True)


def settings(*overrides):
    return from_preset("tiny", overrides)


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """A run of three levels, stopped on the way and resumed."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    assert train(folder, data, *settings(), RunOptions(time_limit_sec=0.0, quiet=True)) == 8
    assert train(folder, data, *settings(), RunOptions(quiet=True)) == 128
    return folder


def test_the_configuration_says_how_it_came_about(data, tmp_path):
    words = [
        "train",
        str(tmp_path / "run"),
        "--data",
        str(data.path),
        "--preset",
        "tiny",
        "--set",
        "seed=3",
        "--quiet",
        *(f"--set={setting}" for setting in QUICK),
    ]
    assert main(words) == 0
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["preset"], config["overrides"], config["training"]["seed"]) == ("tiny", ["seed=3", *QUICK], 3)
    state = json.loads((snapshot.newest(tmp_path / "run") / "state.json").read_text())
    assert {name: config[name] for name in provenance()} == provenance() == state["made_by"]
    # It is a configuration file, too.
    preset, model, training = read_settings(tmp_path / "run" / "config.json")
    assert preset == "tiny" and model["fmap_max"] == 8 and training == config["training"]


def test_a_run_leaves_what_it_promises(finished):
    names = {path.name for path in finished.iterdir()}
    assert names >= {"config.json", "log.txt", "stats.jsonl", "reals.png", "checkpoints", "snapshots", "tensorboard"}
    stats = [json.loads(line) for line in (finished / "stats.jsonl").read_text().splitlines()]
    assert stats[-1]["cur_nimg"] == 128
    assert {line["height"] for line in stats} == {8, 16}
    assert all(np.isfinite([value for name, value in line.items() if name != "warnings"]).all() for line in stats)
    log = (finished / "log.txt").read_text()
    assert "resuming" in log and "at 0.0 kimg" in log and "at 0.128 of 0.128 kimg" in log
    built = [line[28:] for line in log.splitlines() if line[28:].startswith("building the graph for ")]
    places = "8x6 (stable)", "8x6 (stable)", "16x12 (fading in)", "16x12 (stable)"  # The first call had one step.
    assert built == [f"building the graph for {place}" for place in places]
    reals, fakes = (Image.open(finished / name) for name in ("reals.png", "fakes_000000kimg.png"))
    assert reals.width > fakes.width > 6 * 192
    assert Image.open(finished / "timeline.gif").n_frames == 1


def test_the_snapshot_is_the_average_at_the_last_level(finished):
    found = snapshot.load(finished)
    assert (found.cur_nimg, found.level, found.alpha, found.size) == (128, 2, 1.0, (16, 12))
    (w_avg,) = [value for key, value in memory(finished).items() if key.startswith("average/") and "w_avg" in key]
    np.testing.assert_array_equal(w_avg, found.generator.mapping.w_avg)
    assert np.abs(found.generator.mapping.w_avg).max() > 0


def test_a_finished_run_has_nothing_left_to_do(finished, data):
    before = (finished / "stats.jsonl").read_text()
    assert train(finished, data, *settings(), RunOptions(quiet=True)) == 128
    assert (finished / "stats.jsonl").read_text() == before


def test_other_settings_are_refused_in_the_same_folder(finished, data):
    with pytest.raises(UserError, match="r1_gamma=10.0, asked for 3.0"):
        train(finished, data, *settings("r1_gamma=3"), RunOptions(quiet=True))


def test_data_that_is_too_small_is_refused(data, tmp_path):
    with pytest.raises(UserError, match="needs 32x24: prepare it with --size 32x24"):
        train(tmp_path / "run", data, *settings("size=32x24"), RunOptions(quiet=True))


def test_articles_that_are_too_small_are_refused(data, tmp_path):
    small = dataclasses.replace(data, article_levels=data.article_levels[:1])
    with pytest.raises(UserError, match="holds articles up to 4x3, but .* condition_size is .*: prepare it with --article-size"):
        train(tmp_path / "run", small, *settings(), RunOptions(quiet=True))


def test_an_unconditional_model_trains_with_lazy_r1_and_recomputed_levels(data, tmp_path):
    overrides = ("conditional=false", "r1_interval=2", "recompute_from=8", "start_level=2", "total_kimg=0.032")
    assert train(tmp_path / "run", data, *settings(*overrides), RunOptions(quiet=True)) == 32
    found = snapshot.load(tmp_path / "run")
    assert found.generator.embedding is None
    (line,) = (tmp_path / "run" / "stats.jsonl").read_text().splitlines()
    assert json.loads(line)["r1_penalty"] > 0


def test_a_run_that_ends_while_its_last_snapshot_is_written_has_one_in_the_end(data, tmp_path, monkeypatch):
    arguments = (tmp_path / "run", data, *settings(*QUICK))

    def die(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(snapshot, "save", die)
        train(*arguments, RunOptions(quiet=True))
    assert train(*arguments, RunOptions(quiet=True)) == 32
    assert snapshot.load(tmp_path / "run").cur_nimg == 32


@pytest.mark.parametrize("precision", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("r1_interval", [1, 2])
def test_gradients_in_16_bits_are_those_of_float32(precision, r1_interval):
    """Up to rounding, for every phase; the loss scale is in the gradients and in nothing else."""
    found = {}
    for kind in ("float32", precision):
        model_config, config = settings(f"precision={kind}", f"r1_interval={r1_interval}")
        steps = Steps(tf.distribute.get_strategy(), model_config, config)
        stage = Stage(2, False, 8, 1)
        batch = {
            "image": tf.random.stateless_uniform([8, 16, 12, 3], [1, 2], -1, 1),
            "articles": tf.random.stateless_uniform([8, 6, 16, 12, 3], [3, 4], -1, 1),
            "keypoints": tf.random.stateless_uniform([8, 16, 3], [5, 6]),
        }
        phases = [steps.phases.discriminator_phase, steps.phases.generator_phase]
        phases += [steps.phases.r1_phase] if r1_interval > 1 else []
        for number, phase in enumerate(phases):
            optimizer = steps.generator_optimizer if number == 1 else steps.discriminator_optimizer
            statistics, gradients = phase(stage, batch, BatchDraws(7, 8, 0, 1), None, optimizer.loss_scale)
            gradient = optimizer.flatten(gradients) / optimizer.loss_scale
            found.setdefault(number, []).append((gradient, statistics))
    for (expected, expected_statistics), (gradient, statistics) in found.values():
        error = tf.norm(gradient - expected) / tf.norm(expected)
        assert error < (0.25 if precision == "mixed_bfloat16" else 0.05), float(error)
        for name, value in expected_statistics.items():
            if name != "sign_real":
                np.testing.assert_allclose(statistics[name], value, rtol=0.1, atol=0.02, err_msg=name)


def test_one_pass_gives_the_features_of_two():
    """Reals and fakes that alternate in one batch get the features of two passes, minibatch statistic included."""
    model_config, config = settings("r1_interval=4")
    steps = Steps(tf.distribute.get_strategy(), model_config, config)
    real, fake = (tf.random.stateless_normal([8, 16, 12, 3], [0, seed]) for seed in (1, 2))
    keypoints = tf.random.stateless_uniform([8, 16, 3], [0, 3])
    articles = tf.random.stateless_uniform([8, 6, 16, 12, 3], [0, 4], -1, 1)
    maps, others = (steps.discriminator.condition_maps(articles, pose) for pose in (keypoints, keypoints[::-1]))
    pictures = [(real, maps), (fake, maps), (real, others)]
    joint = steps.phases._joint_features(Stage(2, False, 8, 1), pictures, None)
    for (images, maps), features in zip(pictures, joint, strict=True):
        np.testing.assert_allclose(features, steps.discriminator.features(images, maps=maps), rtol=1e-5)
    assert np.abs(joint[0] - joint[2]).max() > 1e-3


@pytest.mark.parametrize(
    "form",
    [("discriminator_pose=embedding", "article_path=style"), ("discriminator_pose=spatial", "article_path=worn")],
    ids=["style", "maps"],
)
@pytest.mark.parametrize("r1_interval", [1, 4])
def test_mismatched_photos_count_as_fakes_by_their_weight(form, r1_interval):
    """The loss grows by the weight times softplus of a photo's score under its neighbor's conditions."""
    found = {}
    for weight in (0.0, 0.5):
        model_config, config = settings(
            f"mismatch_weight={weight}", "mixing_probability=0", f"r1_interval={r1_interval}", "r1_gamma=0", *form
        )
        steps = Steps(tf.distribute.get_strategy(), model_config, config)
        batch = {
            "image": tf.random.stateless_normal([8, 16, 12, 3], [0, 1]),
            "articles": tf.random.stateless_normal([8, 6, 16, 12, 3], [0, 2]),
            "keypoints": tf.random.stateless_uniform([8, 16, 3], [0, 3]),
        }
        draws = BatchDraws(tf.constant(1, tf.int64), 8)
        statistics, _ = steps.phases.discriminator_phase(Stage(2, False, 8, 1), batch, draws, None)
        found[weight] = float(statistics["loss_discriminator"])
    others = [tf.roll(batch[name], 1, axis=0) for name in ("articles", "keypoints")]
    maps = steps.discriminator.condition_maps(*others)
    wrong = steps.discriminator(batch["image"], steps.discriminator.embed(*others), maps=maps)
    assert (maps is None) == ("article_path=style" in form)
    np.testing.assert_allclose(found[0.5] - found[0.0], 0.5 * np.mean(np.log1p(np.exp(wrong))), rtol=1e-3)


def test_a_neighbor_that_wears_and_stands_the_same_is_no_mismatch():
    """Its photo shows those conditions: counted as wrong, the discriminator would have to refuse what is right."""
    losses = {}
    for weight in (0.0, 0.5):
        steps = Steps(tf.distribute.get_strategy(), *settings(f"mismatch_weight={weight}", "mismatch=parts", "r1_interval=4"))
        batch = {
            "image": tf.random.stateless_normal([8, 16, 12, 3], [0, 1]),
            "articles": tf.tile(tf.random.stateless_normal([1, 6, 16, 12, 3], [0, 2]), [8, 1, 1, 1, 1]),
            "keypoints": tf.tile(tf.random.stateless_uniform([1, 16, 3], [0, 3]), [8, 1, 1]),
        }
        draws = BatchDraws(tf.constant(1, tf.int64), 8)
        statistics, _ = steps.phases.discriminator_phase(Stage(2, False, 8, 1), batch, draws, None)
        losses[weight] = float(statistics["loss_discriminator"])
    assert losses[0.5] == pytest.approx(losses[0.0], abs=1e-5)


def test_a_run_without_a_newer_setting_goes_on_with_its_default(data, tmp_path):
    """What an earlier version wrote: there, the setting was what its default is."""
    train(tmp_path / "run", data, *settings(*QUICK), RunOptions(time_limit_sec=0.0, quiet=True))
    path = tmp_path / "run" / "config.json"
    config = json.loads(path.read_text())
    assert config["training"].pop("mismatch") == "entry" and config["model"].pop("heatmap_gain") == 4
    path.write_text(json.dumps(config))
    with pytest.raises(UserError, match="holds a run with mismatch=entry, asked for parts"):
        train(tmp_path / "run", data, *settings(*QUICK, "mismatch=parts"), RunOptions(quiet=True))
    assert train(tmp_path / "run", data, *settings(*QUICK), RunOptions(quiet=True)) == 32


def test_a_statistic_reaches_the_log_tensorboard_and_the_report(data, tmp_path, monkeypatch):
    """What a phase reports by a name needs to be listed nowhere."""
    plain = Phases.generator_phase

    def with_another(self, *args):
        statistics, gradients = plain(self, *args)
        return statistics | {"<new> loss": 3 * statistics["loss_generator"]}, gradients

    monkeypatch.setattr(Phases, "generator_phase", with_another)
    run = tmp_path / "run"
    train(run, data, *settings(*QUICK), RunOptions(quiet=True))
    for line in (run / "stats.jsonl").read_text().splitlines():
        record = json.loads(line)
        assert record["<new> loss"] == pytest.approx(3 * record["loss_generator"], rel=1e-4)
    tags = {
        value.tag
        for events in (run / "tensorboard").glob("events*")
        for event in tf.compat.v1.train.summary_iterator(str(events))
        for value in event.summary.value
    }
    assert {"run/<new> loss", "loss/generator", "score/real", "run/sec_per_kimg", "pictures"} <= tags
    assert "_hparams_/session_start_info" in tags
    assert main(["report", str(run)]) == 0
    assert "<b>&lt;new&gt; loss</b>" in (run / "report.html").read_text()
