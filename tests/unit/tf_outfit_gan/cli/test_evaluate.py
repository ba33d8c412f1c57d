"""evaluate: real photos are near real photos, an untrained generator is far; what it prints says what was measured."""

import json

import keras
import numpy as np
import pytest

from tests.helpers import catalogues
from tf_outfit_gan import snapshot
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.data.paperdoll.catalogue import write_catalogue
from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.metrics.features import UntrainedFeatures
from tf_outfit_gan.metrics.frechet_distance import Moments, frechet_distance
from tf_outfit_gan.metrics.measure import evaluate
from tf_outfit_gan.metrics.protocol import Protocol
from tf_outfit_gan.networks import build_generator

SIZE = (16, 12)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("evaluate")
    write_catalogue(folder / "shop", 96, SIZE)
    return prepare(folder / "shop", folder / "data", workers=1, quiet=True)


def save_untrained(path, *, overrides=(), level=2, weights=None):
    keras.utils.set_random_seed(0)
    config, _ = from_preset("tiny", overrides)
    generator = build_generator(config)
    if weights is not None:
        generator.set_weights([np.full_like(value, weights) for value in generator.get_weights()])
    snapshot.save(path, snapshot.Snapshot(config, generator, level, 1.0, 12_345))
    return path


@pytest.fixture(scope="module")
def untrained(tmp_path_factory):
    return save_untrained(tmp_path_factory.mktemp("run") / "snapshots" / "000012kimg")


@pytest.fixture(scope="module")
def result(dataset, untrained):
    return evaluate(untrained, dataset).to_dict()


def test_an_untrained_generator_is_far_from_photos_which_are_near_each_other(dataset, result):
    features = UntrainedFeatures(SIZE)
    halves = Moments(features.num_features), Moments(features.num_features)
    for number, batch in enumerate(batches(dataset, "train", SIZE, None, 8)):
        halves[number % 2].add(features(batch["image"]))
    near = frechet_distance(halves[0].mean, halves[0].covariance, halves[1].mean, halves[1].covariance)
    assert result["value"] > 5 * near


def test_the_result_depends_on_the_seed_but_not_on_the_batch(dataset, untrained, result):
    def value(**options):
        return evaluate(untrained, dataset, Protocol(**options)).to_dict()["value"]

    assert value(batch=25) == pytest.approx(result["value"], rel=1e-5)
    assert value(seed=1) != pytest.approx(result["value"], rel=1e-4)


def test_the_command_says_what_it_measured(dataset, untrained, tmp_path, capsys):
    out = tmp_path / "fid.json"
    assert (
        main(
            [
                "evaluate",
                str(untrained.parent.parent),
                "--data",
                str(dataset.path),
                "--split",
                "test",
                "--json",
                str(out),
                "--quiet",
            ]
        )
        == 0
    )
    printed = capsys.readouterr().out
    result = json.loads(out.read_text())
    count = dataset.count("test")
    assert result["count"] == count and result["cur_nimg"] == 12_345 and result["snapshot"] == str(untrained)
    line = next(line for line in printed.splitlines() if "frechet_distance" in line)
    assert f" {result['value']:.4g} " in line and line.endswith("Frechet distance") and "FID  " not in printed
    assert "untrained features (not the standard FID)" in printed
    assert f"{count} photos of test and {count} drawn" in printed and "12.3 kimg, 16x12" in printed
    assert "all photos of test are used, fewer than the 50000 asked for" in printed


def test_a_growing_unconditional_snapshot_is_measured_at_its_own_size(dataset, tmp_path):
    path = save_untrained(tmp_path / "000012kimg", overrides=["conditional=false"], level=1)
    result = evaluate(path, dataset, Protocol(("distribution", "path_length"), count=8)).to_dict()
    assert result["size"] == "8x6" and not result["conditional"] and result["value"] > 0
    assert result["figures"]["path_length.ppl"]["value"] > 0


@pytest.mark.slow  # Two decompositions of 2048 x 2048.
def test_the_standard_features(dataset, untrained, tmp_path):
    network = keras.applications.InceptionV3(include_top=False, weights=None, input_shape=(299, 299, 3), pooling="avg")
    network.save_weights(tmp_path / "inception.weights.h5")
    result = evaluate(untrained, dataset, Protocol(count=8, inception=tmp_path / "inception.weights.h5")).to_dict()
    assert result["metric"] == "FID" and "inception.weights.h5" in result["features"] and result["value"] > 0


def refused(capsys, *arguments):
    assert main(["evaluate", *map(str, arguments), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error


def test_wrong_input_is_one_line_and_exit_2(dataset, untrained, tmp_path, capsys):
    data = ("--data", dataset.path)
    assert "no snapshot here" in refused(capsys, tmp_path, *data)
    assert "expected a data set" in refused(capsys, untrained, "--data", tmp_path)
    assert "--count: expected a whole number of 2 or more" in refused(capsys, untrained, *data, "--count", "1")
    assert "--seed: expected a whole number from 0 to" in refused(capsys, untrained, *data, "--seed", "-1")
    assert "--json" in refused(capsys, untrained, *data, "--json", tmp_path / "no" / "fid.json")
    assert "no such file" in refused(capsys, untrained, *data, "--inception", tmp_path / "inception.h5")


def test_data_that_do_not_fit_are_refused(dataset, untrained, tmp_path, capsys):
    catalogues.write_catalogue(tmp_path / "shop", 5, poses=False)
    no_poses = prepare(tmp_path / "shop", tmp_path / "no_poses", workers=1, quiet=True)
    assert "not every entry has keypoints" in refused(capsys, untrained, "--data", no_poses.path)
    assert "1 test entry" in refused(
        capsys,
        save_untrained(tmp_path / "unconditional", overrides=["conditional=false"]),
        "--data",
        no_poses.path,
        "--split",
        "test",
    )
    small = prepare(tmp_path / "shop", tmp_path / "small", (8, 6), workers=1, quiet=True)
    assert "no photos of size 16x12" in refused(
        capsys, save_untrained(tmp_path / "larger", overrides=["conditional=false"]), "--data", small.path
    )
    other_slots = save_untrained(tmp_path / "slots", overrides=["slots=top,bottom"])
    assert "was trained with top, bottom" in refused(capsys, other_slots, "--data", dataset.path)


def test_a_diverged_snapshot_is_named(dataset, tmp_path, capsys):
    diverged = save_untrained(tmp_path / "diverged", weights=np.nan)
    assert f"{diverged}: draws pictures that are not finite" in refused(capsys, diverged, "--data", dataset.path)
