"""Estimators: each layout with hand-worked numbers, pictures of any size, the verbs that use them, and refusals."""

import json

import numpy as np
import pytest
from PIL import Image

from tests.helpers import pose_models
from tf_outfit_gan.data.manifest import read_manifest
from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.data.preparation.missing_poses import ORIGINAL, SET_ASIDE, fill_poses
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.pose.convert import LIMB_JOINTS
from tf_outfit_gan.pose_estimation import load_estimator
from tf_outfit_gan.pose_estimation.layouts import peaks
from tf_outfit_gan.pose_estimation.persons import trusted
from tf_outfit_gan.util.errors import UserError


@pytest.fixture(scope="module")
def heatmap_model(tmp_path_factory):
    return pose_models.brightest_pixel(tmp_path_factory.mktemp("model") / "heatmaps")


def dot(size, y, x, value=255):
    pixels = np.zeros((*size, 3), np.uint8)
    pixels[y, x] = value
    return pixels


def test_a_peak_moves_a_quarter_pixel_towards_the_larger_neighbor():
    maps = np.zeros((1, 4, 8, 16), np.float32)
    maps[0, 2, 3, 0] = 0.8
    maps[0, 2, 4, 1], maps[0, 2, 5, 1], maps[0, 1, 4, 1] = 0.9, 0.2, 0.3
    maps[0, 0, 7, 2], maps[0, 0, 6, 2] = 1, 0.5  # In a corner: it stays.
    maps[0, :, :, 3] = -0.1
    joints = peaks(maps)[0]
    np.testing.assert_allclose(joints[0], [3.5 / 8, 2.5 / 4, 0.8])
    np.testing.assert_allclose(joints[1], [4.75 / 8, 2.25 / 4, 0.9])
    np.testing.assert_allclose(joints[2], [7.5 / 8, 0.5 / 4, 1])
    assert not joints[3:].any()


