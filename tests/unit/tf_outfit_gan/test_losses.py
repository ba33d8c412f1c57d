"""Losses worked by hand; the golden vectors and the reference run have the rest."""

import pytest

from tf_outfit_gan import losses


@pytest.mark.parametrize("levels, weight", [(0, 1.5), (1, 1.5 / 4), (3, 1.5 / 64)])
def test_r1_weighs_a_quarter_for_each_level_below_the_full_size(levels, weight):
    """At half the size the squared gradients sum to four times as much."""
    assert losses.r1_weight(3, levels) == weight
