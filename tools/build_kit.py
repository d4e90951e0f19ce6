"""`make kit`: one archive with which a machine like this one runs the course without a network.

It holds the wheels of the course and of all it needs, as constraints.txt pins them; the book, if `make book` has built it; and
start.py, which needs nothing but Python.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SITE, DIST = ROOT / "site", ROOT / "dist"
PARTS = ("tools/install.py", "fabricbook/desk/pages.py")
READ_ME = """The wiring of AI clusters, hands on, without a network.

    python start.py          install, once, then open the lessons in JupyterLab: your copies are in your home, fabricbook-course
    python start.py book     serve the book on this machine; python start.py book --address ADDRESS to a room

It is for Python {python} on {system}, {machine}. Copy it from the stick onto the disk first: it installs beside start.py.
On Windows: py start.py
"""


def made_for() -> dict[str, str]:
    """Return for which Python and which kind of machine the wheels are."""
    return {"python": "{}.{}".format(*sys.version_info), "system": platform.system(), "machine": platform.machine()}


def gather(wheels: Path) -> None:
    """Put the wheels of the course and of all that it needs into the folder *wheels*."""
    _run("hatchling", "build", "-t", "wheel", "-d", wheels)
    (course,) = wheels.glob("*.whl")
    _run("pip", "download", "-q", "--disable-pip-version-check", "--only-binary", ":all:", "-c", "constraints.txt", "-d", wheels,
         f"{course}[book]")


def lay_out(kit: Path) -> None:
    """Put what the kit holds besides its wheels into the folder *kit*."""
    (kit / "parts").mkdir(parents=True)
    for part in PARTS:
        shutil.copy(ROOT / part, kit / "parts")
    shutil.copy(ROOT / "tools" / "kit" / "start.py", kit)
    (kit / "made_for.json").write_text(json.dumps(made_for()), encoding="utf-8")
    (kit / "README.txt").write_text(READ_ME.format(**made_for()), encoding="utf-8")
    if (SITE / "index.html").exists():
        shutil.copytree(SITE, kit / "book")


def _run(module: str, *arguments) -> None:
    if subprocess.run([sys.executable, "-m", module, *map(str, arguments)], cwd=ROOT).returncode:
        sys.exit(f"The kit was not built: see {module}'s message above.")


def main() -> None:
    """Write dist/fabricbook-kit-...zip."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    name = "fabricbook-kit-{system}-{machine}-python{python}".format(**made_for()).lower()
    with tempfile.TemporaryDirectory() as folder:
        lay_out(Path(folder) / name)
        gather(Path(folder) / name / "wheels")
        archive = Path(shutil.make_archive(str(DIST / name), "zip", folder, name))
    book = "with the book" if (SITE / "index.html").exists() else "without the book: run `make book` first to have it in"
    print(f"{archive.relative_to(ROOT)} ({archive.stat().st_size / 1e6:.0f} MB), {book}")


if __name__ == "__main__":
    main()
