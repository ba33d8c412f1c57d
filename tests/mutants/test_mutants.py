"""A mistake in the code makes a test fail: checked by making mistakes, one at a time."""

import ast
import functools

import pytest

from tests.mutants.by_tool import CORE
from tests.mutants.mutants import LISTS, PROJECT, copy_project, read
from tests.mutants.runner import TESTS_FAILED, Runner

MUTANTS = [mutant for path in LISTS for mutant in read(path)]
LIMIT_SEC = 900


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_a_mutant_fits_the_code(mutant):
    """Or the list would silently prove less with every change."""
    source = mutant.source()
    if mutant.file.endswith(".py"):
        ast.parse(source)
    assert source != (PROJECT / mutant.file).read_text()
    assert mutant.tests or mutant.known
    for test in mutant.tests:
        assert (PROJECT / test.split()[0].split("::")[0]).exists(), test


def test_the_list_is_long_enough_and_names_are_unique():
    assert len(MUTANTS) >= 80
    assert len({mutant.what for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("file", CORE)
def test_the_tool_has_files_and_tests_that_are_there(file):
    tests, _, _ = CORE[file].partition(" -k ")
    assert all((PROJECT / path).exists() for path in [file, *tests.split()])


@pytest.fixture(scope="session")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("mutants")
    copy_project(folder)
    return folder


@pytest.fixture(scope="session")
def run(copy):
    """Runs the tests that a mutant names."""
    with Runner(copy) as runner:
        yield lambda tests: runner.run(" ".join(["-m 'slow or not slow'", *tests]), LIMIT_SEC)


@pytest.fixture(scope="session")
def unbroken(run):
    """Says whether tests pass without a mistake; each choice of tests is run once."""
    return functools.cache(run)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [mutant for mutant in MUTANTS if not mutant.known], ids=lambda mutant: mutant.what)
def test_a_mistake_is_found(mutant, copy, run, unbroken):
    code, printed = unbroken(mutant.tests)
    assert code == 0, f"the tests fail without the mistake, too:\n{printed[-3000:]}"
    path = copy / mutant.file
    original = path.read_text()
    path.write_text(mutant.source())
    try:
        code, printed = run(mutant.tests)
    finally:
        path.write_text(original)
    # Another code says that the tests could not run, which is no proof of anything.
    assert code == TESTS_FAILED, f"no test found: {mutant.what}\n{printed[-3000:]}"
