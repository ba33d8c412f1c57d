"""A run whose data a tf.data service reads and decodes, with a real dispatcher and two real workers."""

import numpy as np
import pytest
import tensorflow as tf

from tests.helpers.catalogues import write_catalogue
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data.pipeline import compact_batches
from tf_outfit_gan.data.preparation.prepare import prepare
from training.data_service import from_data_service


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    return prepare(write_catalogue(folder / "shop", 45, (4, 3)), folder / "data", workers=1, quiet=True)


@pytest.fixture(scope="module")
def address():
    service = tf.data.experimental.service
    dispatcher = service.DispatchServer()
    host = dispatcher.target.removeprefix("grpc://")
    workers = [service.WorkerServer(service.WorkerConfig(host, heartbeat_interval_ms=100)) for _ in range(2)]
    yield dispatcher.target
    del workers


def test_every_entry_comes_from_the_service(dataset, address):
    stream = from_data_service(compact_batches(dataset, "train", (4, 3), (4, 3), 6, seed=1, mirror=True), address, "all")
    found = list(stream.take(24).as_numpy_iterator())
    assert [article.shape for article in found[0]["articles"]] == [(6, 4, 3, 3)] * 6
    ids, counts = np.unique([name for batch in found for name in batch["ids"]], return_counts=True)
    # Four rounds of 36; two workers may be some windows apart.
    assert len(ids) == 36 and counts.sum() == 144 and counts.max() <= 8


def test_a_run_trains_from_it(dataset, address, tmp_path):
    settings = ("size=4x3", "condition_size=4x3", "start_level=0", "total_kimg=0.016")
    arguments = [
        "train",
        str(tmp_path / "run"),
        "--data",
        str(dataset.path),
        "--preset",
        "tiny",
        "--quiet",
        "--data-service",
        address,
        *(word for setting in settings for word in ("--set", setting)),
    ]
    assert main(arguments) == 0
    assert "at 0.016 of 0.016 kimg" in (tmp_path / "run" / "log.txt").read_text()


@pytest.mark.parametrize(
    "address, complaint",
    [
        ("localhost:5050", "expected the dispatcher's address, such as grpc://host:5050"),
        ("grpc://localhost", "expected the dispatcher's address"),
        ("grpc://localhost:1", "cannot reach it"),
        ("grpc://localhost:99999", "cannot reach it"),
    ],
)
def test_a_wrong_address_is_refused_before_the_run_starts(dataset, tmp_path, capsys, address, complaint):
    command = ["train", str(tmp_path / "run"), "--data", str(dataset.path), "--preset", "tiny"]
    assert main([*command, "--data-service", address]) == 2
    assert complaint in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
