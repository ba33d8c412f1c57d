"""Before a cluster forms: its workers wait for each other, so that TensorFlow never waits for one that is not there.

TensorFlow itself waits without end, deaf to Ctrl-C and to any clock. So the chief listens at its own port first; the
others knock there, say who they are, and wait for its word. Where a chief of old still has the port, they knock again.
"""

import contextlib
import select
import socket
import time

_HELLO, _GO = b"outfit-gan worker ", b"go\n"
_KNOCK_AGAIN_SEC = 0.5


class WorkersMissing(RuntimeError):
    """The workers of a cluster have waited for each other in vain."""

    exit_code = 1


def meet(cluster, wait_sec):
    """Returns when all workers of a `Cluster` are there.

    Raises:
        WorkersMissing: when they are not within `wait_sec`, with the addresses of those that were not heard of.
    """
    deadline = time.monotonic() + wait_sec
    missing = _gather(cluster, deadline) if cluster.index == 0 else _knock(cluster, deadline)
    if missing:
        raise WorkersMissing(f"worker {cluster.index} waited {wait_sec / 60:g} minutes for {', '.join(missing)}; run "
                             "the same command on all workers to resume")


def _gather(cluster, deadline):
    """The chief's part. Returns the addresses of those who are missing in the end."""
    arrived = {}
    with contextlib.ExitStack() as closed, socket.create_server(("", cluster.port)) as door:
        while True:
            left_sec = max(deadline - time.monotonic(), 0)
            complete = len(arrived) == len(cluster.workers) - 1
            # Who waits here says nothing more: what can be read is that he is gone.
            ready, _, _ = select.select([door, *arrived.values()], [], [], 0 if complete else left_sec)
            here = {place: worker for place, worker in arrived.items() if worker not in ready}
            if complete and here == arrived:
                break
            arrived = here
            if not left_sec:
                return [address for place, address in enumerate(cluster.workers) if place and place not in arrived]
            if door in ready:
                worker = closed.enter_context(door.accept()[0])
                place = _heard(worker)
                if place in range(1, len(cluster.workers)):
                    arrived[place] = worker
        for worker in arrived.values():
            with contextlib.suppress(OSError):
                worker.sendall(_GO)
    return []


def _heard(worker):
    """Which worker it is that knocks; None for strangers."""
    worker.settimeout(2)
    try:
        hello, _, rest = worker.recv(64).partition(_HELLO)
        return int(rest) if not hello else None
    except (OSError, ValueError):
        return None


def _knock(cluster, deadline):
    """The others' part. Returns the chief's address if it has not given its word in the end."""
    chief = cluster.workers[0]
    host, _, port = chief.rpartition(":")
    while (left_sec := deadline - time.monotonic()) > 0:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=left_sec) as door:
            door.sendall(_HELLO + str(cluster.index).encode())
            if door.recv(64) == _GO:
                return []
        time.sleep(min(_KNOCK_AGAIN_SEC, max(left_sec, 0)))
    return [chief]
