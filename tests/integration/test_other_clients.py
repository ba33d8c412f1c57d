"""The programs of docs/serving.md in other languages, as they stand there: they get the picture that our client gets."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from tests.helpers.serving_model import running_server, write_model
from tf_outfit_gan.client import Client
from tf_outfit_gan.outfit_request import read_pose

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"
EXAMPLES = Path(__file__).parents[2] / "tf_outfit_gan" / "examples"
PATH = os.pathsep.join((os.path.dirname(sys.executable), os.environ["PATH"]))
# By what has to be installed: a word that only this program has, its file, and what runs it.
PROGRAMS = {
    "curl": ("curl", "ask.sh", "sh"),
    "node": ("fetch", "ask.mjs", "node"),
    "java": ("HttpClient", "Ask.java", "java"),
    "python": ("tensorflow_serving", "ask.py", "python"),
}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    base_path = tmp_path_factory.mktemp("outfit_gan")
    write_model(base_path / "1")
    with running_server(base_path, "outfit_gan") as running:
        yield running


@pytest.mark.parametrize("needed", PROGRAMS)
def test_a_program_of_the_page_gets_the_picture(server, tmp_path, needed):
    if shutil.which(needed, path=PATH) is None:
        pytest.skip(f"no {needed} here")
    assert_it_gets_the_picture(server, tmp_path, *PROGRAMS[needed])


@pytest.mark.slow
def test_ovmsclient_gets_the_picture(server, tmp_path):
    """From an environment of its own, as it brings messages that are TensorFlow's, too."""
    venv.create(tmp_path / "env", with_pip=False)
    python = tmp_path / "env" / "bin" / "python"
    if subprocess.run([sys.executable, "-m", "pip", "-q", "--python", python, "install", "ovmsclient==2023.1"]).returncode:
        pytest.skip("needs ovmsclient 2023.1 from a package index")
    assert_it_gets_the_picture(server, tmp_path, "ovmsclient", "ask.py", python)


def assert_it_gets_the_picture(server, tmp_path, word, file, runner):
    programs = re.findall(r"^```\w+\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)
    [program] = [program for program in programs if word in program]
    program = program.replace("examples/request.json", "request.json")
    program = program.replace("localhost:8501", f"localhost:{server.rest_port}")
    program = program.replace("localhost:8500", f"localhost:{server.port}")
    (tmp_path / file).write_text(program)
    shutil.copy(EXAMPLES / "articles" / "top_striped_tee.png", tmp_path / "top.png")
    pose = json.loads((EXAMPLES / "poses" / "walking.json").read_text())
    (tmp_path / "pose.json").write_text(json.dumps(pose))
    photo = (tmp_path / "top.png").read_bytes()
    row = {
        "article_images_bytes": [{"b64": ""}] * 6,
        "keypoints": read_pose(pose).tolist(),
        "seed": 1,
        "truncation_psi": 1.0,
    }
    row["article_images_bytes"][1] = {"b64": base64.b64encode(photo).decode()}
    (tmp_path / "request.json").write_text(json.dumps({"instances": [row]}))
    env = os.environ | {"PATH": PATH}
    done = subprocess.run([runner, file], cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    [expected] = Client(f"localhost:{server.rest_port}").render_png({"top": photo}, seeds=1, psi=1.0, pose=pose)
    assert (tmp_path / "picture.png").read_bytes() == expected
