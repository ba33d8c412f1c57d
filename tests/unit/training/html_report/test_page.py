"""`outfit-gan report`: a page that stands alone, shows what there is, escapes everything; what is no run is refused."""

import json
import re
import shlex
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from tf_outfit_gan.cli.main import main
from tf_outfit_gan.config import from_preset, to_dict
from training.html_report import charts
from training.run_folder import in_order

VOID = {"meta", "img", "rect", "path", "circle", "polyline"}


def write_run(folder, preset="64x48", *, lines=300, overrides=()):
    """A run that grew, with everything that a run may leave."""
    model, training = from_preset(preset, overrides)
    folder.mkdir()
    (folder / "config.json").write_text(
        json.dumps(
            {
                "data": "data & more",
                "model": to_dict(model),
                "training": to_dict(training),
                "preset": preset,
                "overrides": overrides,
                "command": "outfit-gan train & more",
                "version": "1.2.3",
                "commit": "0123456789abcdef",
                "machine": {"cpu": "a <processor>", "cores": 2, "gpus": [], "tensorflow": "2.21", "keras": "3", "python": "3.12"},
            }
        )
    )
    with open(folder / "stats.jsonl", "w") as file:
        for index in range(lines):
            kimg = (index + 1) * 400 / lines
            height, alpha = (32, 1.0) if kimg <= 160 else (64, min(1.0, (kimg - 160) / 40))
            file.write(
                json.dumps(
                    {
                        "cur_nimg": round(kimg * 1000),
                        "height": height,
                        "alpha": alpha,
                        "images_per_sec": 5000 / height,
                        "sec_per_kimg": height / 4.5,
                        "left_sec": (400 - kimg) * 10,
                        "memory_bytes": 2**30,
                        "loss_generator": 1 + 1 / kimg,
                        "loss_discriminator": 1.5 - kimg / 1000,
                        "r1_penalty": 0.1 + 0.02 * np.sin(kimg),
                        "ada_probability": 0.0,
                        "score_real": kimg / 400,
                        "score_fake": -0.5,
                    }
                )
                + "\n"
            )
        file.write('{"cur_nimg": 401000, "hei')  # The run is writing it.
    result = {"metric": "Frechet distance", "features": "untrained features", "count": 800, "size": "64x48"}
    (folder / "metrics.jsonl").write_text(
        "".join(
            json.dumps(result | {"cur_nimg": kimg * 1000, "value": 20 / kimg, "snapshot": f"snapshots/{kimg}"}) + "\n"
            for kimg in (200, 300, 400)
        )
    )
    (folder / "log.txt").write_text(
        "training\nwarning: of an earlier version\n2026-11-26 07:00:00 WARNING <b>R1</b> explodes\n"
        "2026-11-26 07:00:01 INFO    kimg 400 & more\n"
        "2026-11-26 07:00:02 INFO    first step after 21.0 s; the time went to: steps 97.9%\n"
    )
    for kimg in (40, 200, 240, 400):
        pixels = np.random.default_rng(kimg).integers(0, 256, (9, 12, 3), np.uint8)
        Image.fromarray(pixels).resize((1208, 900), Image.Resampling.NEAREST).save(folder / f"fakes_{kimg:06d}kimg.png")
    frames = [Image.new("RGB", (60, 40), color) for color in ("red", "blue")]
    frames[0].save(folder / "timeline.gif", save_all=True, append_images=frames[1:])
    return folder


class Page(HTMLParser):
    """Checks that elements are closed in order, and gathers them."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def drawings(page):
    """The charts; the other drawings are the lines before a curve's name."""
    return [attributes for attributes in page.all("svg") if attributes.get("role") == "img"]


def report(folder, out=None):
    assert main(["report", str(folder), *(["--out", str(out)] if out else [])]) == 0
    text = (out or folder / "report.html").read_text()
    return text, Page(text)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return write_run(tmp_path_factory.mktemp("runs") / "<i>run & co", overrides=("seed=7",))


def test_the_page_stands_alone_and_escapes_everything(run):
    text, page = report(run)
    assert not re.search(r"(?:src|href)=[\"'](?!data:)", text) and "<script" not in text and "url(" not in text
    assert "<i>" not in text and "<b>R1</b> explodes" not in text and "a <processor>" not in text
    assert len(page.all("li")) == 2 and "of an earlier version" in page.text
    for text in ("<b>R1</b> explodes", "2 cores of a <processor>", "tf-outfit-gan 1.2.3 (0123456789abcdef)", "kimg 400 & more"):
        assert text in page.text
    assert len(text) < 3_000_000


def test_a_timeline_that_is_too_large_is_named(run, monkeypatch, tmp_path):
    monkeypatch.setattr("training.html_report.page.MOST_GIF_BYTES", 10)
    text, page = report(run, tmp_path / "page.html")
    assert "image/gif" not in text and "timeline.gif is too large for this page" in page.text


def test_pictures_and_curves_say_what_they_are(run):
    _, page = report(run)
    pictures = page.all("img")
    assert [picture["alt"] for picture in pictures[1:]] == [
        "After 40 kimg",
        "After 200 kimg",
        "After 400 kimg",
        "The same outfits drawn again and again, from the first snapshot to the last",
    ]
    assert "After 400 kimg" in pictures[0]["alt"] and len(drawings(page)) == 6
    for title in (
        "Losses over kimg: generator from 1.75 to 1.002; discriminator from 1.499 to 1.1",
        "Distance from the photos over kimg: Frechet distance at 64x48 from 0.1 to 0.05",
    ):
        assert title in page.text
    assert "Augmentation" not in page.text and "Waiting for data" not in page.text  # Off, or not in the statistics.
    assert "32x24" in page.text and len([a for a in page.all("rect") if a["class"] == "fade"]) == 6


