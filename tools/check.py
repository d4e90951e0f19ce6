"""`make check ROOM=links`: the style, the doctests and the tests of one room, in seconds.

A room is a module or a package of `fabriclib` or `fabricbook`, or a lesson; its tests bear its name.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHELVES = ("fabriclib", "fabricbook", "fabricbook/lessons")
LEAN = ("-q", "-p", "no:nbval", "-p", "no:anyio", "-p", "no:xdist")


def sources(room: str) -> list[Path]:
    """Return the modules and folders that are the room *room*."""
    places = [ROOT / shelf / name for shelf in SHELVES for name in (room, f"{room}.py")]
    return [place for place in places if place.exists()]


def tests(room: str) -> list[Path]:
    """Return the folder and the files of tests that bear the room's name."""
    folder = ROOT / "tests" / room
    files = [path for path in sorted((ROOT / "tests").rglob(f"test_{room}.py")) if folder not in path.parents]
    return ([folder] if folder.is_dir() else []) + files


def rooms() -> list[str]:
    """Return the names of all rooms."""
    places = [path for shelf in SHELVES for path in (ROOT / shelf).iterdir()]
    return sorted({path.stem for path in places if path.suffix in ("", ".py") and not path.stem.startswith(("_", "."))})


def main(room: str) -> int:
    """Check *room*; return the exit status."""
    from fabriclib.checks import known

    try:
        known("ROOM", room, rooms())
    except ValueError as problem:
        print(problem)
        return 2
    places = [str(path.relative_to(ROOT)) for path in [*sources(room), *tests(room)]]
    print(" ".join(places), flush=True)
    style = subprocess.run([sys.executable, "-m", "ruff", "check", *places], cwd=ROOT).returncode
    return style or subprocess.run([sys.executable, "-m", "pytest", *LEAN, *places], cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
