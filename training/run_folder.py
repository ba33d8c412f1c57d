"""A run's folder: held by one process at a time, and read without TensorFlow, also during the run.

RUN/lock names the process that trains. What is read may be of an older form.
"""

import contextlib
import errno
import fcntl
import json
import os
import re
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import json_object
from tf_outfit_gan.util.storage import RemotePath, as_path

# What stands before a message of the log.
_STAMP = re.compile(r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \w+ +")
# No space, no quota, or a limit on the size of files. The system's words are in the error of every library.
_REASONS = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]


@dataclass(frozen=True)
class RunFolder:
    """A run. `stats` has at least one line, each a dict with cur_nimg; `metrics` may be empty, as may `log`."""

    path: Path | RemotePath
    config: dict  # data, model, training; machine, except for old runs.
    stats: list
    metrics: list
    log: list
    grids: list  # Paths of fakes_*.png, from old to new.

    @property
    def timeline(self):
        """The path of the timeline, or None."""
        path = self.path / "timeline.gif"
        return path if path.is_file() else None

    def messages(self, start):
        """What the log says after times and levels, where it starts so."""
        found = (_STAMP.sub("", line) for line in self.log)
        return [message for message in found if message.startswith(start)]

    @property
    def warnings(self):
        """The warnings in the log; in that of an earlier version they had neither time nor level."""
        warning = re.compile(r"(?:\S+ \S+ WARNING|warning:) +(.*)")
        return [found[1] for found in map(warning.match, self.log) if found]


def read_run(path):
    """Reads a run's folder; raises `UserError` where there is none, or one without statistics."""
    path = as_path(path)
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
        config["model"]["size"], config["training"]["total_kimg"], config["data"]  # What every run has.
    except (FileNotFoundError, NotADirectoryError):
        raise UserError(f"{path}: no run here; expected the folder of `outfit-gan train`, with config.json") from None
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path / 'config.json'}: not the configuration of a run ({error!r})") from None
    stats = in_order(_json_lines(path / "stats.jsonl"))
    if not stats:
        raise UserError(
            f"{path / 'stats.jsonl'}: no statistics yet: the first tick is logged "
            f"after {config['training'].get('tick_kimg', 4):g} kimg"
        )
    log = path / "log.txt"
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.is_file() else []
    return RunFolder(
        path, config, stats, in_order(_json_lines(path / "metrics.jsonl")), lines, sorted(path.glob("fakes_[0-9]*kimg.png"))
    )


def read_config(folder):
    """What config.json says of the run that is to be resumed; raises `UserError` if it is damaged."""
    path = folder / "config.json"
    try:
        return json_object(path.read_bytes())
    except UserError as error:
        raise UserError(f"{path}: {error}; bring the file back to resume the run, or choose a new folder") from None


def in_order(records):
    """Leaves out what a resumed run has done again: a record takes the place of all that are not before it."""
    found = []
    for record in records:
        while found and found[-1]["cur_nimg"] >= record["cur_nimg"]:
            found.pop()
        found.append(record)
    return found


def _json_lines(path):
    """The records of a file that another process may be writing: its last line need not be whole."""
    if not path.is_file():
        return
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            record = json.loads(line)
        except ValueError:
            continue
        if isinstance(record, dict) and isinstance(record.get("cur_nimg"), (int, float)):
            yield record


@contextlib.contextmanager
def locked(folder):
    """Holds a folder, which is made if it is missing, for a block.

    The system holds the lock for the process, not the file for the world: nothing is left to clear after a crash.

    Raises:
        UserError: when another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise UserError(f"{folder}: {holder} trains here; stop it first, or choose a new folder") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield


@contextlib.contextmanager
def explain_full_disk(folder):
    """Turns an error of a block that came from a full disk into one line.

    Raises:
        UserError: that names the run's folder and the free space.
    """
    try:
        yield
    except Exception as error:
        reason = next((reason for reason in _REASONS if reason in str(error)), None)
        if reason is None:
            raise
        free = shutil.disk_usage(folder).free / 1e6
        raise UserError(
            f"{folder}: cannot be written ({reason.lower()}; {free:,.1f} MB are free); what was saved is "
            "whole: make room, and the same command resumes from it"
        ) from error
