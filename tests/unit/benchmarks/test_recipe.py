"""benchmarks/recipe.py: its commands are valid, what is there is kept, and the table has the means over seeds."""

import json

import pytest

from benchmarks import recipe
from tf_outfit_gan.cli.main import parser_of


@pytest.fixture
def commands(monkeypatch):
    """The commands that were run, parsed as the command line does; those of `evaluate` write a result."""
    found = []

    def run(*words):
        args = parser_of(words[0]).parse_args([*map(str, words), "--quiet"])
        found.append((args.verb, args))
        if args.verb == "evaluate":
            figures = {figure: {"value": len(found)} for _, figure, _ in recipe.COLUMNS}
            args.json.write_text(json.dumps({"count": 8, "features": "those of a test", "figures": figures}))

    monkeypatch.setattr(recipe, "outfit_gan", run)
    return found


def recipe_table(monkeypatch, capsys, runs, seeds="1,2"):
    words = ["recipe", str(runs), "--data", "a", "--test", "b", "--masks", "c", "--pose-model", "d", "--seeds", seeds]
    words += ["--preset", "tiny", "--kimg", "0.5", "--form", "of paper: pose_path=style", "--form", "spatial:"]
    monkeypatch.setattr("sys.argv", words)
    recipe.main()
    return capsys.readouterr().out.rpartition("| form")[2].splitlines()[2:]


def test_every_form_is_trained_and_measured_once_a_seed(commands, monkeypatch, capsys, tmp_path):
    for name in ("of-paper-1", "of-paper-2", "spatial-1", "spatial-2"):
        (tmp_path / name).mkdir()
    paper, spatial, _, features = recipe_table(monkeypatch, capsys, tmp_path)
    assert [verb for verb, _ in commands] == ["train", "evaluate"] * 4
    train, evaluate = commands[0][1], commands[1][1]
    assert "pose_path=style" in train.set and "seed=1" in train.set and "total_kimg=0.5" in train.set
    assert evaluate.models == [str(tmp_path / "of-paper-1")] and evaluate.data == "b"
    # Measurements 2 and 6 of the first form, 4 and 8 of the second one.
    assert paper.startswith("| of paper | 2 | 4.0000 (2.0000 to 6.0000) | 4.0 (2.0 to 6.0)")
    assert spatial.startswith("| spatial | 2 | 6.0000 (4.0000 to 8.0000)")
    assert features == "Frechet distance: 8 pictures, those of a test"

    # What is there is kept; a result of an earlier version is measured again.
    del commands[:]
    recipe_table(monkeypatch, capsys, tmp_path)
    assert not commands
    (tmp_path / "spatial-2" / "result.json").write_text('{"value": 1, "colour_error": 46.4}')
    recipe_table(monkeypatch, capsys, tmp_path)
    assert [verb for verb, _ in commands] == ["train", "evaluate"] and commands[1][1].models == [str(tmp_path / "spatial-2")]


def test_what_could_not_be_measured_is_a_dash():
    result = {"count": 8, "features": "some", "figures": {figure: {"value": None} for _, figure, _ in recipe.COLUMNS}}
    assert "| form | 1 | - | - | - | - | - |" in recipe.table({"form": [result]})
