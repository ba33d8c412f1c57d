"""What the tests of several verbs begin with."""

import pytest

from tests.helpers.exported import write_snapshot


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory):
    """The folder of a tiny conditional snapshot, in a run of its own."""
    path = tmp_path_factory.mktemp("run") / "snapshots" / "000400kimg"
    write_snapshot(path)
    return path
