"""The versions of an exported model: numbered folders side by side, as TensorFlow Serving reads them."""

from pathlib import Path


def model_versions(base_path: Path) -> dict[int, Path]:
    """{number: folder} of what has a number for its name."""
    return {int(path.name): path for path in base_path.glob("*") if path.name.isascii() and path.name.isdigit()}
