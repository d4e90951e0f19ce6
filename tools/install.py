"""Make .venv and install the course into it, once: `python tools/install.py [test]`. Standard library only.

Older Pythons must be able to read it as far as the sentence that says so: no word in it that Python 3.6 does not know.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this file is what tells the learner
    sys.exit(
        "The course needs Python 3.11 or newer; this is {}.{}. Name a newer one, such as: make lab PYTHON=python3.12"
        .format(*sys.version_info)
    )

import contextlib
import hashlib
import json
import os
import re
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"
INPUTS = ("pyproject.toml", "constraints.txt", "tools/bundle_vega.py")
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
PATIENCE = 15  # seconds without a word
BEGAN = time.monotonic()
# pip would compile every module that it unpacks, which takes as long as the rest; these are what a lesson starts with.
FIRST = "import jupyterlab.labapp, ipykernel.kernelapp, fabricbook.cells, fabricbook.desk.server, altair, ipywidgets, pandas"


def ensure(*extras: str) -> Path:
    """Return .venv's Python with the course and *extras* installed; installs only what is not there yet."""
    inputs = hashlib.sha256(b"".join((ROOT / name).read_bytes() for name in INPUTS)).hexdigest()
    before = _read_stamp()
    if before.get("inputs") == inputs and set(extras) <= set(before["extras"]) and PYTHON.exists():
        return PYTHON
    wanted = sorted({*extras, *before.get("extras", [])})
    target = f"{ROOT}[{','.join(wanted)}]" if wanted else str(ROOT)
    _install(["-c", ROOT / "constraints.txt", "-e", target], {"inputs": inputs, "extras": wanted})
    return PYTHON


def ensure_from(wheels: Path) -> Path:
    """Return .venv's Python with the course installed from the files in *wheels*: no network is asked."""
    stamp = {"wheels": sorted(path.name for path in wheels.glob("*.whl"))}
    if _read_stamp() != stamp or not PYTHON.exists():
        _install(["--isolated", "--no-index", "--find-links", wheels, "fabriclib[book]"], stamp)
    return PYTHON


def _install(what: list, stamp: dict) -> None:
    print("Installing the course into .venv. This takes a few minutes, once.", flush=True)
    STAMP.unlink(missing_ok=True)
    _make_venv()
    _run([PYTHON, "-m", "pip", "install", "--no-compile", "--progress-bar", "off", "--disable-pip-version-check", *what], _step,
         "The installation did not finish: see pip's message above. Running the same command again continues it.")
    Teller().say("  compiling what a lesson starts with")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    _run([PYTHON, "-c", FIRST], str.rstrip, "The course is installed but does not start: see the message above.")
    STAMP.write_text(json.dumps(stamp), encoding="utf-8")


def go_on(python: Path, *arguments) -> None:
    """Become *python* with *arguments*; where a process cannot become another one, wait for it."""
    command = [str(part) for part in (python, *arguments)]
    if os.name != "nt":
        os.execv(python, command)
    with subprocess.Popen(command) as process:
        while process.poll() is None:
            with contextlib.suppress(KeyboardInterrupt):  # Ctrl-C reaches the process too, which ends by itself
                process.wait()
    sys.exit(process.returncode)


def _read_stamp() -> dict:
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _make_venv() -> None:
    usable = PYTHON.exists() and not subprocess.run([PYTHON, "-m", "pip", "--version"], capture_output=True).returncode
    if not usable:
        Teller().say("  making a virtual environment")
        _run([sys.executable, "-m", "venv", "--clear", VENV], str.rstrip,
             "No virtual environment could be made. On Debian or Ubuntu: apt-get install python3-venv")


class Teller:
    """Says what is being done, with the time since the installation began; after a long silence, that it goes on."""

    def __init__(self):
        self._last = time.monotonic()
        self._over = threading.Event()

    def say(self, text: str) -> None:
        """Print *text* behind minutes and seconds."""
        self._last = time.monotonic()
        minutes, seconds = divmod(int(self._last - BEGAN), 60)
        print(f"{minutes:3}:{seconds:02}{text}", flush=True)

    def __enter__(self):
        threading.Thread(target=self._reassure, daemon=True).start()
        return self

    def __exit__(self, *_):
        self._over.set()

    def _reassure(self) -> None:
        while not self._over.wait(max(0.1, self._last + PATIENCE - time.monotonic())):
            if time.monotonic() - self._last >= PATIENCE:
                self.say("  still at it")


def _run(command: list, told, problem: str) -> None:
    """Run *command*, saying of each line that it prints what *told* makes of it; leave with *problem* if it fails."""
    try:
        with subprocess.Popen(command, stdout=subprocess.PIPE, encoding="utf-8", errors="replace") as process, Teller() as teller:
            for said in filter(None, map(told, process.stdout)):
                teller.say(said)
    except KeyboardInterrupt:  # which has reached the command, too
        sys.exit("Stopped. Running the same command again continues it.")
    if process.returncode:
        sys.exit(problem)


def _step(line: str) -> str:
    """Return what a learner is told of a line that pip prints: the step it begins, or "".

    >>> _step("Collecting numpy>=2.0 (from fabriclib==0.1.0)"), _step("Requirement already satisfied: pip")
    ('  fetching numpy', '')
    """
    line = line.strip()
    package = re.match(r"Collecting ([\w.-]+)", line)
    if package:
        return f"  fetching {package[1]}"
    if line.startswith(("Installing build dependencies", "Building editable")) and line.endswith("started"):
        return "  building the course itself"
    if line.startswith("Installing collected packages:"):
        return f"  unpacking {line.count(',') + 1} packages; this is the longest step"
    return "  installed" if line.startswith("Successfully installed") else ""


if __name__ == "__main__":
    ensure(*sys.argv[1:])
