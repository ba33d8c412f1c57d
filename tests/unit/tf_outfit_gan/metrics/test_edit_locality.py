"""Edits: changes inside and outside of a garment, counted on pictures whose changes are known."""

import numpy as np
import pytest

from tests.helpers.metric_samples import SIZE, entries, flat, poses, samples
from tf_outfit_gan.metrics.body_region import near_bones
from tf_outfit_gan.metrics.color_difference import ciede2000, lab
from tf_outfit_gan.metrics.edit_locality import EditLocality
from tf_outfit_gan.metrics.garment_regions import MIXED

TOP = np.s_[:, 6:10, 4:8]


def regions(ids):
    labels = np.zeros((len(ids), *SIZE), np.uint8)
    labels[TOP], labels[:, 10, 4:8] = 2, MIXED
    return labels


def gray(value):
    return lab(np.uint8([value] * 3))


def test_what_an_edit_changes_inside_and_outside():
    drawn, asked = flat(100, 100, 100, 100), []

    def draw(seeds, articles, keypoints):
        """Inside the top's place lightness grows by 40, on its border by 100, left of it by 10 and nowhere else."""
        asked.append((seeds.numpy().tolist(), articles.numpy()[:, :, 0, 0, 0].tolist()))
        edited = flat(*[100] * len(seeds))
        edited[TOP], edited[:, 10, 4:8], edited[:, :, :4] = 140, 200, 110
        return edited

    own = entries(flat(50, 50, 50, 50), [{"top", "bottom"}, {"bottom"}, {"top"}, {"top"}])
    strangers = entries(flat(60, 60, 60, 60), [{"top"}, {"top"}, {"top"}, {"bottom"}])
    locality = EditLocality(regions, ("top", "bottom"), draw)
    score, left, right = locality.add(samples(own, strangers, number=20), drawn)

    # The top alone was exchanged, and only where both wear one: the own seeds, the stranger's top, the own bottom.
    assert asked == [([20, 22], [[1, 1], [3, 0]])]
    figures = locality.figures()
    inside, outside = ciede2000(gray(100), gray(140)), ciede2000(gray(100), gray(110)) * 64 / (192 - 16 - 4)
    assert figures["edits.top.inside"].value == pytest.approx(inside)
    assert figures["edits.top.outside"].value == pytest.approx(outside)
    assert figures["edits.top.ratio_outside"].value == pytest.approx(inside / outside)
    # A stranger changes all alike.
    assert figures["edits.top.inside"].floor == pytest.approx(ciede2000(gray(50), gray(60)))
    assert figures["edits.top.ratio_outside"].floor == pytest.approx(1)
    assert figures["edits.bottom.inside"].value is None
    # On the person: nearer to a bone than 0.8 pixels, beyond the top.
    body = near_bones(poses(1), SIZE, 0.05)[0] & (regions(["a"])[0] == 0)
    assert body.any() and not body[:, :4].any()
    assert figures["edits.top.on_person"].value == 0 and figures["edits.top.ratio_on_person"].value is None
    np.testing.assert_allclose(score, [outside, np.nan, outside, np.nan])
    assert right[0, 6, 4, 0] == 140 and right[1, 6, 4, 0] == 100 == left[0, 6, 4, 0]


def test_near_a_bone():
    keypoints = np.zeros((1, 16, 3), np.float32)
    keypoints[0, 8], keypoints[0, 9] = [0.5, 0.75, 1], [0.5, 0.25, 1]  # A neck of 8 pixels at x = 6 of 12.
    near = near_bones(keypoints, SIZE, 0.1)[0]  # 1.6 pixels.
    assert near[8].nonzero()[0].tolist() == [4, 5, 6, 7]  # Centers 0.5 and 1.5 pixels away.
    assert near[:, 6].nonzero()[0].tolist() == [*range(2, 14)]  # Centers 2.5 to 13.5, from 4 - 1.6 to 12 + 1.6.
