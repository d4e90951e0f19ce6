"""The site as `make lite` built it, handed out by a plain server on this machine, and pages that reach nothing else."""

from __future__ import annotations

import functools
import json
import os
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import build_lite
import pytest
from playwright.sync_api import expect

PATIENCE = 600_000  # ms: a busy machine is no failure


# JupyterLab takes cells out of the page that are not in its window, and running all moves the window to the last: what a test
# typed into the box of a prediction above went into the cell that had the keyboard. A learner sees where the box is.
WHOLE = {"@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"}}


class Quiet(SimpleHTTPRequestHandler):
    """Says nothing, has all cells drawn, and hands out no script that talks with Python until Python may come."""

    python_may_come = threading.Event()
    talking: frozenset[str] = frozenset()

    def log_message(self, *_):
        pass

    def do_GET(self):
        if self.path.split("?")[0] in self.talking:
            self.python_may_come.wait()
        if self.path.split("?")[0] == "/jupyter-lite.json":
            self.settle()
        else:
            super().do_GET()

    def settle(self):
        settings = json.loads((build_lite.SITE / "jupyter-lite.json").read_text(encoding="utf-8"))
        settings["jupyter-config-data"].setdefault("settingsOverrides", {}).update(WHOLE)
        told = json.dumps(settings).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)


@pytest.fixture(autouse=True, scope="session")  # or Chromium would have started before it says no
def asked_for():
    if os.environ.get("LITE") not in ("1", "all"):
        pytest.skip("make lite-check runs these")


@pytest.fixture(scope="session")
def site():
    Quiet.python_may_come.set()
    kernel = (build_lite.SITE / "extensions/@jupyterlite/pyodide-kernel-extension/static").glob("*.js")
    Quiet.talking = frozenset(f"/{path.relative_to(build_lite.SITE).as_posix()}" for path in kernel
                              if "postMessage" in path.read_text(encoding="utf-8"))
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=build_lite.SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture
def python_may_come(site):
    """An event without which the browser's Python does not start."""
    Quiet.python_may_come.clear()
    yield Quiet.python_may_come
    Quiet.python_may_come.set()


@pytest.fixture
def page(browser, site):
    """A page that kept nothing, and reaches nothing but the site."""
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda problem: wrong.append(str(problem)))
    page.on("console", lambda said: said.type == "error" and wrong.append(f"{said.text} {said.location['url']}"))
    yield page
    page.close()
    assert [what for what in wrong if not what.endswith("/favicon.ico")] == []  # which a browser asks for by itself
    assert [url for url in asked if not url.startswith((site, "data:", "blob:"))] == []
