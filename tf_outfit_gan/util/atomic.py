"""Files and folders that are either whole or not there: written beside, forced to the disk, then renamed.

Nothing else of this project renames: what a reader may count on stands here once.
"""

import contextlib
import os
import shutil
import socket
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

PARTIAL = ".partial"


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yields the path beside `path` of a file that is to be written and then takes its place; on an error it goes."""
    partial = beside(path)
    try:
        yield partial
        sync(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_whole(path: Path, content: str | bytes) -> None:
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


def keep_under(path: Path, name: Path) -> None:
    """Gives a file a second name, under which it stays when `path` is written anew; locks of the file stay, too."""
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


def clear_partials(folder: Path) -> None:
    """Removes what killed programs had begun to write, or to remove, in a folder."""
    for path in folder.glob(f".*{PARTIAL}"):
        if path.is_dir():
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


def beside(path: Path) -> Path:
    """Where this process writes what is then renamed to `path`: another name than that of any other process."""
    return path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}{PARTIAL}")
