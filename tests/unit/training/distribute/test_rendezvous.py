"""Workers wait for each other before TensorFlow connects them."""

import contextlib
import socket
import threading
import time

import pytest

from training.distribute.cluster import Cluster
from training.distribute.rendezvous import WorkersMissing, wait_for_workers


@pytest.fixture
def workers():
    with socket.socket() as free:
        free.bind(("localhost", 0))
        return (f"localhost:{free.getsockname()[1]}", "localhost:1", "localhost:2")


def come(workers, index, wait_sec=20, met=None):
    """Lets a worker come, in a thread."""

    def run():
        with contextlib.suppress(WorkersMissing):
            wait_for_workers(Cluster(workers, index), wait_sec)
            met.append(index)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0)])
def test_all_go_on_when_the_last_one_comes(workers, order):
    met, threads = [], []
    for index in order:
        assert not met
        threads.append(come(workers, index, met=met))
        time.sleep(0.2)
    for thread in threads:
        thread.join(20)
    assert sorted(met) == [0, 1, 2]


def test_one_who_came_and_went_is_missing(workers):
    cluster = Cluster(workers, 0)
    gone = threading.Timer(0.3, lambda: connect(workers, b"outfit-gan worker 1").close())
    gone.start()
    threading.Timer(0.8, come, (workers, 2, 3, [])).start()
    with pytest.raises(WorkersMissing, match="worker 0 waited 0.025 minutes for localhost:1; run the same"):
        wait_for_workers(cluster, 1.5)
    gone.join()


def test_strangers_are_not_taken_for_workers(workers):
    met = []
    chief = come(workers, 0, met=met)
    time.sleep(0.2)
    strangers = [connect(workers, hello) for hello in (b"PRI * HTTP/2.0\r\n\r\n", b"outfit-gan worker 7", b"\xff")]
    others = [come(workers, index, met=met) for index in (1, 2)]
    for thread in (chief, *others):
        thread.join(20)
    assert sorted(met) == [0, 1, 2]
    for stranger in strangers:
        stranger.close()


def test_whoever_has_the_port_of_the_chief_is_not_taken_for_it(workers):
    host, _, port = workers[0].rpartition(":")
    with socket.create_server((host, int(port))) as other:
        threading.Thread(target=lambda: other.accept()[0].sendall(b"\0\0\6\4\0\0\0\0\0"), daemon=True).start()
        with pytest.raises(WorkersMissing, match=f"worker 1 waited 0.0166667 minutes for {workers[0]}"):
            wait_for_workers(Cluster(workers, 1), 1)


def connect(workers, hello):
    host, _, port = workers[0].rpartition(":")
    stranger = socket.create_connection((host, int(port)))
    stranger.sendall(hello)
    return stranger
