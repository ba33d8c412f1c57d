"""How a run is doing: one line on the terminal and in log.txt, one in stats.jsonl, and TensorBoard, every tick."""

import json
import math
from datetime import timedelta

import tensorflow as tf

from tf_outfit_gan.sizes import format_size


class Diverged(RuntimeError):
    """A quantity of the training is not finite any more."""


class Report:
    """Gathers the statistics of the steps and tells them every tick.

    Args:
        folder: of the run; its files are appended to when it is resumed.
        total_nimg: real images of the whole run.
        quiet: nothing on the terminal.
    """

    def __init__(self, folder, total_nimg, quiet=False):
        self._log = open(folder / "log.txt", "a", encoding="utf-8")
        self._stats = open(folder / "stats.jsonl", "a", encoding="utf-8")
        self._writer = tf.summary.create_file_writer(str(folder / "tensorboard"))
        self._total_nimg, self._quiet = total_nimg, quiet
        self._traced = set()
        self._rate = None
        self._restart()

    def _restart(self):
        self._sums, self._steps, self._images, self._seconds = {}, 0, 0, 0.0

    def say(self, text):
        """A line for people."""
        self._log.write(text + "\n")
        self._log.flush()
        if not self._quiet:
            print(text, flush=True)

    def add(self, stage, statistics, steps, seconds):
        """Takes the mean statistics of some steps, and how long they took."""
        for name, value in statistics.items():
            self._sums[name] = self._sums.get(name, 0.0) + value * steps
        self._steps += steps
        # The first call of a stage traces its graph, which says nothing of the speed.
        if stage in self._traced:
            self._images += steps * stage.batch
            self._seconds += seconds
        self._traced.add(stage)

    def tick(self, cur_nimg, size, alpha):
        """Tells the means since the last tick.

        Raises:
            Diverged: when one of them is not finite, by name.
        """
        self._rate = self._images / self._seconds if self._images else self._rate
        rate = self._rate or 0.0
        means = {name: value / self._steps for name, value in self._sums.items()}
        left = timedelta(seconds=round((self._total_nimg - cur_nimg) / rate)) if rate else "?"
        state = f"fading in, {alpha:.0%}" if alpha < 1 else "stable"
        self.say(
            f"kimg {cur_nimg / 1000:<9.1f} {format_size(size)} {state:<15} {rate:>7.1f} img/s  left {left}  "
            f"G {means['loss_generator']:.3f}  D {means['loss_discriminator']:.3f}  R1 {means['r1_penalty']:.4f}"
        )
        record = {"cur_nimg": cur_nimg, "height": size[0], "alpha": alpha, "images_per_sec": rate, **means}
        self._stats.write(json.dumps(record) + "\n")
        self._stats.flush()
        with self._writer.as_default():
            for name, value in record.items():
                tf.summary.scalar(name, value, step=cur_nimg)
        self._writer.flush()
        for name, value in means.items():
            if not math.isfinite(value):
                raise Diverged(f"{name} is {value} at {cur_nimg / 1000:.1f} kimg: the training has diverged; resume from "
                               "the last checkpoint with a lower learning_rate or a higher r1_gamma")
        self._restart()
