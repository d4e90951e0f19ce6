"""How long a new user waits for the first lesson: from a bare checkout, or from a kit on a machine without a network.

`python tools/first_lesson.py checkout` clones this repository and starts it as `make lab` does. `tools/first_lesson.py kit`, as
root on Linux, unpacks the newest kit of dist/ in a network namespace that has no route. Both open in Chromium what is printed,
and stop when the lesson is drawn.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
PYTHON = getattr(sys, "_base_executable", sys.executable)  # a new user has no environment yet
ALONE = ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
PATIENCE = 900  # seconds


@contextmanager
def started(command: list, folder: Path, home: Path):
    """Run *command* in *folder* as a user whose home is *home*; yield the address that it prints, and its process; stop it."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PIP_CERT", "PIP_CONFIG_FILE") if name in os.environ}
    environment = kept | {"HOME": str(home), "USERPROFILE": str(home), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          encoding="utf-8") as lab:
        try:
            yield _address(lab), psutil.Process(lab.pid)
        finally:
            lab.terminate()


def _address(lab: subprocess.Popen) -> str:
    for line in lab.stdout:
        print("  |", line, end="", flush=True)
        if found := re.search(r"http://127\.0\.0\.1:\S+token=\w+", line):
            return found[0]
    raise SystemExit("JupyterLab did not start.")


def drawn(address: str) -> None:
    """Open *address* in a browser that has never been here, and return when the lesson's heading stands."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu",
                                                                          "--disable-background-networking"])
        page = browser.new_page(viewport={"width": 1366, "height": 768})
        page.goto(address)
        page.locator(".jp-Notebook h1").first.wait_for(timeout=PATIENCE * 1000)
        browser.close()


def time_it(command: list, folder: Path, home: Path, begun: float) -> None:
    """Start *command*, open the lesson, and print the seconds since *begun*: to the printed address, and to the lesson drawn.

    On a machine that is busy with other things those say little; hence the processors' own seconds too, without the browser's.
    """
    with started(command, folder, home) as (address, process):
        ready, worked = time.monotonic() - begun, sum(process.cpu_times()[:4])
        drawn(address)
        print(f"address printed after {ready:.1f} s ({worked:.1f} s of work on a load of {os.getloadavg()[0]:.0f}), "
              f"first lesson drawn after {time.monotonic() - begun:.1f} s", flush=True)


def from_checkout(folder: Path) -> None:
    """Time a new user's two starts from a clone of this repository: the first, which installs, and the second."""
    begun = time.monotonic()
    subprocess.run(["git", "clone", "-q", ROOT, folder / "course"], check=True)
    for _ in range(2):
        time_it([PYTHON, "tools/open_lab.py"], folder / "course", folder, begun)
        begun = time.monotonic()
    size = sum(path.stat().st_size for path in (folder / "course" / ".venv").rglob("*") if not path.is_symlink())
    print(f"installed: {size / 1e6:.0f} MB")


def from_kit(folder: Path) -> None:
    """Time the start from the newest kit, and make sure that there is no network to help it."""
    try:
        socket.create_connection(("192.0.2.1", 80), timeout=2)
    except OSError as problem:
        print(f"No network: {problem}")
    archive = max((ROOT / "dist").glob("fabricbook-kit-*.zip"), key=lambda path: path.stat().st_mtime)
    begun = time.monotonic()
    with zipfile.ZipFile(archive) as kit:
        kit.extractall(folder / "Übung 1")
    (unpacked,) = (folder / "Übung 1").iterdir()
    for _ in range(2):
        time_it([PYTHON, "start.py", "open", "--no-browser", "--port", "0"], unpacked, folder, begun)
        begun = time.monotonic()


WAYS = {"checkout": from_checkout, "kit": from_kit}


def main() -> None:
    """Time one way; a kit is tried in a namespace of its own, which this program first enters."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("way", choices=WAYS)
    way = asked.parse_args().way
    if way == "kit" and not os.environ.get("FABRICBOOK_ALONE"):
        os.environ |= {"FABRICBOOK_ALONE": "1", "PIP_CONFIG_FILE": os.devnull}
        os.execvp(ALONE[0], [*ALONE, sys.executable, *sys.argv])
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        WAYS[way](Path(folder))


if __name__ == "__main__":
    main()
