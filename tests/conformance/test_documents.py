"""README and docs keep up with the code: their commands parse, their Python compiles, and their links lead somewhere."""

import ast
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from tf_outfit_gan.cli.main import VERBS, parser_of
from tf_outfit_gan.cli.picture_arguments import AskedModel, read_plan
from tf_outfit_gan.slots import SLOTS

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
NAMES = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PLACEHOLDER = re.compile(r"\.\.\.|…|\[|<|\{")


def blocks(path, *languages):
    return [code for language, code in FENCE.findall(path.read_text()) if language in languages]


def commands(path):
    """The words of each `outfit-gan` command in the document's blocks of code, but of those that name no real arguments."""
    for block in blocks(path, "", "bash", "sh", "console"):
        for line in block.replace("\\\n", " ").splitlines():
            found = re.match(r"(?:\$ |[A-Z_]+=\S+ |srun .*?)*outfit-gan (.*)", line.strip())
            if found and not PLACEHOLDER.search(found[1]):
                typed = re.sub(r"\$\w+", "1", found[1])  # A variable of the shell.
                words = shlex.split(typed.partition(" > ")[0].partition(" && ")[0].partition(" | ")[0], comments=True)
                if words and words[0] != "VERB":
                    yield words


def mentions(path):
    """The words of each `outfit-gan` command in the document's sentences, which may leave out arguments."""
    prose = FENCE.sub("", path.read_text())
    for typed in re.findall(r"`(?:[A-Z_]+=\S+ )?outfit-gan\s([^`]+)`", prose):
        words = typed.partition("--beam")[0].split()  # What follows are options of Beam's.
        if words[0] != "VERB":
            yield words


def anchors(path):
    """What links to a document's headings may say after the #, as code-hosting pages make it."""
    headings = re.findall(r"^#+ (.*)", FENCE.sub("", path.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_its_commands_are_ones_that_the_program_takes(path):
    for words in commands(path):
        assert words[0] in VERBS, words
        try:
            parser_of(words[0]).parse_args(words)
        except Exception as error:
            pytest.fail(f"outfit-gan {shlex.join(words)}: {error}")


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_its_sentences_name_options_that_there_are(path, capsys):
    for verb, *rest in mentions(path):
        asked = rest[:1] if verb == "benchmark" else []
        with pytest.raises(SystemExit):
            parser_of(verb).parse_args([verb, *asked, "--help"])
        known = re.findall(r"--[\w-]+", capsys.readouterr().out)
        assert {word.partition("=")[0] for word in rest if word.startswith("--")} <= set(known), [verb, *rest]


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_its_examples_can_be_drawn(path, monkeypatch):
    """Outfits, poses and articles of `examples/` are there, and what a command takes off is worn."""
    monkeypatch.chdir(ROOT)
    model = AskedModel("shipped", conditional=True, open=pytest.fail, slots=SLOTS, condition_size=(64, 48))
    for words in commands(path):
        if words[0] in ("render", "request") and "examples/" in shlex.join(words):
            read_plan(parser_of(words[0]).parse_args(words), model)


def test_the_commands_of_the_readme_are_found():
    assert {words[0] for words in commands(ROOT / "README.md")} >= {"paperdoll", "prepare", "train", "render", "export", "serve"}


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_its_python_compiles(path):
    for code in blocks(path, "python"):
        ast.parse(code)


@pytest.mark.parametrize("path", DOCUMENTS, ids=NAMES)
def test_its_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)\s]+)\)", FENCE.sub("", path.read_text())):
        if re.match(r"https?:|mailto:", target):
            continue
        file, _, anchor = target.partition("#")
        found = (path.parent / file).resolve() if file else path
        assert found.exists(), f"{target}: no such file"
        if anchor:
            assert anchor in anchors(found), f"{target}: no such heading; there are {sorted(anchors(found))}"


def test_the_page_of_settings_is_that_of_the_code():
    """`python tools/write_settings.py` writes it anew; every setting is explained."""
    page = runpy.run_path(str(ROOT / "tools" / "write_settings.py"))["page"]()
    assert (ROOT / "docs" / "settings.md").read_text() == page
    assert "|  |" not in page


def test_the_page_of_mutants_is_that_of_the_lists():
    """`python -m tools.write_mutants` writes it anew; what no test finds has its reason."""
    page = runpy.run_path(str(ROOT / "tools" / "write_mutants.py"))["page"]()
    assert (ROOT / "docs" / "mutants.md").read_text() == page
    assert "NOT FOUND" not in page


def test_the_site_builds(tmp_path):
    """Strictly: a page outside of the navigation, a broken link or a docstring that cannot be read is an error."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    assert "render" in (tmp_path / "api" / "index.html").read_text()
