"""A training that measures its snapshots: when, what it says of the best one, and that a stop does not wait."""

import json
import re

import pytest

from tests.helpers.catalogues import write_catalogue
from tests.helpers.exported import write_snapshot
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.config import from_preset
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.metrics.measure import evaluate
from tf_outfit_gan.util.errors import UserError
from training.loop import train
from training.monitor.logger import Logger
from training.monitor.snapshot_metrics import SnapshotMetrics, best_of
from training.run_options import RunOptions


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    folder = tmp_path_factory.mktemp("catalogue")
    write_catalogue(folder / "catalogue", 10)
    return prepare(folder / "catalogue", folder / "data", quiet=True)


def watched(folder, data, *overrides, cur_nimg=0, inception=None):
    _, config = from_preset("tiny", ("metrics_kimg=100", "total_kimg=1000", *overrides))
    return SnapshotMetrics(folder, data, config, cur_nimg, inception, Logger(folder, 1_000_000, quiet=True))


def test_snapshots_are_measured_as_evaluate_does_and_again_after_the_interval(data, tmp_path):
    path = tmp_path / "snapshots" / "000100kimg"
    snapshot = write_snapshot(path, level=0)
    metrics = watched(tmp_path, data)

    def measure(cur_nimg, metrics=metrics, stopped=lambda: False):
        snapshot.cur_nimg = cur_nimg
        metrics.measure(path, snapshot, stopped)
        return [json.loads(line)["cur_nimg"] for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]

    assert measure(100_000) == [100_000]
    result = json.loads((tmp_path / "metrics.jsonl").read_text())
    assert result["value"] == pytest.approx(evaluate(path, data).to_dict()["value"], rel=1e-5)
    assert result["count"] == data.count("train") == 8 and result["figures"]["picture.error"]["value"] > 0
    assert f"Frechet distance {result['value']:.4f} at 4x3, of 8 pictures" in (tmp_path / "log.txt").read_text()
    assert measure(150_000) == [100_000]  # Not yet.
    assert measure(210_000, stopped=lambda: True) == [100_000]  # A stop does not wait for it.
    assert measure(1_000_000) == [100_000, 1_000_000]  # The last one.
    # Resumed at 500 kimg, what was measured later comes again.
    assert measure(560_000, watched(tmp_path, data, cur_nimg=500_000)) == [100_000, 560_000]


def test_nothing_is_measured_unless_asked_for(data, tmp_path):
    snapshot = write_snapshot(tmp_path / "000400kimg")
    watched(tmp_path, data, "metrics_kimg=0").measure(tmp_path / "000400kimg", snapshot, lambda: False)
    assert not (tmp_path / "metrics.jsonl").exists()


def test_the_best_is_sought_among_what_compares():
    def result(value, size="16x12"):
        return {"metric": "FID", "features": "a file", "size": size, "count": 8, "value": value}

    low, first, best, last = found = result(0.1, "8x6"), result(3.0), result(1.0), result(2.0)
    assert best_of(found) is best and best_of(found[:1]) is low and best_of([first, last]) is last


def test_weights_that_nobody_uses_or_that_are_not_there_are_refused(data, tmp_path):
    with pytest.raises(UserError, match="--inception weights.h5: nothing is measured; add --set metrics_kimg=1000"):
        watched(tmp_path, data, "metrics_kimg=0", inception="weights.h5")
    with pytest.raises(UserError, match="no such file"):
        watched(tmp_path, data, inception=tmp_path / "weights.h5")


def test_a_run_measures_its_last_snapshot_tells_its_time_and_has_a_page(data, tmp_path):
    overrides = ("conditional=false", "start_level=2", "total_kimg=0.016", "metrics_kimg=1")
    train(tmp_path, data, *from_preset("tiny", overrides), RunOptions(quiet=True))
    (result,) = map(json.loads, (tmp_path / "metrics.jsonl").read_text().splitlines())
    assert result["cur_nimg"] == 16 and result["snapshot"] == str(tmp_path / "snapshots" / "000000kimg")
    log = (tmp_path / "log.txt").read_text()
    assert "the best so far" in log and "building graphs" in log.partition("first step after")[2]
    assert main(["report", str(tmp_path)]) == 0
    page = (tmp_path / "report.html").read_text()
    assert "Losses" in page and "data:image/gif" not in page and "TensorFlow 2." in re.sub("<[^>]*>", "", page)
