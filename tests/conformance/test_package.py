"""What surrounds the package: the versions it was tested with, and the images that hold it."""

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]


def test_every_requirement_has_a_tested_version():
    pinned = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#"))
    needed = [Requirement(text) for text in metadata.requires("tf-outfit-gan") if "extra ==" not in text]
    assert len(needed) >= 8
    for requirement in needed:
        assert requirement.specifier.contains(pinned[canonicalize_name(requirement.name)]), requirement


@pytest.mark.parametrize("name", ["cpu", "gpu"])
def test_a_dockerfile_has_nothing_that_its_linter_minds(name):
    command = [Path(sys.executable).with_name("hadolint"), ROOT / "docker" / f"{name}.Dockerfile"]
    linted = subprocess.run(command, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout
