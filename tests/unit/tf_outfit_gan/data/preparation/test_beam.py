"""prepare on Apache Beam's local runner: the bytes of the plain preparation, what is made already, and mistakes."""

import os
import sys

import pytest

from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.util.errors import UserError

# The local runner that is Python alone.
LOCAL = ["--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"]


def contents(data):
    return {str(path.relative_to(data)): path.read_bytes() for path in data.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    """300 entries in two training shards and one for testing; one photo is broken."""
    folder = write_catalogue(tmp_path_factory.mktemp("beam") / "shop", 300)
    (folder / "e007.png").write_bytes(b"no picture")
    return folder


@pytest.fixture(scope="module")
def plain(source, tmp_path_factory):
    data = tmp_path_factory.mktemp("beam") / "plain"
    prepare(source, data, workers=1, quiet=True)
    return contents(data)


def test_beam_makes_the_same_bytes(source, plain, tmp_path, monkeypatch):
    pytest.importorskip("apache_beam")
    monkeypatch.chdir(tmp_path)
    # Paths as a user gives them, relative to the current folder.
    assert main(["prepare", os.path.relpath(source), "data", "--beam", *LOCAL]) == 0
    assert contents(tmp_path / "data") == plain and "skipped.jsonl" in plain
    assert not list((tmp_path / "data").glob(".plan*"))


def test_beam_goes_on_where_another_stopped(source, plain, tmp_path):
    pytest.importorskip("apache_beam")
    data = tmp_path / "data"
    prepare(source, data, task=(1, 3), workers=1, quiet=True)
    made = {path: path.stat().st_mtime_ns for path in (data / "records").iterdir()}
    assert len(made) == 1 + 2 * 3  # done; kinds, levels
    prepare(source, data, beam=LOCAL)
    assert contents(data) == plain
    assert made.items() <= {path: path.stat().st_mtime_ns for path in (data / "records").iterdir()}.items()


def test_a_bad_entry_stops_a_strict_job_on_beam(source, tmp_path):
    pytest.importorskip("apache_beam")
    with pytest.raises(UserError, match="manifest.jsonl line 8: .*e007.png"):
        prepare(source, tmp_path / "data", beam=LOCAL, strict=True)
    assert not list((tmp_path / "data").glob(".plan*"))


def test_without_beam_one_line_says_what_to_install(source, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    assert main(["prepare", str(source), str(tmp_path / "data"), "--beam"]) == 2
    assert "pip install 'tf-outfit-gan[beam]'" in capsys.readouterr().err
    assert main(["prepare", str(source), str(tmp_path / "data"), "--workers", "2", "--beam"]) == 2
    assert "shares out the work itself" in capsys.readouterr().err
