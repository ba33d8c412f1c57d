"""The export: what a server finds in it, what it answers, and that half of one is never published."""

import io
import json

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from export import savedmodel
from export.savedmodel import write_savedmodel
from serving.servable import Servable
from tests.exported import photo, write_snapshot
from tests.serving_model import predict_request, running_server, stubs
from tf_outfit_gan.errors import UserError

SIZE = (16, 12)


@pytest.fixture(scope="module")
def conditional(tmp_path_factory):
    """(snapshot, base path) of a conditional model with one version, made in passing from level to level."""
    folder = tmp_path_factory.mktemp("conditional")
    snapshot = write_snapshot(folder / "000400kimg")
    write_savedmodel(snapshot, folder / "outfit_gan")
    return snapshot, folder / "outfit_gan"


@pytest.fixture(scope="module")
def server(conditional):
    with running_server(conditional[1]) as running:
        assert running.versions.current is not None, running.versions.listing
        yield running


def test_x(server):
    pass
