"""`outfit-gan report RUN RUN ...`: what differs, pictures at equal kimg, curves of all runs in one chart."""

import json
import re
import shutil

import pytest

from tests.unit.training.html_report.test_page import Page, write_run
from tf_outfit_gan.cli.main import main


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Two runs: other seed, other data, and a loss that only the second has; the second has fewer pictures."""
    folder = tmp_path_factory.mktemp("runs")
    first, second = write_run(folder / "first"), write_run(folder / "<b>second", overrides=("seed=7", "r1_gamma=5"))
    config = json.loads((second / "config.json").read_text())
    (second / "config.json").write_text(
        json.dumps(config | {"data": "other data", "training": config["training"] | {"mismatch_weight": 1.0}})
    )
    with open(second / "stats.jsonl") as file:
        records = [json.loads(line) for line in file.read().splitlines()[:-1]]
    (second / "stats.jsonl").write_text("".join(json.dumps(record | {"loss_new": 2.0}) + "\n" for record in records[:150]))
    for kimg in (240, 400):
        (second / f"fakes_{kimg:06d}kimg.png").unlink()
    return first, second


def compare(*arguments):
    return main(["report", *map(str, arguments)])


def test_it_shows_what_differs_and_nothing_else(folders, tmp_path):
    out = tmp_path / "page.html"
    assert compare(*folders, "--out", out) == 0
    text = out.read_text()
    page = Page(text)
    assert "<script" not in text and "<b>second" not in text and "<b>second" in page.text
    table = re.search(r"Settings that differ</h2>(.*?)</table>", text, re.DOTALL)[1]
    assert re.findall(r"<tr><th>(\w+)</th><td>", table) == ["r1_gamma", "seed", "data"]
    assert "<td>other data</td>" in table and "<td>3" in table and "<td>5" in table


def test_pictures_are_of_the_same_kimg(folders, tmp_path):
    out = tmp_path / "page.html"
    assert compare(*folders, "--out", out) == 0
    page = Page(out.read_text())
    assert [picture["alt"] for picture in page.all("img")] == ["After 200 kimg"] * 2
    assert "After 200 kimg, the last that all have." in page.text


def test_a_chart_has_a_curve_for_each_run_that_has_the_statistic(folders, tmp_path):
    out = tmp_path / "page.html"
    assert compare(*folders, "--out", out) == 0
    page = Page(out.read_text())
    assert "Losses: generator over kimg: first from 1.75 to 1.002; <b>second from 1.75 to 1.005" in page.text
    assert "loss_new over kimg: <b>second from 2 to 2" in page.text and "loss_new over kimg: first" not in page.text
    assert "After 400 kimg" not in page.text and "0.0500" in page.text  # The newest metric of each.


def test_runs_of_one_name_are_named_by_their_folders(folders, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for shop in ("a", "b"):
        shutil.copytree(folders[0], tmp_path / shop / "first")
    assert compare("a/first", "b/first") == 0
    page = Page((tmp_path / "comparison.html").read_text())
    assert "a/first" in page.text and "b/first" in page.text and "None: the same model, training and data." in page.text
    capsys.readouterr()
    assert compare("a/first", "a/first") == 2
    assert "a/first: is given twice; expected different runs" in capsys.readouterr().err


def test_more_runs_than_colors_are_refused(folders, capsys):
    assert compare(*[folders[0]] * 7) == 2
    assert "7 runs: a page compares 6 at most" in capsys.readouterr().err
