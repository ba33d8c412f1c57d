"""What a step spends its time on: TensorFlow's profile of it, summed by type of operation."""

import collections
import tempfile
from pathlib import Path

import tensorflow as tf
from tensorflow.tsl.profiler.protobuf import xplane_pb2

# These only contain other operations, or wait.
_CONTAINERS = ("While", "If", "StatefulPartitionedCall", "PartitionedCall", "IteratorGetNext")


def milliseconds_by_operation(calls):
    """Profiles calls on a processor.

    Args:
        calls: [(weight, function)].

    Returns:
        {type of operation: milliseconds}, the longest first: what the operations took on whatever thread, times the
        weight of their call. Operations run side by side, so the sum may be more than the calls took.
    """
    found = collections.Counter()
    for weight, call in calls:
        with tempfile.TemporaryDirectory() as folder:
            with tf.profiler.experimental.Profile(folder):
                call()
            (path,) = Path(folder).rglob("*.xplane.pb")
            for type_, milliseconds in _operations(xplane_pb2.XSpace.FromString(path.read_bytes())):
                found[type_] += weight * milliseconds
    return dict(found.most_common())


def _operations(space):
    """Yields (type, milliseconds) of every operation in a profile; their events are named "name:Type"."""
    for plane in space.planes:
        if "CPU" not in plane.name:
            continue
        for line in plane.lines:
            for event in line.events:
                name, colon, type_ = plane.event_metadata[event.metadata_id].name.rpartition(":")
                # The runtime's own events have a colon as well, but two of them, or a blank.
                if colon and type_.isidentifier() and not name.endswith(":") and type_ not in _CONTAINERS:
                    yield type_, event.duration_ps / 1e9
