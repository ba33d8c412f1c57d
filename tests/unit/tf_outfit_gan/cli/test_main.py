"""The command `outfit-gan`: it answers fast, and reports a mistake in one line."""

import subprocess
import sys

import pytest

from tf_outfit_gan.cli.main import VERBS


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
        (["train", "run", "--data", "data", "--set", "color=1"], "unknown key 'color'"),
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


@pytest.mark.parametrize("has_init", [True, False])
@pytest.mark.parametrize("package, verb", [("training", "train"), ("export", "export"), ("serving", "request")])
def test_a_package_of_the_users_that_hides_ours_is_named_in_one_line(package, verb, has_init, tmp_path):
    (tmp_path / package).mkdir()
    if has_init:
        (tmp_path / package / "__init__.py").touch()
    done = subprocess.run(
        [sys.executable, "-m", "tf_outfit_gan.cli.main", verb, "--help"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert f"{tmp_path / package} hides the package '{package}' of outfit-gan: run it in another folder" in done.stderr
    # Verbs of other packages work.
    done = subprocess.run([sys.executable, "-m", "tf_outfit_gan.cli.main", "render", "--help"], cwd=tmp_path)
    assert done.returncode == 0
