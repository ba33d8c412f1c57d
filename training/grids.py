"""Grids of pictures: the same seeds under the same conditions, again and again, to watch a model learn."""

import numpy as np
from PIL import Image

from tf_outfit_gan import pixels
from tf_outfit_gan.data.pipeline import batches
from tf_outfit_gan.picture import Painter
from tf_outfit_gan.sheet import save_whole

COLUMNS, ROWS = 8, 3
LEAST_HEIGHT = 96  # Pixels; smaller pictures are enlarged, so that a person can see them.


class Grids:
    """Draws the grids of a run.

    Args:
        dataset: the prepared `Dataset`; the conditions are the first entries of its test split, if it has one.
        config: the `ModelConfig`.
        seed: of the run.
    """

    def __init__(self, dataset, config, seed):
        split = "test" if dataset.count("test") >= COLUMNS * ROWS else "train"
        condition_size = config.condition_size if config.conditional else None
        self._batch = next(iter(batches(dataset, split, config.size, condition_size, COLUMNS * ROWS)))
        self._seeds = np.arange(len(self._batch["image"]), dtype=np.int64) + seed * 1000

    def reals(self, path):
        """The photos that go with the conditions."""
        _write(path, self._batch["image"])

    def fakes(self, path, snapshot):
        """A snapshot's pictures, in the order of the photos."""
        painter = Painter(snapshot)
        _write(path, painter.picture(self._seeds, self._batch.get("articles"), self._batch.get("keypoints")))


def _write(path, images):
    """Lays pictures out in rows, [N, H, W, 3] in [-1, 1]."""
    images = pixels.array_to_uint8(images)
    count, height, width, _ = images.shape
    factor = -(-LEAST_HEIGHT // height) if height < LEAST_HEIGHT else 1
    rows = -(-count // COLUMNS)
    sheet = np.full((rows, COLUMNS, height, width, 3), 255, np.uint8)
    sheet.reshape(-1, height, width, 3)[:count] = images
    sheet = sheet.transpose(0, 2, 1, 3, 4).reshape(rows * height, COLUMNS * width, 3)
    save_whole(Image.fromarray(sheet.repeat(factor, axis=0).repeat(factor, axis=1)), path)
