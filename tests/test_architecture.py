"""The rooms and their doors: who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("tf_outfit_gan", "training", "export", "serving")

# Each place and what of ours it may not import. The command line alone opens every room, by name and when asked.
FORBIDDEN = {
    "tf_outfit_gan": ("training", "export", "serving"),
    "training": ("export", "serving"),
    "export": ("training", "serving"),
    "serving": ("training", "export"),
    "serving/server": ("tf_outfit_gan", "serving.cli"),
    "tf_outfit_gan/client": ("numpy", "tensorflow.python", "keras"),
    "tf_outfit_gan/layers": ("tf_outfit_gan.networks", "tf_outfit_gan.data", "tf_outfit_gan.config"),
    "tf_outfit_gan/data": ("tf_outfit_gan.networks", "tf_outfit_gan.layers"),
    "tf_outfit_gan/losses.py": ("tf_outfit_gan",),
}


def imports(path):
    """The absolute names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(place):
    return [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))


@pytest.mark.parametrize("place", FORBIDDEN)
def test_nobody_reaches_where_they_may_not(place):
    assert files(place)
    wrong = [
        f"{path.relative_to(ROOT)} imports {name}"
        for path in files(place) for name in imports(path)
        if any(name == door or name.startswith(door + ".") for door in FORBIDDEN[place])
    ]
    assert not wrong


def test_one_file_trains_on_replicas():
    users = [path.relative_to(ROOT) for room in ROOMS for path in files(room) if "strategy.run(" in path.read_text()]
    assert users == [Path("training/steps.py")]


def test_one_file_owns_the_value_range():
    owners = [path.relative_to(ROOT) for room in ROOMS for path in files(room) if "127.5" in path.read_text()]
    assert owners == [Path("tf_outfit_gan/pixels.py")]
