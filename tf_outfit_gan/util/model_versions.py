"""The versions of an exported model: numbered folders side by side, as TensorFlow Serving reads them."""

from pathlib import Path
from typing import TypeVar

from tf_outfit_gan.util.storage import RemotePath

P = TypeVar("P", Path, RemotePath)


def model_versions(base_path: P) -> dict[int, P]:
    """{number: folder} of what has a number for its name."""
    return {int(path.name): path for path in base_path.glob("*") if path.name.isascii() and path.name.isdigit()}
