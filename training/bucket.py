"""A run in a bucket: it is worked on in a folder of this machine, and copied to the bucket whenever something was saved.

A run appends to files, renames folders and holds a lock, which object stores have none of. So a start fetches the run,
and a copy takes there what has changed since the last one. A folder of many files is whole there when its last file is.

    RUN/owner     which process trains here; what stands in it changes while that process lives
"""

import contextlib
import os
import shutil
import socket
import sys
import tempfile
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

from tf_outfit_gan.snapshot import STATE
from tf_outfit_gan.util.atomic import PARTIAL, upload, upload_folder, write_whole
from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import relative
from training.run_folder import locked

OWNER, LOCK = "owner", "lock"
BEAT_SEC = 15  # The owner writes this often that it lives ...
PATIENCE_SEC = 75  # ... and is taken for dead when nothing was written for so long.
# Of the folders in these, the file without which they are not whole, in the order of copying: a checkpoint is the moment
# that a run resumes at, so all that belongs to that moment has to be there before it.
_LAST = {"snapshots": STATE, "checkpoints": "state.index"}
_DEPTH = 4  # Of snapshots/000400kimg/training/generator.weights.h5.
_THREADS = 8  # Files that are fetched at a time: most are small.


class TakenOver(UserError):
    """Another process trains in the bucket's folder now."""


def local_folder(place):
    """The folder of this machine in which a run is worked on: its own, or for one in a bucket one of the same name in TMPDIR."""
    return place if isinstance(place, Path) else _root() / place.url.replace("://", "/")


def _root():
    return Path(tempfile.gettempdir(), f"outfit-gan-{os.getuid()}")


@contextlib.contextmanager
def opened(place, quiet=False):
    """Holds a run's folder for a block.

    Args:
        place: the run's `Path` or `RemotePath`.
        quiet: nothing on the terminal.

    Yields:
        The local folder, and what `RunOptions.saved` is for a run in a bucket, None for another.

    Raises:
        UserError: when another process holds it, or the store cannot be read; or, in the end, not be written.
    """
    folder = local_folder(place)
    if folder != place:
        _root().mkdir(mode=0o700, exist_ok=True)  # Photos of people are in a run, and others have TMPDIR, too.
    with locked(folder):
        if folder == place:
            yield folder, None
            return
        left_here = folder / OWNER
        last_here = left_here.read_text() if left_here.is_file() else None
        owner = _Owner(place, quiet)
        last = owner.take(last_here)
        try:
            copies = _Copies(place, folder, owner)
            # A killed process has left more on its machine than in the bucket, if no other has trained since.
            if last is None or last != last_here:
                copies.fetch(quiet)
            write_whole(left_here, owner.token)
            try:
                yield folder, copies.tried
            except TakenOver:
                raise
            except BaseException:  # Also of a signal: all is saved, but the last lines of the log are still here.
                try:
                    copies.end()
                except UserError as error:
                    print(f"warning: {error}", file=sys.stderr)
                raise
            copies.end()
        finally:
            owner.stop()


class _Copies:
    """Fetches a run, and copies what changes."""

    def __init__(self, place, folder, owner):
        self._place, self._folder, self._owner = place, folder, owner
        self._copied = {}  # {name: size and time of the local file that was copied; None = what has to go}

    def fetch(self, quiet):
        """Makes the local folder as the one in the bucket is, but for what is not whole."""
        _clear(self._folder)
        names = _names(self._place) - {OWNER, LOCK}
        whole = [name for name in sorted(names) if _is_whole(name, names)]
        if not quiet and whole:
            print(f"fetching {len(whole)} files of {self._place} to {self._folder}", flush=True)
        with ThreadPoolExecutor(_THREADS) as threads:
            list(threads.map(self._fetch_file, whole))
        self._copied = dict.fromkeys(names) | {name: _stamp(self._folder / name) for name in whole}

    def _fetch_file(self, name):
        import tensorflow as tf

        source, target = self._place / name, self._folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        source.translated(lambda: tf.io.gfile.copy(str(source), str(target)))

    def tried(self):
        """`copy`, but a store that does not answer ends no run: the next copy has it all. Returns lines for the log."""
        error = self._failure()
        return [f"not copied to {self._place}, which is tried again when something is saved: {error}"] if error else []

    def copy(self):
        """Makes the bucket's folder as the local one is; raises `TakenOver` if it is another process's by now."""
        self._owner.check()
        stamps = {name: _stamp(self._folder / name) for name in self._local_names()}
        changed = [name for name, stamp in stamps.items() if self._copied.get(name) != stamp]
        folders = {_folder_of(name) for name in changed}
        for name in sorted(name for name in changed if not _folder_of(name)):
            upload(self._folder / name, self._made(name))
            self._copied[name] = stamps[name]
        for kind, last in _LAST.items():
            for part in sorted(part for part in folders if part and part.startswith(f"{kind}/")):
                upload_folder(self._folder / part, self._made(part), last)
                self._copied |= {name: stamp for name, stamp in stamps.items() if _folder_of(name) == part}
        for name in sorted(self._copied.keys() - stamps.keys()):
            self._remove(name)
            del self._copied[name]

    def end(self):
        """Copies what the bucket lacks, and removes the owner, so that others may train at once."""
        if error := self._failure():
            raise UserError(
                f"{self._place}: cannot be written ({error}); the run is whole in {self._folder}, and the same command on this "
                "machine copies it"
            )
        self._owner.leave()
        _clear(self._folder)

    def _failure(self):
        """Calls `copy`, and returns why the store did not take it; None = it did."""
        try:
            self.copy()
        except TakenOver:
            raise
        except (UserError, OSError) as error:
            return error
        return None

    def _local_names(self):
        """Names of the run's files; what is being written is none."""
        for path in self._folder.rglob("*"):
            name = path.relative_to(self._folder).as_posix()
            if path.is_file() and PARTIAL not in name and name not in (OWNER, LOCK):
                yield name

    def _made(self, name):
        """The place of a file or a folder, in a folder that exists where there are folders."""
        place = self._place / name
        place.parent.mkdir(parents=True, exist_ok=True)
        return place

    def _remove(self, name):
        """Removes a file that is gone, or the largest folder which is gone with it, that folder's last file first."""
        part = _folder_of(name)
        if part and not (self._folder / part).exists():
            (self._place / _last_of(part)).unlink(missing_ok=True)
        parents = [parent for parent in PurePosixPath(name).parents if not (self._folder / parent).exists()]
        gone = self._place / (parents[-1] if parents else name)
        if gone.is_dir():
            gone.rmtree()
        else:
            gone.unlink(missing_ok=True)


