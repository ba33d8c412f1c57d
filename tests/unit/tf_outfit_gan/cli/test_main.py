"""The front door: it answers fast, and tells a mistake in one line."""

import importlib.util
import subprocess
import sys

import pytest

from tf_outfit_gan.cli import demo
from tf_outfit_gan.cli.main import VERBS, main


def outfit_gan(*arguments):
    return subprocess.run([sys.executable, "-m", "tf_outfit_gan.cli.main", *arguments], capture_output=True, text=True)


def test_help_lists_every_verb_without_heavy_imports():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tf_outfit_gan.cli.main", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in VERBS)
    assert not any(heavy in done.stderr for heavy in ("tensorflow", "keras", "numpy"))


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_does_not_import_tensorflow(verb):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tf_outfit_gan.cli.main", verb, "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "usage: outfit-gan" in done.stdout
    assert "tensorflow.python" not in done.stderr


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["train", "run", "--data", "data", "--preset", "nope"], "unknown preset 'nope'"),
        (["train", "run", "--data", "data", "--set", "colour=1"], "unknown key 'colour'"),
        (["train", "run", "--data", "data", "--set", "r1_gamma=much"], "r1_gamma=much"),
        (["train", "run", "--data", "data", "--set", "pose_path=sideways"], "pose_path 'sideways'"),
        (["train", "run", "--data", "data", "--set", "condition_size=100x75"], "condition_size 100x75"),
        (["train", "run", "--data", "data", "--set", "fmap_base=64"], "fmap_base 64: leaves no feature map at 256x192"),
        (["train", "run", "--data", "no-such-folder"], "no-such-folder"),
        (["no-such-verb"], "no-such-verb"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = outfit_gan(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.strip().splitlines()) <= 3  # argparse adds the usage.


def make_package(folder, name, kind):
    """What users may have under a name of ours: a package, a folder without __init__.py, or a module."""
    if kind == "module":
        (folder / f"{name}.py").touch()
    else:
        (folder / name).mkdir()
        if kind == "package":
            (folder / name / "__init__.py").touch()


@pytest.mark.parametrize("kind", ["package", "folder", "module"])
@pytest.mark.parametrize("package, verb", [("training", "train"), ("export", "export"), ("serving", "request")])
def test_a_package_of_the_users_that_hides_ours_is_named_in_one_line(package, verb, kind, tmp_path):
    make_package(tmp_path, package, kind)
    done = subprocess.run(
        [sys.executable, "-m", "tf_outfit_gan.cli.main", verb, "--help"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    hiding = tmp_path / (f"{package}.py" if kind == "module" else package)
    assert f"{hiding} hides the package '{package}' of outfit-gan: run it in another folder" in done.stderr
    assert f"or take {tmp_path} off PYTHONPATH" in done.stderr
    # Verbs of other packages work.
    done = subprocess.run([sys.executable, "-m", "tf_outfit_gan.cli.main", "render", "--help"], cwd=tmp_path)
    assert done.returncode == 0


def test_a_package_of_the_users_that_a_notebook_has_imported_is_named(tmp_path, monkeypatch, capsys):
    make_package(tmp_path, "training", "package")
    spec = importlib.util.spec_from_file_location("training", tmp_path / "training" / "__init__.py")
    monkeypatch.setitem(sys.modules, "training", importlib.util.module_from_spec(spec))
    assert main(["train", "--help"]) == 2
    assert f"{tmp_path / 'training'} hides the package 'training' of outfit-gan" in capsys.readouterr().err


def test_the_verbs_of_a_demo_do_not_look_into_the_folder_that_it_runs_in(tmp_path, monkeypatch):
    make_package(tmp_path, "training", "package")
    monkeypatch.chdir(tmp_path)
    demo._Demo(tmp_path / "demo", minutes=1).step("explain a verb", "train", "--help")
