"""An exported model in C++, as TensorFlow Serving runs it: loaded by its loader, asked in its session, in two versions."""

import json
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from tensorflow.core.framework.tensor_pb2 import TensorProto

from export.verification import CARD, WARMUP, same
from export.warmup import read_samples
from tests.helpers.exported import write_snapshot
from tf_outfit_gan.cli.main import main

SOURCE = Path(__file__).parents[1] / "helpers" / "savedmodel_runner.cc"
SERVED = "2.20.0"  # TensorFlow of the newest tensorflow/serving image; the other version is the installed one.
# Wheels of TensorFlow are compiled so; a program that is not would not fit their libraries.
FLAGS = ["-w", "-O1", "-std=c++17", "-D_GLIBCXX_USE_CXX11_ABI=1", "-DEIGEN_MAX_ALIGN_BYTES=64", "-DNDEBUG"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module", params=["installed", SERVED])
def runner(request, tmp_path_factory):
    """(TensorFlow's version, the compiled program)."""
    if not shutil.which("g++"):
        pytest.skip("needs g++")
    folder = tmp_path_factory.mktemp("runner")
    if request.param == "installed":
        version, libraries = metadata.version("tensorflow"), Path(tf.sysconfig.get_lib())
    else:
        version, libraries = SERVED, downloaded(SERVED, folder)
    program = folder / "savedmodel_runner"
    linked = [f"-L{libraries}", "-l:libtensorflow_cc.so.2", "-l:libtensorflow_framework.so.2", f"-Wl,-rpath,{libraries}"]
    command = ["g++", *FLAGS, f"-I{libraries}/include", str(SOURCE), "-o", str(program), *linked]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return version, program


def downloaded(version, folder):
    """The libraries and headers of a TensorFlow that is not installed."""
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), f"tensorflow-cpu=={version}"]
    if subprocess.run(command).returncode:
        pytest.skip(f"needs the wheel of tensorflow-cpu {version} from a package index")
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(("tensorflow/include/", "tensorflow/libtensorflow"))]
        archive.extractall(folder, names)
    wheel.unlink()
    return folder / "tensorflow"


@pytest.fixture(scope="module", params=["shipped", "256x192"])
def version_dir(request, tmp_path_factory):
    """An export of the shipped model, and one of an untrained model of a larger preset."""
    folder = tmp_path_factory.mktemp("exported")
    snapshot = "shipped"
    if request.param != "shipped":
        snapshot = str(folder / "000400kimg")
        write_snapshot(snapshot, preset=request.param)
    assert main(["export", snapshot, str(folder / "models")]) == 0
    return folder / "models" / "1"


def test_verify_passes_by_the_installed_tensorflow(version_dir, capsys):
    assert main(["verify", str(version_dir.parent)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("PASS")


def test_every_signature_answers_as_recorded(runner, version_dir, tmp_path):
    version, program = runner
    samples = list(read_samples(version_dir / WARMUP))
    lines = [f"{signature} {written(tmp_path / str(i), inputs)}" for i, (signature, inputs, _) in enumerate(samples)]
    printed, *answers = ask(program, version_dir, lines)
    assert printed == version and answers == ["OK"] * len(samples)
    for i, (signature, _, expected) in enumerate(samples):
        for name, array in expected.items():
            found = tf.make_ndarray(TensorProto.FromString((tmp_path / str(i) / "out" / name).read_bytes()))
            assert same(found, array), (signature, name)
    assert {signature for signature, *_ in samples} == set(json.loads((version_dir / CARD).read_text())["signatures"])


def test_a_mistake_has_its_message(runner, version_dir, tmp_path):
    _, program = runner
    good = next(inputs for signature, inputs, _ in read_samples(version_dir / WARMUP) if signature == "serving_default")
    bad = good | {"keypoints": np.full_like(good["keypoints"], 100)}  # Pixels. The answer's further lines name the node.
    _, answer, *_ = ask(program, version_dir, [f"serving_default {written(tmp_path / 'bad', bad)}"])
    assert answer.startswith("INVALID_ARGUMENT: ") and "If these are pixels" in answer


def written(folder, inputs):
    """Writes inputs as the program reads them; returns the folder."""
    folder.mkdir()
    for name, array in inputs.items():
        (folder / name).write_bytes(tf.make_tensor_proto(array).SerializeToString())
    return folder


def ask(program, model, lines):
    """The lines that the program prints."""
    done = subprocess.run([program, model], input="\n".join(lines), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()
