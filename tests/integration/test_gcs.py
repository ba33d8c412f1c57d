"""The way from a catalogue to a training in a bucket: real commands, TensorFlow's gs://, a store of the loopback."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.helpers.catalogues import write_catalogue
from tests.helpers.gcs_store import gcs_store
from tests.helpers.runs import QUICK

pytestmark = pytest.mark.slow

COPY = """
import os, sys
import tensorflow as tf
source, target = sys.argv[1:]
for folder, _, names in tf.io.gfile.walk(source):
    for name in names:
        path = os.path.join(folder, name)
        to = target + path.removeprefix(source)
        if "://" not in to:
            os.makedirs(os.path.dirname(to), exist_ok=True)
        tf.io.gfile.copy(path, to, overwrite=True)
"""


def test_from_catalogue_to_training(tmp_path):
    with gcs_store(tmp_path, "shop") as (environment, objects):
        environment["TF_CPP_MIN_LOG_LEVEL"] = "2"

        def start(*words):
            command = [sys.executable, "-m", "tf_outfit_gan.cli.main", *map(str, words)]
            return subprocess.Popen(command, env=environment, cwd=tmp_path / "here", stdout=subprocess.PIPE, text=True)

        def run(*words):
            process = start(*words)
            out, _ = process.communicate(timeout=600)
            assert process.returncode == 0, out
            return out

        def copied(source, target):
            subprocess.run([sys.executable, "-c", COPY, str(source), str(target)], env=environment, check=True, timeout=600)

        (tmp_path / "here").mkdir()
        shop = write_catalogue(tmp_path / "catalogue", 12, (16, 12))
        copied(shop, "gs://shop/catalogue")
        options = ("--size", "16x12", "--quiet", "--workers", "2")
        run("prepare", shop, tmp_path / "data", *options)

        # Kill the preparation when the first shard is whole, and run it again.
        killed = start("prepare", "gs://shop/catalogue", "gs://shop/data", *options)
        deadline = time.monotonic() + 300
        while not any(name.endswith(".done.json") for name in objects()):
            assert killed.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=60)
        assert "data/dataset.json" not in objects()
        assert "prepared gs://shop/data: 9 train, 3 test" in run("prepare", "gs://shop/catalogue", "gs://shop/data", *options)
        copied("gs://shop/data", tmp_path / "fetched")
        here, there = tmp_path / "data", tmp_path / "fetched"
        names = {path.relative_to(here) for path in here.rglob("*") if path.is_file()}
        assert names == {path.relative_to(there) for path in there.rglob("*") if path.is_file()}
        for name in names:
            if not name.name.endswith(".done.json"):  # They hold the files' times.
                assert (here / name).read_bytes() == (there / name).read_bytes(), name

        # Train from it.
        settings = ["--preset", "tiny", "--quiet", *(f"--set={setting}" for setting in QUICK)]
        run("train", tmp_path / "run", "--data", "gs://shop/data", *settings)
        config = json.loads((tmp_path / "run/config.json").read_text())
        assert config["data"] == "gs://shop/data" and (tmp_path / "run/snapshots").is_dir()
        assert not os.listdir(tmp_path / "here")
