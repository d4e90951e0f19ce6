"""A book of two lessons, made as `make book` makes it, and pages of it opened from files, with the network off."""

from __future__ import annotations

import subprocess
import sys

import build_book
import pytest

NAMES = ("start_here", "moving_bytes")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("book") / "site"
    options = ["--pictures", "--site", str(folder), "--live", "../lite/lab/index.html?path={file}"]
    made = subprocess.run([sys.executable, build_book.__file__, *options, *NAMES], capture_output=True, encoding="utf-8")
    assert made.returncode == 0, made.stderr
    return folder


@pytest.fixture
def opened(browser, site):
    """Return a function that opens a page in one browsing context. What a page complains of, or asks a network for, fails."""
    context, complaints = browser.new_context(viewport={"width": 1366, "height": 900}, offline=True), []

    def open_page(name):
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("request", lambda request: request.url.startswith(("file:", "blob:")) or complaints.append(request.url))
        page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url}"))
        page.on("pageerror", lambda error: complaints.append(f"uncaught: {error}"))
        page.on("console", lambda message: complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.goto((site / f"{name}.html").as_uri())
        return page

    yield open_page
    context.close()
    assert complaints == []
