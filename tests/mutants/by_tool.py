"""Mutants that a tool makes: cosmic-ray changes operators, numbers, conditions and loops in files of the core.

    python -m tests.mutants.by_tool                                     every file of CORE, so many changes of each
    python -m tests.mutants.by_tool training/schedule.py --count 40

Each change is made alone, in a copy of the project, and only the tests of its file run. by_tool.json keeps what came of it, for
docs/mutants.md: the test that failed, or none. A change that no test finds gets a test, or by hand its reason, as "why".
What is found or has a reason is not tried again, until its line changes.
"""

import argparse
import collections
import difflib
import hashlib
import itertools
import json
import re
import tempfile
from pathlib import Path

from tests.mutants.mutants import copy_project
from tests.mutants.runner import Runner

# Files of the core, and the tests that are to find a mistake in them.
CORE = {
    "tf_outfit_gan/losses.py": "tests/unit/tf_outfit_gan/test_losses.py tests/golden/test_golden.py -k 'loss or r1'",
    "tf_outfit_gan/styles.py": "tests/unit/tf_outfit_gan/test_styles.py tests/unit/tf_outfit_gan/test_snapshot.py",
    "tf_outfit_gan/ops.py": "tests/unit/tf_outfit_gan/test_ops.py -k 'not fuses'",
    "tf_outfit_gan/randomness.py": "tests/unit/tf_outfit_gan/test_randomness.py",
    "tf_outfit_gan/pose/convert.py": "tests/unit/tf_outfit_gan/pose/test_convert.py",
    "tf_outfit_gan/pose/frames.py": "tests/unit/tf_outfit_gan/pose/test_frames.py",
    "tf_outfit_gan/pose/heatmaps.py": "tests/unit/tf_outfit_gan/pose/test_heatmaps.py",
    "tf_outfit_gan/pose/pck.py": "tests/unit/tf_outfit_gan/pose/test_pck.py",
    "tf_outfit_gan/data/shuffle.py": "tests/unit/tf_outfit_gan/data/test_shuffle.py",
    "tf_outfit_gan/layers/equalized_conv2d.py": "tests/unit/tf_outfit_gan/layers tests/golden -k 'equalized or test_image'",
    "tf_outfit_gan/layers/minibatch_stddev.py": "tests/conformance tests/golden -k 'StdDev or scores'",
    "tf_outfit_gan/networks/article_maps.py": "tests/unit/tf_outfit_gan/networks/test_article_maps.py",
    "tf_outfit_gan/networks/synthesis.py": "tests/golden tests/unit/tf_outfit_gan/networks",
    "tf_outfit_gan/networks/discriminator.py": "tests/golden tests/unit/tf_outfit_gan/networks",
    "training/phases.py": "tests/reference",
    "training/step.py": "tests/unit/training/test_gradient_accumulation.py tests/reference",
    "training/optimizer.py": "tests/unit/training/test_optimizer.py tests/reference",
    "training/schedule.py": "tests/unit/training/test_schedule.py",
    "training/mismatch.py": "tests/unit/training/test_mismatch.py",
    "training/augment.py": "tests/unit/training/test_augment.py",
    "training/retention.py": "tests/unit/training/test_retention.py",
    "export/limits.py": "tests/unit/export",
    "export/request_checks.py": "tests/unit/export",
    "export/signatures.py": "tests/integration/test_export.py",
    "serving/server/json_codec.py": "tests/unit/serving/test_json_codec.py",
}
RESULTS = Path(__file__).with_suffix(".json")
LIMIT_SEC = 900
HINT = re.compile(r"\bdef\b|\bNone\b|\bbytes\b")  # The line has a | of types, whose changes no import survives.


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("files", nargs="*", metavar="FILE", help="of CORE (default: all)")
    parser.add_argument("--count", type=int, default=12, help="changes of a file (default: %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        copy_project(Path(folder))
        with Runner(folder) as runner:
            for file in args.files or CORE:
                judge(runner, Path(folder) / file, file, args.count)


def judge(runner, path, file, count):
    """Makes some changes of a file, each alone, and notes which test fails."""
    original = path.read_text()
    lines = {line.strip() for line in original.splitlines()}
    # What was noted about lines that have changed since is forgotten.
    noted = [row for row in results().get(file, ()) if lines.issuperset(row["line"].splitlines())]
    rows, passed = {(row["line"], row["becomes"]): row for row in noted}, False
    for change, changed in itertools.islice(changes(original), count):
        if rows.get(change, {}).get("found_by") or rows.get(change, {}).get("why"):
            continue
        if not passed:
            code, printed = runner.run(CORE[file], LIMIT_SEC)
            assert code == 0, f"the tests of {file} fail without a change, too:\n{printed[-3000:]}"
            passed = True
        path.write_text(changed)
        try:
            code, printed = runner.run(CORE[file], LIMIT_SEC)
        finally:
            path.write_text(original)
        rows[change] = {"line": change[0], "becomes": change[1], "found_by": first_failure(printed) if code else None}
        print(f"{file}\n-   {change[0]}\n+   {change[1]}\n    {rows[change]['found_by'] or 'NOT FOUND'}", flush=True)
        RESULTS.write_text(json.dumps(results() | {file: list(rows.values())}, indent=1) + "\n")


def results():
    """{file: [{"line": as it is, "becomes": as it was changed, "found_by": the test or None, "why": if none can}]}."""
    return json.loads(RESULTS.read_text())


def changes(source):
    """Yields ((line, what it becomes), the changed source), in an order that looks random and depends on the lines alone.

    Every line is changed once before one is changed again.
    """
    # Of the extra `dev`: the table of results is read without it.
    from cosmic_ray import plugins
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code

    nodes, lines = list(ast_nodes(get_ast(source))), source.splitlines()
    operators = {name: plugins.get_operator(name) for name in plugins.operator_names()}
    found = collections.defaultdict(list)
    for name, operator in operators.items():
        if operator.arguments():  # What to exchange has to be given by hand.
            continue
        places = [place for node in nodes for place in operator().mutation_positions(node)]
        for occurrence, ((number, column), _) in enumerate(places):
            line = lines[number - 1].strip()
            if "BitOr" in name and HINT.search(line):
                continue
            found[line].append((hashlib.sha256(f"{line}{column}{name}".encode()).digest(), name, occurrence))
    turns = itertools.zip_longest(*map(sorted, found.values()))
    for turn in turns:
        for _, name, occurrence in sorted(filter(None, turn)):
            changed = mutate_code(source, operators[name](), occurrence)
            diff = list(difflib.ndiff(lines, changed.splitlines()))
            sides = ([line[2:].strip() for line in diff if line[0] == side] for side in "-+")
            yield tuple("\n".join(filter(None, side)) for side in sides), changed


def first_failure(printed):
    """The name of the test that pytest reports as failed."""
    named = re.search(r"^(?:FAILED|ERROR) (.*?)(?: - .*)?$", printed, re.MULTILINE)
    return named[1] if named else printed.strip().splitlines()[-1]


if __name__ == "__main__":
    main()
