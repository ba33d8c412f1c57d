"""A run in a bucket: what is copied and fetched, what a copy that was cut short leaves, and one owner at a time.

The bucket is TensorFlow's file system in memory; another TMPDIR is another machine.
"""

import contextlib
import tempfile
import time

import pytest
import tensorflow as tf

from tf_outfit_gan.util.atomic import write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import as_path
from training import bucket

FIRST = {
    "config.json": "{}",
    "stats.jsonl": "1\n",
    "checkpoints/000016img/state.data": "16",
    "checkpoints/000016img/state.index": "index",
    "snapshots/000000kimg/config.json": "{}",
    "snapshots/000000kimg/generator.weights.h5": "weights",
    "snapshots/000000kimg/state.json": "{}",
    "snapshots/000000kimg/training/generator.weights.h5": "as trained",
}


@pytest.fixture
def place(request, monkeypatch):
    monkeypatch.setattr(bucket, "BEAT_SEC", 0.05)
    monkeypatch.setattr(bucket, "PATIENCE_SEC", 0.5)
    return as_path(f"ram://{request.node.name.translate(str.maketrans('[]/:', '____'))}/runs/one")


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Puts the following on the machine of that name."""

    def on(name):
        (tmp_path / name).mkdir(exist_ok=True)
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / name))

    on("a")
    return on


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def here(folder):
    """{name: text} of a run's files in its local folder."""
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()]
    return {name: (folder / name).read_text() for name in names if name not in (bucket.OWNER, bucket.LOCK)}


def there(place):
    """{name: text} of a run's files in the bucket."""
    found = {}
    for folder, _, names in tf.io.gfile.walk(str(place)):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            found[path.removeprefix(f"{place}/")] = as_path(path).read_text()
    found.pop(bucket.OWNER, None)
    return found


def empty_folders(place):
    return [folder for folder, folders, names in tf.io.gfile.walk(str(place)) if not folders and not names]


@contextlib.contextmanager
def no_store(monkeypatch, after=0):
    """A store that takes so many more files of a run, and then no more for a block."""
    copy, left = tf.io.gfile.copy, [after]

    def refused(source, target, **options):
        if target.startswith("ram:") and bucket.OWNER not in target:
            if not left[0]:
                raise tf.errors.UnavailableError(None, None, "no route to the store")
            left[0] -= 1
        copy(source, target, **options)

    with monkeypatch.context() as patch:
        patch.setattr(tf.io.gfile, "copy", refused)
        yield


def killed_in_a_copy(place, monkeypatch, files, after):
    """A process that writes files and ends for good when so many were copied."""
    with contextlib.suppress(ZeroDivisionError), no_store(monkeypatch, after), bucket.opened(place, quiet=True) as (folder, _):
        write(folder, files)
        raise ZeroDivisionError


def test_a_local_run_is_its_own_folder(tmp_path):
    with bucket.opened(tmp_path / "run") as (folder, saved):
        assert folder == tmp_path / "run" and saved is None


