"""One real JupyterLab, started as `make lab` starts it, and pages that reach nothing but this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import pytest
from patience import PATIENCE

from fabricbook.desk import jupyter


@dataclass(frozen=True)
class Server:
    """A running JupyterLab: its address, its token, and the learner's folder it serves."""

    url: str
    token: str
    work: Path

    def lesson(self, name: str) -> str:
        """Return the address that opens a lesson in a fresh workspace."""
        return f"{self.url}lab/workspaces/{Path(name).stem}/tree/{name}?reset&token={self.token}"

    def stop_kernels(self) -> None:
        """Stop every kernel, as closing JupyterLab does."""
        for kernel in json.loads(self._ask("GET", "api/kernels")):
            self._ask("DELETE", f"api/kernels/{kernel['id']}")

    def _ask(self, method: str, what: str) -> bytes:
        headers = {"Authorization": f"token {self.token}"}
        with urlopen(Request(self.url + what, headers=headers, method=method), timeout=PATIENCE) as answer:
            return answer.read()


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("jupyter")
    work, runtime = folder / "work", folder / "runtime"
    _settle(work)
    command = [sys.executable, "-m", "fabricbook", "open", work, "--no-browser", "--port", "0"]
    environment = os.environ | {"JUPYTER_RUNTIME_DIR": str(runtime)}
    with open(folder / "log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        running = _announced(process, runtime, folder / "log")
        yield Server(running["url"], running["token"], work)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _settle(work: Path) -> None:
    """Have JupyterLab draw the cells outside the window too, for a screenshot of the whole, and let a page talk to it."""
    config = Path(jupyter.environment(work)["JUPYTER_CONFIG_DIR"])
    settings = config / "lab/user-settings/@jupyterlab/notebook-extension"
    settings.mkdir(parents=True, exist_ok=True)
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}', encoding="utf-8")
    (config / "jupyter_lab_config.json").write_text('{"LabApp": {"expose_app_in_browser": true}}', encoding="utf-8")


def _announced(process: subprocess.Popen, runtime: Path, log: Path) -> dict:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            try:
                running = json.loads(path.read_bytes())
                urlopen(f"{running['url']}api?token={running['token']}", timeout=PATIENCE).close()
                return running
            except (OSError, ValueError):  # half written, or it does not listen yet
                pass
        time.sleep(0.1)
    raise AssertionError(f"JupyterLab did not start:\n{log.read_text(encoding='utf-8')}")


@pytest.fixture(scope="session")
def context(browser):
    """One browsing context, so that JupyterLab's own files are fetched once."""
    context = browser.new_context(viewport={"width": 1280, "height": 1000})
    # anywidget gives a lab up that has not begun after two seconds, which pass while a busy machine draws.
    context.add_init_script("AbortSignal.timeout = () => new AbortController().signal")
    yield context
    context.close()


@contextmanager
def _watched(page):
    """What *page* complains of, or tries to fetch from elsewhere, meanwhile: it fails the test."""
    complaints = []

    def leave(request):
        target = urlsplit(request.url)
        if target.scheme.startswith("http") and target.hostname != "127.0.0.1":
            complaints.append(f"asked the network for {request.url}")

    # Watched, not intercepted: an intercepted request is never answered from the cache.
    heard = {"request": leave, "pageerror": lambda error: complaints.append(f"uncaught: {error}"),
             "console": lambda message: complaints.append(message.text) if message.type == "error" else None}
    for event, listener in heard.items():
        page.on(event, listener)
    yield
    for event, listener in heard.items():
        page.remove_listener(event, listener)
    assert complaints == []


@pytest.fixture
def page(context, server):
    """A page of its own that reaches this machine only."""
    page = context.new_page()
    with _watched(page):
        yield page
        page.close()
        server.stop_kernels()


@pytest.fixture(scope="module")
def started(context, server):
    """A page in which JupyterLab has started: that takes it longer than opening a lesson and running it."""
    page = context.new_page()
    page.goto(f"{server.url}lab/workspaces/lessons?reset&token={server.token}")
    page.wait_for_function("globalThis.jupyterapp?.started")
    yield page
    page.close()


@pytest.fixture
def desk(started, server):
    """JupyterLab with nothing open, in a page that reaches this machine only."""
    with _watched(started):
        yield started
        started.evaluate("() => [...jupyterapp.shell.widgets('main')].forEach((open) => open.dispose())")
        server.stop_kernels()
