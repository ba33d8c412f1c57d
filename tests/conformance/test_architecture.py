"""The packages and their walls: who may import whom."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("tf_outfit_gan", "training", "export", "serving")

# Each place and what of ours it may not import.
FORBIDDEN = {
    "tf_outfit_gan": ("training", "export", "serving"),
    "training": ("export", "serving"),
    "export": ("training", "serving"),
    "serving": ("training", "export"),
    "tf_outfit_gan/networks": tuple(
        f"tf_outfit_gan.{name}"
        for name in (
            "data",
            "images",
            "inference",
            "metrics",
            "outfit_request",
            "pose_estimation",
            "snapshot",
            "stylegan1",
            "viz",
        )
    ),
    "tf_outfit_gan/data": ("tf_outfit_gan.networks", "tf_outfit_gan.layers", "tf_outfit_gan.snapshot"),
}

# Places that stand alone, but for these.
ALLOWED = {
    "tf_outfit_gan/util": (),
    "tf_outfit_gan/losses.py": ("tf_outfit_gan.ops",),
    "tf_outfit_gan/slots.py": ("tf_outfit_gan.util",),
    "tf_outfit_gan/pose": ("tf_outfit_gan.util",),
    "tf_outfit_gan/images": ("tf_outfit_gan.pixels", "tf_outfit_gan.util"),
    "tf_outfit_gan/layers": ("tf_outfit_gan.ops",),
    "tf_outfit_gan/client": (
        "tf_outfit_gan.outfit_request",
        "tf_outfit_gan.picture_styles",
        "tf_outfit_gan.slots",
        "tf_outfit_gan.util",
    ),
    "serving/server": (),
    "training/distribute": ("tf_outfit_gan.util",),
    "training/html_report": (
        "tf_outfit_gan.config",
        "tf_outfit_gan.sizes",
        "tf_outfit_gan.util",
        "training.distribute.environment",
    ),
}

# The verbs: the command line imports them by name, and nothing else does.
VERBS = ("tf_outfit_gan/cli", "training/cli", "export/cli", "serving/cli")

# Places that only verbs import.
BELOW_VERBS = ("training/benchmark", "training/html_report", "training/pose_estimator", "serving/server")


def imports(path):
    """The absolute names of the modules that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(place):
    found = [ROOT / place] if place.endswith(".py") else sorted((ROOT / place).rglob("*.py"))
    assert found
    return found


def dotted(place):
    return place.removesuffix(".py").replace("/", ".")


def within(name, places):
    return any(name == place or name.startswith(place + ".") for place in places)


def violations(place, is_wrong):
    return [f"{path.relative_to(ROOT)} imports {name}" for path in files(place) for name in imports(path) if is_wrong(name)]


@pytest.mark.parametrize("place", FORBIDDEN)
def test_nobody_reaches_where_they_may_not(place):
    assert not violations(place, lambda name: within(name, FORBIDDEN[place]))


@pytest.mark.parametrize("place", ALLOWED)
def test_what_stands_alone_imports_nothing_else_of_ours(place):
    allowed = (dotted(place), *ALLOWED[place])
    assert not violations(place, lambda name: within(name, PACKAGES) and not within(name, allowed))


def test_the_client_needs_no_tensorflow():
    assert not violations("tf_outfit_gan/client", lambda name: within(name, ("tensorflow", "tensorflow_serving", "keras")))


@pytest.mark.parametrize("package", PACKAGES)
def test_nothing_imports_a_verb(package):
    verbs = {path for place in VERBS for path in files(place)}
    wrong = [
        line
        for line in violations(package, lambda name: within(name, map(dotted, VERBS)))
        if ROOT / line.partition(" ")[0] not in verbs
    ]
    assert not wrong


@pytest.mark.parametrize("place", BELOW_VERBS)
def test_only_verbs_import_what_serves_a_verb(place):
    users = {path for path in files(place.partition("/")[0]) if any(within(name, (dotted(place),)) for name in imports(path))}
    assert users and not users - {path for verbs in (place, *VERBS) for path in files(verbs)}


def room(module):
    """The folder that a module of ours is in, or the module itself where it lies in the root of its package."""
    *parents, stem = module.split(".")
    return ".".join(parents) if len(parents) > 1 else f"{parents[0]}.{stem}" if parents else stem


def module_of(name):
    """The module that an imported name is, or is in: tf_outfit_gan.pose.mpii of tf_outfit_gan.pose.mpii.JOINTS."""
    while not (ROOT / name.replace(".", "/")).with_suffix(".py").exists():
        if (ROOT / name.replace(".", "/")).is_dir():
            return f"{name}.__init__"
        name = name.rpartition(".")[0]
    return name


@pytest.mark.parametrize("package", PACKAGES)
def test_rooms_import_each_other_in_one_direction(package):
    edges = {}
    for path in files(package):
        here = room(dotted(str(path.relative_to(ROOT))))
        for name in imports(path):
            if within(name, (package,)) and room(module_of(name)) != here:
                edges.setdefault(here, set()).add(room(module_of(name)))
    # Whoever imports nothing that is left goes; what never goes is in a circle.
    left = dict(edges)
    while free := [here for here, others in left.items() if not others & left.keys()]:
        for here in free:
            del left[here]
    assert not left


def test_one_file_trains_on_replicas():
    users = [path.relative_to(ROOT) for package in PACKAGES for path in files(package) if "strategy.run(" in path.read_text()]
    assert users == [Path("training/step.py")]


def renames(path):
    """The lines of a file that rename something, and so can leave half of it behind."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            # `text.replace` takes two arguments, `dataclasses.replace` names them; those of a path and of `os` do not.
            module = getattr(node.func.value, "id", None)
            replaces = node.func.attr == "replace" and not node.keywords and (module == "os" or len(node.args) == 1)
            moves = node.func.attr == "move" and module == "shutil"
            if replaces or moves or node.func.attr in ("rename", "renames"):
                yield node.lineno


def test_one_file_renames():
    users = {path.relative_to(ROOT) for package in PACKAGES for path in files(package) if any(renames(path))}
    assert users == {Path("tf_outfit_gan/util/atomic.py")}


def test_one_file_owns_the_value_range():
    owners = [path.relative_to(ROOT) for package in PACKAGES for path in files(package) if "127.5" in path.read_text()]
    assert owners == [Path("tf_outfit_gan/pixels.py")]


def test_one_file_lays_out_sheets():
    """`images/open.py` puts a photo on its ground, and dolls are drawn part on part, which are no sheets."""
    users = {path.relative_to(ROOT) for package in PACKAGES for path in files(package) if ".paste(" in path.read_text()}
    assert users == {Path(f"tf_outfit_gan/{file}.py") for file in ("viz/montage", "images/open", "data/paperdoll/drawing")}
