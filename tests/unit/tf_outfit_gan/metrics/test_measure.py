"""A measurement as a whole: photos reach the ceiling, strangers the floor, and the command shows and checks it."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from benchmarks import recipe
from tests.helpers.exported import make_snapshot
from tests.helpers.pose_models import brightest_pixel
from tests.unit.tf_outfit_gan.cli.test_evaluate import dataset, refused, save_untrained, untrained  # noqa: F401 - fixtures
from tf_outfit_gan import snapshot as snapshots
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.metrics.figure import Figure
from tf_outfit_gan.metrics.measure import Measurement, measure
from tf_outfit_gan.metrics.parallel_sampler import ParallelSampler
from tf_outfit_gan.metrics.protocol import NEEDS, Protocol
from tf_outfit_gan.metrics.samples import stream
from tf_outfit_gan.metrics.subject import of_snapshot, open_subject
from tf_outfit_gan.slots import SLOTS
from tf_outfit_gan.snapshot import save_transfer_split, transfer_split
from tf_outfit_gan.util.errors import UserError

SIZE = (16, 12)


@pytest.fixture(scope="module")
def files(dataset, tmp_path_factory):  # noqa: F811
    estimator = brightest_pixel(tmp_path_factory.mktemp("estimator") / "model", SIZE)
    return {"pose_model": str(estimator), "masks": dataset.path.parent / "shop" / "masks"}


class Photographer(ParallelSampler):
    """A model that gives the photo of an entry, or of its stranger, for the entry's pose."""

    def __init__(self, snapshot, dataset, of_strangers):  # noqa: F811
        super().__init__("photos", snapshot)
        self._photos = {}
        for batch in stream(dataset, "train", SIZE, SIZE, SLOTS, 40, 16, 0):
            photos = (batch.strangers if of_strangers else batch.own).photos
            self._photos.update((pose.tobytes(), photo) for pose, photo in zip(batch.own.keypoints, photos))

    def __call__(self, seeds, articles, keypoints):
        return np.stack([self._photos[np.asarray(pose).tobytes()] for pose in keypoints])


@pytest.mark.parametrize("of_strangers, bound", [(False, "ceiling"), (True, "floor")])
def test_photos_are_at_the_ceiling_and_a_shuffled_model_at_the_floor(dataset, files, of_strangers, bound):  # noqa: F811
    snapshot = make_snapshot()
    metrics = ("distribution", "pose", "articles", "edits", "identity", "diversity")
    protocol = Protocol(metrics, count=40, **files)
    subject = of_snapshot("photos", snapshot, Photographer(snapshot, dataset, of_strangers))
    measurement = measure(subject, dataset, protocol, lambda count: None)
    figures = measurement.figures
    measured = [
        name
        for name, figure in figures.items()
        if name.startswith(("pose.", "articles.", "picture.")) and figure.value is not None
    ]
    assert {"pose.pck", "pose.joint_distance", "articles.all.color", "articles.top.color"} <= set(measured)
    for name in measured:
        figure = figures[name]
        assert figure.value == pytest.approx(getattr(figure, bound), abs=1e-6), name
        assert figure.floor != figure.ceiling, name
    # All pictures together are the photos in both cases.
    assert figures["distribution.frechet_distance"].value == pytest.approx(0, abs=1e-6)
    assert figures["distribution.precision"].value == figures["distribution.recall"].value == 1
    # It draws the same person whatever the latent, and ignores every edit.
    assert figures["diversity.hair"].value == figures["diversity.hair"].floor == 0 < figures["diversity.hair"].ceiling
    assert figures["edits.top.inside"].value == figures["identity.head_change"].value == 0


def test_two_runs_give_the_same_figures(dataset, untrained, files, tmp_path):  # noqa: F811
    def figures(name):
        out = tmp_path / name
        assert (
            main(
                [
                    "evaluate",
                    str(untrained),
                    "--data",
                    str(dataset.path),
                    "--count",
                    "12",
                    "--metrics",
                    "all",
                    "--pose-model",
                    files["pose_model"],
                    "--masks",
                    str(files["masks"]),
                    "--json",
                    str(out),
                    "--quiet",
                ]
            )
            == 0
        )
        return json.loads(out.read_text())["figures"]

    first = figures("a.json")
    assert {name.partition(".")[0] for name in first} == {*NEEDS, "picture"}
    assert {figure for _, figure, _ in recipe.COLUMNS} <= first.keys()  # What benchmarks/recipe.py reads.
    assert figures("b.json") == first


