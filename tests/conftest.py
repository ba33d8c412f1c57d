"""What tests share: settings, which must stand before TensorFlow is imported, and fixtures."""

import os
import shutil
from pathlib import Path

import pytest

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"


@pytest.fixture(scope="session")
def public_originals(tmp_path_factory):
    """{name: folder} of the public data sets in small, to read only."""
    from tests.helpers import fixtures_public

    folder = tmp_path_factory.mktemp("public")
    return {name: write(folder / name) for name, write in fixtures_public.WRITERS.items()}


@pytest.fixture(scope="session")
def tiny_export(tmp_path_factory):
    """(snapshot, base path of its exports): version 1 of a tiny conditional model, to read only."""
    from export.savedmodel import write_savedmodel
    from tests.helpers.exported import write_snapshot

    base_path = tmp_path_factory.mktemp("conditional") / "outfit_gan"
    snapshot = write_snapshot(base_path.parent / "000400kimg")
    write_savedmodel(snapshot, base_path)
    return snapshot, base_path


@pytest.fixture
def public_copy(public_originals, tmp_path):
    """Gives a data set to break."""
    return lambda name: Path(shutil.copytree(public_originals[name], tmp_path / name))
