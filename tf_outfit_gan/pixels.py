"""The value range, in one place: uint8 in 0..255 outside, float in [-1, 1] inside (-1 = black, 0 = mid-gray, 1 = white).

The number 127.5 stands nowhere else. Functions of tensors import TensorFlow themselves: programs without it start fast.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

if TYPE_CHECKING:
    import tensorflow as tf

HALF_RANGE = 127.5


def to_float(image: "tf.Tensor", dtype: str = "float32") -> "tf.Tensor":
    """Maps a uint8 tensor to [-1, 1]."""
    import tensorflow as tf

    return tf.cast(image, dtype) / HALF_RANGE - 1


def to_uint8(image: "tf.Tensor") -> "tf.Tensor":
    """Maps a float tensor in [-1, 1] to uint8: rounds, and clips what lies outside (a bare cast would wrap)."""
    import tensorflow as tf

    return tf.saturate_cast(tf.round((tf.cast(image, tf.float32) + 1) * HALF_RANGE), tf.uint8)


def array_to_float(image: ArrayLike) -> np.ndarray:
    """`to_float` for a NumPy array."""
    return np.asarray(image, np.float32) / np.float32(HALF_RANGE) - 1


def array_to_uint8(image: ArrayLike) -> np.ndarray:
    """`to_uint8` for a NumPy array."""
    return np.clip(np.rint((np.asarray(image, np.float32) + 1) * HALF_RANGE), 0, 255).astype(np.uint8)
