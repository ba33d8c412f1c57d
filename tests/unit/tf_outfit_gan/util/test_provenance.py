"""What made an artefact."""

import subprocess
import sys
from pathlib import Path

import pytest

from tf_outfit_gan import __version__
from tf_outfit_gan.util import provenance

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    "argv, expected",
    [
        (["/opt/env/bin/outfit-gan", "train", "a run"], "outfit-gan train 'a run'"),
        ([str(ROOT / "tf_outfit_gan/cli/main.py"), "train"], "outfit-gan train"),
        (["/home/me/script.py"], "script.py"),
    ],
)
def test_the_command_is_as_it_was_typed(monkeypatch, argv, expected):
    monkeypatch.setattr(sys, "argv", argv)
    assert provenance.command_line() == expected
    assert provenance.provenance() == {"version": __version__, "commit": provenance.source_commit(), "command": expected}


def test_the_commit_is_that_of_our_own_sources_only(tmp_path):
    """A copy of the package in another repository, which does not know it, has none; committed there, it has that commit."""
    copy = tmp_path / "tf_outfit_gan" / "util"
    copy.mkdir(parents=True)
    for name in ("__init__.py", "provenance.py", "version.py"):
        (copy / name).write_bytes((ROOT / "tf_outfit_gan" / "util" / name).read_bytes())

    def commit():
        code = "from tf_outfit_gan.util.provenance import source_commit; print(source_commit())"
        found = subprocess.run([sys.executable, "-B", "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True)
        return found.stdout.strip()

    def git(*words):
        config = ["-c", "user.name=a", "-c", "user.email=a@b"]
        return subprocess.run(["git", *config, *words], cwd=tmp_path, check=True, capture_output=True, text=True).stdout.strip()

    git("init", "--quiet")
    assert commit() == "None"
    git("add", ".")
    git("commit", "--quiet", "--message", "one")
    assert commit() == git("rev-parse", "HEAD")
    (copy / "version.py").write_text('__version__ = "2"\n')
    assert commit() == git("rev-parse", "HEAD") + "-dirty"
