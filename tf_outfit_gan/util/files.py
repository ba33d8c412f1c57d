"""Files that others name, and the JSON in them.

A path is read only if it is a file, for a pipe would wait for ever and a device may never end. JSON is one object, without what
`json` lets pass or trips over.
"""

import hashlib
import json
import os
import stat
from typing import Any

from tf_outfit_gan.util.errors import UserError
from tf_outfit_gan.util.storage import RemotePath

KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def fault_of(path: str | os.PathLike[str] | RemotePath) -> str | None:
    """Says in a few words why a path is no file that could be read, without opening it; None if it is one.

    A symbolic link is followed, wherever it leads: whoever made the folder made the link.
    """
    if isinstance(path, RemotePath):
        return None if path.is_file() else "no such file"
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    except (OSError, ValueError) as error:  # A loop of links, a name too long, a NUL in it, a closed folder ...
        return _reason(error)
    return None if stat.S_ISREG(mode) else f"{KINDS.get(stat.S_IFMT(mode), 'a device')}, not a file"


def read_file(path: str | os.PathLike[str] | RemotePath, max_bytes: int) -> bytes:
    """Reads a whole file; raises `UserError` that names a path which is no file, is closed to us, or is too large."""
    if isinstance(path, RemotePath):  # One question less for each of a catalogue's files.
        try:
            size = path.stat().st_size
            if size > max_bytes:
                raise UserError(f"{path}: expected a file of {max_bytes:,} bytes at most, found {size:,}")
            return path.read_bytes()
        except FileNotFoundError:
            raise UserError(f"{path}: no such file") from None
    fault = fault_of(path)
    if fault:
        raise UserError(f"{path}: {fault}")
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size > max_bytes:
                raise UserError(f"{path}: expected a file of {max_bytes:,} bytes at most, found {size:,}")
            return file.read()
    except OSError as error:
        raise UserError(f"{path}: {_reason(error)}") from None


def sha256_of(path: str | os.PathLike[str]) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _reason(error: Exception) -> str:
    return (getattr(error, "strerror", None) or str(error)).lower()


def json_object(content: bytes) -> dict[str, Any]:
    """Parses bytes as one JSON object; raises `UserError` with the fault.

    A key that stands twice is a fault, because the first value would be dropped in silence; so is nesting that goes
    deeper than Python's stack. A byte order mark is left out.
    """
    try:
        fields = json.loads(content.decode("utf-8-sig"), object_pairs_hook=_once)
    except ValueError as error:
        raise UserError(f"not valid JSON ({error})") from None
    except RecursionError:
        raise UserError("not valid JSON (nested too deep)") from None
    if not isinstance(fields, dict):
        raise UserError(f"expected a JSON object, got {content[:40]!r}")
    return fields


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands twice in one object")
    return fields
