"""What TensorBoard shows of a run: its curves in groups, its grids of pictures, and its settings to compare runs by."""

import numpy as np
import tensorflow as tf
from PIL import Image
from tensorboard.plugins.hparams import api as hparams

GROUPS = ("loss", "score", "sign", "spread", "r1")  # A statistic of such a first word is in its group, any other in "run".
PICTURE_WIDTH = 800  # At most: every grid stays in the folder.


class TensorBoard:
    """Writes RUN/tensorboard. A step there is an image shown to the discriminator.

    Args:
        folder: of the run.
    """

    def __init__(self, folder):
        self._writer = tf.summary.create_file_writer(str(folder / "tensorboard"))

    def scalars(self, cur_nimg, values):
        """Writes numbers by name, e.g. loss_generator as loss/generator."""
        with self._writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(tag(name), value, step=cur_nimg)
        self._writer.flush()

    def picture(self, cur_nimg, path):
        """Writes a grid of pictures, from its file."""
        with Image.open(path) as image:
            image = image.convert("RGB")
        image.thumbnail((PICTURE_WIDTH, image.height), Image.Resampling.LANCZOS)
        with self._writer.as_default():
            tf.summary.image("pictures", np.asarray(image)[np.newaxis], step=cur_nimg)
        self._writer.flush()

    def settings(self, values):
        """Writes the settings of the run, {name: value}, for the table of hparams."""
        plain = {name: value if isinstance(value, (bool, int, float, str)) else str(value) for name, value in values.items()}
        with self._writer.as_default():
            hparams.hparams(plain)
        self._writer.flush()


def tag(name):
    """The name of a statistic in TensorBoard; one that names its group keeps it."""
    if "/" in name:
        return name
    group, _, rest = name.partition("_")
    return f"{group}/{rest}" if rest and group in GROUPS else f"run/{name}"
