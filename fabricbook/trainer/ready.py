"""Ready for tomorrow? What a machine has, and lacks, of what a training needs; nothing here asks a network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from ..desk import learner_copies

ROOT = Path(__file__).resolve().parents[2]
OLDEST = (3, 11)
ROOM = 2e9  # bytes of disk that a training may fill: copies, settings, a browser's profile
PATIENCE = 120  # seconds for JupyterLab's first start
FONTS = ("arial", "liberation sans", "arimo", "helvetica", "dejavu sans", "verdana")  # in which a lab's texts fit its picture
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\S*token=\w+")
_ELSEWHERE = re.compile(r"(?:src|href)=\"(?:https?:)?//[^\"]+")


@dataclass(frozen=True)
class Found:
    """What was found of one thing: whether it *does*, and in a sentence what there is, or what to do about it."""

    does: bool
    said: str


def python() -> Found:
    """The Python that runs this."""
    here = "{}.{}.{}".format(*sys.version_info)
    return Found(sys.version_info >= OLDEST, f"Python {here}; the course needs {'.'.join(map(str, OLDEST))} or newer")


def packages() -> Found:
    """What the course needs of other packages, at the versions that it is tested with."""
    missing, other = [], []
    pinned = _pinned()
    for need in metadata.requires("fabriclib") or ():
        name, _, condition = need.partition(";")
        name = re.split(r"[<>=!~\[ ]", name.strip(), maxsplit=1)[0]
        if condition and "'book'" not in condition.replace('"', "'"):
            continue
        try:
            here = metadata.version(name)
        except metadata.PackageNotFoundError:
            missing.append(name)
        else:
            if pinned.get(_key(name), here) != here:
                other.append(f"{name} {here} (tested with {pinned[_key(name)]})")
    if missing:
        return Found(False, f"{', '.join(missing)} not installed: python tools/install.py book or the kit's start.py brings them")
    if other:
        return Found(False, f"other versions than the tested ones: {', '.join(other)}; pip install -c constraints.txt has them")
    return Found(True, "all there, at the versions that the course is tested with")


def _pinned() -> dict[str, str]:
    places = (ROOT / "constraints.txt", ROOT / "fabricbook" / "constraints.txt")  # of a checkout, of a wheel
    lines = next(place for place in places if place.is_file()).read_text(encoding="utf-8").splitlines()
    return {_key(name): version.split()[0] for name, _, version in (line.partition("==") for line in lines) if version}


def _key(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def charts() -> Found:
    """The drawing of charts, which comes from the package and not from a network."""
    bundle = ROOT / "fabricbook" / "stage" / "static" / "vega.js"
    if not bundle.is_file():
        return Found(False, f"{bundle} is not there: installing the course anew builds it")
    return Found(True, f"drawn by the package itself ({bundle.stat().st_size / 1e6:.1f} MB of vega.js)")


def lessons(folder: Path) -> Found:
    """The copies in the learners' *folder*."""
    wanted = sorted(path.name for path in learner_copies.shipped().glob("*.ipynb"))
    there = [name for name in wanted if (folder / name).is_file()] or sorted(path.name for path in folder.glob("*.ipynb"))
    if not there:
        return Found(False, f"none in {folder}: fabricbook copy {folder} or fabricbook trainer open PLAN {folder} lays them out")
    if not os.access(folder, os.W_OK):
        return Found(False, f"{folder} cannot be written to: answers would be lost")
    if (folder / "progress.json").exists():
        return Found(False, f"{folder} holds a former group's answers: fabricbook trainer reset {folder} moves them aside")
    return Found(True, f"{len(there)} notebooks in {folder}, and no answers yet")


