"""A book of two lessons, made as `make book` makes it, and pages of it opened from files, with the network off."""

from __future__ import annotations

import shutil
import subprocess
import sys

import build_book
import pytest
from book.paper import BROWSERS
from once import once

NAMES = ("start_here", "moving_bytes")
SIZE = {"width": 1366, "height": 900}


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    def made(folder):
        options = ["--pictures", "--docs", "--site", str(folder), "--live", "../lite/lab/index.html?path={file}"]
        options += ["--pdf"] if any(map(shutil.which, BROWSERS)) else []
        run = subprocess.run([sys.executable, build_book.__file__, *options, *NAMES], capture_output=True, encoding="utf-8")
        return run.stderr if run.returncode else ""

    return once(tmp_path_factory, "site", made)


class Reader:
    """One browsing context and its pages, opened once and used by test after test; what a page complains of is kept."""

    def __init__(self, browser):
        self.context = browser.new_context(viewport=SIZE, offline=True)
        self.pages, self.complaints = [], []

    def page(self, at: int):
        if at == len(self.pages):
            page, note = self.context.new_page(), self.complaints.append
            page.on("request", lambda request: request.url.startswith(("file:", "blob:")) or note(request.url))
            # Leaving a page cuts off a picture that is still on its way; one that is not there says ERR_FILE_NOT_FOUND.
            page.on("requestfailed", lambda request: request.failure == "net::ERR_ABORTED" or note(f"failed: {request.url}"))
            page.on("pageerror", lambda error: note(f"uncaught: {error}"))
            page.on("console", lambda message: note(message.text) if message.type in ("error", "warning") else None)
            self.pages.append(page)
        return self.pages[at]

    def put_down(self):
        self.complaints.clear()
        for at, page in enumerate(self.pages):
            if at == 0:
                page.evaluate("localStorage.clear()")
            page.goto("about:blank")
            page.emulate_media(color_scheme="light")
            page.set_viewport_size(SIZE)


@pytest.fixture(scope="session")
def reader(browser):
    reader = Reader(browser)
    yield reader
    reader.context.close()


@pytest.fixture
def opened(reader, site):
    """Return a function that opens one more page of the book. What a page complains of, or asks a network for, fails."""
    used = iter(range(9))

    def open_page(name):
        page = reader.page(next(used))
        page.goto((site / f"{name}.html").as_uri())
        return page

    yield open_page
    complaints = [*reader.complaints]
    reader.put_down()
    assert complaints == []
