"""Heatmaps: hand-worked values, agreement with a plain NumPy drawing, and empty maps for what is not there."""

import numpy as np
import tensorflow as tf

from tf_outfit_gan.pose.heatmaps import SIGMA, render_bones, render_heatmaps
from tf_outfit_gan.pose.mpii import LIMBS


def drawn_slowly(pose, height, width, sigma_pixels):
    maps = np.zeros((height, width, len(pose)))
    for k, (x, y, v) in enumerate(pose):
        for i in range(height):
            for j in range(width):
                distance = (i + 0.5 - y * height) ** 2 + (j + 0.5 - x * width) ** 2
                maps[i, j, k] = v * np.exp(-distance / (2 * sigma_pixels**2))
    return maps


def test_hand_worked_values_on_a_pixel_center():
    pose = np.zeros((1, 16, 3), np.float32)
    pose[0, 4] = 3.5 / 6, 2.5 / 8, 1  # The center of row 2, column 3 of 8x6.
    maps = render_heatmaps(pose, (8, 6), sigma=1 / 8).numpy()  # sigma is one pixel
    assert maps.shape == (1, 8, 6, 16)
    np.testing.assert_allclose(maps[0, 2, 3, 4], 1, atol=1e-6)
    np.testing.assert_allclose(maps[0, 2, 4, 4], np.exp(-0.5), atol=1e-6)
    np.testing.assert_allclose(maps[0, 3, 3, 4], np.exp(-0.5), atol=1e-6)
    np.testing.assert_allclose(maps[0, 4, 1, 4], np.exp(-4), atol=1e-6)
    assert not maps[..., [k for k in range(16) if k != 4]].any()


def test_agrees_with_a_plain_drawing_also_outside_the_frame():
    rng = np.random.default_rng(1)
    pose = np.concatenate([rng.uniform(-0.1, 1.1, (16, 2)), rng.integers(0, 2, (16, 1))], axis=1).astype(np.float32)
    maps = render_heatmaps(pose[None], (32, 24), sigma=0.05).numpy()
    np.testing.assert_allclose(maps[0], drawn_slowly(pose, 32, 24, 0.05 * 32), atol=1e-5)


def test_the_default_sigma_is_the_papers():
    pose = np.tile(np.float32([0.5, 0.5, 1]), (1, 16, 1))
    area = render_heatmaps(pose, (256, 192)).numpy().sum(axis=(1, 2))
    # The sum over all pixels is the integral of the Gaussian: 2 pi sigma squared, in pixels.
    np.testing.assert_allclose(area, 2 * np.pi * (SIGMA * 256) ** 2, rtol=1e-4)
    assert round(SIGMA * 1024, 1) == 20.9


def test_missing_joints_leave_empty_maps_and_no_nan():
    pose = np.tile(np.float32([0.5, 0.5, 1]), (1, 16, 1))
    pose[0, 0, 2] = 0
    pose[0, 1, 0] = np.nan
    pose[0, 2, 1] = np.inf
    pose[0, 3] = np.nan
    assert np.isfinite(render_bones(pose, (16, 12))).all()
    maps = render_heatmaps(pose, (16, 12)).numpy()
    assert np.isfinite(maps).all()
    assert not maps[..., :4].any() and maps[..., 4:].any(axis=(0, 1, 2)).all()


def test_traces_with_an_unknown_batch_and_in_half_precision():
    traced = tf.function(lambda pose: render_heatmaps(pose, (16, 12), "bfloat16"), input_signature=[tf.TensorSpec([None, 16, 3])])
    pose = np.random.default_rng(2).uniform(size=(2, 16, 3)).astype(np.float32)
    maps = traced(pose)
    assert maps.dtype == tf.bfloat16
    np.testing.assert_allclose(tf.cast(maps, tf.float32), render_heatmaps(pose, (16, 12)), atol=0.01)


def bones_drawn_slowly(pose, height, width, sigma_pixels):
    maps = np.zeros((height, width, len(LIMBS)))
    places = pose[:, :2] * [width, height]
    for b, (joint, parent) in enumerate(LIMBS):
        # The nearest of a thousand points on the bone.
        points = places[parent] + np.linspace(0, 1, 1001)[:, None] * (places[joint] - places[parent])
        for i, j in np.ndindex(height, width):
            squared = ((points - [j + 0.5, i + 0.5]) ** 2).sum(axis=1).min()
            maps[i, j, b] = pose[joint, 2] * pose[parent, 2] * np.exp(-squared / (2 * sigma_pixels**2))
    return maps


def test_hand_worked_values_beside_and_beyond_a_bone():
    bone = LIMBS.index((15, 14))
    pose = np.zeros((1, 16, 3), np.float32)
    pose[0, 14], pose[0, 15] = [1.5 / 6, 2.5 / 8, 1], [3.5 / 6, 2.5 / 8, 1]  # From column 1 to column 3 of row 2.
    maps = render_bones(pose, (8, 6), sigma=1 / 8).numpy()  # sigma is one pixel
    assert maps.shape == (1, 8, 6, len(LIMBS))
    np.testing.assert_allclose(maps[0, 2, 1:4, bone], 1, atol=1e-6)
    np.testing.assert_allclose(maps[0, 4, 2, bone], np.exp(-2), atol=1e-6)  # Two pixels below its middle.
    np.testing.assert_allclose(maps[0, 3, 5, bone], np.exp(-2.5), atol=1e-6)  # 2 right of its end, 1 below.
    assert not np.delete(maps, bone, axis=-1).any()


def test_bones_agree_with_a_plain_drawing_also_outside_the_frame():
    rng = np.random.default_rng(1)
    pose = np.concatenate([rng.uniform(-0.1, 1.1, (16, 2)), rng.integers(0, 3, (16, 1)) > 0], axis=1).astype(np.float32)
    pose[15] = pose[14]  # A bone without a length is a joint.
    maps = render_bones(pose[None], (16, 12), sigma=0.05).numpy()
    np.testing.assert_allclose(maps[0], bones_drawn_slowly(pose, 16, 12, 0.05 * 16), atol=1e-4)
    assert 0 < maps.any(axis=(0, 1, 2)).sum() < len(LIMBS)
