"""Builds the package with the client alone, for machines that ask a server and draw nothing themselves: no TensorFlow, 60 kB.

    python tools/build_client.py dist

It holds those modules of tf_outfit_gan that the client imports, under the same name: it replaces tf-outfit-gan, which has the
client too, and is not installed beside it.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
# Loads all that a client can need: names of the package load at their first use, gRPC's transport at the first call.
LOAD = """\
import sys, tf_outfit_gan as og
og.Client, og.AsyncClient, og.Styles, og.UserError
import tf_outfit_gan.client.grpc
print(*(name for name in sys.modules if name.partition(".")[0] == "tf_outfit_gan"))
"""
DATA = ("py.typed", "client/wire_pb2.pyi")
NEEDS = ("grpcio", "httpx", "numpy", "pillow", "protobuf", "simplejpeg")
PROJECT = """\
[build-system]
requires = ["setuptools>=68"]
build-backend = "setuptools.build_meta"

[project]
name = "tf-outfit-gan-client"
version = "{version}"
description = "The client of tf-outfit-gan's served models, without TensorFlow; it replaces tf-outfit-gan, which has it too"
license = {{text = "Apache-2.0"}}
requires-python = "{python}"
dependencies = {needs}

[tool.setuptools.packages.find]
include = ["tf_outfit_gan*"]

[tool.setuptools.package-data]
"*" = ["py.typed", "*.pyi"]
"""


def build(out):
    """Writes the wheel into a folder and returns its path."""
    about = metadata.metadata("tf-outfit-gan")
    needs = [str(need) for need in map(Requirement, metadata.requires("tf-outfit-gan")) if need.name in NEEDS and not need.marker]
    loaded = subprocess.run([sys.executable, "-c", LOAD], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split()
    with tempfile.TemporaryDirectory() as folder:
        for file in [*map(_file, loaded), *(ROOT / "tf_outfit_gan" / name for name in DATA)]:
            copy = Path(folder) / file.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, copy)
        project = PROJECT.format(version=about["Version"], python=about["Requires-Python"], needs=needs)
        (Path(folder) / "pyproject.toml").write_text(project)
        pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
        subprocess.run([*pip, "--wheel-dir", out, folder], check=True)
    return Path(out) / f"tf_outfit_gan_client-{about['Version']}-py3-none-any.whl"


def _file(module):
    """The source of a module, or of a package."""
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("out", metavar="DIR", type=Path, help="where to write the wheel")
    print(build(parser.parse_args().out))
