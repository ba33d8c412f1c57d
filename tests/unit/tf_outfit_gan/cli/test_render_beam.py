"""`outfit-gan render --beam` on Beam's local runner: the pictures and the index of the plain command, resumed, refused."""

import json
import pickle
import shutil
import sys

import numpy as np
import pytest
from PIL import Image

from tests.helpers.exported import photo, points, tiny_renderer
from tf_outfit_gan import inference
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.outfit_request import Request
from tf_outfit_gan.rendering import missing
from tf_outfit_gan.rendering.plan import Plan

# The local runner that is Python alone.
LOCAL = ["--beam", "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"]
OUTFITS, POSES, SEEDS = 5, 2, "1,2,3"
COUNT = OUTFITS * POSES * 3


class CountingRenderer:
    """Draws gray in small batches; counts how often a model is loaded and what is drawn, and fails after so many pictures.

    With `real` the shared tiny renderer draws.
    """

    batch_size = 4

    def __init__(self):
        self.loaded, self.drawn, self.most, self.real = 0, 0, 1000, False

    def load(self, _):
        self.loaded += 1
        return self

    def pictures(self, requests, seeds, psi):
        if self.drawn + len(seeds) > self.most:
            raise RuntimeError("out of memory")
        self.drawn += len(seeds)
        return tiny_renderer().pictures(requests, seeds, psi) if self.real else np.full((len(seeds), 16, 12, 3), 128, np.uint8)


