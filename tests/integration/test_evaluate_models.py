"""A snapshot, its export, and the server of the export are measured alike: they draw the same pictures."""

import json
import re

import pytest

from export.evaluation import read_evaluation
from tests.helpers.exported import make_snapshot, write_snapshot
from tests.helpers.pose_models import brightest_pixel
from tests.helpers.serving_model import running_server
from tf_outfit_gan.cli.main import main
from tf_outfit_gan.client import Client
from tf_outfit_gan.data.paperdoll.catalogue import write_catalogue
from tf_outfit_gan.data.preparation.prepare import prepare
from tf_outfit_gan.snapshot import weights_checksum
from tf_outfit_gan.util.errors import UserError

COUNT = 6


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    write_catalogue(folder / "shop", 12, (16, 12))
    prepare(folder / "shop", folder / "data", workers=1, quiet=True)
    brightest_pixel(folder / "estimator", (16, 12))
    write_snapshot(folder / "000400kimg", alpha=0.5)
    snapshot, evaluation = str(folder / "000400kimg"), str(folder / "evaluation.json")
    measure = ["--data", str(folder / "data"), "--count", "2", "--metrics", "identity", "--quiet"]
    assert main(["evaluate", snapshot, *measure, "--json", evaluation]) == 0
    assert main(["export", snapshot, str(folder / "models" / "gen"), "--evaluation", evaluation]) == 0
    return folder


@pytest.fixture
def evaluate(files, tmp_path):
    """Runs the command; returns what it writes as JSON."""

    def run(model, metrics, *options, count=COUNT):
        out = tmp_path / "out.json"
        words = [str(model), "--data", str(files / "data"), "--count", str(count), "--metrics", metrics, "--json", str(out)]
        words += ["--pose-model", str(files / "estimator"), "--masks", str(files / "shop" / "masks"), "--quiet", *options]
        assert main(["evaluate", *words]) == 0
        return json.loads(out.read_text())

    return run


def assert_same_figures(result, expected):
    """Up to one step of 255 in a pixel, by which pictures that are drawn in other batches differ."""
    values, others = ({name: figure["value"] for name, figure in one["figures"].items()} for one in (result, expected))
    assert values.keys() == others.keys()
    for name, value in others.items():
        assert values[name] == (value if value is None else pytest.approx(value, rel=0.01, abs=0.01)), name


def test_a_snapshot_its_export_and_its_server_have_the_same_figures(files, evaluate, capsys, tmp_path):
    asked = "pose,articles,edits,identity"
    snapshot = evaluate(files / "000400kimg", asked)
    assert snapshot["size"] == "16x12" and 5 < snapshot["figures"]["articles.all.color"]["value"] < 100
    export = evaluate(files / "models" / "gen", asked)
    assert export["kind"] == "export" and export["export"] == str(files / "models" / "gen" / "1")
    assert (export["cur_nimg"], export["alpha"], export["size"]) == (400_000, 0.5, "16x12")
    assert_same_figures(export, snapshot)
    with running_server(files / "models" / "gen") as server:
        for port in (server.rest_port, server.port):
            card = tmp_path / "card.md"
            address = f"localhost:{port}"
            capsys.readouterr()
            found = evaluate(address, asked + ",transfer", "--model_name", "gen", "--card", str(card))
            assert (found["kind"], found["server"], found["model_name"]) == ("server", address, "gen")
            assert_same_figures(found, snapshot)
            assert list(found["left_out"]) == ["transfer"]
            assert "left out  transfer: the client of a server has one seed for both outfits" in capsys.readouterr().out
            assert f"evaluate {address} --data" in card.read_text() and "--model_name gen" in card.read_text()


def test_an_export_says_how_good_it_is(files, capsys):
    version = files / "models" / "gen" / "1"
    evaluation = json.loads((files / "evaluation.json").read_text())
    assert json.loads((version / "assets.extra" / "evaluation.json").read_text()) == evaluation
    figures = {name: figure["value"] for name, figure in evaluation["figures"].items()}
    expected = {"split": "train", "count": 2, "seed": 0, "figures": figures}
    assert json.loads((version / "assets.extra" / "model.json").read_text())["evaluation"] == expected
    model_card = (version / "assets.extra" / "model_card.md").read_text()
    assert figures and all(f"| {name} |" in model_card for name in figures)
    with running_server(version.parent) as server:
        assert Client(f"localhost:{server.rest_port}", "gen")._fact("evaluation") == expected
    assert main(["verify", str(version.parent)]) == 0
    assert f"evaluated: {len(figures)} figures of 2 photos of train, see {version}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "change, text",
    [
        ({"weights_sha256": "0" * 64}, "is of another model, {folder}/000400kimg: its weights_sha256 is 000"),
        # A server's evaluation has no checksum, and older ones have none.
        ({"weights_sha256": None, "cur_nimg": 200_000}, "its cur_nimg is 200000, that of the snapshot is 400000"),
        ({"size": "8x6"}, "its size is 8x6"),
        ({"figures": {"fid": 3}}, "expected what `outfit-gan evaluate SNAPSHOT --json FILE` writes"),
        ({"kind": None}, "expected what `outfit-gan evaluate SNAPSHOT --json FILE` writes"),
    ],
)
def test_an_evaluation_of_another_model_is_refused(files, tmp_path, change, text):
    snapshot = make_snapshot(alpha=0.5)
    evaluation = json.loads((files / "evaluation.json").read_text())
    assert evaluation["weights_sha256"] == weights_checksum(snapshot)
    (tmp_path / "changed.json").write_text(json.dumps(evaluation | change))
    with pytest.raises(UserError, match=re.escape(text.format(folder=files))):
        read_evaluation(tmp_path / "changed.json", snapshot)


def test_what_is_no_evaluation_is_refused(files, tmp_path):
    (tmp_path / "two.json").write_text(f"[{(files / 'evaluation.json').read_text()}]")
    for name in ("two.json", "missing.json"):
        with pytest.raises(UserError, match=f"--evaluation .*{name}: .*expected what"):
            read_evaluation(tmp_path / name, make_snapshot())


def test_an_export_transfers_as_its_snapshot_does_and_has_no_path_length(files, evaluate, capsys):
    snapshot, export = (evaluate(files / place, "transfer,path_length") for place in ("000400kimg", "models/gen/1"))
    curves = [[value for point in found["transfer_curve"] for value in point] for found in (export, snapshot)]
    assert curves[0] == pytest.approx(curves[1], abs=1e-3)
    assert list(export["left_out"]) == ["path_length"] and not snapshot["left_out"]
    assert not (files / "models/gen/1/transfer.json").exists()


def test_what_cannot_be_measured_of_an_export_is_refused(files, tmp_path, capsys):
    def refused(model, *options):
        assert main(["evaluate", str(model), "--data", str(files / "data"), "--quiet", *options]) == 2
        return capsys.readouterr().err

    assert "nothing to measure of this export: path_length: no signature" in refused(
        files / "models" / "gen", "--metrics", "path_length"
    )
    bare = tmp_path / "1"
    bare.mkdir()
    (bare / "saved_model.pb").write_bytes(b"no model")
    assert "model.json: not readable" in refused(tmp_path)
    (bare / "assets.extra").mkdir()
    card = (files / "models" / "gen" / "1" / "assets.extra" / "model.json").read_text()
    (bare / "assets.extra" / "model.json").write_text(card)
    assert f"{bare}: does not load" in refused(tmp_path)
