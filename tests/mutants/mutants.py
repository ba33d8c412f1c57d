"""Mutants: copies of the project with one mistake each, which its tests must find.

The lists are the TOML files beside this one. A mutant has
    what:  the mistake, in words;
    file:  where it is made, a path from the project's root;
    old:   a text that occurs in the file exactly once;
    new:   what stands there instead;
    tests: what pytest is called with, of which something must fail: the tests that reach the line;
    known: why no test can find it, where it is harmless or out of reach; such a mutant is not run.
"""

import dataclasses
import os
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
# What pytest returns when tests failed; other codes say that it could not run them, which is no proof of anything.
TESTS_FAILED = 1
LIMIT_SEC = 900


@dataclasses.dataclass(frozen=True)
class Mutant:
    what: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...] = ()
    known: str = ""

    def source(self):
        """The file's text with the mistake in it; raises ValueError where the list no longer fits the file."""
        text = (PROJECT / self.file).read_text()
        if text.count(self.old) != 1:
            raise ValueError(f"{self.what}: {self.file} holds {self.old!r} {text.count(self.old)} times, expected once")
        return text.replace(self.old, self.new)


def all_mutants():
    """Those of all lists, in order."""
    found = []
    for path in sorted(Path(__file__).parent.glob("*.toml")):
        for fields in tomllib.loads(path.read_text())["mutant"]:
            found.append(Mutant(**fields | {"tests": tuple(fields.get("tests", ()))}))
    return found


def copy_project(folder):
    """Copies the project's files, new ones too, but what git ignores, to an empty folder in which mutants can be made."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=PROJECT, capture_output=True, check=True).stdout
    for name in listed.decode().split("\0"):
        if name and (PROJECT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(PROJECT / name, folder / name, follow_symlinks=False)


def run_tests(folder, tests):
    """Runs pytest in a copy of the project up to the first failure; returns (its exit code, what it printed).

    A test that takes too long counts as failed: some mistakes never end.
    """
    words = [word for test in tests for word in shlex.split(test)]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "slow or not slow", *words]
    # The copy's modules come before the installed ones, in the processes that tests start, too.
    env = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=LIMIT_SEC)
    except subprocess.TimeoutExpired:
        return TESTS_FAILED, f"took more than {LIMIT_SEC} s"
    return done.returncode, done.stdout + done.stderr
