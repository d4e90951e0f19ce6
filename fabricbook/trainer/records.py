"""The answers of a class: each learner's progress file, read and never written.

A learner owns their file and a trainer may read it as root: so no link is followed, nothing is opened but a plain file of a
sensible size, and what does not read as a record of answers is left out.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LARGEST = 2**23  # bytes; a whole course of answers takes a hundredth of it
_PLAIN = ("work", "fabricbook-course")  # what a learner's folder is called for everybody, on a hub and elsewhere
# Where a record lies below a folder: handed in on a stick, in learners' folders, in their homes.
PLACES = ("*.json", "*/*.json", *(f"*/{folder}/progress.json" for folder in _PLAIN))
ASIDE = "aside-"  # so begins the name of a folder with a former group's answers
SECTIONS = ("predictions", "stops", "exercises")  # of what is asked
_FLAGS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Learner:
    """A learner's record as it is now.

    Args:
        name: of the folder or the file that it lies in.
        saved: when it was last written, in seconds since 1970.
        record: its entries by section ("predictions", "stops", ...) and key.
    """

    name: str
    saved: float
    record: dict[str, dict]

    def entries(self, section: str) -> dict[str, dict]:
        """Return the well-formed entries of a section, by key."""
        found = self.record.get(section)
        return {key: entry for key, entry in found.items() if isinstance(entry, dict)} if isinstance(found, dict) else {}


def learners(places: Iterable[Path]) -> list[Learner]:
    """Return the learners whose records lie at *places*, files or folders, by name; of two of one name, the newer record.

    Raises:
        ValueError: a place is not there.
    """
    found: dict[str, Learner] = {}
    for path in _files(places):
        one = _read(path)
        if one and (one.name not in found or found[one.name].saved <= one.saved):
            found[one.name] = one
    return sorted(found.values(), key=lambda one: one.name)


def closed(places: Iterable[Path]) -> int:
    """Return how many folders, *places* or in them, may not be looked into: others' homes, unless one is root."""
    folders = [place for place in places if place.is_dir()]
    inside = [path for folder in folders if _open(folder) for path in folder.iterdir() if path.is_dir()]
    return sum(not _open(folder) for folder in [*folders, *inside])


def _open(folder: Path) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def _files(places: Iterable[Path]) -> Iterable[Path]:
    for place in places:
        if not os.path.exists(place):  # Path.exists stops at a folder that may not be looked into
            raise ValueError(f"place {str(place)!r} is not there; name progress files, or a folder that holds them.")
        if place.is_dir():
            for pattern in PLACES:
                yield from (path for path in place.glob(pattern)
                            if not path.name.startswith(".") and not path.relative_to(place).parts[0].startswith(ASIDE)
                            and not path.parent.is_symlink())
        else:
            yield place


def _read(path: Path) -> Learner | None:
    try:
        with open(os.open(path, _FLAGS), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
                return None
            record = json.loads(file.read(LARGEST))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or not any(isinstance(record.get(one), dict) for one in SECTIONS):
        return None
    return Learner(_name(path), about.st_mtime, record)


def _name(path: Path) -> str:
    """Return whose record it is: a file's own name says so, or the first folder above that is not called alike for all.

    >>> _name(Path("stick/jan.json")), _name(Path("maria", "work", "progress.json")), _name(Path("maria/progress (1).json"))
    ('jan', 'maria', 'maria')
    """
    if not path.stem.startswith("progress"):
        return path.stem
    return next((folder.name for folder in path.absolute().parents if folder.name not in _PLAIN), "")
