"""Paths of other file systems: one type with pathlib's methods, which no local function takes for a local path."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from tf_outfit_gan.cli.main import _check_places, main, parser_of
from tf_outfit_gan.util import atomic
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.files import fault_of, read_file
from tf_outfit_gan.util.model_versions import model_versions
from tf_outfit_gan.util.storage import RemotePath, as_path, is_url, local_copy, local_only, relative


@pytest.fixture
def folder(request):
    path = as_path(f"ram://{request.node.name.translate(str.maketrans('[]/:', '____'))}/shop")
    path.mkdir(parents=True)
    return path


def test_urls_and_local_paths_are_told_apart(tmp_path):
    assert isinstance(as_path("gs://bucket/data"), RemotePath) and isinstance(as_path("data"), Path)
    assert str(as_path("hdfs://host:9000/a/b/")) == "hdfs://host:9000/a/b"
    # What pathlib made of a URL is one, too: it must not become a folder named "gs:".
    assert str(as_path(Path("gs://bucket/data"))) == "gs://bucket/data"
    assert as_path("file:///tmp/x") == Path("/tmp/x")
    for local in ("C:/photos", "a:b", "runs/gs://x", tmp_path):
        assert not is_url(local)
    for server in ("https://host/v1", "grpc://host:8500"):
        assert not is_url(server)


def test_it_is_as_a_path_is(folder):
    file = folder / "a" / "b.txt"
    assert (file.name, file.stem, file.parent.name, str(file.with_name("c"))) == ("b.txt", "b", "a", f"{folder}/a/c")
    assert not file.exists() and fault_of(file) == "no such file"
    with pytest.raises(FileNotFoundError):
        file.stat()
    file.parent.mkdir(parents=True, exist_ok=True)
    atomic.write_whole(file, "häuser")
    assert file.is_file() and file.parent.is_dir() and not file.is_dir() and fault_of(file) is None
    assert file.read_text() == "häuser" and read_file(file, 100) == "häuser".encode() and file.stat().st_size == 7
    with pytest.raises(UserError, match="expected a file of 3 bytes at most, found 7"):
        read_file(file, 3)
    with pytest.raises(UserError, match="no such file"):
        read_file(folder / "none", 3)
    assert list(file.parent.glob("*.txt")) == list(file.parent.iterdir()) == [file]
    assert relative(file, folder) == "a/b.txt" and pickle.loads(pickle.dumps(file)) == file
    file.unlink()
    file.unlink(missing_ok=True)
    assert not file.exists()
    with pytest.raises(FileNotFoundError):
        file.unlink()


def test_no_local_function_takes_it(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for function in (open, os.stat, os.fspath, os.makedirs, Path, shutil.rmtree):
        with pytest.raises(TypeError):
            function(folder)
    assert not os.listdir(tmp_path)


def test_a_file_is_whole_or_not_there(folder):
    file = folder / "records"
    with pytest.raises(ZeroDivisionError), atomic.whole_file(file) as partial:
        partial.write_text("half")
        raise ZeroDivisionError
    assert not file.exists()
    for content in ("first", "second"):
        with atomic.whole_file(file) as partial:
            partial.write_text(content)
            assert not file.exists() or file.read_text() != content
        assert file.read_text() == content
    assert tf.io.gfile.listdir(str(folder)) == ["records"]


def test_a_folder_ends_with_the_file_that_says_it_is_whole(folder, tmp_path, monkeypatch):
    for name in ("a/x", "last", "z"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    order, upload = [], atomic.upload
    monkeypatch.setattr(atomic, "upload", lambda local, path: (order.append(relative(path, folder)), upload(local, path)))
    atomic.upload_folder(tmp_path, folder / "1", "last")
    assert order == ["1/a/x", "1/z", "1/last"]
    # While it is copied again it is not whole.
    monkeypatch.setattr(atomic, "upload", lambda *_: (_ for _ in ()).throw(ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):
        atomic.upload_folder(tmp_path, folder / "1", "last")
    assert not (folder / "1" / "last").exists() and (folder / "1/a/x").read_text() == "a/x"
    assert model_versions(folder) == {1: folder / "1"}


def test_a_file_system_that_is_not_there_is_one_clear_line(tmp_path):
    (tmp_path / "x").write_text("")
    path = as_path("s3://bucket/x")
    for call in (path.exists, lambda: atomic.upload(tmp_path / "x", path), lambda: local_copy(path).__enter__()):
        with pytest.raises(UserError, match="s3://bucket/.*: this TensorFlow .* has no file system for s3://; load a plugin"):
            call()


def test_a_copy_of_this_machine_lasts_for_a_block(folder, tmp_path):
    atomic.write_whole(folder / "weights.h5", b"weights")
    with local_copy(folder / "weights.h5") as copy:
        assert copy.read_bytes() == b"weights" and copy.name == "weights.h5"
    assert not copy.exists() and (folder / "weights.h5").exists()
    with local_copy(tmp_path) as same:
        assert same == tmp_path
    with pytest.raises(FileNotFoundError), local_copy(folder / "none"):
        pass


def test_what_needs_a_local_disk_says_so():
    local_only("runs/x", "a run")
    with pytest.raises(UserError, match="gs://b/runs/x: a run needs a local folder or file; copy it here, or mount the bucket"):
        local_only(Path("gs://b/runs/x"), "a run")


@pytest.mark.parametrize(
    "command",
    [
        "prepare gs://b/shop gs://b/data --size 64x48",
        "train gs://b/run --data gs://b/data --init gs://b/other",
        "train gs://b/run --data gs://b/data --config gs://b/other/config.json",
        "report gs://b/run gs://b/other",
        "render gs://b/run --seed 1 --out x.png",
        "transfer gs://b/run --source 1 --target 2 --what color --out x.png",
        "evaluate gs://b/run gs://b/other --data gs://b/data",
        "figures gs://b/run --data gs://b/data --out x",
        "export gs://b/run gs://b/models/x",
        "verify models/x --snapshot gs://b/run",
        "import-stylegan x.pkl gs://b/out",
    ],
)
def test_what_may_lie_in_a_bucket(command):
    words = command.split()
    _check_places(parser_of(words[0]).parse_args(words))


def test_a_run_of_several_machines_needs_a_local_folder(monkeypatch, capsys):
    cluster = {"cluster": {"worker": ["one:1", "two:1"]}, "task": {"type": "worker", "index": 0}}
    monkeypatch.setenv("TF_CONFIG", json.dumps(cluster))
    assert main("train gs://b/run --data data".split()) == 2
    assert "gs://b/run: a run of several machines needs a local folder" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command",
    [
        "paperdoll gs://b/dolls --count 1 --size 64x48",
        "pose gs://b/shop --pose-model x.tflite",
        "inspect gs://b/data",
        "train-pose gs://b/run data",
        "render --outfits x --poses y --out-dir gs://b/out",
        "evaluate run --data data --masks gs://b/masks",
        "export run models/x --evaluation gs://b/x.json",
        "export shipped gs://b/models/x --format onnx",
        "verify gs://b/models/x",
        "serve gs://b/models/x",
        "studio gs://b/page",
        "import-stylegan gs://b/x.pkl out",
        "demo gs://b/out",
        "prepare shop data --pose-model gs://b/x.tflite",
    ],
)
def test_a_verb_makes_no_folder_named_gs(command, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(command.split()) == 2
    message = capsys.readouterr().err
    assert "gs://b/" in message and "needs a local folder or file" in message and message.count("\n") == 1
    assert not os.listdir(tmp_path)