@pytest.fixture
def renderer(monkeypatch):
    renderer = CountingRenderer()
    missing._open_once.cache_clear()  # What a worker of an earlier test loaded.
    monkeypatch.setattr(inference, "Renderer", renderer.load)
    monkeypatch.setattr(missing, "_PART", 8)  # An outfit has 6 pictures.
    return renderer


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """The working folder, with outfits in a folder of their own, poses, and an article to add."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "outfits").mkdir()
    lines = []
    for number in range(OUTFITS):
        photo(number).save(tmp_path / "outfits" / f"{number}.png")
        lines.append({"id": f"look{number}", "articles": {"top": f"{number}.png"}, "keypoints": points(number)})
    (tmp_path / "outfits" / "list.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (tmp_path / "poses").mkdir()
    for number in range(POSES):
        (tmp_path / "poses" / f"pose{number}.json").write_text(json.dumps(points(20 + number)))
    photo(99).save(tmp_path / "jacket.png")
    return tmp_path


def render(snapshot, out, *options, beam=LOCAL):
    words = ["--outfits", "outfits/list.jsonl", "--poses", "poses", "--add", "jacket.png", "--out-dir", out, "--quiet"]
    return main(["render", str(snapshot), *words, "--seeds", SEEDS, *options, *beam])


def index(out):
    with open(f"{out}/index.jsonl") as lines:
        return [json.loads(line) for line in lines]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def written(folder):
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.png")}


def test_beam_writes_the_files_and_the_index_of_the_plain_command(folder, snapshot, renderer):
    pytest.importorskip("apache_beam")
    renderer.real = True
    assert render(snapshot, "shared", "--sheet") == 0
    assert (renderer.drawn, renderer.loaded) == (COUNT, 1)
    assert render(snapshot, "plain", "--sheet", beam=[]) == 0
    assert index("shared") == index("plain") and len(index("plain")) == COUNT
    assert names(folder / "shared") == names(folder / "plain")
    for line in index("plain"):
        shared, plain = (np.asarray(Image.open(folder / out / line["file"]), int) for out in ("shared", "plain"))
        assert np.abs(shared - plain).max() <= 1  # The batches were others.


def test_beam_goes_on_where_another_stopped(folder, snapshot, renderer):
    pytest.importorskip("apache_beam")
    renderer.most = 10
    assert render(snapshot, "out") == 1
    before = written(folder / "out")
    assert len(before) == renderer.drawn == 10
    assert not list((folder / "out").glob(".plan*")) and list((folder / "out").glob(".*.index.jsonl"))
    renderer.most = 1000
    assert render(snapshot, "out") == 0
    assert renderer.drawn == COUNT and before.items() <= written(folder / "out").items()
    assert names(folder / "out") == sorted([*(line["file"] for line in index("out")), "index.jsonl"])
    # What has another look is drawn again, and a folder that is whole needs no model.
    assert render(snapshot, "out", "--psi", "0.5") == 0 and renderer.drawn == 2 * COUNT
    missing._open_once.cache_clear()
    renderer.loaded = 0
    assert render(snapshot, "out", "--psi", "0.5") == 0 and renderer.loaded == 0
    assert [line["psi"] for line in index("out")] == [0.5] * COUNT


def test_the_plain_command_goes_on_where_beam_was_killed(folder, snapshot, renderer):
    assert render(snapshot, "out", beam=[]) == 0
    lines = (folder / "out" / "index.jsonl").read_text().splitlines(keepends=True)
    (folder / "out" / "index.jsonl").unlink()
    (folder / "out" / ".1.index.jsonl").write_text("".join(lines[:9])[:-5])
    (folder / "out" / ".2.index.jsonl").write_text("".join(lines[9:]))
    renderer.drawn = 0
    assert render(snapshot, "out", beam=[]) == 0
    assert renderer.drawn == 1 and "".join(lines) == (folder / "out" / "index.jsonl").read_text()
    assert names(folder / "out") == sorted([*(line["file"] for line in index("out")), "index.jsonl"])


def test_a_worker_finds_everything_from_another_folder(folder, snapshot, renderer, monkeypatch, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")

    def share_out(work, tasks, *_, **__):
        tasks = [pickle.dumps(task) for task in tasks]
        with monkeypatch.context() as there:
            there.chdir(elsewhere)
            return [work(pickle.loads(task), lambda count: None) for task in tasks]

    monkeypatch.setattr(missing, "share_out", share_out)
    shutil.copytree(snapshot, "snapshot")
    assert render("snapshot", "out") == 0
    assert len(written(folder / "out")) == COUNT == len(index("out")) and not list(elsewhere.iterdir())
    assert index("out")[0]["model"] == "snapshot" and index("out")[0]["add"] == ["jacket.png"]


def test_an_outfit_that_cannot_be_read_is_named_once(folder, snapshot, renderer, monkeypatch, capsys):
    pytest.importorskip("apache_beam")
    monkeypatch.setattr(missing, "_PART", 4)  # Each outfit is in two parts.
    (folder / "outfits" / "1.png").write_text("this is a text file")
    assert render(snapshot, "out") == 2
    error = capsys.readouterr().err
    assert "left out of out: 1 outfits or pictures; first: " in error and "1.png: expected a picture" in error
    assert len(index("out")) == COUNT - 6 == len(written(folder / "out"))


@pytest.mark.parametrize("outfits, poses, seeds", [(5, 2, 3), (1, 1, 30), (1, 30, 1), (30, 0, 1), (None, 0, 30), (2, 9, 9)])
@pytest.mark.parametrize("most", [1, 8, 1000])
def test_parts_are_the_plan(outfits, poses, seeds, most):
    request = Request("doll", {}, np.zeros((16, 3)))
    named = None if outfits is None else [(f"look{number}", lambda: request) for number in range(outfits)]
    plan = Plan(named, [(f"pose{number}", np.zeros((16, 3))) for number in range(poses)], list(range(seeds)))
    parts = list(plan.parts(most))
    files = [picture.file for picture in plan.pictures()]
    assert files == list(plan.files()) and len(files) == len(plan)
    assert sorted(picture.file for part in parts for picture in part.pictures()) == sorted(files)
    assert max(map(len, parts)) <= most and len(parts) >= len(plan) / most
    if most >= plan.pictures_per_outfit:  # Outfits stay whole, and in order.
        assert [file for part in parts for file in part.files()] == files


@pytest.mark.parametrize(
    "words, text",
    [
        (["--server", "localhost:1", "--out-dir", "out"], "--beam: its workers load a snapshot; leave out --server"),
        (["--out", "out.png"], "give --out-dir DIR instead of --out"),
        (["shipped", "--outfits", "lost.jsonl", "--out-dir", "out"], "lost.jsonl: expected JSON lines"),
        (["shipped", "--outfits", "outfits", "--add", "x.png", "--out-dir", "out"], "the file's name contains no slot"),
        (["shipped", "--outfits", "outfits/list.jsonl", "--out-dir", "out"], "pip install 'tf-outfit-gan[beam]'"),
    ],
)
def test_mistakes_are_one_line_before_anything_is_drawn(folder, monkeypatch, capsys, words, text):
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    assert main(["render", *words, "--beam", "--runner=DirectRunner"]) == 2
    error = capsys.readouterr().err
    assert text in error and error.count("\n") == 1
