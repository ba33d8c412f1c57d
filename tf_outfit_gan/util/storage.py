"""Places that may lie on an object store or another file system of TensorFlow's: gs://, hdfs:// and what plugins add.

`as_path` is the way in: a local place is a `pathlib.Path`, another one a `RemotePath`, which has those of pathlib's methods
that this project uses. It is no `os.PathLike`: what needs a file of this machine, such as `open`, refuses it, and never
makes a local folder of the name `gs:`.
"""

import contextlib
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from tf_outfit_gan.util.errors import UserError

# A URL, also as pathlib shortens it. One letter is a drive.
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/+(.*)", re.DOTALL)

OBJECT_STORES = ("gs", "s3", "az")

T = TypeVar("T")


def is_url(place: object) -> bool:
    """Whether a text or a path names a place that is no local one; addresses of servers are none that files lie on."""
    match = _URL.match(str(place))
    return match is not None and match[1] not in ("http", "https", "grpc")


def as_path(place: "Place") -> "Path | RemotePath":
    """Returns a `RemotePath` for a URL, and a `Path` for all else."""
    if isinstance(place, RemotePath):
        return place
    if not is_url(place):
        return Path(place)
    scheme, rest = _URL.match(str(place)).groups()  # type: ignore[union-attr]
    return Path("/" + rest) if scheme == "file" else RemotePath(f"{scheme}://{rest}".rstrip("/"))


def local_only(place: object, what: str) -> None:
    """Raises `UserError` for a URL, where `what` is done on this machine's disk."""
    if is_url(place):
        raise UserError(f"{as_path(str(place))}: {what} needs a local folder or file; copy it here, or mount the bucket")


@contextlib.contextmanager
def local_copy(path: "Path | RemotePath") -> Iterator[Path]:
    """Yields a file of this machine for those who read nothing else: a local file itself, or a copy, which then goes."""
    if isinstance(path, Path):
        yield path
        return
    import tensorflow as tf

    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder) / path.name
        path.translated(lambda: tf.io.gfile.copy(str(path), str(local)))
        yield local


def relative(path: "Path | RemotePath", folder: "Path | RemotePath") -> str:
    """Names a path as seen from a folder."""
    if isinstance(path, RemotePath) or isinstance(folder, RemotePath):
        return str(path).removeprefix(f"{folder}/")
    return os.path.relpath(path, folder)


@dataclass(frozen=True)
class Stat:
    """What is known of a file, as `os.stat_result` names it."""

    st_size: int
    st_mtime_ns: int


@dataclass(frozen=True, order=True)
class RemotePath:
    """A place on a file system that TensorFlow knows, by its URL.

    Raises `UserError` where the file system cannot be had: there is no plugin for it, or the store does not answer.
    """

    url: str

    def __str__(self) -> str:
        return self.url

    def __truediv__(self, name: object) -> "RemotePath":
        return RemotePath(f"{self.url}/{name}")

    @property
    def name(self) -> str:
        return self.url.rpartition("/")[2]

    @property
    def stem(self) -> str:
        return PurePosixPath(self.name).stem

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.url.split("/"))

    @property
    def parent(self) -> "RemotePath":
        return RemotePath(self.url.rpartition("/")[0])

    def absolute(self) -> "RemotePath":
        return self

    def with_name(self, name: str) -> "RemotePath":
        return self.parent / name

    def resolve(self) -> "RemotePath":
        return self

    def exists(self) -> bool:
        return self._ask("exists")

    def is_dir(self) -> bool:
        return self._ask("isdir")

    def is_file(self) -> bool:
        return self.exists() and not self.is_dir()

    def stat(self) -> Stat:
        found = self._ask("stat")
        return Stat(found.length, found.mtime_nsec)

    def mkdir(self, parents: bool = False, exist_ok: bool = False) -> None:
        """Makes the folder with all above it; an object store has none."""
        if self.url.partition(":")[0] not in OBJECT_STORES:
            self._ask("makedirs")

    def glob(self, pattern: str) -> "Iterator[RemotePath]":
        """Yields what matches in this folder, or in those that the pattern names."""
        found = self._ask("glob", f"{self.url}/{pattern}")
        return iter([RemotePath(url.rstrip("/")) for url in sorted(found)])

    def iterdir(self) -> "Iterator[RemotePath]":
        return iter([self / name.rstrip("/") for name in sorted(self._ask("listdir"))])

    def unlink(self, missing_ok: bool = False) -> None:
        if not missing_ok or self.exists():
            self._ask("remove")

    def rmtree(self) -> None:
        self._ask("rmtree")

    def read_bytes(self) -> bytes:
        import tensorflow as tf

        return self.translated(lambda: tf.io.gfile.GFile(self.url, "rb").read())

    def read_text(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return self.read_bytes().decode(encoding, errors)

    def _ask(self, function: str, *arguments: str) -> Any:
        import tensorflow as tf

        return self.translated(lambda: getattr(tf.io.gfile, function)(*(arguments or (self.url,))))

    def translated(self, call: Callable[[], T]) -> T:
        """Calls what may raise TensorFlow's errors; a missing file is Python's `FileNotFoundError`."""
        import tensorflow as tf

        try:
            return call()
        except tf.errors.NotFoundError:
            raise FileNotFoundError(2, "no such file", self.url) from None
        except tf.errors.UnimplementedError:
            scheme = self.url.partition(":")[0]
            raise UserError(
                f"{self.url}: this TensorFlow ({tf.__version__}) has no file system for {scheme}://; load a plugin "
                "that was built for it (tf.experimental.register_filesystem_plugin), or mount the bucket"
            ) from None
        except tf.errors.OpError as error:
            raise UserError(f"{self.url}: {' '.join(str(error.message).split())}") from None


Place = str | os.PathLike[str] | RemotePath  # Of a file or a folder, here or elsewhere, as a user or a program names it.
