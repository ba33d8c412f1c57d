"""Training an estimator: poses move with their pictures, the loss falls, a stopped run goes on, and it finds dolls."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.paperdoll.catalogue import write_catalogue as write_dolls
from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.data.records import open_dataset
from tf_outfit_gan.pose.heatmaps import render_heatmaps
from tf_outfit_gan.pose_estimation import load_estimator, simple_baselines
from tf_outfit_gan.pose_estimation.simple_baselines import TARGET_SIGMA, JointsLoss, build_estimator
from tf_outfit_gan.util.errors import UserError
from training.cli.train_pose import PoseConfig
from training.pose_estimator import augment, trainer

CONFIG = PoseConfig("small", (64, 48), steps=3, batch=4, learning_rate=0.01, seed=0)


@pytest.fixture(scope="module")
def dolls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dolls")
    write_dolls(folder / "shop", 40, (64, 48), seed=1)
    return prepare(folder / "shop", folder / "data", workers=1, quiet=True)


def test_a_pose_moves_with_its_picture():
    # Each picture shows its first joint: a soft dot, whose center of mass is its place.
    rng = np.random.default_rng(0)
    keypoints = np.zeros((32, 16, 3), np.float32)
    keypoints[:, 0] = np.stack([*rng.uniform(0.35, 0.65, (2, 32)), np.ones(32)], axis=1)
    pictures = render_heatmaps(keypoints, (64, 48), sigma=0.05)[..., :1].numpy().repeat(3, axis=-1)
    moved, poses = augment.augment(tf.constant(pictures), tf.constant(keypoints), [0, 1])
    again, _ = augment.augment(tf.constant(pictures), tf.constant(keypoints), [0, 1])
    np.testing.assert_array_equal(moved, again)
    weights = np.maximum(moved[..., 0].numpy(), 0)
    total = weights.sum(axis=(1, 2))
    x = (weights.sum(axis=1) @ ((np.arange(48) + 0.5) / 48)) / total
    y = (weights.sum(axis=2) @ ((np.arange(64) + 0.5) / 64)) / total
    np.testing.assert_allclose(poses[:, 0, 0], x, atol=0.004)
    np.testing.assert_allclose(poses[:, 0, 1], y, atol=0.004)
    assert np.abs(poses[:, 0, :2] - keypoints[:, 0, :2]).max() > 0.05
    assert not poses[:, 1:].numpy().any()  # What is not there does not appear.


def test_joints_that_leave_the_picture_are_gone():
    keypoints = np.tile(np.float32([0.99, 0.99, 1]), (64, 16, 1))
    _, poses = augment.augment(tf.zeros([64, 16, 12, 3]), tf.constant(keypoints), [0, 0])
    gone = poses.numpy()[..., 2] == 0
    assert 0 < gone.mean() < 1 and not poses.numpy()[gone].any()
    assert (poses.numpy()[~gone] < 1.0001).all()


def test_the_loss_is_the_mean_square_over_joints_that_are_there():
    keypoints = np.zeros((2, 16, 3), np.float32)
    keypoints[0, 3] = 0.5, 0.5, 1
    target = render_heatmaps(keypoints, (32, 24), sigma=TARGET_SIGMA).numpy()
    loss = JointsLoss(reduction=None)
    np.testing.assert_allclose(loss(keypoints, target), [0, 0])
    wrong = np.array(target)
    wrong[0, ..., 3] += 0.5
    wrong[:, ..., 4] += 9  # Nobody knows where joint 4 is.
    np.testing.assert_allclose(loss(keypoints, wrong), [0.25 / 16, 0], rtol=1e-5)


def test_networks_halve_and_double_as_the_paper_says():
    assert build_estimator((64, 48), "small").output_shape == (None, 32, 24, 16)
    assert build_estimator((64, 64), "resnet50").output_shape == (None, 16, 16, 16)
    with pytest.raises(UserError, match="--size 48x36: expected multiples of 16"):
        build_estimator((48, 36), "small")
    for backbone, words in (("resnet50", "no.h5: no such file"), ("small", "weights are for the backbones of keras")):
        with pytest.raises(UserError, match=words):
            build_estimator((64, 64), backbone, "no.h5")


@pytest.fixture
def tiny(monkeypatch):
    """The same network, with the fewest layers to trace."""
    monkeypatch.setattr(simple_baselines, "SMALL_STAGES", (8, 8, 8, 8))
    monkeypatch.setattr(simple_baselines, "SMALL_BLOCKS", 1)


def test_the_loss_falls(dolls, tiny):
    batch = next(batches(dolls, "train", (64, 48), (4, 3), 4).as_numpy_iterator())
    keras.utils.set_random_seed(0)
    model = build_estimator((64, 48), "small")
    model.compile(keras.optimizers.Adam(0.003), JointsLoss(), jit_compile=False)
    losses = []
    for _ in range(30):
        model.reset_metrics()  # What train_on_batch returns is the mean since then.
        losses.append(float(model.train_on_batch(batch["image"], batch["keypoints"])))
    empty = float(JointsLoss()(batch["keypoints"], np.zeros((4, 32, 24, 16), np.float32)))
    assert losses[0] == pytest.approx(empty, rel=0.01)  # The first maps are empty.
    assert losses[-1] < 0.7 * empty


def test_a_killed_run_goes_on_and_leaves_an_estimator(dolls, tiny, tmp_path, monkeypatch):
    run = tmp_path / "run"
    with monkeypatch.context() as context:
        context.setattr(keras.Model, "export", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            trainer.train_pose(run, dolls, CONFIG, time_limit_sec=1e-9, quiet=True)
    assert not (run / "estimator").exists()
    pck = trainer.train_pose(run, dolls, CONFIG, quiet=True)
    log = [line[28:] for line in (run / "log.txt").read_text().splitlines()]  # After time and level.
    assert [line.split()[:2] for line in log if line.startswith("step")] == [["step", "1"], ["step", "3"]]
    assert "ended by KeyboardInterrupt" in log[2]
    assert "resuming" in log[3] and "at step 1 of 3" in log[3] and "PCK@0.1" in log[5]
    assert 0 <= pck == pytest.approx(json.loads((run / "pck.json").read_text())["pck"])
    assert load_estimator(run / "estimator")(np.zeros((3, 32, 24, 3), np.uint8)).shape == (3, 16, 3)
    names = sorted(path.name for path in run.iterdir())
    assert names == ["checkpoints", "config.json", "estimator", "log.txt", "pck.json"]
    with pytest.raises(UserError, match="holds a run with batch=4, asked for 5"):
        trainer.train_pose(run, dolls, replace(CONFIG, batch=5), quiet=True)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--backbone", "small", "--steps", "0"], "--steps: expected a whole number of 1 or more"),
        (["--backbone", "small", "--time-limit", "-1"], "--time-limit: expected a number above 0"),
        (["--size", "256x192"], "no photos of size 256x192"),
    ],
)
def test_refusals(dolls, tmp_path, capsys, arguments, words):
    assert main(["train-pose", str(tmp_path / "run"), str(dolls.path), *arguments]) == 2
    assert words in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_data_without_poses_teach_nothing(tmp_path, capsys):
    prepare(write_catalogue(tmp_path / "shop", 4, poses=False), tmp_path / "data", workers=1, quiet=True)
    assert main(["train-pose", str(tmp_path / "run"), str(tmp_path / "data"), "--backbone", "small"]) == 2
    assert "expected train entries with keypoints" in capsys.readouterr().err


@pytest.mark.slow
def test_it_finds_the_joints_of_dolls_that_it_never_saw(tmp_path):
    """20 minutes on two cores: the claim of docs/pose.md."""
    folders = [str(tmp_path / name) for name in ("shop", "data", "run")]
    assert main(["paperdoll", folders[0], "--count", "6000", "--size", "64x48", "--quiet"]) == 0
    assert main(["prepare", *folders[:2], "--quiet"]) == 0
    assert main(["train-pose", folders[2], folders[1], "--backbone", "small"]) == 0
    assert open_dataset(folders[1]).count("test") > 200
    assert json.loads((tmp_path / "run" / "pck.json").read_text())["pck"] >= 0.95
