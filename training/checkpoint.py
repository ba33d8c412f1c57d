"""Checkpoints: all that training changes, saved to resume a run from; and the logs, cut back to where it resumes.

    checkpoints/000128000img/state.index, state.data-...    the state after so many real images

A folder that has its name is whole, and the newest two stay: where the disk damages one, the other serves.
"""

import json
import os
from pathlib import Path

import keras
import tensorflow as tf
from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from tf_outfit_gan.util.atomic import clear_partials, remove_folder, set_aside, whole_folder, write_whole
from tf_outfit_gan.util.errors import UserError

KEPT = 2
_STATE = "state"


class Checkpoints:
    """Saves and restores what a training changes, and its place in the schedule.

    The image count is also the place in the data, see `tf_outfit_gan.data.shuffle`.

    Args:
        folder: where they lie.
        memory: {name: what `tf.train.Checkpoint` saves} of everything that training changes, such as `Steps.memory()`.
    """

    def __init__(self, folder, memory):
        self._folder = folder
        self._cur_nimg = tf.Variable(0, dtype=tf.int64)
        self._period = tf.Variable(-1, dtype=tf.int64)
        self._checkpoint = tf.train.Checkpoint(**memory, cur_nimg=self._cur_nimg, period=self._period)

    def save(self, cur_nimg, period=0):
        """Saves the state after `cur_nimg` real images, in the schedule's period of that index."""
        self._cur_nimg.assign(cur_nimg)
        self._period.assign(period)
        with whole_folder(self._folder / f"{cur_nimg:09d}img") as beside:
            self._checkpoint.write(str(beside / _STATE))
        for outdated in found(self._folder)[:-KEPT]:
            remove_folder(outdated)

    def restore(self, writes=True):
        """Restores the newest whole checkpoint.

        A damaged one is set aside under another name, once an older one has taken its place.

        Args:
            writes: whether this process does so. In a cluster one does.

        Returns:
            The image count and the period, (0, -1) for a fresh run; and a line about each damaged checkpoint.

        Raises:
            UserError: when none of them can be read.
        """
        damages, here = {}, found(self._folder)
        for path in reversed(here):
            damage = damage_of(path)
            if not damage:
                self._assign(path)
                break
            damages[path] = damage
        if here and len(damages) == len(here):
            raise UserError(
                "; ".join(f"{path}: {damage}" for path, damage in damages.items())
                + f": no checkpoint can be read; delete {self._folder} to train from the beginning"
            )
        lines = []
        for path, damage in damages.items():
            lines.append(f"{path}: {damage}; it is {path.name}.damaged now, and the checkpoint before it is used")
            if writes:
                set_aside(path, "damaged")
        return int(self._cur_nimg), int(self._period), lines

    def _assign(self, path):
        try:
            self._checkpoint.read(str(path / _STATE)).assert_consumed()
        except (AssertionError, ValueError) as error:
            raise UserError(
                f"{path}: is of another version of this program ({_first_line(error)}); resume with that "
                "one, or choose a new folder"
            ) from None


def found(folder):
    """The checkpoints in a folder, oldest first."""
    return sorted(folder.glob("[0-9]*img"))


def damage_of(path):
    """What is wrong with a checkpoint, in a few words; None if all of it reads. TensorFlow checks sums as it reads."""
    try:
        reader = tf.train.load_checkpoint(str(path / _STATE))
        for name in reader.get_variable_to_shape_map():
            reader.get_tensor(name)
    except Exception as error:  # Of several kinds: a short file is an IndexError.
        return f"is damaged ({_first_line(error)})"
    return None


def _first_line(error):
    return str(error).partition("\n")[0]


def named_weights(layer, prefix=""):
    """{"synthesis/levels/0/second/kernel": variable, ...}: every weight by the attributes and places leading to it."""
    found = {}
    for name, value in vars(layer).items():
        if name.startswith("_"):
            continue  # Keras's own lists of the same.
        parts = [(f"{name}/{i}", part) for i, part in enumerate(value)] if isinstance(value, list) else [(name, value)]
        for path, part in parts:
            if isinstance(part, keras.Variable):
                found[prefix + path] = part
            elif isinstance(part, keras.layers.Layer):
                found |= named_weights(part, f"{prefix}{path}/")
    return found


def clear_leftovers(folder):
    """Removes what killed processes had begun to write in a run's folder and the folders in it."""
    for part in (folder, *filter(Path.is_dir, folder.iterdir())):
        clear_partials(part)


def truncate_logs(folder, cur_nimg):
    """Removes what stats.jsonl and TensorBoard hold of images after `cur_nimg`, so that curves do not double.

    Returns lines for the log, about what could not be read in stats.jsonl.
    """
    stats = folder / "stats.jsonl"
    news = set_aside_broken_lines(stats)
    if stats.exists():
        os.truncate(stats, _length_until(stats, cur_nimg))
    # TensorBoard forgets what it has read from this step on, if it has seen such a start before.
    writer = EventFileWriter(str(folder / "tensorboard"))
    writer.add_event(Event(step=cur_nimg + 1, session_log=SessionLog(status=SessionLog.START)))
    writer.close()
    return news


def set_aside_broken_lines(path):
    """Takes lines that hold no record, such as one that a kill cut off, out of a file of JSON lines.

    They go to the end of NAME.broken. Returns lines for the log.
    """
    if not path.exists():
        return []
    content = path.read_bytes()
    lines = {number: line for number, line in enumerate(content.split(b"\n"), start=1) if line.strip()}
    broken = {number: line for number, line in lines.items() if not _is_record(line)}
    whole = b"".join(line + b"\n" for number, line in lines.items() if number not in broken)
    if broken:
        with open(path.with_name(f"{path.name}.broken"), "ab") as file:
            file.write(b"".join(line + b"\n" for line in broken.values()))
    if whole != content:
        write_whole(path, whole)
    return [
        f"{path} line {number}: no record, but {line[:40]!r}; it is in {path.name}.broken now" for number, line in broken.items()
    ]


def _is_record(line):
    try:
        return isinstance(json.loads(line)["cur_nimg"], (int, float))
    except (ValueError, TypeError, KeyError):
        return False


def _length_until(stats, cur_nimg):
    """Bytes of the lines up to `cur_nimg`."""
    length = 0
    with open(stats, "rb") as file:
        for line in file:
            if json.loads(line)["cur_nimg"] > cur_nimg:
                break
            length += len(line)
    return length
