"""The pages of `outfit-gan report` in a real browser, on a phone: nothing is cut off, and axe finds nothing wrong."""

import json

import pytest

from tests.helpers.studio import PHONE, chromium, opened, violations
from tests.unit.training.html_report.test_page import write_run
from tf_outfit_gan.cli.main import main

# What is wider than the screen, and does not scroll by itself.
CUT_OFF = """() => [...document.querySelectorAll("body *")]
    .filter(one => one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(".wide, pre:not(.command), svg"))
    .map(one => one.outerHTML.slice(0, 80))"""


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """{name: file} of a report and a comparison, of runs with long paths and commands."""
    folder = tmp_path_factory.mktemp("runs")
    runs = [write_run(folder / name, overrides=(f"seed={seed}",)) for seed, name in enumerate(("skips", "no-skips", "longer"))]
    for run in runs:
        config = json.loads((run / "config.json").read_text())
        long = {"init": f"/data/runs/{run.name}/snapshots/000115kimg", "commit": "0123456789abcdef" * 3}
        command = "outfit-gan train dolls " + "--set ema_halflife_kimg=6 " * 8
        (run / "config.json").write_text(json.dumps(config | long | {"command": command}))
    assert main(["report", str(runs[0]), "--out", str(folder / "report.html")]) == 0
    assert main(["report", *map(str, runs), "--out", str(folder / "comparison.html")]) == 0
    return {name: folder / f"{name}.html" for name in ("report", "comparison")}


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.mark.parametrize("color_scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["report", "comparison"])
def test_nothing_is_cut_off_on_a_phone_and_all_can_be_read(name, color_scheme, pages, browser):
    with opened(browser, pages[name].as_uri(), color_scheme=color_scheme, **PHONE) as page:
        width, window = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        assert width <= window == 390
        assert page.evaluate(CUT_OFF) == []
        assert violations(page) == []


def test_plots_of_a_row_are_level_though_their_captions_are_not(pages, browser):
    with opened(browser, pages["report"].as_uri()) as page:
        charts = page.evaluate(
            """() => [...document.querySelectorAll("figure:has(.plot)")].map(figure => {
                const [caption, plot] = ["figcaption", ".plot"].map(part => figure.querySelector(part).getBoundingClientRect());
                return [figure.getBoundingClientRect().top, caption.height, plot.top];
            })"""
        )
    rows = [[chart for chart in charts if chart[0] == top] for top in {chart[0] for chart in charts}]
    assert any(len({height for _, height, _ in row}) > 1 for row in rows), charts
    assert all(len({place for _, _, place in row}) == 1 for row in rows), charts
