"""`make check ROOM=links`: the style, the doctests and the tests of one room, in seconds.

A room is a module or a package of `fabriclib` or `fabricbook`, a lesson, or a file of tests; its tests bear its name. A lesson is
also held to what is asked of every lesson, lab and stop. `ONLY=...` chooses tests by their names, as pytest's -k does.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHELVES = ("fabriclib", "fabricbook", "fabricbook/lessons")
OF_EVERY_LESSON = ("tests/lessons/test_every_lab.py", "tests/lessons/test_every_stop.py", "tests/lessons/test_every_note.py",
                   "tests/lessons/test_prose.py", "tests/notebooks")
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
    found = {path.stem for path in places if path.suffix in ("", ".py") and not path.stem.startswith(("_", "."))}
    return sorted(found | {path.stem.removeprefix("test_") for path in (ROOT / "tests").rglob("test_*.py")})


def chosen(room: str) -> tuple[list[Path], str]:
    """Return where the tests of *room* are, and by which words they are chosen there: "" for all of them.

    Raises:
        ValueError: no such room, or a lesson that is not in the order; the message suggests the nearest.
    """
    from fabriclib.checks import known

    known("ROOM", room, rooms())
    places = [*sources(room), *tests(room)]
    if ROOT / "fabricbook" / "lessons" / room not in places:
        return places, ""
    from fabricbook.lessons import lesson

    return [*places, *(ROOT / name for name in OF_EVERY_LESSON)], " or ".join([room, *lesson(room).labs])


def main(room: str = "", only: str = "") -> int:
    """Check *room*, of its tests those named *only*; return the exit status."""
    try:
        found, words = chosen(room)
    except ValueError as problem:
        print(problem)
        return 2
    places = [str(path.relative_to(ROOT)) for path in found]
    print(" ".join(places), flush=True)
    style = subprocess.run([sys.executable, "-m", "ruff", "check", *places], cwd=ROOT).returncode
    words = only or words
    return style or subprocess.run([sys.executable, "-m", "pytest", *LEAN, *places, *(["-k", words] if words else [])],
                                   cwd=ROOT).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
