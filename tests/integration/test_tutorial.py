"""docs/tutorial.md from its first command to its last, as they stand there, but for sizes, counts and ports."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.conformance.test_documents import ROOT, commands

OUTFIT_GAN = [sys.executable, "-P", "-m", "tf_outfit_gan.cli.main"]
SMALLER = {"--count 2000": "--count 60", "--size 64x48": "--size 16x12", "--preset 64x48": "--preset tiny"}


def smaller(words, address):
    text = shlex.join(words).replace("localhost:8501", address)
    for long, short in SMALLER.items():
        text = text.replace(long, short)
    return shlex.split(text)


@pytest.mark.slow
def test_the_tutorial_runs_from_top_to_bottom(tmp_path):
    server, address, done = None, "localhost:8501", []
    try:
        for words in commands(ROOT / "docs" / "tutorial.md"):
            words = smaller(words, address)
            if words[0] == "serve":
                ports = ["--port", "0", "--rest_api_port", "0"]
                server = subprocess.Popen([*OUTFIT_GAN, *words, *ports], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
                address = re.search(r"REST http://([^/]+)/", server.stdout.readline())[1]
            else:
                ran = subprocess.run([*OUTFIT_GAN, *words], cwd=tmp_path, capture_output=True, text=True, timeout=600)
                assert ran.returncode == 0, f"{shlex.join(words)}\n{ran.stdout}{ran.stderr}"
            done.append(words[0])
    finally:
        if server:
            server.kill()
            server.wait()
            server.stdout.close()
    assert set(done) >= {
        "paperdoll",
        "prepare",
        "inspect",
        "train",
        "report",
        "evaluate",
        "render",
        "export",
        "verify",
        "request",
    }
    for name in ("sheet", "picture", "posed", "served"):
        with Image.open(Path(tmp_path) / f"{name}.png") as picture:
            picture.load()
