"""A full disk, told as such: what writes here are four libraries, each with an error of its own."""

import contextlib
import errno
import os
import shutil

from tf_outfit_gan.util.errors import UserError

# No space, no quota, or a limit on the size of files. The system's words are in the error of every library.
_REASONS = [os.strerror(number) for number in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)]


@contextlib.contextmanager
def full_disk_told(folder):
    """Turns an error of a block that came from a full disk into one line.

    Raises:
        UserError: that names the run's folder and the free space.
    """
    try:
        yield
    except Exception as error:
        reason = next((reason for reason in _REASONS if reason in str(error)), None)
        if reason is None:
            raise
        free = shutil.disk_usage(folder).free / 1e6
        raise UserError(f"{folder}: cannot be written ({reason.lower()}; {free:,.1f} MB are free); what was saved is "
                        "whole: make room, and the same command goes on from there") from error
