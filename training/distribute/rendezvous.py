"""Rendezvous: the workers of a cluster wait for each other, so that TensorFlow never waits for one that is not there.

TensorFlow itself waits without end, deaf to Ctrl-C and to any clock. So the chief listens at its own port first; the
others connect there, send their index, and wait for its answer. Where an earlier chief has the port, they try again.
"""

import contextlib
import select
import socket
import time

_HELLO, _GO = b"outfit-gan worker ", b"go\n"
_RETRY_SEC = 0.5


class WorkersMissing(RuntimeError):
    """The workers of a cluster have waited for each other in vain."""

    exit_code = 1


def wait_for_workers(cluster, wait_sec):
    """Returns when all workers of a `Cluster` are there.

    Raises:
        WorkersMissing: when they are not within `wait_sec`, with the addresses of those that are missing.
    """
    deadline = time.monotonic() + wait_sec
    missing = _gather(cluster, deadline) if cluster.index == 0 else _call_chief(cluster, deadline)
    if missing:
        raise WorkersMissing(
            f"worker {cluster.index} waited {wait_sec / 60:g} minutes for {', '.join(missing)}; run "
            "the same command on all workers to resume"
        )


def _gather(cluster, deadline):
    """The chief's part. Returns the addresses of those who are missing in the end."""
    arrived = {}
    with contextlib.ExitStack() as closed, socket.create_server(("", cluster.port)) as listener:
        while True:
            left_sec = max(deadline - time.monotonic(), 0)
            complete = len(arrived) == len(cluster.workers) - 1
            # Who waits here says nothing more: what can be read is that he is gone.
            ready, _, _ = select.select([listener, *arrived.values()], [], [], 0 if complete else left_sec)
            here = {place: worker for place, worker in arrived.items() if worker not in ready}
            if complete and here == arrived:
                break
            arrived = here
            if not left_sec:
                return [address for place, address in enumerate(cluster.workers) if place and place not in arrived]
            if listener in ready:
                worker = closed.enter_context(listener.accept()[0])
                place = _worker_at(worker)
                if place in range(1, len(cluster.workers)):
                    arrived[place] = worker
        for worker in arrived.values():
            with contextlib.suppress(OSError):
                worker.sendall(_GO)
    return []


def _worker_at(worker):
    """Which worker connects; None for any other program."""
    worker.settimeout(2)
    try:
        hello, _, rest = worker.recv(64).partition(_HELLO)
        return int(rest) if not hello else None
    except (OSError, ValueError):
        return None


def _call_chief(cluster, deadline):
    """The others' part. Returns the chief's address if it has not answered in the end."""
    chief = cluster.workers[0]
    host, _, port = chief.rpartition(":")
    while (left_sec := deadline - time.monotonic()) > 0:
        with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=left_sec) as connection:
            connection.sendall(_HELLO + str(cluster.index).encode())
            if connection.recv(64) == _GO:
                return []
        time.sleep(min(_RETRY_SEC, max(left_sec, 0)))
    return [chief]
