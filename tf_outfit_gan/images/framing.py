"""What of a photo goes into the frame of a data set: all of it, as much as fills the frame, or the person."""

import numpy as np

from tf_outfit_gan.images.open import Placement, fit

FRAMINGS = ("pad", "crop", "person")

# Around a person's joints, as a share of their box's longer side: hair, shoes, sleeves and skirts reach beyond joints.
PERSON_MARGIN = 0.12


def place(photo, size, framing="pad", keypoints=None):
    """Frames a photo; returns the picture of `size` (height, width) and its `Placement`.

    Args:
        photo: RGB Pillow image.
        framing: "pad" shows all of the photo, and continues its border where the aspect differs; "crop" cuts off what does
            not fit the frame's aspect, alike on both sides; "person" shows the person with a margin, and pads only where the
            photo ends.
        keypoints: [K, 3] of the person; without a joint, or None, "person" is as "pad".
    """
    box = _box(photo.size, size, framing, keypoints)
    if box is None:
        return fit(photo, size)
    left, top, right, bottom = box
    width, height = photo.size
    framed, placement = fit(photo.crop(box), size)
    x_scale, y_scale = placement.x_scale / ((right - left) / width), placement.y_scale / ((bottom - top) / height)
    return framed, Placement(
        x_scale, placement.x_offset - x_scale * left / width, y_scale, placement.y_offset - y_scale * top / height
    )


def _box(photo, frame, framing, keypoints):
    """(left, top, right, bottom) in whole pixels of the part of a photo (width, height) to show; None = all of it."""
    photo, aspect = np.array(photo), frame[1] / frame[0]
    if framing == "crop":
        low, high = np.zeros(2), photo
        extent = np.minimum(photo, photo[::-1] * [aspect, 1 / aspect])  # The largest of the frame's aspect.
    elif framing == "person" and keypoints is not None and (keypoints[:, 2] > 0).any():
        points = np.clip(keypoints[keypoints[:, 2] > 0, :2], 0, 1) * photo
        low, high = points.min(axis=0), points.max(axis=0)
        extent = high - low + 2 * PERSON_MARGIN * (high - low).max()
        extent = np.maximum(extent, extent[::-1] * [aspect, 1 / aspect])  # The smallest of the frame's aspect.
    else:
        return None
    # Move it into the photo, and cut off what is larger than that.
    start = np.clip((low + high - extent) / 2, 0, np.maximum(photo - extent, 0))
    end = np.minimum(start + np.maximum(extent, 1), photo)
    return (*np.round(start).astype(int).tolist(), *np.round(end).astype(int).tolist())
