"""All-to-all on levels: GPUs in servers, servers on rails. Either every pair sends its own block, or blocks travel together.

A rank is (place in the server, server, ...), innermost first. Slot s of a rank holds the block for the rank that lies s
further in every dimension, each modulo its size: so an exchange with one offset moves the same slots everywhere.
"""

from __future__ import annotations

import math

import numpy as np

from ..counts import Counts
from ..entry import Algorithm
from ..moves import COPY, NOTHING, Moves, grid
from ..schedule import Schedule


def _inner(dims, level: int):
    return math.prod(dims[:level])


def _shift(dims, rank, slot, sign: int) -> np.ndarray:
    """Return the rank that lies *slot* away from *rank*, dimension by dimension."""
    rank, slot = np.broadcast_arrays(rank, slot)
    shifted = np.zeros_like(rank)
    for level, size in enumerate(dims):
        inner = _inner(dims, level)
        shifted = shifted + (rank // inner + sign * (slot // inner)) % size * inner
    return shifted


def _pairwise_counts(p, dims=None):
    """Of the p - 1 blocks a rank sends, inner * (size - 1) cross a level and none further out."""
    dims = dims or (p,)
    blocks = [_inner(dims, level) * (size - 1) for level, size in enumerate(dims)]
    return tuple(Counts(block, block / p, 0.0) for block in blocks)


def _pairwise_moves(p: int, dims: tuple[int, ...]) -> Moves:
    s, r = grid(p - 1, p)
    slot = s + 1
    level = np.searchsorted(np.cumprod(dims), slot, side="right")
    return Moves(s, r, _shift(dims, r, slot, 1), slot, COPY, level=level)


def _aggregated_counts(p, dims=None):
    return tuple(Counts(size - 1, (size - 1) / size, 0.0) for size in dims or (p,))


def _aggregated_moves(p: int, dims: tuple[int, ...]) -> Moves:
    """One dimension after another: what is to go k further along it moves there, p / size blocks in one message."""
    moves = NOTHING
    for level, size in enumerate(dims):
        inner = _inner(dims, level)
        s, r = grid(size - 1, p)
        slot = (s + 1) * inner
        moves = moves.then(Moves(s, r, _shift(dims, r, slot, 1), slot, COPY, size=inner, repeat=p // (inner * size),
                                 stride=inner * size, level=level))
    return moves


def _schedule(name: str, moves):
    def schedule(p, dims=None):
        dims = dims or (p,)
        return Schedule("all_to_all", name, p, slots=p, moves=moves(p, dims), dims=dims,
                        destination=lambda rank, slot: _shift(dims, rank, slot, 1),
                        origin=lambda rank, slot: _shift(dims, rank, slot, -1))
    return schedule


ENTRIES = [
    Algorithm("all_to_all", "pairwise_by_level", _pairwise_counts, _schedule("pairwise_by_level", _pairwise_moves),
              "nvidia-pxn", options=("dims",),
              note="Pairwise exchange, each block priced by the outermost level it crosses: p - g messages through the NIC."),
    Algorithm("all_to_all", "rail_aggregated", _aggregated_counts, _schedule("rail_aggregated", _aggregated_moves),
              "nvidia-pxn", options=("dims",),
              note="NCCL's PXN: over NVLink to the local GPU on the destination's rail, then N - 1 messages on the rail. The two "
                   "stages are priced one after the other; pipelined, the slower of the two byte terms would remain."),
]
