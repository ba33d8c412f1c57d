"""The studio in a real browser: Debian's Chromium, driven by Playwright, against a server of this process."""

import shutil
from contextlib import contextmanager

import pytest

from serving.server.pages import Pages
from serving.studio import SETTINGS, STUDIO_FOLDERS, studio_settings
from tests.helpers.serving_model import running_server

CHROMIUM = shutil.which("chromium")
FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1440, "height": 900}}

# The active look's whole picture is there, and nothing is under way.
DRAWN = ".figure.active[data-level=full]:not(.busy)"


@contextmanager
def studio_server(base_path, model_name="outfit_gan", **options):
    """Yields an `EmbeddedServer` with the studio, when its model has loaded."""
    pages = Pages(STUDIO_FOLDERS, {f"/studio/{SETTINGS}": studio_settings(model_name)})
    with running_server(base_path, model_name, pages=pages, **options) as server:
        yield server


@contextmanager
def chromium():
    """Yields a Playwright browser; skips the test where there is no Chromium."""
    if CHROMIUM is None:
        pytest.skip("no chromium: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS.split())
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser, url, complaints=None, **options):
    """Yields a new window at a page, and closes it; what the browser complains about goes to the list `complaints`."""
    context = browser.new_context(**(DESKTOP | options))
    page = context.new_page()
    if complaints is not None:
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
    try:
        page.goto(url)
        yield page
    finally:
        context.close()


def violations(page):
    """What axe finds wrong with a page, one line a rule."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]
