"""One run at a time in a folder: RUN/lock, which says who it is and is free as soon as that process is gone."""

import contextlib
import fcntl
import os
import socket

from tf_outfit_gan.util.errors import UserError


@contextlib.contextmanager
def locked(folder):
    """Holds a folder, which is made if it is missing, for a block.

    The system holds the lock for the process, not the file for the world: nothing is left to clear after a crash.

    Raises:
        UserError: when another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise UserError(f"{folder}: {holder} trains here; stop it first, or choose a new folder") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
        file.flush()
        yield
