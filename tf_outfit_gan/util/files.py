"""Files that others name: read only if they are files, for a pipe would wait for ever and a device may never end."""

import os
import stat

from tf_outfit_gan.util.errors import UserError

KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def fault_of(path):
    """Says in a few words why a path is no file that could be read, without opening it; None if it is one.

    A symbolic link is followed, wherever it leads: whoever made the folder made the link.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return "no such file"
    except (OSError, ValueError) as error:  # A loop of links, a name too long, a NUL in it, a closed folder ...
        return _reason(error)
    return None if stat.S_ISREG(mode) else f"{KINDS.get(stat.S_IFMT(mode), 'a device')}, not a file"


def read_file(path, max_bytes):
    """Reads a whole file; raises `UserError` that names a path which is no file, is closed to us, or is too large."""
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


def _reason(error):
    return (getattr(error, "strerror", None) or str(error)).lower()
