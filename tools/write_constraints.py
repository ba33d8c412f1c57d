"""Writes constraints.txt, the versions that the tests ran with: `python tools/write_constraints.py`, in their environment.

It holds what the package needs at run time, and what that needs; not what tests, documents and building need.
"""

from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

OUT = Path(__file__).parents[1] / "constraints.txt"
BUILDING = ("setuptools", "wheel")
HEAD = "# The versions that the tests ran with: pip install --constraint constraints.txt tf-outfit-gan\n"


def closure(name, found=None):
    """{name: version} of a distribution's needs, and theirs."""
    found = {} if found is None else found
    for requirement in map(Requirement, metadata.requires(name) or ()):
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        needed = canonicalize_name(requirement.name)
        if needed not in found and needed not in BUILDING:
            found[needed] = metadata.version(needed)
            closure(requirement.name, found)
    return found


if __name__ == "__main__":
    versions = closure("tf-outfit-gan")
    OUT.write_text(HEAD + "".join(f"{name}=={versions[name]}\n" for name in sorted(versions)))