def test_heatmaps_of_pictures_of_any_size_kind_and_number(heatmap_model):
    estimator = load_estimator(heatmap_model)
    assert estimator.layout == "heatmaps"
    # As large as the input; twice as large and half as wide, where the frame is padded left and right.
    joints = estimator([dot((32, 32), 5, 9), np.kron(dot((32, 16), 20, 3), np.ones((2, 2, 1), np.uint8))])
    assert joints.shape == (2, 16, 3) and joints.dtype == np.float32
    np.testing.assert_allclose(joints[0], [[9.5 / 32, 5.5 / 32, 1]] * 16, atol=1e-6)
    np.testing.assert_allclose(joints[1, :, :2], [[3.5 / 16, 20.5 / 32]] * 16, atol=1e-6)
    # Floats in [-1, 1], more of them than go into one call.
    pictures = np.stack([dot((32, 32), i % 30 + 1, i // 30 + 1) for i in range(70)])
    floats = estimator(pictures / np.float32(127.5) - 1)
    np.testing.assert_array_equal(floats, estimator(pictures))
    np.testing.assert_allclose(floats[69, 0], [3.5 / 32, 10.5 / 32, 1], atol=1e-6)
    assert estimator([]).shape == (0, 16, 3)


def test_the_flip_test_counts_both_views_and_exchanges_left_and_right(tmp_path):
    import tensorflow as tf

    # A network that always sees the right ankle (0) at the left border, and the left one (5) nowhere.
    fixed = np.zeros((1, 16, 16, 16), np.float32)
    fixed[0, 4, 1, 0] = 1
    module = tf.Module()
    module.call = tf.function(
        lambda image: {"maps": fixed + 0 * image[:, :, :, :1]},
        input_signature=[tf.TensorSpec([None, 16, 16, 3], tf.float32, name="image")],
    )
    tf.saved_model.save(module, str(tmp_path / "model"), {"serving_default": module.call})
    joints = load_estimator(tmp_path / "model")([np.zeros((16, 16, 3), np.uint8)])[0]
    np.testing.assert_allclose(joints[0], [1.5 / 16, 4.5 / 16, 0.5])
    np.testing.assert_allclose(joints[5], [14.5 / 16, 4.5 / 16, 0.5])  # From the mirrored view.


@pytest.mark.parametrize("kind", ["movenet", "movenet_lite"])
def test_movenet_gives_y_first_and_takes_0_to_255(tmp_path, kind):
    estimator = load_estimator(getattr(pose_models, kind)(tmp_path / "model"))
    assert estimator.layout == "movenet"
    joints = estimator(np.full((2, 64, 64, 3), 204, np.uint8))
    coco = (16, 14, 12, 11, 13, 15, 10, 8, 6, 5, 7, 9)
    for joint, index in zip(LIMB_JOINTS, coco):
        np.testing.assert_allclose(joints[:, joint], [[index / 16, 0.5, 0.8]] * 2, atol=1e-6)
    np.testing.assert_allclose(joints[0, 6], [11.5 / 16, 0.5, 0.8], atol=1e-6)  # The pelvis, between the hips.


def test_blazepose_gives_pixels_and_logits_and_takes_0_to_1(tmp_path):
    estimator = load_estimator(pose_models.blazepose_lite(tmp_path / "model.tflite"))
    assert estimator.layout == "blazepose33"
    white, black = estimator(np.stack([np.full((256, 256, 3), value, np.uint8) for value in (255, 0)]))
    np.testing.assert_allclose(white[0], [28 / 256, 56 / 256, 1], atol=1e-6)  # The right ankle is point 28.
    np.testing.assert_allclose(white[15], [15 / 256, 30 / 256, 1], atol=1e-6)
    assert not black.any()  # Nobody there.


def test_a_person_needs_half_of_the_joints():
    joints = np.tile(np.float32([0.5, 0.5, 0.9]), (16, 1))
    joints[8:, 2] = 0.29
    assert np.count_nonzero(trusted(joints)) == 24
    joints[7, 2] = 0.29
    with pytest.raises(UserError, match="no person found: expected at least 8 of 16 joints .* found 7"):
        trusted(joints)


def write_photos(folder):
    """A dot at (x 19, y 11) of 64x32, black, a torn picture, a pose that is known, and a line that is no entry."""
    folder.mkdir()
    Image.fromarray(np.kron(dot((32, 16), 5, 9), np.ones((2, 2, 1), np.uint8))).save(folder / "dot.png")
    Image.fromarray(dot((64, 32), 0, 0, 0)).save(folder / "black.png")
    (folder / "torn.png").write_bytes((folder / "dot.png").read_bytes()[:40])
    known = {"format": "mpii16", "points": [[1, 2, 1]] * 16, "size": [64, 32]}
    entries = [{"id": name, "image": f"{name}.png"} for name in ("dot", "black", "torn")]
    entries.append({"id": "known", "image": "dot.png", "keypoints": known})
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, entries)) + "\nnonsense\n")
    return folder


def test_the_verb_pose_fills_the_manifest_and_names_what_it_sets_aside(tmp_path, heatmap_model, capsys):
    shop = write_photos(tmp_path / "shop")
    before = (shop / "manifest.jsonl").read_bytes()
    assert fill_poses(shop, str(heatmap_model)) == (1, 2)
    manifest = read_manifest(shop)
    poses = {entry.id: entry.outfit.keypoints for entry in manifest.entries}
    assert list(poses) == ["dot", "known"]
    np.testing.assert_allclose(poses["dot"], [[19 / 32, 11 / 64, 1]] * 16, atol=1e-4)
    np.testing.assert_allclose(poses["known"], [[1 / 32, 2 / 64, 1]] * 16)
    assert [skip.reason[:14] for skip in manifest.skipped] == ["not valid JSON"]  # Left for prepare to name.
    aside = [json.loads(line) for line in (shop / SET_ASIDE).read_text().splitlines()]
    assert [entry["id"] for entry in aside] == ["black", "torn"]
    assert aside[0]["reason"].startswith("no person found") and "torn.png" in aside[1]["reason"]
    assert (shop / ORIGINAL).read_bytes() == before
    assert "found 1 poses, 2 entries set aside" in capsys.readouterr().out

    # Once more: nothing to do. And with a new entry that fails, what was set aside before stays.
    assert fill_poses(shop, str(heatmap_model)) == (0, 0)
    with open(shop / "manifest.jsonl", "a") as file:
        file.write(json.dumps({"id": "later", "image": "black.png"}) + "\n")
    assert fill_poses(shop, str(heatmap_model)) == (0, 1)
    aside = (shop / SET_ASIDE).read_text().splitlines()
    assert [json.loads(line)["id"] for line in aside] == ["black", "torn", "later"]
    assert sorted(path.name for path in shop.iterdir() if path.name.startswith(".")) == []


