"""Whole or not there: files, folders, and names."""

import os

import pytest

from tf_outfit_gan.util import atomic


@pytest.mark.parametrize("content, expected", [("größer\n", "größer\n".encode()), (b"\x00\xff", b"\x00\xff")])
def test_text_and_bytes_replace_what_was_there(tmp_path, content, expected):
    path = tmp_path / "file"
    path.write_text("before")
    atomic.write_whole(path, content)
    assert path.read_bytes() == expected
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_whole_file_is_readable_by_whoever_the_umask_lets(tmp_path):
    before = os.umask(0o022)
    try:
        atomic.write_whole(tmp_path / "file", "text")
    finally:
        os.umask(before)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o644


def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "file"
    path.write_text("before")
    with pytest.raises(KeyError), atomic.whole_file(path) as partial:
        partial.write_text("half")
        raise KeyError
    assert path.read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_half_a_file_never_has_its_name(tmp_path):
    with atomic.whole_file(tmp_path / "file") as partial:
        partial.write_text("half")
        assert not (tmp_path / "file").exists()
    assert (tmp_path / "file").read_text() == "half"


def test_a_name_is_claimed_once(tmp_path):
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "content").write_text(name)
    assert atomic.claim(tmp_path / "first", tmp_path / "1")
    assert not atomic.claim(tmp_path / "second", tmp_path / "1")
    assert (tmp_path / "1" / "content").read_text() == "first" and (tmp_path / "second").is_dir()


def test_claiming_for_a_folder_that_is_not_there_fails(tmp_path):
    with pytest.raises(FileNotFoundError):
        atomic.claim(tmp_path / "missing", tmp_path / "1")


def test_setting_aside_replaces_what_was_set_aside_before(tmp_path):
    for content in ("one", "two"):
        (tmp_path / "checkpoint").mkdir()
        (tmp_path / "checkpoint" / content).touch()
        aside = atomic.set_aside(tmp_path / "checkpoint", "damaged")
    assert aside == tmp_path / "checkpoint.damaged" and [path.name for path in aside.iterdir()] == ["two"]
    assert not (tmp_path / "checkpoint").exists()


@pytest.fixture
def calls(monkeypatch):
    """What is forced to the disk and what is renamed, in order: (verb, the name that a file or folder has then)."""
    found = []
    fsync = os.fsync

    def recorded_fsync(descriptor):
        found.append(("fsync", os.path.basename(os.readlink(f"/proc/self/fd/{descriptor}"))))
        fsync(descriptor)

    def recorded(rename):
        return lambda old, new: (found.append(("rename", os.path.basename(new))), rename(old, new))

    monkeypatch.setattr(os, "fsync", recorded_fsync)
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, recorded(getattr(os, name)))
    return found


def test_a_file_is_on_the_disk_before_it_is_renamed(tmp_path, calls):
    """Or a machine that loses its power has a name for half a file."""
    atomic.write_whole(tmp_path / "file", "text")
    assert calls == [("fsync", atomic.beside(tmp_path / "file").name), ("rename", "file")]


def test_all_of_a_folder_is_on_the_disk_before_it_is_renamed_and_its_name_after(tmp_path, calls):
    with atomic.whole_folder(tmp_path / "run" / "folder") as partial:
        (partial / "below").mkdir()
        (partial / "below" / "deep").touch()
        (partial / "file").touch()
    before, ((_, name),), after = calls[:-2], calls[-2:-1], calls[-1:]
    assert name == "folder" and sorted(before) == sorted(("fsync", name) for name in ("below", "deep", "file", partial.name))
    assert after == [("fsync", "run")]


def test_a_claimed_name_is_on_the_disk(tmp_path, calls):
    (tmp_path / "finished").mkdir()
    assert atomic.claim(tmp_path / "finished", tmp_path / "1")
    assert calls == [("rename", "1"), ("fsync", tmp_path.name)]
