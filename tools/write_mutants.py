"""Writes docs/mutants.md, the table of all mistakes that were made on purpose: `python -m tools.write_mutants`.

Those made by hand are the lists of `tests/mutants/*.toml`; those that cosmic-ray made stand in `tests/mutants/by_tool.json`.
"""

import re
from pathlib import Path

from tests.mutants import by_tool
from tests.mutants.mutants import LISTS, read

OUT = Path(__file__).parents[1] / "docs" / "mutants.md"
HEAD = """# Mistakes that tests find

The code was broken on purpose, one line at a time, in {made} ways. Tests find {found}; the others are harmless, and say why. With
a mistake in **bold** all tests passed before the [reference run](measured.md#the-reference-run) was there.

- {by_hand} mistakes are made by hand, where they matter. Each names the tests that reach its line, of which one must fail:
  `pytest -m slow tests/mutants` makes them all, `-k "word of the mistake"` one. A quick test checks that each fits the code.
- {by_tool} changes are made by [cosmic-ray](https://cosmic-ray.readthedocs.io), chosen by their lines' checksums:
  `python -m tests.mutants.by_tool FILE`. The test is the first that failed when this was last done.

`python -m tools.write_mutants` makes this page of `tests/mutants/`.
"""


def page():
    """The text of the page."""
    by_hand = {path: read(path) for path in LISTS}
    changes = [row for rows in by_tool.results().values() for row in rows]
    mutants = [mutant for found in by_hand.values() for mutant in found]
    harmless = sum(bool(mutant.known) for mutant in mutants) + sum(bool(row.get("why")) for row in changes)
    made = len(mutants) + len(changes)
    parts = [HEAD.format(made=made, found=made - harmless, by_hand=len(mutants), by_tool=len(changes)).rstrip()]
    for path, found in by_hand.items():
        title = path.read_text().partition("\n")[0].removeprefix("# ").rstrip(".")
        parts += [f"\n## {title}\n", "| mistake | in | found by |", "|---|---|---|"]
        for mutant in found:
            what = f"**{mutant.what}**" if mutant.escaped else mutant.what
            parts.append(
                f"| {what} | {code(mutant.file)} | {' '.join(map(code, mutant.tests)) if not mutant.known else mutant.known} |"
            )
    parts.append("\n## Changes by the tool")
    for file, rows in sorted(by_tool.results().items()):
        parts += [f"\n### {file}\n", "| line | becomes | found by |", "|---|---|---|"]
        parts += [
            f"| {code(row['line'])} | {code(row['becomes'])} | {row.get('why') or code(row['found_by'] or 'NOT FOUND')} |"
            for row in rows
        ]
    return "\n".join(parts) + "\n"


def code(text):
    """As code, also where it holds what ends code, cells or lines."""
    if not re.search(r"[|`\n]|\]\(", text):
        return f"`{text}`"
    escaped = re.sub(r"[&<>|*_`\[\]\\]", lambda sign: f"&#{ord(sign[0])};", text)
    return f"<code>{escaped}</code>".replace("\n", "<br>")


if __name__ == "__main__":
    OUT.write_text(page())