class _Owner:
    """RUN/owner: a token of a process, a count that it raises while it lives, and its name for people.

    Stores have no locks. So who finds an owner waits until it writes again, or has not for long enough; no clock is
    compared. Who has lost the folder meanwhile, as after a sleep, finds another token there.
    """

    def __init__(self, place, quiet):
        self.token = uuid.uuid4().hex
        self._place, self._path, self._quiet = place, place / OWNER, quiet
        self._count, self._use, self._over = 0, threading.Lock(), threading.Event()
        self._thread = threading.Thread(target=self._beat, name="owner", daemon=True)

    def take(self, dead):
        """Becomes the owner, and returns the token of the one before; None = there was none.

        Args:
            dead: the token of a process that is known not to live any more.

        Raises:
            UserError: when the owner lives.
        """
        found = self._read()
        if found is not None and _token(found) != dead:
            if not self._quiet:
                print(f"{self._place}: {_holder(found)} has trained here; waiting until it is known to be over", flush=True)
            patience_ends = time.monotonic() + PATIENCE_SEC
            while time.monotonic() < patience_ends:
                time.sleep(min(1, BEAT_SEC / 3))
                if (now := self._read()) not in (found, None):
                    raise UserError(f"{self._place}: {_holder(now)} trains here; stop it first, or choose a new folder")
        self._write()
        self._thread.start()
        return None if found is None else _token(found)

    def check(self):
        """Raises `TakenOver` if another process is the owner, or was and has left."""
        found = self._read() or ""
        if _token(found) != self.token:
            raise TakenOver(
                f"{self._place}: {_holder(found)} has taken this run over, as nothing was heard from here for {PATIENCE_SEC:g} s"
            )

    def stop(self):
        """Writes no more that it lives."""
        self._over.set()
        self._thread.join()

    def leave(self):
        """Removes the file, so that others need not wait; where the store does not answer they do."""
        self.stop()
        with contextlib.suppress(UserError):
            self._path.unlink(missing_ok=True)

    def _beat(self):
        while not self._over.wait(BEAT_SEC):
            with contextlib.suppress(UserError, OSError):  # The store does not answer: again at the next beat.
                self.check()
                self._write()

    def _read(self):
        """Returns the text of the owner's file, or None if the file is missing: without an owner, or during a rename."""
        with self._use:
            try:
                return self._path.read_text(errors="replace")
            except FileNotFoundError:
                return None

    def _write(self):
        self._count += 1
        with self._use:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._path, f"{self.token} {self._count:09d} process {os.getpid()} on {socket.gethostname()}\n")


def _token(text):
    return text[:32]


def _holder(text):
    """The process that wrote it, for people."""
    return text[43:].strip() or "another process"


def _names(place):
    """Names of all files in a folder of a bucket, without asking of each what it is."""
    found = {relative(path, place) for depth in range(1, _DEPTH + 1) for path in place.glob("/".join("*" * depth))}
    return found - {str(parent) for name in found for parent in PurePosixPath(name).parents}


def _folder_of(name):
    """The folder that has to be whole of which a file is part, such as snapshots/000400kimg; None = none."""
    parts = PurePosixPath(name).parts
    return "/".join(parts[:2]) if parts[0] in _LAST else None


def _last_of(part):
    """The file that is copied last of such a folder."""
    return f"{part}/{_LAST[part.partition('/')[0]]}"


def _is_whole(name, names):
    """Whether a file of a bucket is one that was copied to its end, and so was the folder that it is part of."""
    part = _folder_of(name)
    return PARTIAL not in name and (part is None or _last_of(part) in names)


def _stamp(path):
    found = path.stat()
    return found.st_size, found.st_mtime_ns


def _clear(folder):
    """Removes all that is in a run's local folder, but for the lock."""
    for path in folder.iterdir():
        if path.name != LOCK:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
