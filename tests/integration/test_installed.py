"""The package as users have it: a wheel in an environment of its own, beside their own `training/` and `serving/`."""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import numpy as np
import pytest

from tests.helpers.exported import tiny_renderer, write_outfit, write_snapshot
from tests.helpers.serving_model import running_server, write_model
from tf_outfit_gan import __version__
from tf_outfit_gan.outfit_request import read_request

ROOT = Path(__file__).parents[2]
SIZE = (16, 12)

# What a script and a notebook do; the last line leaves the pictures for the test.
CODE = """\
import training, serving
import tf_outfit_gan as og
import numpy as np
from PIL import Image
assert training.MINE and serving.MINE
assert og.__file__.startswith({home!r}), og.__file__
model = og.load("run")
images = model.render("outfit.json", seeds=[1, 2])
outfit = {{"top": Image.open("top.png"), "shoes": "shoes.jpg"}}
assert (model.render(outfit, seeds=[1, 2], pose="outfit.json") == images).all()
w = model.styles("outfit.json", seeds=[1])
assert abs(np.int16(model.synthesize(w)) - images[:1]).max() <= 1
assert model.transfer(source="outfit.json", target="outfit.json", what="color").shape == images[0].shape
example = og.__file__.replace("__init__.py", "examples/outfits/office.json")
assert len(og.load().render(example)) == 1
np.save("images.npy", images)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """An environment with our wheel in it; the packages that ours needs are those of the tests' environment."""
    folder = tmp_path_factory.mktemp("wheel")
    # Built from a copy, as building leaves files behind.
    for name in ("tf_outfit_gan", "training", "export", "serving"):
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.py", "pyproject.toml", "README.md"):
        shutil.copy(ROOT / name, folder / "source")
    pip = [sys.executable, "-m", "pip", "--quiet"]
    build = [*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, folder / "source"]
    subprocess.run(build, check=True)
    venv.create(folder / "home", with_pip=False)
    [wheel] = folder.glob("*.whl")
    python = folder / "home" / "bin" / "python"
    subprocess.run([*pip, "--python", python, "install", "--no-deps", "--no-index", wheel], check=True)
    # A plain path: what a .pth file there would add, an editable install of this checkout, stays out.
    [packages] = (folder / "home").glob("lib/python*/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return folder / "home"


@pytest.fixture
def project(tmp_path):
    """A user's folder: packages of their own that have our names, a run, and an outfit."""
    for name in ("training", "serving"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("MINE = True\n")
    write_snapshot(tmp_path / "run" / "snapshots" / "000400kimg")
    write_outfit(tmp_path / "outfit.json", 1)
    return tmp_path


def check_images(project):
    request = read_request(project / "outfit.json", SIZE)
    expected = [tiny_renderer().picture(request, seed, 1.0) for seed in (1, 2)]
    np.testing.assert_array_equal(np.load(project / "images.npy"), expected)


def environment():
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


@pytest.mark.slow
def test_a_script_beside_packages_of_the_same_names(home, project):
    (project / "script.py").write_text(CODE.format(home=str(home)))
    subprocess.run([home / "bin" / "python", "script.py"], cwd=project, env=environment(), check=True)
    check_images(project)


@pytest.mark.slow
def test_a_notebook_beside_packages_of_the_same_names(home, project, monkeypatch):
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    kernel = project / "jupyter" / "kernels" / "wheel"
    kernel.mkdir(parents=True)
    command = [str(home / "bin" / "python"), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": command, "display_name": "wheel", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(project / "jupyter"))
    monkeypatch.delenv("PYTHONPATH", raising=False)
    cells = [nbformat.v4.new_code_cell(line) for line in (*CODE.format(home=str(home)).splitlines(), "model")]
    notebook = nbclient.NotebookClient(
        nbformat.v4.new_notebook(cells=cells), kernel_name="wheel", timeout=600, resources={"metadata": {"path": str(project)}}
    ).execute()
    assert notebook.cells[-1].outputs[0]["data"]["text/plain"].startswith("<Model 000400kimg: 16x12, slots outerwear,")
    check_images(project)


@pytest.mark.slow
def test_the_command_of_a_wheel(home, project):
    def outfit_gan(*words, **variables):
        return subprocess.run(
            [home / "bin" / "outfit-gan", *words], cwd=project, env=environment() | variables, capture_output=True, text=True
        )

    assert outfit_gan("--version").stdout == f"outfit-gan {__version__}\n"
    assert list(home.glob("lib/python*/site-packages/tf_outfit_gan/py.typed"))
    # A command does not look into the folder that it runs in, but where a PYTHONPATH leads.
    assert outfit_gan("train", "--help").returncode == 0
    hidden = outfit_gan("train", "run", "--data", "data", PYTHONPATH=str(project))
    assert hidden.returncode == 2 and hidden.stderr.count("\n") == 1
    assert f"{project / 'training'} hides the package 'training' of outfit-gan" in hidden.stderr
    # Whatever hides the other packages, the verbs that need the model alone work.
    drawn = outfit_gan("render", "run", "--outfit", "outfit.json", "--out", "picture.png", PYTHONPATH=str(project))
    assert drawn.returncode == 0 and (project / "picture.png").exists(), drawn.stderr


@pytest.mark.slow
def test_a_wheel_has_the_studio_and_the_examples(home, tmp_path):
    subprocess.run([home / "bin" / "outfit-gan", "studio", "www"], cwd=tmp_path, env=environment(), check=True)
    written = {str(path.relative_to(tmp_path / "www")) for path in (tmp_path / "www").rglob("*.*")}
    examples, studio = ROOT / "tf_outfit_gan" / "examples", ROOT / "serving" / "studio"
    expected = {f"examples/{path.relative_to(examples)}" for path in examples.rglob("*.*")}
    expected |= {str(path.relative_to(studio)) for path in studio.rglob("*.*") if path.suffix not in (".py", ".pyc")}
    assert written == expected and "js/main.js" in written


@pytest.mark.slow
def test_the_client_alone_needs_no_tensorflow(tmp_path):
    """In an environment that has only what the client's package names, which comes from the package index."""
    subprocess.run([sys.executable, ROOT / "tools" / "build_client.py", tmp_path], check=True)
    [wheel] = tmp_path.glob("*.whl")
    assert wheel.stat().st_size < 200_000
    venv.create(tmp_path / "home", with_pip=False)
    python = tmp_path / "home" / "bin" / "python"
    subprocess.run([sys.executable, "-m", "pip", "--quiet", "--python", python, "install", wheel], check=True)
    write_model(tmp_path / "gen" / "1")
    write_outfit(tmp_path / "outfit.json", 1)
    code = (
        "import asyncio, importlib.util, sys, tf_outfit_gan as og\n"
        "assert importlib.util.find_spec('tensorflow') is None\n"
        "pictures = [og.Client(address, 'gen').render_png('outfit.json', [1, 2]) for address in sys.argv[1:]]\n"
        "pictures += [asyncio.run(og.AsyncClient(sys.argv[1], 'gen').render_png('outfit.json', [1, 2]))]\n"
        "assert pictures[0] == pictures[1] == pictures[2] and len(set(pictures[0])) == 2\n"
    )
    with running_server(tmp_path / "gen") as server:
        ports = [f"localhost:{port}" for port in (server.rest_port, server.port)]
        subprocess.run([python, "-c", code, *ports], cwd=tmp_path, env=environment(), check=True)


@pytest.mark.slow
def test_a_source_distribution_is_the_repository_and_its_tests_run(tmp_path):
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("needs the repository")
    source = tmp_path / "source"
    for name in listed.stdout.splitlines():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, source / name, follow_symlinks=False)
    subprocess.run([sys.executable, "setup.py", "--quiet", "sdist", "--dist-dir", tmp_path], cwd=source, check=True)
    [archive] = tmp_path.glob("*.tar.gz")
    shutil.unpack_archive(archive, tmp_path / "unpacked", filter="data")
    [unpacked] = (tmp_path / "unpacked").iterdir()
    assert not [name for name in listed.stdout.splitlines() if not (unpacked / name).exists()]
    tests = ["tests/conformance/test_architecture.py", "tests/unit/tf_outfit_gan/images", "tests/golden"]
    done = subprocess.run([sys.executable, "-m", "pytest", "-q", *tests], cwd=unpacked, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
