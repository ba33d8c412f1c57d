"""Where each garment shows in a photo: masks beside a catalogue, read at the size of the pictures that are measured."""

from pathlib import Path

import numpy as np
from PIL import Image

from tf_outfit_gan.sizes import format_size
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.util.errors import UserError

# Labels of a pixel: 0 shows no garment, 1 + i that of slot i of `SLOTS`, MIXED more than one thing.
LABEL = {slot: 1 + i for i, slot in enumerate(SLOTS)}
MIXED = 255

# A garment that shows in fewer pixels than this has no color to speak of.
LEAST_PIXELS = 4


class GarmentRegions:
    """Reads masks.

    Args:
        folder: holds a gray picture ID.png for each photo: 1 + the visible slot's place in `SLOTS`, 0 where no garment
            shows, as `outfit-gan paperdoll` writes; as large as the pictures, or whole times larger.
        size: (height, width) of the pictures.

    Call arguments: ids, N of them.
    Output shape: labels, uint8 [N, H, W].

    Raises:
        UserError: for a mask that is missing, damaged, or of another shape.
    """

    def __init__(self, folder, size):
        self._folder, self._size = Path(folder), size

    def __call__(self, ids):
        return np.stack([labels(self._mask(entry), self._size) for entry in ids])

    def _mask(self, entry):
        path = self._folder / f"{entry}.png"
        try:
            with Image.open(path) as image:
                mask = np.asarray(image)
        except OSError as error:
            raise UserError(
                f"{path}: expected a mask for each photo, as paperdoll writes them to masks/, could not "
                f"read it ({getattr(error, 'strerror', None) or 'no picture'})"
            ) from None
        height, width = self._size
        if mask.ndim != 2 or mask.shape[0] * width != mask.shape[1] * height or mask.shape[0] % height:
            raise UserError(
                f"{path}: expected a gray picture of {format_size(self._size)} or a multiple of it, found "
                f"{format_size(mask.shape[:2])}"
            )
        return mask


def labels(mask, size):
    """Brings a mask, a whole number of times as large, to (height, width) `size`; see `LABEL`."""
    (height, width), factor = size, mask.shape[0] // size[0]
    blocks = mask.reshape(height, factor, width, factor)
    whole = (blocks == blocks[:, :1, :, :1]).all(axis=(1, 3))
    return np.where(whole, blocks[:, 0, :, 0], MIXED).astype(np.uint8)


def garments(labels):
    """The garments that show in a picture's labels [H, W] and are large enough: {slot: bool [H, W]} in slot order."""
    regions = {slot: labels == label for slot, label in LABEL.items()}
    return {slot: region for slot, region in regions.items() if region.sum() >= LEAST_PIXELS}