def test_the_command_draws_writes_and_checks(dataset, untrained, files, tmp_path, capsys):  # noqa: F811
    gate = tmp_path / "gate.json"
    command = [
        "evaluate",
        str(untrained),
        "--data",
        str(dataset.path),
        "--count",
        "20",
        "--metrics",
        "pose,articles",
        "--pose-model",
        files["pose_model"],
        "--masks",
        str(files["masks"]),
        "--quiet",
        "--gate",
        str(gate),
    ]
    gate.write_text('{"articles.all.color": {"at_least": 0}}')
    assert (
        main(
            [
                *command,
                "--sheet",
                str(tmp_path / "sheet.png"),
                "--card",
                str(tmp_path / "card.md"),
                "--json",
                str(tmp_path / "out.json"),
            ]
        )
        == 0
    )
    printed, result = capsys.readouterr().out, json.loads((tmp_path / "out.json").read_text())
    color = result["figures"]["articles.all.color"]
    cells = next(line for line in printed.splitlines() if line.startswith("articles.all.color")).split()
    assert cells[1:] == [f"{color['value']:.4g}", "0", f"{color['floor']:.4g}", "CIEDE2000"]
    assert 5 < color["value"] < 100
    assert "distribution" not in printed and "features" not in printed
    with Image.open(tmp_path / "sheet.png") as sheet:
        assert sheet.width > 8 * 100 and sheet.height > 4 * 200  # Best and worst of two metrics, four cases of two.
    card = (tmp_path / "card.md").read_text()
    assert f"| articles.all.color | {color['value']:.4g} | 0 | {color['floor']:.4g} | CIEDE2000 |" in card
    assert f"evaluate {untrained} --data {dataset.path} --split train --count 20 --seed 0 --pose-model" in card

    gate.write_text('{"articles.all.color": {"standing": 0.99}, "pose.pck": {"at_least": 0}}')
    assert main(command) == 1
    error = capsys.readouterr().err
    assert "does not pass: articles.all.color" in error and "expected standing 0.99" in error
    assert "pose.pck" not in error


def test_the_best_split_is_stored_with_the_snapshot(dataset, tmp_path, monkeypatch, capsys):  # noqa: F811
    path = save_untrained(tmp_path / "000012kimg")
    fields = {
        "kind": "snapshot",
        "snapshot": str(path),
        "left_out": {},
        "conditional": True,
        "alpha": 1,
        "count": 2,
        "count_asked": 2,
        "split": "train",
        "size": "16x12",
        "cur_nimg": 0,
        "data": "x",
    }
    found = Measurement(fields, {"transfer.split": Figure(4)}, [])
    monkeypatch.setattr("tf_outfit_gan.metrics.measure.measure", lambda *arguments: found)
    assert main(["evaluate", str(path), "--data", str(dataset.path), "--quiet"]) == 0
    assert transfer_split(path) == 4

    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("tf_outfit_gan.snapshot.save_transfer_split", full)
    assert main(["evaluate", str(path), "--data", str(dataset.path), "--quiet"]) == 0
    assert "the split point is not stored there: No space left on device" in capsys.readouterr().out


def test_the_split_of_the_shipped_model_is_stored_with_it(tmp_path, monkeypatch):
    path = save_untrained(tmp_path / "shipped_model")
    monkeypatch.setattr("tf_outfit_gan.snapshot._SHIPPED_FOLDER", path)
    monkeypatch.chdir(tmp_path)
    subject = open_subject("shipped", "outfit_gan")
    assert subject.name == "shipped"
    save_transfer_split(subject.name, 3)
    assert transfer_split(path) == 3


def test_two_snapshots_are_compared(dataset, untrained, tmp_path, capsys):  # noqa: F811
    other = save_untrained(tmp_path / "other", weights=0.0)
    assert (
        main(
            [
                "evaluate",
                str(untrained),
                str(other),
                "--data",
                str(dataset.path),
                "--count",
                "20",
                "--quiet",
                "--json",
                str(tmp_path / "out.json"),
            ]
        )
        == 0
    )
    results = json.loads((tmp_path / "out.json").read_text())
    one, two = (result["figures"]["picture.error"]["value"] for result in results)
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("picture.error"))
    assert line.split()[1:4] == [f"{one:.4g}", f"{two:.4g}", "first" if one < two else "second"] and one != two


def test_what_cannot_be_measured_is_refused(dataset, untrained, files, tmp_path, capsys):  # noqa: F811
    data = ("--data", dataset.path)
    assert "--metrics fid: unknown; expected names out of" in refused(capsys, untrained, *data, "--metrics", "fid")
    assert "--metrics pose: needs --pose-model" in refused(capsys, untrained, *data, "--metrics", "pose")
    assert "--metrics articles: needs --masks" in refused(capsys, untrained, *data, "--metrics", "articles")
    assert "one model, or two" in refused(capsys, *[untrained] * 3, *data)
    assert "--gate: expected one model" in refused(capsys, *[untrained] * 2, *data, "--gate", "gate.json")
    assert "--card: expected one model" in refused(capsys, *[untrained] * 2, *data, "--card", tmp_path / "card.md")
    unconditional = save_untrained(tmp_path / "unconditional", overrides=["conditional=false"])
    assert "has no conditions to follow; leave out identity, diversity" in refused(
        capsys, unconditional, *data, "--metrics", "distribution,identity,diversity"
    )
    with pytest.raises(UserError, match="a.png|expected a mask for each photo"):
        measure(of_snapshot("x", make_snapshot()), dataset, Protocol(("articles",), masks=tmp_path), lambda count: None)


def test_two_devices_give_the_figures_of_one(dataset):  # noqa: F811
    program = [sys.executable, "-m", "tests.helpers.sampled_on_two", str(dataset.path)]
    one, two = json.loads(subprocess.run(program, check=True, capture_output=True, text=True).stdout.splitlines()[-1])
    assert one["devices"] == ["CPU:0"] and two["devices"] == ["CPU:0", "CPU:1"] and one["finite"]
    assert two["figures"] == pytest.approx(one["figures"], rel=0.01)
    assert two["figures"]["picture.error"] == pytest.approx(one["figures"]["picture.error"], rel=1e-4)


def test_the_shipped_model_has_the_same_name_on_any_machine(tmp_path):
    names = [of_snapshot(path, make_snapshot()).name for path in (snapshots.newest("shipped"), tmp_path)]
    assert names == ["shipped", str(tmp_path)]
