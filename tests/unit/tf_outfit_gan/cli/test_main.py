"""The command `outfit-gan`: it answers fast, and reports a mistake in one line."""

import importlib.util
import os
import shlex
import subprocess
import sys

import pytest

from tf_outfit_gan.cli import demo
from tf_outfit_gan.cli.main import VERBS, main, parser_of


def outfit_gan(*arguments):
    return subprocess.run([sys.executable, "-m", "tf_outfit_gan.cli.main", *arguments], capture_output=True, text=True)


def subparsers(parser):
    """{name: parser} of a parser's verbs or parts."""
    return next(action.choices for action in parser._actions if action.dest in ("verb", "what"))


def test_help_lists_every_verb_without_heavy_imports():
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tf_outfit_gan.cli.main", "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert all(verb in done.stdout for verb in VERBS)
    assert not any(heavy in done.stderr for heavy in ("tensorflow", "keras", "numpy"))


@pytest.mark.parametrize("chosen", [None, "false"])
def test_the_memory_of_gpus_grows_unless_the_user_says_otherwise(chosen, monkeypatch):
    monkeypatch.setenv("TF_FORCE_GPU_ALLOW_GROWTH", chosen or "")
    if chosen is None:
        monkeypatch.delenv("TF_FORCE_GPU_ALLOW_GROWTH")
    assert main(["render", "no-such-snapshot", "--out", "picture.png"]) == 2
    assert os.environ["TF_FORCE_GPU_ALLOW_GROWTH"] == (chosen or "true")


@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb_does_not_import_tensorflow(verb):
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "tf_outfit_gan.cli.main", verb, "--help"], capture_output=True, text=True
    )
    assert done.returncode == 0
    assert "usage: outfit-gan" in done.stdout
    assert "tensorflow.python" not in done.stderr


@pytest.mark.parametrize("verb", VERBS)
def test_options_are_grouped_and_the_example_of_the_help_is_valid(verb):
    parser = subparsers(parser_of(verb))[verb]
    for part in [parser, *(subparsers(parser).values() if verb == "benchmark" else ())]:
        options = next(group for group in part._action_groups if group.title == "options")
        assert {action.dest for action in options._group_actions} == {"help", "debug"}
        title, example = part.epilog.split("\n")
        program, *words = shlex.split(example)
        assert (title, program, words[0]) == ("example:", "outfit-gan", verb)
        assert parser_of(verb).parse_args(words).verb == verb


@pytest.mark.parametrize(
    "line, expected",
    [
        ("outfit-gan tra", {"train", "train-pose", "transfer"}),
        ("outfit-gan train --da", {"--data", "--data-service"}),
        ("outfit-gan train --preset 25", {"256x192"}),
        ("outfit-gan train --set r1_", {"r1_gamma=", "r1_interval="}),
        ("outfit-gan benchmark step --prec", {"--precision"}),
    ],
)
def test_the_shell_completes_verbs_options_and_settings(line, expected, tmp_path):
    """As bash asks argcomplete: the answer goes to file descriptor 8."""
    environment = {"_ARGCOMPLETE": "1", "COMP_LINE": line, "COMP_POINT": str(len(line)), "_ARGCOMPLETE_IFS": "\n"}
    environment |= {"_ARGCOMPLETE_STDOUT_FILENAME": str(tmp_path / "answer")}
    subprocess.run([sys.executable, "-m", "tf_outfit_gan.cli.main"], env=os.environ | environment, check=True)
    assert {word.strip() for word in (tmp_path / "answer").read_text().split("\n")} == expected


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["train", "run", "--data", "data", "--preset", "nope"], "--preset: invalid choice: 'nope'"),
        (["train", "run", "--data", "data", "--set", "color=1"], "unknown key 'color'"),
        (["train", "run", "--data", "data", "--set", "r1_gamma=much"], "r1_gamma=much"),
        (["train", "run", "--data", "data", "--set", "pose_path=sideways"], "pose_path 'sideways'"),
        (["train", "run", "--data", "data", "--set", "condition_size=100x75"], "condition_size 100x75"),
        (["train", "run", "--data", "data", "--set", "fmap_base=64"], "fmap_base 64: leaves no feature map at 256x192"),
        (
            ["train", "run", "--data", "data", "--preset", "paper", "--set", "maps_to_rgb=true"],
            "no condition enters the generator as",
        ),
        (
            ["train", "run", "--data", "data", "--preset", "paper", "--set", "article_differences=true"],
            "articles do not enter the discriminator as maps",
        ),
        (
            ["train", "run", "--data", "data", "--preset", "paper", "--set", "composition=true"],
            "the generator has no maps of articles; set article_path to worn",
        ),
        (["train", "run", "--data", "no-such-folder"], "no-such-folder"),
        (["train", "run", "--data", "data", "--set", "r1_gama=3"], "unknown key 'r1_gama': did you mean r1_gamma"),
        (["no-such-verb"], "no-such-verb"),
        ([], "outfit-gan: error: the following arguments are required: VERB; see 'outfit-gan --help'"),
        (["train", "run", "--data"], "outfit-gan train: error: --data: expected one argument; see 'outfit-gan train --help'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_2(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = outfit_gan(*arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 1


def make_package(folder, name, kind):
    """What users may have under a name of ours: a package, a folder without __init__.py, or a module."""
    if kind == "module":
        (folder / f"{name}.py").touch()
    else:
        (folder / name).mkdir()
        if kind == "package":
            (folder / name / "__init__.py").touch()


@pytest.mark.parametrize("kind", ["package", "folder", "module"])
@pytest.mark.parametrize(
    "package, verb",
    [("training", "train"), ("export", "export"), ("serving", "request"), ("training", "benchmark"), ("serving", "benchmark")],
)
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
