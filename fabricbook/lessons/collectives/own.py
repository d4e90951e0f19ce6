"""The learner's own ring: watched while it runs, and played in the stepper.

The function is run on numbers that remember which ranks' numbers they are the sum of. At each of its lines its variables are
looked at; the one that holds a chunk for each rank and place, and ends with all of them complete, is what is shown.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from fabriclib.shown import counted

from ...stage import Control, Lab
from . import labs

RANKS = 8
Held = list[list[frozenset[int]]]  # the ranks whose numbers are in each chunk, by (rank, chunk)


class Marked:
    """A number that remembers which ranks' numbers it is the sum of, and notes each addition as a pair of such sets."""

    def __init__(self, ranks: frozenset[int], sums: set):
        self.ranks, self.sums = ranks, sums

    def __add__(self, other):
        if not isinstance(other, Marked):  # a zero that somebody began with
            return self
        self.sums.add((self.ranks, other.ranks))
        return Marked(self.ranks | other.ranks, self.sums)

    __radd__ = __add__


def marked(ranks: int, notes: list[set]) -> list[np.ndarray]:
    """Return a buffer a rank: a number for each of *notes*, which is where its additions are noted."""
    return [np.array([Marked(frozenset({rank}), made) for made in notes], dtype=object) for rank in range(ranks)]


def lacking(all_reduce: Callable) -> str:
    """Return which rank lacks whose numbers in which chunk after an *all_reduce*, in a sentence; "" where that cannot be seen."""
    ranks, numbers = 4, [set() for _ in range(4)]
    try:
        held = [[number.ranks for number in result] for result in all_reduce(marked(ranks, numbers))]
    except (Exception, SystemExit):  # it returns something else, or adds what no plain number could not
        return ""
    lacks = [(rank, chunk, sorted(set(range(ranks)) - has))
             for rank, result in enumerate(held) for chunk, has in enumerate(result) if len(has) < ranks]
    if not lacks or [len(result) for result in held] != [ranks] * ranks:
        return ""
    rank, chunk, without = lacks[0]
    whose = f"rank {without[0]}" if len(without) == 1 else f"ranks {', '.join(map(str, without[:-1]))} and {without[-1]}"
    return (f"Of {ranks} ranks, rank {rank} lacks in chunk {chunk} the numbers of {whose}; {len(lacks)} of all {ranks * ranks} "
            "chunks lack something.")


def play(all_reduce: Callable) -> Lab | str:
    """Return the lab that plays a right *all_reduce*, or a sentence that says why it cannot be watched."""
    steps = watched(all_reduce, RANKS)
    if not steps:
        return (f"Your ring is right, but its chunks cannot be watched: they are in no list of {RANKS} ranks with {RANKS} chunks "
                "each. The stepper above plays the library's.")
    last = len(steps) - 1

    def own_ring(step):
        """What the learner's function holds after each of its steps."""
        held, new = _counts(steps[step]), _changed(steps[step - 1], steps[step]) if step else []
        table = labs.matrix(held, RANKS, {(rank, chunk): [(rank - 1) % RANKS] for rank, chunk in new})
        return table, _told(step, last, held, new)

    control = Control("step", range(last + 1), default=0, as_="steps")
    return Lab(replace(labs.stepper.declaration, name="own-ring", title="Your ring, step by step", controls=(control,),
                       function=own_ring, stops=()))


def watched(all_reduce: Callable, ranks: int) -> list[Held]:
    """Return what each chunk holds before the first step and after each, or nothing where no variable shows it.

    A step ends where a rank whose chunk has changed in it gets a second one.
    """
    seen: dict[str, list[Held]] = {}

    def look(frame, _event, _argument):
        if frame.f_code is not getattr(all_reduce, "__code__", None):
            return None
        for name, value in frame.f_locals.items():
            held = _held(value, ranks)
            if held and (name not in seen or seen[name][-1] != held):
                seen.setdefault(name, []).append(held)
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        all_reduce(marked(ranks, [set() for _ in range(ranks)]))
    except Exception:  # it adds what no plain number could not, but such a number cannot do everything
        return []
    finally:
        sys.settrace(before)
    whole = [[frozenset(range(ranks))] * ranks] * ranks
    return next((_in_steps(history) for history in seen.values() if len(history) > 1 and history[-1] == whole), [])


def _held(value, ranks: int) -> Held | None:
    """Return *value* as what each rank's chunks hold, if it is a chunk for each rank and place."""
    rows = list(value) if isinstance(value, (list, tuple)) and len(value) == ranks else []
    if not rows or not all(isinstance(row, (list, tuple, np.ndarray)) and len(row) == ranks for row in rows):
        return None
    cells = [[np.asarray(cell, dtype=object).ravel() for cell in row] for row in rows]
    if not all(len(cell) == 1 and isinstance(cell[0], Marked) for row in cells for cell in row):
        return None
    return [[cell[0].ranks for cell in row] for row in cells]


def _in_steps(history: list[Held]) -> list[Held]:
    steps, busy = [history[0]], set()
    for before, after in itertools.pairwise(history):
        ranks = {rank for rank, _ in _changed(before, after)}
        if busy & ranks:
            steps.append(before)
            busy = set()
        busy |= ranks
    return [*steps, history[-1]]


def _changed(before: Held, after: Held) -> list[tuple[int, int]]:
    places = itertools.product(range(len(after)), repeat=2)
    return [(rank, chunk) for rank, chunk in places if before[rank][chunk] != after[rank][chunk]]


def _counts(held: Held) -> np.ndarray:
    return np.array([[len(ranks) for ranks in row] for row in held])


def _told(step: int, last: int, held: np.ndarray, new: list[tuple[int, int]]) -> str:
    if step == 0:
        return f"Before the first of your {last} steps: each of {RANKS} ranks holds its own numbers."
    rank, chunk = new[0]
    done = int((held == RANKS).sum())
    arrive = f"{counted(len(new), 'chunk')} {'arrives' if len(new) == 1 else 'arrive'}"
    return (f"Step {step} of your {last}: {arrive}; chunk {chunk} of rank {rank} now holds "
            f"{held[rank, chunk]} of {RANKS} contributions. {done} of {held.size} chunks are complete.")
