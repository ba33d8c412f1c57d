"""Adaptive augmentation of what the discriminator sees (arXiv 2006.06676), with the conditions altered along."""

import numpy as np
import tensorflow as tf

# How far each alteration goes to both sides: shifts in parts of a side, exponents of 2, brightness added, hue in
# radians.
REACH = {
    "shift_x": 1 / 8,
    "shift_y": 1 / 8,
    "zoom": 0.35,
    "stretch": 0.35,
    "brightness": 0.35,
    "contrast": 0.87,
    "hue": np.pi,
    "saturation": 1.73,
}


def adapted(probability, sign_real, batch, training):
    """Equation 1's heuristic: up while the discriminator is too sure of the reals, down otherwise; at most 0.8."""
    step = batch / (training.ada_kimg * 1000) * np.sign(sign_real - training.ada_target)
    return min(max(probability + step, 0.0), 0.8)


class Alterations:
    """The alterations of a batch, a row each: [N, 16] numbers in [0, 1), of which 8 are gates and 8 are amounts."""

    def __init__(self, probability, numbers, size):
        gates, amounts = numbers[:, :8], 2 * numbers[:, 8:] - 1
        rows = [
            {name: amount * reach if gate < probability else 0.0 for gate, amount, (name, reach) in zip(*row, REACH.items())}
            for row in zip(gates, amounts)
        ]
        self.axes = [
            [
                (2 ** (row["zoom"] - row["stretch"]), np.round(row["shift_y"] * size[0]), size[0]),
                (2 ** (row["zoom"] + row["stretch"]), np.round(row["shift_x"] * size[1]), size[1]),
            ]
            for row in rows
        ]
        self.colors = [
            (color_matrix(2 ** row["contrast"], row["hue"], 2 ** row["saturation"]), row["brightness"]) for row in rows
        ]

    def images(self, images):
        """[N, H, W, 3]"""
        moved = []
        for image, (vertical, horizontal), (matrix, brightness) in zip(tf.unstack(images), self.axes, self.colors):
            image = tf.einsum("yh,xw,hwc->yxc", resampling(*vertical), resampling(*horizontal), image)
            moved.append(image @ matrix.T + brightness)
        return tf.stack(moved)

    def conditions(self, batch):
        """Articles take the photo's new colors, but for those that are missing; joints go where the photo goes."""
        articles, keypoints = batch["articles"].copy(), batch["keypoints"].copy()
        for n, (axes, (matrix, brightness)) in enumerate(zip(self.axes, self.colors)):
            for slot, article in enumerate(articles[n]):
                if article.any():
                    articles[n, slot] = article @ matrix.T + brightness
            for place, (scale, shift, side) in zip((1, 0), axes):
                keypoints[n, :, place] = 0.5 + scale * (keypoints[n, :, place] - 0.5) + shift / side
        return {**batch, "articles": articles, "keypoints": keypoints}


def resampling(scale, shift, side):
    """[side, side]: a row holds what each old pixel adds to a new one; the picture is mirrored at its borders."""
    matrix = np.zeros((side, side))
    for new in range(side):
        old = (side - 1) / 2 + (new - (side - 1) / 2 - shift) / scale
        while not -0.5 <= old <= side - 0.5:
            old = -1 - old if old < 0 else 2 * side - 1 - old
        matrix[new] = [cubic(abs(old - pixel) * min(scale, 1)) for pixel in range(side)]
        matrix[new] /= matrix[new].sum()
    return matrix


def cubic(x):
    """Keys (1981), equation 15."""
    return 1.5 * x**3 - 2.5 * x**2 + 1 if x < 1 else -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < 2 else 0.0


def color_matrix(contrast, hue, saturation):
    """Turns colors about the gray axis, pulls them from it, and all of them from mid-gray (Rodrigues's rotation)."""
    gray = np.full((3, 3), 1 / 3)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) / 3**0.5
    turned = np.cos(hue) * (np.eye(3) - gray) + np.sin(hue) * cross
    return contrast * (gray + saturation * turned)