def jupyter() -> Found:
    """JupyterLab, started as a learner starts it, in a folder of its own; and whether its page wants anything from elsewhere."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder, open(Path(folder) / "said", "w+b") as said:
        command = [sys.executable, "-m", "fabricbook", "open", str(Path(folder) / "work"), "--no-browser", "--port", "0"]
        began = time.monotonic()
        server = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        try:
            address = _address(Path(folder) / "said", server)
            if not address:
                return Found(False, f"it did not start within {PATIENCE} s: fabricbook open says why")
            took = time.monotonic() - began
            page = urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=PATIENCE).read().decode()
        except OSError as problem:
            return Found(False, f"it started and does not answer on 127.0.0.1 ({problem})")
        finally:
            server.terminate()
            server.wait()
    if elsewhere := _ELSEWHERE.findall(page):
        return Found(False, f"its page asks the network: {elsewhere[0]}")
    return Found(True, f"starts on 127.0.0.1 in {took:.0f} s, and its page asks nobody else")


def _address(said: Path, server: subprocess.Popen) -> str:
    """Return the address that JupyterLab prints; "" if it ends or takes too long."""
    for _ in range(PATIENCE * 5):
        if found := _ADDRESS.search(said.read_text(encoding="utf-8", errors="replace")):
            return found[0]
        if server.poll() is not None:
            break
        time.sleep(0.2)
    return ""


def browser() -> Found:
    """A browser that Python can open; without a screen, as on a hub, none is expected."""
    names = ("chromium", "chromium-browser", "google-chrome", "firefox", "msedge")
    if path := next(filter(None, map(shutil.which, names)), None):
        return Found(True, path)
    try:
        return Found(True, f"{webbrowser.get().name}, as this system calls it")
    except (webbrowser.Error, AttributeError):
        return Found(False, "none found: install Chromium or Firefox, or paste the printed address into one elsewhere")


def disk(folder: Path) -> Found:
    """Room on the disk of the learners' *folder*."""
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    return Found(free >= ROOM, f"{free / 1e9:.1f} GB free; {ROOM / 1e9:.0f} GB do")


def fonts() -> Found:
    """A font in which the texts of the labs fit their pictures: that was measured."""
    if shutil.which("fc-match") is None:
        return Found(True, "this system brings Arial or Helvetica" if os.name == "nt" or sys.platform == "darwin"
                     else "not asked: there is no fc-match here")
    match = subprocess.run(["fc-match", "Arial"], capture_output=True, text=True).stdout.strip()
    fits = any(name in match.lower() for name in FONTS)
    return Found(fits, match if fits else f"Arial is shown as {match}: install fonts-liberation, or some labs are too wide")


def clock() -> Found:
    """The clock: cookies and certificates of a hub go by it."""
    newest = max(path.stat().st_mtime for path in Path(__file__).parent.glob("*.py"))
    shown = time.strftime("%Y-%m-%d %H:%M")
    ahead = time.time() >= newest
    return Found(ahead, shown if ahead else f"{shown} is before the course was installed: set it")


def fall_back() -> str:
    """What there is to fall back on, in a line: pages and slides that need no kernel, and a kit."""
    pages = next((place for place in (ROOT / "site", Path.cwd() / "book") if (place / "index.html").is_file()), None)
    kits = sorted((ROOT / "dist").glob("fabricbook-kit-*.zip"))
    slides = ROOT / "dist" / "slides" / "index.html"
    told = [f"the book is in {pages}" if pages else "no book is built (make book)",
            f"slides are in {slides}" if slides.is_file() else "no slides are built (make slides)",
            f"the newest kit is {kits[-1].name}" if kits else "no kit is built (make kit)"]
    return " · ".join(told)


def checks(folder: Path) -> dict[str, Callable[[], Found]]:
    """Return what is checked, by its name, for learners whose copies are in *folder*."""
    return {"Python": python, "packages": packages, "charts": charts, "lessons": lambda: lessons(folder), "JupyterLab": jupyter,
            "browser": browser, "disk": lambda: disk(folder), "fonts": fonts, "clock": clock}


def check(folder: Path) -> bool:
    """Print each check as it is done, and what is missing at the end; return whether nothing is."""
    lacking = []
    for name, look in checks(folder).items():
        found = look()
        print(f"{'ok     ' if found.does else 'MISSING'}  {name}: {found.said}", flush=True)
        lacking += [] if found.does else [name]
    print(f"         to fall back on: {fall_back()}")
    print("Ready for tomorrow." if not lacking else f"Not ready: {', '.join(lacking)}.")
    return not lacking