def test_how_far_it_is_and_what_to_type_next(run):
    _, page = report(run)
    assert "400.0 of 400 kimg, 64x48 stable, 78.1 images/s, 1.0 GiB." in page.text
    command = ["outfit-gan", "train", str(run), "--data", "data & more", "--preset", "64x48", "--set", "seed=7"]
    assert shlex.join(command) in page.text and "first step after 21.0 s" in page.text


def test_a_run_of_a_configuration_file_resumes_with_its_own(tmp_path):
    folder = write_run(tmp_path / "own", "demo")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"preset": None}))
    _, page = report(folder)
    command = ["outfit-gan", "train", str(folder), "--data", "data & more", "--config", str(folder / "config.json")]
    assert shlex.join(command) in page.text


def test_a_curve_lies_where_its_numbers_are(tmp_path):
    """Its place is in percent of the plot, from the upper left; it is cut off at three times the 95th percentile."""
    folder = write_run(tmp_path / "run", "demo")
    records = [{"cur_nimg": 10_000 * index, "height": 32, "sec_per_kimg": index} for index in range(1, 41)]
    records[9]["sec_per_kimg"] = 1000
    (folder / "stats.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    (folder / "metrics.jsonl").unlink()
    _, page = report(folder)
    (curve,) = page.all("polyline")
    points = [tuple(map(float, point.split(","))) for point in curve["points"].split()]
    # Ticks go from 0 to 150 in steps of 50, and kimg to 400.
    assert [text for text in re.findall(r"bottom: ([\d.]+)%", (folder / "report.html").read_text())] == [
        "0.00",
        "33.33",
        "66.67",
        "100.00",
    ]
    assert points[0] == (2.5, 99.33) and points[9] == (25.0, 0.0) and points[39] == (100.0, 73.33)


def test_a_young_run_of_older_form_has_a_page_too(tmp_path):
    folder = write_run(tmp_path / "young", "demo")
    record = {"cur_nimg": 4000, "height": 32, "loss_generator": float("nan"), "loss_discriminator": 1.5}
    (folder / "stats.jsonl").write_text(json.dumps(record) + "\n")
    for path in (*folder.glob("*.png"), *folder.glob("*.gif"), folder / "metrics.jsonl", folder / "log.txt"):
        path.unlink()
    config = json.loads((folder / "config.json").read_text())
    del config["machine"], config["training"]["metrics_kimg"]
    (folder / "config.json").write_text(json.dumps(config | {"other": 1}))
    _, page = report(folder, tmp_path / "page.html")
    assert "4.0 of 1000 kimg, 32x24 stable." in page.text and "No pictures yet" in page.text
    assert len(drawings(page)) == 1 and not (folder / "report.html").exists()


def test_what_is_no_run_is_one_line_and_exit_2(tmp_path, capsys):
    def refused(*arguments):
        assert main(["report", *map(str, arguments)]) == 2
        return capsys.readouterr().err

    assert f"{tmp_path}: no run here" in refused(tmp_path)
    assert "no run here" in refused(tmp_path / "nothing")
    folder = write_run(tmp_path / "empty")
    assert "expected a file, found a folder" in refused(folder, "--out", tmp_path)
    (folder / "stats.jsonl").write_text("")
    assert "no statistics yet: the first tick is logged after 4 kimg" in refused(folder)
    (folder / "config.json").write_text("{}")
    assert "not the configuration of a run" in refused(folder)


def test_what_a_resumed_run_does_again_counts_once():
    lines = [{"cur_nimg": nimg, "time": time} for time, nimg in enumerate([10, 20, 30, 20, 25])]
    assert [(line["cur_nimg"], line["time"]) for line in in_order(lines)] == [(10, 0), (20, 3), (25, 4)]


def test_ticks_are_round_and_enclose():
    assert charts.nice_ticks(0, 1) == [0, 0.2, 0.4, 0.6, 0.8, 1.0]
    assert charts.nice_ticks(-0.3, 2.2) == [-0.5, 0, 0.5, 1, 1.5, 2, 2.5]
    assert charts.nice_ticks(0, 0.052) == [0, 0.02, 0.04, 0.06]


def test_many_points_become_means_of_neighbors():
    assert charts.thin([(1, 2.0), (2, 4.0)]) == [(1, 2.0), (2, 4.0)]
    assert charts.thin([(i, float(i)) for i in range(6)], 3) == [(1, 0.5), (4, 3.0), (5, 5.0)]


def test_values_that_are_not_finite_are_left_out():
    assert charts.chart("T", {"a": [(1, float("nan"))]}) is None
    assert charts.chart("T", {"a": [(1, float("inf")), (2, 3.0)]}).series == {"a": [(2, 3.0)]}


def test_a_chart_of_few_values_of_both_signs_is_drawn():
    """The first lines of a run: most values below zero, the largest above."""
    assert charts.chart("T", {"a": [(1, -0.7), (2, 0.2)]}).ticks == [-0.8, -0.6, -0.4, -0.2, 0, 0.2]
