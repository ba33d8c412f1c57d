"""Before a run goes on: what an earlier call left half-written goes, and what it told of images that come once more."""

import json
import os
from pathlib import Path

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.summary.writer.event_file_writer import EventFileWriter

from tf_outfit_gan.util.atomic import clear_partials


def rewind(folder, cur_nimg):
    """Takes back what stats.jsonl and TensorBoard tell of images after `cur_nimg`, so that curves do not double."""
    for part in (folder, *filter(Path.is_dir, folder.iterdir())):
        clear_partials(part)
    stats = folder / "stats.jsonl"
    if stats.exists():
        os.truncate(stats, _length_until(stats, cur_nimg))
    # TensorBoard forgets what it has read from this step on, if it has seen such a start before.
    writer = EventFileWriter(str(folder / "tensorboard"))
    writer.add_event(Event(step=cur_nimg + 1, session_log=SessionLog(status=SessionLog.START)))
    writer.close()


def _length_until(stats, cur_nimg):
    """Bytes of the lines up to `cur_nimg`; what a kill cut off is no line."""
    length = 0
    with open(stats, "rb") as file:
        for line in file:
            if not line.endswith(b"\n") or json.loads(line)["cur_nimg"] > cur_nimg:
                break
            length += len(line)
    return length
