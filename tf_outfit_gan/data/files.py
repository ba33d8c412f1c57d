"""Files that others name: read only if they are files, for a pipe would wait for ever and a device may never end."""

import os
import stat

from tf_outfit_gan.errors import UserError

KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket",
         stat.S_IFCHR: "a device", stat.S_IFBLK: "a device"}


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
    return None if stat.S_ISREG(mode) else f"expected a file, found {KINDS.get(stat.S_IFMT(mode), 'something else')}"


def read_file(path, max_bytes):
    """Reads a whole file; raises `UserError` that names a path which is no file, is closed to us, or is too large."""
    fault = fault_of(path)
    if fault:
        raise UserError(f"{path}: {fault}")
    try:
        with open(path, "rb") as file:
            content = file.read(max_bytes + 1)
    except OSError as error:
        raise UserError(f"{path}: {_reason(error)}") from None
    if len(content) > max_bytes:
        raise UserError(f"{path}: expected a file of {max_bytes:,} bytes at most")
    return content


def _reason(error):
    return (getattr(error, "strerror", None) or str(error)).lower()
