"""The way from a catalogue to an export in a bucket: real commands, TensorFlow's gs://, a store of the loopback."""

import json
import os
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import pytest

from tests.helpers.catalogues import write_catalogue
from tests.helpers.gcs_store import COPY, gcs_store
from tests.helpers.runs import QUICK, assert_same_memory
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.data.preparation.prepare import prepare
from training.loop import train
from training.run_options import RunOptions

pytestmark = pytest.mark.slow

# Who owns a run says so more often, and is given up sooner: the test does not wait for minutes.
SOON = "from training import bucket; bucket.BEAT_SEC, bucket.PATIENCE_SEC = 2, 30\n"
MAIN = SOON + "import sys; from tf_outfit_gan.cli.main import main; sys.exit(main(sys.argv[1:]))"
HOLD = (
    SOON
    + "import sys, time; from tf_outfit_gan.util.storage import as_path\n"
    + "with bucket.opened(as_path(sys.argv[1])): print('held', flush=True); time.sleep(600)"
)

# Sends half an object to the store through its tunnel, and stops there.
HALF = r"""
import os, socket, ssl, time
from urllib.parse import urlsplit
proxy = urlsplit(os.environ["https_proxy"])
tunnel = socket.create_connection((proxy.hostname, proxy.port))
tunnel.sendall(b"CONNECT storage.googleapis.com:443 HTTP/1.1\r\n\r\n")
tunnel.recv(4096)
context = ssl.create_default_context(cafile=os.environ["CURL_CA_BUNDLE"])
with context.wrap_socket(tunnel, server_hostname="storage.googleapis.com") as store:
    store.sendall(b"POST /upload/storage/v1/b/shop/o?uploadType=media&name=half HTTP/1.1\r\n")
    store.sendall(b"Transfer-Encoding: chunked\r\n\r\na\r\n1234")
    print("sent", flush=True)
    time.sleep(600)
"""


@pytest.fixture
def shop(tmp_path):
    """The bucket gs://shop, and ways to run commands that see it, on machines that have a TMPDIR each."""
    with gcs_store(tmp_path, "shop") as (environment, objects):
        environment["TF_CPP_MIN_LOG_LEVEL"] = "2"
        (tmp_path / "here").mkdir()

        def start(*words, program=MAIN, machine="a"):
            (tmp_path / machine).mkdir(exist_ok=True)
            return subprocess.Popen(
                [sys.executable, "-c", program, *map(str, words)],
                env={**environment, "TMPDIR": str(tmp_path / machine)},
                cwd=tmp_path / "here",
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

        def run(*words, code=0, **options):
            process = start(*words, **options)
            printed = "".join(process.communicate(timeout=900))
            assert process.returncode == code, printed
            return printed

        def killed_when(process, is_time):
            deadline = time.monotonic() + 600
            while not is_time():
                assert process.poll() is None and time.monotonic() < deadline
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=60)

        yield SimpleNamespace(
            objects=objects,
            start=start,
            run=run,
            killed_when=killed_when,
            copied=lambda source, target: run(source, target, program=COPY),
        )
        assert not os.listdir(tmp_path / "here")  # No folder named gs:.


def test_a_client_that_is_killed_leaves_the_store_to_others_and_no_half_object(shop, tmp_path):
    client = shop.start(program=HALF)
    assert client.stdout.readline() == "sent\n"
    client.kill()
    client.communicate(timeout=60)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("x")
    shop.copied(tmp_path / "folder", "gs://shop/folder")
    assert "folder/file" in shop.objects() and "half" not in shop.objects()


def test_from_catalogue_to_training(shop, tmp_path):
    catalogue = write_catalogue(tmp_path / "catalogue", 12, (16, 12))
    shop.copied(catalogue, "gs://shop/catalogue")
    options = ("--size", "16x12", "--quiet", "--workers", "2")
    shop.run("prepare", catalogue, tmp_path / "data", *options)

    # Kill the preparation when the first shard is whole, and run it again.
    words = ("prepare", "gs://shop/catalogue", "gs://shop/data", *options)
    shop.killed_when(shop.start(*words), lambda: any(name.endswith(".done.json") for name in shop.objects()))
    assert "data/dataset.json" not in shop.objects()
    assert "prepared gs://shop/data: 9 train, 3 test" in shop.run(*words)
    shop.copied("gs://shop/data", tmp_path / "fetched")
    here, there = tmp_path / "data", tmp_path / "fetched"
    names = {path.relative_to(here) for path in here.rglob("*") if path.is_file()}
    assert names == {path.relative_to(there) for path in there.rglob("*") if path.is_file()}
    for name in names:
        if not name.name.endswith(".done.json"):  # They hold the files' times.
            assert (here / name).read_bytes() == (there / name).read_bytes(), name

    # Train from it.
    settings = ["--preset", "tiny", "--quiet", *(f"--set={setting}" for setting in QUICK)]
    shop.run("train", tmp_path / "run", "--data", "gs://shop/data", *settings)
    config = json.loads((tmp_path / "run/config.json").read_text())
    assert config["data"] == "gs://shop/data" and (tmp_path / "run/snapshots").is_dir()


def test_a_run_from_its_start_to_its_export(shop, tmp_path):
    settings = (*QUICK, "checkpoint_kimg=0.008")
    dataset = prepare(write_catalogue(tmp_path / "catalogue", 40, (16, 12)), tmp_path / "data", (16, 12), workers=1, quiet=True)
    train(tmp_path / "run", dataset, *from_preset("tiny", settings), RunOptions(quiet=True))
    place = "gs://shop/runs/one"
    words = ("train", place, "--data", dataset.path, "--preset", "tiny", "--quiet", *(f"--set={setting}" for setting in settings))

    # A second writer is refused, and takes the run over when the first is dead.
    holder = shop.start(place, program=HOLD, machine="b")
    assert holder.stdout.readline() == "held\n"
    assert f"error: {place}: process {holder.pid} on " in shop.run(*words, code=2)
    holder.kill()
    holder.communicate(timeout=60)

    # Kill it when a checkpoint is whole, and resume it from an empty disk.
    def whole_checkpoints():
        return [name for name in shop.objects() if name.endswith("img/state.index")]

    shop.killed_when(shop.start(*words), whole_checkpoints)
    assert "runs/one/owner" in shop.objects() and not any("snapshots" in name for name in shop.objects())
    shop.run(*words, machine="c")
    assert not any(name.endswith(("/owner", ".partial")) for name in shop.objects())

    # It ends as the undisturbed one, and is exported from there.
    shop.copied(place, tmp_path / "fetched")
    assert "resuming" in (tmp_path / "fetched/log.txt").read_text()
    assert_same_memory(tmp_path / "fetched", tmp_path / "run")
    ours, theirs = (snapshots.weights_checksum(snapshots.load(tmp_path / run)) for run in ("run", "fetched"))
    assert ours == theirs
    assert "all signatures answer" in shop.run("export", place, tmp_path / "models/outfit_gan")
