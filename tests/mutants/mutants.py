"""Mutants: copies of the project with one mistake each, which its tests must find.

The lists are the TOML files beside this one. A mutant has
    what:  the mistake, in words;
    file:  where it is made, a path from the project's root;
    old:   a text that occurs in the file exactly once;
    new:   what stands there instead;
    tests: what pytest is called with, of which something must fail: the tests that reach the line;
    known: why no test can find it, where it is harmless or out of reach; such a mutant is not run;
    escaped: whether all tests of the project once passed with it.
"""

import dataclasses
import shutil
import subprocess
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
LISTS = sorted(Path(__file__).parent.glob("*.toml"))


@dataclasses.dataclass(frozen=True)
class Mutant:
    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    known: str = ""
    escaped: bool = False

    def source(self):
        """The file's text with the mistake in it; raises ValueError where the list no longer fits the file."""
        text = (PROJECT / self.file).read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.what}: {self.file} holds {self.old!r} {text.count(self.old)} times, expected once")
        return text.replace(self.old, self.new)


def read(path):
    """The mutants of one list, in its order."""
    listed = tomllib.loads(path.read_text())["mutant"]
    return [Mutant(**fields | {"tests": tuple(fields.get("tests", ()))}) for fields in listed]


def copy_project(folder):
    """Copies the project's files, new ones too, but what git ignores, to an empty folder in which mutants can be made."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=PROJECT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0"):
        if name and (PROJECT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name, follow_symlinks=False)
