"""Two processes that train together: what they leave, how they stop, and what they do when one of them is lost."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import time

import pytest

from tests.helpers.catalogues import write_catalogue
from tests.helpers.runs import assert_same_memory, newest_checkpoint, train_command
from tf_outfit_gan import snapshot
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.data.preparation.prepare import prepare
from training.loop import train
from training.run_options import RunOptions

SETTINGS = ("size=4x3", "condition_size=4x3", "total_kimg=0.4", "tick_kimg=0.04", "checkpoint_kimg=0.016", "snapshot_kimg=1")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    return prepare(write_catalogue(folder / "shop", 45, (16, 12)), folder / "data", workers=1, quiet=True)


class Pair:
    """Two workers on this machine, which are started, and ended in any case."""

    def __init__(self, folder, dataset):
        self.folder, self._dataset, self._started = folder, dataset, []
        with socket.socket() as first, socket.socket() as second:
            first.bind(("localhost", 0)), second.bind(("localhost", 0))
            self.addresses = [f"localhost:{free.getsockname()[1]}" for free in (first, second)]

    def start(self, index, *words, settings=SETTINGS, dataset=None):
        task = {"cluster": {"worker": self.addresses}, "task": {"type": "worker", "index": index}}
        environment = os.environ | {"TF_CONFIG": json.dumps(task)}
        environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # As it is where the command line silences TensorFlow by itself.
        command = train_command(self.folder, dataset or self._dataset, settings, *words)
        worker = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self._started.append(worker)
        return worker

    def wait_for(self, nimg):
        deadline = time.monotonic() + 600
        while newest_checkpoint(self.folder) < nimg:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    def close(self):
        for worker in self._started:
            worker.kill()


@pytest.fixture
def pair(dataset, tmp_path):
    with contextlib.closing(Pair(tmp_path / "run", dataset)) as pair:
        yield pair


def ended(*workers):
    """Waits until they have ended. Returns their exit codes and what they said at last."""
    said = [worker.communicate(timeout=600)[1] for worker in workers]
    return [worker.returncode for worker in workers], said


def test_a_worker_that_waits_in_vain_says_for_whom(pair):
    codes, (said,) = ended(pair.start(0, "--cluster-timeout", "0.05"))
    assert codes == [1]
    assert said == (
        f"outfit-gan train: error: worker 0 waited 0.05 minutes for {pair.addresses[1]}; run the same "
        "command on all workers to resume\n"
    )


@pytest.mark.slow
def test_a_run_survives_the_loss_of_any_worker(pair, dataset, tmp_path):
    """Each is killed, one after another, and started again: the run ends bit by bit as the undisturbed one."""
    with contextlib.closing(Pair(tmp_path / "undisturbed", dataset)) as undisturbed:
        assert ended(undisturbed.start(0), undisturbed.start(1))[0] == [0, 0]
    workers = [pair.start(0), pair.start(1)]
    for place, nimg in ((1, 32), (0, 160)):
        pair.wait_for(nimg)
        workers[place].kill()
        workers[place].wait()
        workers[place] = pair.start(place)
    codes, said = ended(*workers)
    assert codes == [0, 0], said
    assert "lost connection to a peer; restarting from the last checkpoint" in said[1]
    assert newest_checkpoint(pair.folder) == snapshot.read(pair.folder).cur_nimg == 400
    assert_same_memory(pair.folder, undisturbed.folder)
    assert (pair.folder / "workers" / "1" / "stats.jsonl").exists()


@pytest.mark.slow
def test_a_signal_to_one_stops_both_and_one_process_goes_on(pair, dataset):
    workers = [pair.start(0), pair.start(1)]
    pair.wait_for(16)
    workers[1].send_signal(signal.SIGTERM)
    codes, said = ended(*workers)
    assert codes == [128 + signal.SIGTERM] * 2, said
    stopped = newest_checkpoint(pair.folder)
    assert 16 <= stopped < 400 and snapshot.read(pair.folder).cur_nimg == stopped
    assert train(pair.folder, dataset, *from_preset("tiny", SETTINGS), RunOptions(quiet=True)) == 400


@pytest.mark.slow
def test_a_worker_that_is_to_stop_does_not_wait_for_a_lost_one(pair):
    """As when machines are taken away together, and one of them goes before it has answered."""
    workers = [pair.start(0), pair.start(1)]
    pair.wait_for(32)
    workers[0].kill()
    workers[1].send_signal(signal.SIGTERM)
    codes, said = ended(*workers)
    assert codes == [-signal.SIGKILL, 128 + signal.SIGTERM], said
    assert "starts again" not in said[1]
    assert "worker 1: lost connection to a peer while stopping; no new checkpoint is written" in said[1]


@pytest.mark.slow
def test_workers_with_other_settings_are_refused(pair):
    codes, said = ended(pair.start(0), pair.start(1, settings=(*SETTINGS, "r1_gamma=3")))
    assert codes == [2, 2], said
    assert "worker 1: training differs from worker 0's" in said[0] or "holds a run with r1_gamma" in said[1]


@pytest.mark.slow
def test_a_worker_that_sees_other_data_is_refused(pair, tmp_path):
    other = prepare(write_catalogue(tmp_path / "other", 46, (16, 12)), tmp_path / "other-data", workers=1, quiet=True)
    codes, said = ended(pair.start(0), pair.start(1, dataset=other))
    assert codes == [2, 2], said
    assert f"worker 1: data differs from worker 0's (worker 1 has {other.checksum})" in said[1]
    assert "expected the same command, the same data" in said[0]
