"""A folder for the next group: what the last one left is moved aside, never deleted, and fresh lessons are laid out."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ..desk import learner_copies
from . import tour
from .plans import plan
from .records import ASIDE


def reset(work: Path, name: str = "") -> list[str]:
    """Move all in the learners' folder *work* into a new folder in it, and lay out the lessons, or the plan *name*, anew.

    Returns:
        What there is to tell, a sentence each.

    Raises:
        ValueError: no lessons were laid out there, no such plan, or the folder cannot be changed.
    """
    lessons = tour.files(plan(name)) if name else learner_copies.handed_out(learner_copies.shipped())
    if not (work / learner_copies.RECORD).is_file():
        raise ValueError(f"folder {str(work)!r} holds no laid-out lessons; name the one that `fabricbook open` was given.")
    try:
        aside = _free(work)
        aside.mkdir()
        # By the record the folder is known again: last, so that it can be called again where something is in use.
        for path in sorted(work.iterdir(), key=lambda path: path.name == learner_copies.RECORD):
            if not path.name.startswith(ASIDE):
                os.replace(path, aside / path.name)
    except OSError as problem:
        raise ValueError(f"folder {str(work)!r} cannot be changed ({problem.strerror or problem}); close what uses it.") from None
    told = learner_copies.refresh(lessons, work)
    return [f"What was there, answers and all, is in {aside}.", f"Fresh copies are in {work}.", *told]


def _free(work: Path) -> Path:
    stamp = time.strftime("%Y-%m-%d-%H%M")
    names = (f"{ASIDE}{stamp}", *(f"{ASIDE}{stamp}-{number}" for number in range(2, 1000)))
    return next(work / name for name in names if not (work / name).exists())
