"""The pose as the synthesis network sees it at each level, where poses enter spatially: joints and bones as soft maps.

The paper's networks see joints alone, and only through the style vector. Measurements are in docs/measured.md.
"""

import tensorflow as tf

from tf_outfit_gan.networks.blocks import built_conv
from tf_outfit_gan.networks.embedding import HEATMAP_GAIN
from tf_outfit_gan.pose.heatmaps import SIGMA, render_bones, render_heatmaps
from tf_outfit_gan.pose.mpii import LIMBS, NUM_JOINTS

# Up to this height a Gaussian keeps its width in pixels, two thirds of one: a narrower one would fall between them.
SHARP_HEIGHT = 32


def pose_map(keypoints, size):
    """Draws poses [N, K, 3] for the level of a size: K joints and then B bones, [N, H, W, K + B] in [0, 1]."""
    sigma = SIGMA * max(1.0, SHARP_HEIGHT / size[0])
    return tf.concat([draw(keypoints, size, sigma=sigma) for draw in (render_heatmaps, render_bones)], axis=-1)


def pose_conv(size, channels, **kwargs):
    """The convolution through which the map of a size enters: a pixel sees its neighbours where maps are sharp.

    At larger sizes they say nearly the same, and would cost nine times as much.
    """
    kernel_size = 3 if size[0] <= SHARP_HEIGHT else 1
    return built_conv(NUM_JOINTS + len(LIMBS), channels, kernel_size, gain=HEATMAP_GAIN, **kwargs)
