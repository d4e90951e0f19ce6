"""One Chromium for all tests that need a browser: Playwright runs only once in a process. And what keeps every run alike."""

from __future__ import annotations

import os
import shutil

import pytest
from hypothesis import settings
from patience import PATIENCE

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), None)
HOW = "No Chromium on this machine. On Debian or Ubuntu: apt-get install chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"]
settings.load_profile("ci")  # the same examples in every run, however long each takes


def pytest_terminal_summary(terminalreporter):
    if CHROMIUM is None:
        terminalreporter.write_sep("=", "the browser tests did not run")
        terminalreporter.write_line(f"{HOW}. REQUIRE_BROWSER=1 makes its absence a failure.")


@pytest.fixture(scope="session")
def chromium():
    """The browser's path; without one, a skip, or a failure where REQUIRE_BROWSER=1 says one must be there."""
    if CHROMIUM is None:
        (pytest.fail if os.environ.get("REQUIRE_BROWSER") == "1" else pytest.skip)(HOW)
    return CHROMIUM


@pytest.fixture(scope="session")
def browser(chromium):
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=1000 * PATIENCE)
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        opened.on("context", lambda context: context.set_default_timeout(1000 * PATIENCE))
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def blank(browser):
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture
def tab(blank):
    """An empty page. It is one for all: opening another costs a browser more than most tests do."""
    return emptied(blank)


@pytest.fixture(scope="session")
def stopped(browser):
    page = browser.new_page()
    page.clock.install(time=0)
    page.clock.pause_at(1)
    yield page
    page.close()


@pytest.fixture
def timeless(stopped):
    """An empty page whose clock stands: a busy computer must not let a beat pass between two lines of a test."""
    return emptied(stopped)


def emptied(page):
    page.goto("about:blank")
    page.emulate_media(reduced_motion="null")
    page.set_viewport_size({"width": 1280, "height": 720})
    return page
