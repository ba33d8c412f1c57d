"""What the outputs of estimators mean, recognized by their shapes: three layouts, each with its range of values."""

import numpy as np

from tf_outfit_gan.pixels import array_to_float
from tf_outfit_gan.pose.convert import to_mpii16
from tf_outfit_gan.pose.mpii import MIRROR, NUM_JOINTS
from tf_outfit_gan.util.errors import UserError


class BlazePose:
    """BlazePose's landmark network (arXiv 2006.10204): [N, 195] = 39 x (x, y, z, visibility, presence), [N, 1].

    x and y are pixels of the input, visibility and presence are logits, and the first 33 points are the body's; the
    second output is the chance that there is a person. Presence is the confidence, not visibility: a hand in a pocket
    has a place, too.
    """

    name = "blazepose33"

    @staticmethod
    def matches(shape):
        return shape == (1, 195)

    @staticmethod
    def to_float(pictures):
        return pictures.astype(np.float32) / 255

    @staticmethod
    def joints(model, pictures):
        outputs = model(_values(model, pictures, BlazePose.to_float))
        points = _output(outputs, lambda shape: shape[1:] == (195,)).reshape(-1, 39, 5)[:, :33].astype(np.float64)
        person = _output(outputs, lambda shape: shape[1:] == (1,))  # [N, 1]
        points = np.stack([points[..., 0], points[..., 1], person / (1 + np.exp(-points[..., 4]))], axis=-1)
        height, width = model.size
        return _converted(points / [width, height, 1], "blazepose33")


class MoveNet:
    """MoveNet for one person: [N, 1, 17, 3] = (y, x, score), in heights and widths of the input: y comes first."""

    name = "movenet"

    @staticmethod
    def matches(shape):
        return shape == (1, 1, 17, 3)

    @staticmethod
    def to_float(pictures):
        return pictures.astype(np.float32)

    @staticmethod
    def joints(model, pictures):
        points = _output(model(_values(model, pictures, MoveNet.to_float)), lambda shape: shape[1:] == (1, 17, 3))
        return _converted(points[:, 0][..., [1, 0, 2]], "coco17")


class Heatmaps:
    """A heatmap for each MPII joint, [N, h, w, 16], as Simple Baselines and its successors give; floats in [-1, 1]."""

    name = "heatmaps"

    @staticmethod
    def matches(shape):
        return len(shape) == 4 and shape[3] == NUM_JOINTS

    @staticmethod
    def to_float(pictures):
        return array_to_float(pictures)

    @staticmethod
    def joints(model, pictures):
        def heatmaps(pictures):
            values = _values(model, pictures, Heatmaps.to_float)
            return _output(model(values), lambda shape: len(shape) == 4 and shape[3] == NUM_JOINTS)

        # The flip test (arXiv 1804.06208, section 3): what the mirrored picture says counts as much. Pixel centers
        # lie at (i + 0.5) / n, so the mirrored maps need no shift by a pixel.
        mirrored = heatmaps(np.ascontiguousarray(pictures[:, :, ::-1]))[:, :, ::-1][..., MIRROR]
        return peaks((heatmaps(pictures) + mirrored) / 2)


LAYOUTS = (BlazePose, MoveNet, Heatmaps)


def layout_of(model):
    """The layout of a model, by the shapes that it gives for one gray picture; raises `UserError` for no known one."""
    shapes = [output.shape for output in model(np.zeros((1, *model.size, 3), model.dtype))]
    for layout in LAYOUTS:
        if any(map(layout.matches, shapes)):
            return layout
    raise UserError(
        f"{model.path}: expected a pose model that gives [1, 195] (BlazePose), [1, 1, 17, 3] (MoveNet) or "
        f"[1, h, w, 16] (heatmaps), found {', '.join(str(list(shape)) for shape in shapes)}"
    )


def peaks(heatmaps):
    """Finds the joints in heatmaps [N, h, w, K]: [N, K, 3] = [x in widths, y in heights, the peak's value].

    A peak is the largest value, moved by a quarter of a pixel towards the larger neighbor on each axis, as in Simple
    Baselines' code; at the border it stays. A map without a positive value has no joint (0, 0, 0).
    """
    n, height, width, num_joints = heatmaps.shape
    flat = heatmaps.reshape(n, height * width, num_joints)
    y, x = np.divmod(flat.argmax(axis=1), width)  # [N, K] each
    value = flat.max(axis=1)
    entry, joint = np.ogrid[:n, :num_joints]

    def towards_larger(position, size, neighbor):
        inner = (position > 0) & (position < size - 1)
        # At the border, any neighbor will do: it is not used.
        center = np.where(inner, position, 1 if size > 2 else 0)
        after, before = neighbor(center + (size > 2)), neighbor(center - (size > 2))
        return 0.25 * np.where(inner, np.sign(after - before), 0)

    dx = towards_larger(x, width, lambda column: heatmaps[entry, y, column, joint])
    dy = towards_larger(y, height, lambda row: heatmaps[entry, row, x, joint])
    joints = np.stack([(x + 0.5 + dx) / width, (y + 0.5 + dy) / height, value], axis=-1)
    return np.where(value[..., None] > 0, joints, 0).astype(np.float32)


def _values(model, pictures, to_float):
    """uint8 pictures as the numbers that the model takes."""
    return to_float(pictures) if model.dtype == np.float32 else pictures.astype(model.dtype)


def _output(outputs, fits):
    return next(output for output in outputs if fits(output.shape))


def _converted(points, format):
    return np.stack([to_mpii16(person, format) for person in points]).astype(np.float32)