def test_a_killed_pose_run_goes_on(tmp_path, heatmap_model, monkeypatch):
    from tf_outfit_gan.data.preparation import missing_poses

    shop = write_photos(tmp_path / "shop")
    monkeypatch.setattr(missing_poses, "CHUNK", 1)
    with monkeypatch.context() as context:

        def killed(picture):
            if "black" in str(picture):
                raise KeyboardInterrupt
            return Image.open(picture).convert("RGB")

        context.setattr(missing_poses, "open_image", killed)
        with pytest.raises(KeyboardInterrupt):
            fill_poses(shop, str(heatmap_model))
    assert b"keypoints" not in (shop / "manifest.jsonl").read_bytes().split(b"\n")[0]
    Image.new("RGB", (32, 64)).save(shop / "dot.png")  # Would be nobody now, but was seen already.
    assert fill_poses(shop, str(heatmap_model)) == (1, 2)


def test_prepare_finds_poses_on_the_way(tmp_path, heatmap_model):
    shop = write_photos(tmp_path / "shop")
    dataset = prepare(shop, tmp_path / "data", (64, 48), workers=1, quiet=True, pose_model=str(heatmap_model))
    assert (dataset.count("train"), dataset.skipped, dataset.has_keypoints) == (2, 3, True)
    reasons = (tmp_path / "data" / "skipped.jsonl").read_text()
    assert "no person found" in reasons and "torn.png" in reasons
    batch = next(batches(dataset, "train", (64, 48), (8, 6), 2).as_numpy_iterator())
    poses = dict(zip(batch["ids"].tolist(), batch["keypoints"]))
    # The photo of 64x32 stands in the middle of 64x48: x' = (x + 8) / 48.
    np.testing.assert_allclose(poses[b"dot"], [[27 / 48, 11 / 64, 1]] * 16, atol=1e-4)
    np.testing.assert_allclose(poses[b"known"], [[9 / 48, 2 / 64, 1]] * 16, atol=1e-6)
    with pytest.raises(UserError, match="made from another pose model"):
        prepare(shop, tmp_path / "data", (64, 48), workers=1, quiet=True)


def test_refusals(tmp_path, heatmap_model):
    import tensorflow as tf

    with pytest.raises(UserError, match="nothing.tflite: no such file"):
        load_estimator(tmp_path / "nothing.tflite")
    (tmp_path / "text.tflite").write_text("not a model")
    with pytest.raises(UserError, match="text.tflite: expected a .tflite pose model"):
        load_estimator(tmp_path / "text.tflite")
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match="empty: expected a SavedModel"):
        load_estimator(tmp_path / "empty")
    module = tf.Module()
    module.call = tf.function(
        lambda image: {"classes": tf.reduce_mean(image, [1, 2])},
        input_signature=[tf.TensorSpec([None, 8, 8, 3], tf.float32, name="image")],
    )
    tf.saved_model.save(module, str(tmp_path / "classifier"), {"serving_default": module.call})
    with pytest.raises(UserError, match=r"classifier: expected .* \[1, h, w, 16\] \(heatmaps\), found \[1, 3\]"):
        load_estimator(tmp_path / "classifier")
    module.call = tf.function(
        lambda image: {"maps": tf.tile(image[..., :1], [1, 1, 1, 16])},
        input_signature=[tf.TensorSpec([None, None, None, 3], tf.float32, name="image")],
    )
    tf.saved_model.save(module, str(tmp_path / "any_size"), {"serving_default": module.call})
    with pytest.raises(UserError, match="any_size: expected a pose model with one input"):
        load_estimator(tmp_path / "any_size")
    shop = write_photos(tmp_path / "shop")
    Image.new("RGB", (32, 64)).save(shop / "dot.png")
    (shop / "manifest.jsonl").write_text('{"id": "dot", "image": "dot.png"}\n')
    with pytest.raises(UserError, match="no entry would be left; dot: no person found"):
        fill_poses(shop, str(heatmap_model))
