"""prepare, killed twice on the way: the same checksums as undisturbed, and what was made before is not touched.

    pytest -m slow tests/integration/test_prepare_scale.py                                           # 2,000 paper dolls of 64x48
    CATALOGUE=dolls COUNT=20000 SIZE=256x192 pytest -m slow -s tests/integration/test_prepare_scale.py

CATALOGUE keeps the catalogue in a folder of that name, where it is drawn unless it is whole already.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tf_outfit_gan.data.preparation.prepare import plan

COUNT, SIZE = os.environ.get("COUNT", "2000"), os.environ.get("SIZE", "64x48")


def outfit_gan(*arguments):
    return [sys.executable, "-m", "tf_outfit_gan.cli.main", *map(str, arguments)]


def checksums(data):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in (data / "records").iterdir()}


def made(data):
    """The finished shards' files and when they were written."""
    return {
        name: (data / "records" / name).stat().st_mtime_ns
        for done in data.glob("records/*.done.json")
        for name in (done.name, *json.loads(done.read_text())["files"])
    }


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory):
    folder = os.environ.get("CATALOGUE") or tmp_path_factory.mktemp("scale") / "dolls"
    subprocess.run(outfit_gan("paperdoll", folder, "--count", COUNT, "--size", SIZE), check=True)
    return folder


@pytest.fixture(scope="module")
def undisturbed(catalogue, tmp_path_factory):
    data = tmp_path_factory.mktemp("scale") / "undisturbed"
    subprocess.run(outfit_gan("prepare", catalogue, data), check=True)
    return data


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_twice_gives_the_checksums_of_an_undisturbed_run(catalogue, undisturbed, workers, tmp_path):
    data, before, total = tmp_path / "killed", {}, len(plan(catalogue, tmp_path / "killed")[2])
    for kill_at in (total // 3, 2 * total // 3):
        command = outfit_gan("prepare", catalogue, data, "--workers", workers, "--quiet")
        with subprocess.Popen(command) as process:
            while process.poll() is None and len(list(data.glob("records/*.done.json"))) < kill_at:
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
        assert not (data / "dataset.json").exists(), "the run ended before it could be killed"
        now = made(data)
        print(f"{workers} workers: killed with {len(list(data.glob('records/*.done.json')))} of {total} shards made")
        assert before.items() <= now.items(), "a finished shard was written again"
        before = now
    subprocess.run(outfit_gan("prepare", catalogue, data, "--workers", workers), check=True)
    assert before.items() <= made(data).items(), "a finished shard was written again"
    found, expected = checksums(data), checksums(undisturbed)
    assert found == expected
    print(f"{workers} workers: {len(found)} files as those of an undisturbed run")
    assert (data / "dataset.json").read_bytes() == (undisturbed / "dataset.json").read_bytes()
