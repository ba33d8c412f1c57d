"""Identity and diversity on pictures of known people: spreads and changes by hand."""

import numpy as np
import pytest

from tests.helpers.metric_samples import entries, flat, samples
from tf_outfit_gan.metrics.color_difference import ciede2000, lab
from tf_outfit_gan.metrics.person import LATENTS, Diversity, Identity


def gray(value):
    return lab(np.uint8([value] * 3))


def test_identity_is_the_change_of_the_head_under_a_strangers_outfit():
    asked = []

    def draw(seeds, articles, keypoints):
        asked.append((seeds.numpy().tolist(), articles.numpy()[:, 0, 0, 0, 0].tolist()))
        pictures = flat(120, 100)
        pictures[:, 8:] = 0  # Below the head nothing counts.
        return pictures

    identity = Identity(draw)
    own, strangers = entries(flat(10, 10), [{"top"}, {"top"}]), entries(flat(90, 10), [{"top"}, set()])
    score, *_ = identity.add(samples(own, strangers, number=7), flat(100, 100))
    assert asked == [([7, 8], [1, 0])]  # The own seeds, the strangers' articles.
    figure = identity.figures()["identity.head_change"]
    change = ciede2000(gray(100), gray(120))
    np.testing.assert_allclose(score, [change, 0], rtol=1e-6)
    assert figure.value == pytest.approx(change / 2) and figure.ceiling == 0
    assert figure.floor == pytest.approx(ciede2000(gray(10), gray(90)) / 2)


def test_a_missing_head_does_not_count():
    own = entries(flat(10, 10), [set()] * 2)
    own.keypoints[1, 9] = 0
    identity = Identity(lambda *request: flat(100, 255))
    score, *_ = identity.add(samples(own, own), flat(100, 100))
    assert score[0] == 0 and np.isnan(score[1])
    assert identity.figures()["identity.head_change"].value == 0


def test_diversity_is_the_spread_over_latents_beside_that_over_photos():
    seeds_seen = []

    def draw(seeds, articles, keypoints):
        seeds_seen.extend(seeds.numpy().tolist())
        series = int(seeds[0]) // 2**28
        return flat(100 + 10 * series, 50)  # The first entry varies, the second one does not.

    diversity = Diversity(draw)
    diversity.add(samples(entries(flat(0, 255), [set()] * 2), None), flat(100, 50))
    assert len(set(seeds_seen)) == 2 * (LATENTS - 1) and not {0, 1} & set(seeds_seen)
    lightness = [gray(100 + 10 * series)[0] for series in range(LATENTS)]
    for part in ("hair", "skin", "background"):
        figure = diversity.figures()[f"diversity.{part}"]
        assert figure.value == pytest.approx(np.sqrt(np.var(lightness, ddof=1) / 2), rel=1e-3)
        assert figure.ceiling == pytest.approx(np.std([0, 100], ddof=1), rel=1e-6) and figure.floor == 0


def test_the_background_is_far_from_the_body():
    pictures = flat(100)
    pictures[0, 3:9, 4:8] = 250  # Around the bones, all at x = 0.5.
    diversity = Diversity(lambda *request: pictures)
    diversity.add(samples(entries(flat(0), [set()]), None), flat(100))
    assert diversity.figures()["diversity.background"].value == pytest.approx(0, abs=1e-9)
    assert diversity.figures()["diversity.hair"].value > 10
