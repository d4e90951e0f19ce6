"""A pipeline as a picture: ranks in a row, and the chunks of a buffer that follow one another from each to the next."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib.collectives import Schedule, schedule

from ...stage import pieces
from .tables import GPUS, RATE, START

ACROSS, UP = (0.0, 1.0), (-0.12, 1.0)  # what is seen of the plane
_WIDE, _FOOT, _TALL = 0.075, 0.03, 0.9  # of a buffer


@functools.cache
def plan(chunks: int) -> Schedule:
    """Return the library's chain, its buffer cut into so many chunks."""
    return schedule("broadcast", "chain", ranks=GPUS, chunks=chunks)


@functools.cache
def held(chunks: int) -> np.ndarray:
    """Return whether each rank holds each chunk, by (step, rank, chunk): the chain run on ones."""
    return np.stack([state[:, :, 0].copy() for state in plan(chunks).states([np.ones(chunks, dtype=int)] * GPUS)])


def busy(chunks: int, step: int) -> int:
    """Return how many of the wires between neighbours carry something in *step*, counted from 1."""
    return int((plan(chunks).moves.step == step - 1).sum())


def seconds(chunks: int, nbytes: float) -> float:
    """Return how long the chain takes for a buffer of *nbytes* cut into so many chunks."""
    return float(plan(chunks).time(nbytes, START, 1 / RATE))


def drawn(chunks: int, step: int) -> list[dict]:
    """Return the rows of the picture: as many in every step, in the same order."""
    now, middle = held(chunks)[step], (np.arange(GPUS) + 0.5) / GPUS
    rows = [{"part": "wire", "x": middle[r], "y": 0.5, "x2": middle[r + 1], "y2": 0.5} for r in range(GPUS - 1)]
    rows += [_chunk("cell", rank, chunk, chunks, int(now[rank, chunk])) for rank in range(GPUS) for chunk in range(chunks)]
    front = GPUS - 1 - np.argmax(now[::-1], axis=0)  # of each chunk: the last rank that holds it
    rows += [_chunk("under way", int(rank), chunk, chunks, 1) for chunk, rank in enumerate(front)]
    named = ["rank 0", *map(str, range(1, GPUS))]
    return rows + [{"part": "name", "label": name, "x": at, "y": -0.06} for name, at in zip(named, middle, strict=True)]


def _chunk(part: str, rank: int, chunk: int, chunks: int, holds: int) -> dict:
    high = _TALL / chunks
    return pieces.cell(part, (rank + 0.5) / GPUS - _WIDE / 2, _FOOT + _TALL - high * (chunk + 1), _WIDE, high, holds=holds, of=1,
                       GPU=rank, piece=chunk, label=str(chunk + 1) if holds else "")
