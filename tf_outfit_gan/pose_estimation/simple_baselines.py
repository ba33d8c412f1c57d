"""Simple Baselines for human pose estimation (Xiao, Wu, Wei 2018, arXiv 1804.06208): our own estimator's network.

A ResNet and three deconvolutions end in a heatmap a joint, and that is all. `small` is for small pictures and for
computers without a GPU: the same construction with basic blocks and few channels, and a stem that halves once instead
of twice, so that the heatmaps are half as high as the picture instead of a quarter.
"""

import os

import keras

from tf_outfit_gan.pixels import HALF_RANGE
from tf_outfit_gan.pose.heatmaps import render_heatmaps
from tf_outfit_gan.pose.mpii import NUM_JOINTS
from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.util.errors import UserError

# What a pixel of a backbone's last features covers, and the channels of each deconvolution after it.
SMALL_STRIDE, SMALL_FILTERS = 16, 48
RESNET_STRIDE, RESNET_FILTERS = 32, 256

# Channels of the four stages of `small`, and basic blocks in each.
SMALL_STAGES, SMALL_BLOCKS = (16, 32, 64, 96), 2

# Standard deviation of the targets in heights: 2 pixels of heatmaps 64 high, as in the paper.
TARGET_SIGMA = 2 / 64


def build_estimator(size, backbone, weights=None):
    """Builds the network: pictures [N, H, W, 3] in [-1, 1] to heatmaps [N, h, w, K] around [0, 1].

    Args:
        size: (height, width) of the pictures; whole multiples of what a pixel of the backbone's features covers.
        backbone: small, resnet50, resnet101 or resnet152.
        weights: a file of the backbone's weights as keras.applications has them (without top), None for random ones.

    Raises `UserError` for a size that does not fit and weights of another backbone.
    """
    small = backbone == "small"
    stride, filters = (SMALL_STRIDE, SMALL_FILTERS) if small else (RESNET_STRIDE, RESNET_FILTERS)
    if any(side % stride for side in size):
        raise UserError(f"--size {format_size(size)}: expected multiples of {stride} for the backbone {backbone}")
    if weights and small:
        raise UserError(f"--weights {weights}: weights are for the backbones of keras.applications, found small")
    if weights and not os.path.isfile(weights):
        raise UserError(f"--weights {weights}: no such file; expected weights of {backbone} without top")
    picture = keras.Input((*size, 3), name="image")
    features = _small_resnet(picture) if small else _keras_resnet(picture, backbone, weights)
    for _ in range(3):
        features = keras.layers.Conv2DTranspose(filters, 4, 2, "same", use_bias=False)(features)
        features = keras.layers.ReLU()(keras.layers.BatchNormalization()(features))
    # Small first weights: the maps start near the empty ones that most of a target is.
    initial = keras.initializers.RandomNormal(stddev=0.001)
    heatmaps = keras.layers.Conv2D(NUM_JOINTS, 1, kernel_initializer=initial, name="heatmaps")(features)
    return keras.Model(picture, heatmaps, name="simple_baselines")


class JointsLoss(keras.losses.Loss):
    """Mean squared error between heatmaps and Gaussian targets; a joint that is not there costs nothing.

    Call arguments: poses [N, K, 3], whose targets are rendered here, on the accelerator; heatmaps [N, h, w, K].
    """

    def call(self, keypoints, heatmaps):
        targets = render_heatmaps(keypoints, heatmaps.shape[1:3], sigma=TARGET_SIGMA)
        there = keras.ops.cast(keypoints[:, None, None, :, 2] > 0, "float32")
        return keras.ops.mean(keras.ops.square(heatmaps - targets) * there, axis=(1, 2, 3))  # [N]


def _keras_resnet(picture, backbone, weights):
    build = {
        "resnet50": keras.applications.ResNet50,
        "resnet101": keras.applications.ResNet101,
        "resnet152": keras.applications.ResNet152,
    }[backbone]
    # The value range and the order of the channels that published weights expect.
    prepared = keras.applications.resnet.preprocess_input((picture + 1) * HALF_RANGE)
    resnet = build(include_top=False, weights=None, input_shape=picture.shape[1:])
    if weights:
        try:
            resnet.load_weights(weights)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(
                f"{weights}: expected weights of {backbone} without top as keras.applications saves them "
                f"({' '.join(str(error).split())[:120]})"
            ) from None
    return resnet(prepared)


def _small_resnet(picture):
    """Four stages of basic blocks (He et al. 2016, figure 5 left); each stage but the first halves the picture."""
    x = _convolved(picture, SMALL_STAGES[0], 3, 2)
    x = keras.layers.ReLU()(x)
    for stage, filters in enumerate(SMALL_STAGES):
        for block in range(SMALL_BLOCKS):
            x = _basic_block(x, filters, 2 if stage and not block else 1)
    return x


def _basic_block(x, filters, stride):
    shortcut = x if stride == 1 else _convolved(x, filters, 1, stride)
    x = keras.layers.ReLU()(_convolved(x, filters, 3, stride))
    x = _convolved(x, filters, 3, 1)
    return keras.layers.ReLU()(x + shortcut)


def _convolved(x, filters, kernel, stride):
    x = keras.layers.Conv2D(filters, kernel, stride, "same", use_bias=False, kernel_initializer="he_normal")(x)
    return keras.layers.BatchNormalization()(x)
