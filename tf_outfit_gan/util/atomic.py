"""Files and folders that are either whole or not there: written beside, forced to the disk, then renamed.

Nothing else of this project renames: what a reader may count on stands here once. On an object store a file is written
here first and copied when it is whole; a folder there is whole when its last file, which says so, is there.
"""

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeVar

from tf_outfit_gan.util.storage import RemotePath

PARTIAL = ".partial"
P = TypeVar("P", Path, RemotePath)


@contextlib.contextmanager
def whole_file(path: Path | RemotePath) -> Iterator[Path]:
    """Yields the local path of a file that is to be written and then takes the place of `path`; on an error it goes."""
    if isinstance(path, RemotePath):
        with tempfile.TemporaryDirectory() as folder:
            local = Path(folder) / path.name
            yield local
            upload(local, path)
        return
    partial = beside(path)
    try:
        yield partial
        sync(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def upload(local: Path, path: RemotePath) -> None:
    """Copies a file to another file system; half of it never has the name there."""
    import tensorflow as tf

    partial = beside(path)
    path.translated(lambda: tf.io.gfile.copy(str(local), str(partial), overwrite=True))
    path.translated(lambda: tf.io.gfile.rename(str(partial), str(path), overwrite=True))


def upload_folder(local: Path, path: RemotePath, last: str) -> None:
    """Copies a folder to another file system, the file `last` after all others: with it the folder is whole."""
    (path / last).unlink(missing_ok=True)
    files = sorted(file.relative_to(local) for file in local.rglob("*") if file.is_file())
    for file in sorted(files, key=lambda file: str(file) == last):
        (path / file.parent if len(file.parts) > 1 else path).mkdir(parents=True, exist_ok=True)
        upload(local / file, path / file)


def write_whole(path: Path | RemotePath, content: str | bytes) -> None:
    """Writes text or bytes as a whole file."""
    with whole_file(path) as partial:
        if isinstance(content, bytes):
            partial.write_bytes(content)
        else:
            partial.write_text(content, encoding="utf-8")


@contextlib.contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """Yields an empty folder beside `path`, which is to be filled and then takes its place; on an error it goes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial, old = beside(path), beside(path.with_name(f"{path.name}.old"))
    shutil.rmtree(partial, ignore_errors=True)  # Of a killed process that had our number.
    partial.mkdir()
    try:
        yield partial
        flush_folder(partial)
        if path.exists():
            os.rename(path, old)  # Deleting takes a while, in which half a folder would have the name.
        os.rename(partial, path)
        sync(path.parent)
    finally:
        for leftover in (partial, old):
            shutil.rmtree(leftover, ignore_errors=True)


def keep_under(path: Path | RemotePath, name: Path | RemotePath) -> None:
    """Gives a file a second name, under which it stays when `path` is written anew; locks of the file stay, too."""
    if isinstance(path, RemotePath) or isinstance(name, RemotePath):
        write_whole(name, path.read_bytes())
        return
    name.unlink(missing_ok=True)
    os.link(path, name)


def claim(folder: Path, path: Path) -> bool:
    """Gives a finished folder a name, unless something has it: returns whether the name was free."""
    try:
        os.rename(folder, path)
    except OSError:
        if not path.exists():
            raise
        return False
    sync(path.parent)
    return True


def remove_folder(path: Path) -> None:
    """Removes a folder with all that it holds; half of it never has its name."""
    os.rename(path, beside(path))
    shutil.rmtree(beside(path), ignore_errors=True)


def set_aside(path: Path, kind: str) -> Path:
    """Renames what can no longer be used to NAME.kind, which is returned; what had that name before goes."""
    aside = path.with_name(f"{path.name}.{kind}")
    shutil.rmtree(aside, ignore_errors=True)
    os.replace(path, aside)
    return aside


def clear_partials(folder: Path | RemotePath) -> None:
    """Removes what killed programs had begun to write, or to remove, in a folder."""
    for path in folder.glob(f".*{PARTIAL}"):
        if isinstance(path, Path) and path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def check_room(folder: Path, sizes: Iterable[int]) -> None:
    """Raises the `OSError` of a full disk unless files of these sizes in bytes fit into a folder together.

    For those who write with HDF5: it ends the process without a word when it cannot write what it has buffered.
    """
    with contextlib.ExitStack() as files:
        for size in sizes:
            os.posix_fallocate(files.enter_context(tempfile.TemporaryFile(dir=folder)).fileno(), 0, size)


def flush_folder(folder: str | os.PathLike[str]) -> None:
    """Forces every file and folder to the disk: a rename must not come there before what it names."""
    for root, _, files in os.walk(folder):
        for path in [root, *(os.path.join(root, file) for file in files)]:
            sync(path)


def sync(path: str | os.PathLike[str]) -> None:
    """Forces one file, or the names in one folder, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def beside(path: P) -> P:
    """Where this process writes what is then renamed to `path`: another name than that of any other process."""
    return path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}{PARTIAL}")
