"""`outfit-gan benchmark serve`: a real server under a short load."""

import json

import pytest

from serving.load import put_load
from tests.helpers.serving_model import request_arrays, running_server, write_model
from tf_outfit_gan.cli.main import main


@pytest.fixture(scope="module")
def base_path(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("gen")
    write_model(base_path / "1")
    return base_path


def test_it_measures_by_batch_and_concurrency(base_path, tmp_path, capsys):
    file = tmp_path / "load.json"
    options = ["--seconds", "1", "--concurrency", "1,3", "--batch", "1,2", "--json", str(file)]
    assert main(["benchmark", "serve", str(base_path), *options]) == 0
    printed = capsys.readouterr().out.splitlines()
    found = json.loads(file.read_text())
    assert [(row["batch"], row["concurrency"]) for row in found["rows"]] == [(1, 1), (1, 3), (2, 1), (2, 3)]
    assert len(printed) == 5 and printed[0].split()[0] == "batch"
    for row in found["rows"]:
        assert row["pictures_per_sec"] > 0 and (row["refused"], row["failed"]) == (0, 0)
        assert 0 < row["p50_ms"] <= row["p95_ms"] <= row["p99_ms"]
        assert row["of_the_model"] == pytest.approx(row["pictures_per_sec"] / found["model_per_sec"][str(row["batch"])])


def test_refusals_and_failures_are_counted_apart(base_path):
    rows = {name: array for name, array in request_arrays(psi=0.5).items() if name != "article_images_bytes"}
    with running_server(base_path, waiting=0, running=1) as server:
        wrong = put_load("127.0.0.1", server.rest_port, "gen", rows, concurrency=1, seconds=0.2)
        assert wrong.failed and not wrong.times and not wrong.refused
        rows["article_images_bytes"] = request_arrays()["article_images_bytes"].astype(str).astype(object)
        crowded = put_load("127.0.0.1", server.rest_port, "gen", rows, concurrency=8, seconds=0.5)
        assert crowded.refused and crowded.times and not crowded.failed
        assert crowded.per_sec(2) == pytest.approx(2 * len(crowded.times) / crowded.seconds)
    gone = put_load("127.0.0.1", server.rest_port, "gen", rows, concurrency=1, seconds=0.2)
    assert gone.failed and not gone.times


def test_a_folder_without_versions_is_one_line(tmp_path, capsys):
    assert main(["benchmark", "serve", str(tmp_path)]) == 2
    assert "no versions of a model" in capsys.readouterr().err
