"""How a switch adds, as a picture: the buffers of the GPUs below, the switch above, and the pieces on their way up and down."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib.collectives import Schedule, schedule

from ...stage import pieces

ACROSS, UP = (-0.05, 1.05), (-0.08, 1.0)  # what is seen of the plane
STEPS = ["before the first step", "all read, the switch adds", "each gets its part of the sum", "each sends its part once",
         "the switch writes it to all"]
_TOP, _SHELF, _TALL = 0.84, 0.5, 0.48  # heights: of the switch's cells, of the buffers' upper end; how high a buffer is


@functools.cache
def plan(gpus: int) -> Schedule:
    """Return the library's own list of moves for a switch that adds."""
    return schedule("all_reduce", "nvls", ranks=gpus)


@functools.cache
def held(gpus: int) -> np.ndarray:
    """Return how many GPUs' numbers each piece is the sum of, by (step, node, piece); the last node is the switch."""
    return np.stack([state[:, :, 0].copy() for state in plan(gpus).states([np.ones(gpus, dtype=int)] * gpus)])


def through_port(gpus: int, step: int) -> tuple[float, float]:
    """Return how many buffers a GPU has sent and received once *step* is over."""
    moves = plan(gpus).moves
    size = np.where(moves.step < step, moves.size, 0) / gpus
    return float(size[moves.src == 0].sum()), float(size[moves.dst == 0].sum())


def drawn(gpus: int, step: int) -> list[dict]:
    """Return the rows of the picture: as many in every step, in the same order."""
    now, switch = held(gpus)[step], gpus
    rows = [{"part": "wire", "x": _middle(g, gpus), "y": _SHELF, "x2": _middle(g, gpus), "y2": _TOP} for g in range(gpus)]
    rows.append({"part": "box", "x": 0.0, "y": _TOP - 0.045, "x2": 1.0, "y2": _TOP + 0.135})
    rows += [_cell("cell", node, piece, gpus, int(now[node, piece])) for node in range(gpus + 1) for piece in range(gpus)]
    rows += [_cell("under way", node, piece, gpus, int(now[node, piece]))
             for gpu in range(gpus) for piece in range(gpus)
             for node in [gpu if step in (0, len(STEPS) - 1) or (step == 2 and gpu == piece) else switch]]
    rows += [{"part": "name", "GPU": g, "label": f"GPU {g}", "x": _middle(g, gpus), "y": -0.04} for g in range(gpus)]
    return [*rows, {"part": "name", "label": "the switch", "x": 0.5, "y": 0.73}]


def _middle(gpu: int, gpus: int) -> float:
    return (gpu + 0.5) / gpus


def _cell(part: str, node: int, piece: int, gpus: int, holds: int) -> dict:
    """The row of a piece: one above the other in a GPU, side by side in the switch."""
    if node == gpus:
        return pieces.cell(part, _middle(piece, gpus) - 0.04, _TOP, 0.08, 0.09, holds=holds, of=gpus, piece=piece)
    high = _TALL / gpus
    return pieces.cell(part, _middle(node, gpus) - 0.04, _SHELF - high * (piece + 1), 0.08, high, holds=holds, of=gpus, GPU=node,
                       piece=piece)
