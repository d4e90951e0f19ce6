"""The ring all-reduce as a picture: GPUs in a circle, each with its buffer in pieces, and the pieces under way."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib.collectives import Schedule, schedule

from ...stage import pieces

ACROSS, UP = (-2.3, 2.3), (-1.35, 1.35)  # what is seen of the plane
_WIDE, _HIGH = 1.68, 0.98  # half axes of the circle, as it looks on a wide page
_CELL, _TALL = 0.15, 0.28  # of a piece


@functools.cache
def plan(gpus: int) -> Schedule:
    """Return the ring's own list of moves, as the library has it."""
    return schedule("all_reduce", "ring", ranks=gpus)


@functools.cache
def held(gpus: int) -> np.ndarray:
    """Return how many GPUs' numbers each piece is the sum of, by (step, GPU, piece): the ring run on ones."""
    return np.stack([state[:, :, 0].copy() for state in plan(gpus).states([np.ones(gpus, dtype=int)] * gpus)])


def moving(gpus: int, step: int) -> list[tuple[int, int]]:
    """Return (piece, the GPU that has just received it) after *step*; before the first, the GPU that will send it."""
    moves = plan(gpus).moves
    now = moves.where(moves.step == max(step - 1, 0))
    at = now.dst if step else now.src
    return sorted(zip(now.chunk.tolist(), at.tolist(), strict=True))


def drawn(gpus: int, step: int, middle: str) -> list[dict]:
    """Return the rows of the picture: as many in every step, in the same order.

    Args:
        gpus, step: where the ring stands.
        middle: what stands in the middle of the circle.
    """
    angle = 2 * np.pi * (np.arange(gpus) + 0.5) / gpus
    at = np.stack([_WIDE * np.sin(angle), _HIGH * np.cos(angle)], axis=1)
    now = held(gpus)[step]
    rows = [{"part": "wire", "x": at[g][0], "y": at[g][1], "x2": at[(g + 1) % gpus][0], "y2": at[(g + 1) % gpus][1]}
            for g in range(gpus)]
    rows += [{"part": "name", "GPU": g, "label": f"GPU {g}", "x": at[g][0], "y": at[g][1] + 0.27} for g in range(gpus)]
    for g in range(gpus):
        rows += [_piece("cell", at[g], gpus, g, piece, int(now[g, piece])) for piece in range(gpus)]
    rows += [_piece("under way", at[g], gpus, g, piece, int(now[g, piece])) for piece, g in moving(gpus, step)]
    return [*rows, {"part": "said", "label": middle, "x": 0.0, "y": 0.0}]


def _piece(part: str, at: np.ndarray, gpus: int, gpu: int, piece: int, holds: int) -> dict:
    left, below = at[0] + _CELL * (piece - gpus / 2), at[1] - _TALL / 2
    return pieces.cell(part, left, below, _CELL, _TALL, holds=holds, of=gpus, GPU=gpu, piece=piece)
