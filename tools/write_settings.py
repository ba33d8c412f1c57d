"""Writes docs/settings.md, the table of all settings: `python tools/write_settings.py`.

Names, defaults and explanations are those of `tf_outfit_gan/config.py`, where a comment stands beside each field.
"""

import ast
import dataclasses
import re
from pathlib import Path

from tf_outfit_gan import config

OUT = Path(__file__).parents[1] / "docs" / "settings.md"
HEAD = """# Settings

Every setting of a run, with its default, which is the `paper` preset's. `--set key=value` changes one, `--config FILE` reads
[many](training.md#settings), `--dry-run` shows those of a preset. This page is made of the comments in `tf_outfit_gan/config.py`
(`python tools/write_settings.py`).
"""
PARTS = (("The model", config.ModelConfig), ("The training", config.TrainingConfig))


def page():
    """The text of the page."""
    source = Path(config.__file__).read_text()
    classes = {node.name: node for node in ast.parse(source).body if isinstance(node, ast.ClassDef)}
    parts = [HEAD.rstrip()]
    for title, kind in PARTS:
        parts += [f"\n## {title}\n", "| setting | default | |", "|---|---|---|"]
        fields = {node.target.id: node for node in classes[kind.__name__].body if isinstance(node, ast.AnnAssign)}
        for field in dataclasses.fields(kind):
            default = field.default if field.default is not dataclasses.MISSING else field.default_factory()
            comment = re.search(r"  # (.*)$", source.splitlines()[fields[field.name].end_lineno - 1])
            parts.append(f"| `{field.name}` | `{_shown(default)}` | {comment[1] if comment else ''} |")
    return "\n".join(parts) + "\n"


def _shown(value):
    if isinstance(value, tuple) and value and isinstance(value[0], int):
        return "x".join(map(str, value))
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    OUT.write_text(page())