def test_what_changes_is_copied_and_another_machine_fetches_it(place, machine, capsys):
    with bucket.opened(place) as (folder, saved):
        assert folder == bucket.local_folder(place) and not here(folder)
        write(folder, FIRST)
        assert saved() == [] and there(place) == FIRST
        # Retention takes a part of a folder, another one as a whole, and a file; a log grows.
        write(folder, {f"snapshots/000002kimg/{name}": "" for name in ("state.json", "training/generator.weights.h5")})
        write(folder, {"timeline/a.png": "", "stats.jsonl": "1\n2\n", ".half.partial": "", "timeline/b.png": ""})
        assert saved() == []
        write_whole(place / "snapshots/000000kimg/transfer.json", "of an evaluation")
        (folder / "snapshots/000002kimg/training/generator.weights.h5").unlink()
        (folder / "snapshots/000002kimg/training").rmdir()
        (folder / "timeline/a.png").unlink()
        for path in sorted((folder / "snapshots/000000kimg").rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
        (folder / "snapshots/000000kimg").rmdir()
    kept = {name: text for name, text in FIRST.items() if "snapshots" not in name}
    kept |= {"snapshots/000002kimg/state.json": "", "timeline/b.png": "", "stats.jsonl": "1\n2\n"}
    assert there(place) == kept and not empty_folders(place) and not (place / bucket.OWNER).exists()
    assert not here(folder)
    machine("b")
    with bucket.opened(place) as (folder, saved):
        assert here(folder) == kept and folder != bucket._root()
    assert f"fetching {len(kept)} files of {place}" in capsys.readouterr().out
    assert there(place) == kept


@pytest.mark.parametrize("after", range(10))
def test_a_copy_that_is_cut_short_is_not_taken_for_whole(place, machine, monkeypatch, after):
    with bucket.opened(place, quiet=True) as (folder, _):
        write(folder, FIRST)
    new = {name.replace("000000kimg", "000002kimg").replace("16img", "32img"): f"new {text}" for name, text in FIRST.items()}
    killed_in_a_copy(place, monkeypatch, new, after)
    monkeypatch.setattr(bucket, "PATIENCE_SEC", 0)
    machine("b")
    with bucket.opened(place, quiet=True) as (folder, _):
        found = here(folder)
        for path in folder.glob("*/*"):
            files = {name: text for name, text in (FIRST | new).items() if name.startswith(str(path.relative_to(folder)))}
            assert files and files.items() <= found.items()
        whole = (folder / "checkpoints/000032img").exists()
        assert whole == (after >= len(new))
        # All that belongs to the moment of a checkpoint is there with it.
        assert not whole or found == FIRST | new
        write(folder, {"log.txt": ""})
    assert there(place) == found | {"log.txt": ""}  # The halves are gone.


def test_a_killed_process_goes_on_with_what_is_on_its_disk(place, machine, monkeypatch):
    with bucket.opened(place, quiet=True) as (folder, _):
        write(folder, FIRST)
    more = {"stats.jsonl": "1\n2\n", "checkpoints/000032img/state.index": "i", "checkpoints/000032img/state.data": "32"}
    killed_in_a_copy(place, monkeypatch, more, 0)
    assert there(place) == FIRST
    monkeypatch.setattr(bucket, "PATIENCE_SEC", 1000)  # It does not wait for itself.
    machine("a")
    with bucket.opened(place, quiet=True) as (folder, _):
        assert here(folder) == FIRST | more
    assert there(place) == FIRST | more


def test_what_another_machine_has_done_since_counts(place, machine, monkeypatch):
    killed_in_a_copy(place, monkeypatch, FIRST, 0)
    monkeypatch.setattr(bucket, "PATIENCE_SEC", 0)
    machine("b")
    with bucket.opened(place, quiet=True) as (folder, _):
        write(folder, {"stats.jsonl": "of b\n"})
    machine("a")
    with bucket.opened(place, quiet=True) as (folder, _):
        assert here(folder) == {"stats.jsonl": "of b\n"}


def test_a_second_writer_is_refused(place, machine):
    with bucket.opened(place, quiet=True):
        with pytest.raises(UserError, match=f"{bucket.local_folder(place)}: process .* trains here; stop it first"):
            with bucket.opened(place, quiet=True):
                pass
        machine("b")
        with pytest.raises(UserError, match=f"{place}: process .* trains here; stop it first, or choose a new folder"):
            with bucket.opened(place, quiet=True):
                pass
    with bucket.opened(place, quiet=True):  # It has left.
        pass


@pytest.mark.parametrize("left", [False, True])
def test_who_was_taken_for_dead_copies_nothing_any_more(place, machine, monkeypatch, capsys, left):
    with contextlib.ExitStack() as sleeper, contextlib.ExitStack() as other:
        folder, saved = sleeper.enter_context(bucket.opened(place, quiet=True))
        monkeypatch.setattr(bucket, "BEAT_SEC", 1000)
        time.sleep(0.2)
        monkeypatch.setattr(bucket, "BEAT_SEC", 0.05)
        machine("b")
        its_folder, its_saved = other.enter_context(bucket.opened(place))
        write(its_folder, FIRST)
        its_saved()
        if left:
            other.close()
        write(folder, {"log.txt": ""})
        for call in (saved, sleeper.close):
            with pytest.raises(bucket.TakenOver, match="has taken this run over, as nothing was heard from here"):
                call()
        assert there(place) == FIRST and (place / bucket.OWNER).exists() != left
    assert "has trained here; waiting until it is known to be over" in capsys.readouterr().out


def test_a_store_that_does_not_answer_ends_no_run(place, machine, monkeypatch):
    with bucket.opened(place, quiet=True) as (folder, saved):
        write(folder, FIRST)
        with no_store(monkeypatch, 3):
            (line,) = saved()
        assert f"not copied to {place}, which is tried again when something is saved" in line and "no route" in line
        assert saved() == [] and there(place) == FIRST
    with pytest.raises(UserError, match=f"{place}: cannot be written .* the run is whole in"):
        with contextlib.ExitStack() as stack:
            folder, _ = stack.enter_context(bucket.opened(place, quiet=True))
            write(folder, {"log.txt": "last words"})
            with no_store(monkeypatch):
                stack.close()
    assert there(place) == FIRST
    with bucket.opened(place, quiet=True) as (folder, _):
        assert here(folder) == FIRST | {"log.txt": "last words"}
    assert there(place) == FIRST | {"log.txt": "last words"}
