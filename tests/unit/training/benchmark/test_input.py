"""What `outfit-gan benchmark input` reports on a small data set, and what it refuses."""

import json

import pytest
import tensorflow as tf

import training.benchmark.input
from tests.helpers.catalogues import worn, write_catalogue
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.data import pipeline
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.data.records import open_dataset
from training.benchmark.input import Batched, Limit


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("speed")
    prepare(write_catalogue(folder / "shop", 45, (128, 96)), folder / "data", workers=1, quiet=True)
    return folder / "data"


def test_figures_fit_together(data, tmp_path, capsys):
    report = tmp_path / "speed.json"
    assert (
        main(
            [
                "benchmark",
                "input",
                str(data),
                "--level",
                "128x96",
                "--batch",
                "8",
                "--examples",
                "30",
                "--repeats",
                "2",
                "--json",
                str(report),
            ]
        )
        == 0
    )
    found = json.loads(report.read_text())
    [level] = found["levels"]
    assert found["machine"]["cores"] >= 1
    assert (level["photos"], level["articles"], level["examples"]) == ("128x96", "128x96", 32)
    # The records' order is by a hash of the ids: 30 of the 36 hold about this many articles.
    mean = sum(len(worn(index)) for index in range(45) if index % 5) / 36
    assert level["articles_an_entry"] == pytest.approx(mean, rel=0.25)
    for which in ("median", "min"):
        assert level["examples_per_sec_a_core"][which] == pytest.approx(1e3 / level["feed_ms"][which])
        for limit in ("limit", "batched"):
            assert level[f"{limit}_ratio"][which] == pytest.approx(level[f"{limit}_ms"][which] / level["feed_ms"][which])
    assert "128x96" in capsys.readouterr().out


def test_the_limits_decode_all_pictures(data, monkeypatch):
    decoded = []

    def count(encoded):
        decoded.append(1)
        return encoded

    def counted(encoded):
        # Without a state, so that what nobody asks for is not counted, as it is not decoded.
        return decode_jpeg(tf.numpy_function(count, [encoded], tf.string, stateful=False))

    dataset, decode_jpeg = open_dataset(data), pipeline.decode_jpeg
    for module in (pipeline, training.benchmark.input):
        monkeypatch.setattr(module, "decode_jpeg", counted)
    size, examples = (128, 96), 20
    limit = Limit(dataset, "train", size, size, examples)
    pictures = examples * (1 + limit.articles_an_entry)
    for decode in (limit, Batched(dataset, "train", size, size, 8, examples)):
        decoded.clear()
        decode()
        assert (decode.entries, len(decoded)) == (examples, pictures)


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        (["--level", "100x75"], "--level 100x75: "),
        (["--condition-size", "256x192"], "--condition-size 256x192: "),
        (["--batch", "0"], "--batch: expected a whole number of 1 or more"),
        (["--json", "missing/speed.json"], "no such folder missing"),
        (["--data-service", "grpc://localhost:1"], "cannot reach it"),
    ],
)
def test_mistakes_are_reported_in_a_line(data, capsys, arguments, complaint):
    assert main(["benchmark", "input", str(data), *arguments]) == 2
    assert complaint in capsys.readouterr().err
