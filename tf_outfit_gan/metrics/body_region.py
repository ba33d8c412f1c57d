"""Where the person is in a picture, by the pose alone: near a bone."""

import numpy as np

from tf_outfit_gan.pose.heatmaps import render_bones


def near_bones(keypoints, size, distance):
    """The pixels nearer to a bone than a distance, bool [N, H, W].

    Args:
        keypoints: [N, K, 3].
        size: (height, width) of the pictures.
        distance: in heights.
    """
    # A bone's map falls with the distance d as exp(-d^2 / 2 sigma^2).
    heights = render_bones(keypoints, size, sigma=distance).numpy().max(axis=-1)
    return heights > np.exp(-0.5)
