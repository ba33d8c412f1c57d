"""What made an artefact: version and commit of this package, and the command line. Runs, snapshots and exports carry it."""

import functools
import shlex
import subprocess
import sys
from pathlib import Path

from tf_outfit_gan.util.version import __version__


def provenance() -> dict[str, str | None]:
    """{"version", "commit", "command"} of this process."""
    return {"version": __version__, "commit": source_commit(), "command": command_line()}


@functools.cache
def source_commit() -> str | None:
    """The commit of the source tree that this file belongs to, "-dirty" after it with local changes; None without one."""
    here = Path(__file__)

    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", here.parent, *words], check=True, capture_output=True, text=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)  # An environment may lie in somebody else's repository.
        return git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*")
    except (OSError, subprocess.CalledProcessError):
        return None


def command_line() -> str:
    """The command as it was typed, without the folder of the program."""
    program = Path(sys.argv[0])
    # Of `python -m tf_outfit_gan.cli.main`, which is the same program.
    name = "outfit-gan" if program.parts[-3:] == ("tf_outfit_gan", "cli", "main.py") else program.name
    return shlex.join([name, *sys.argv[1:]])
