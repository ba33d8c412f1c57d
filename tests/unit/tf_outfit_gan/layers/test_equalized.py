"""Equalized learning rate: at the start, what a layer multiplies by has He's deviation, whatever the learning rate."""

import numpy as np
import pytest

from tf_outfit_gan.layers import EqualizedConv2D, EqualizedDense


@pytest.mark.parametrize("gain", [1.0, 2**0.5])
@pytest.mark.parametrize("lr_multiplier", [1.0, 0.01])
def test_a_dense_layers_first_weights(gain, lr_multiplier):
    layer = EqualizedDense(400, gain=gain, lr_multiplier=lr_multiplier)
    layer.build((None, 100))
    assert np.std(layer.kernel * layer.scale) == pytest.approx(gain / 100**0.5, rel=0.03)


def test_a_convolutions_first_weights():
    layer = EqualizedConv2D(64, 3)
    layer.build((None, None, None, 32))
    assert np.std(layer.kernel * layer.scale) == pytest.approx((2 / (9 * 32)) ** 0.5, rel=0.03)
