"""All-to-all on levels: GPUs in servers, servers on rails. Either every pair sends its own block, or blocks travel together.

A rank is (place in the server, server, ...), innermost first. Slot s of a rank holds the block for the rank that lies s
further in every dimension, each modulo its size: so an exchange with one offset moves the same slots everywhere.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..counts import Counts
from ..entry import Algorithm
from ..moves import COPY, NOTHING, Moves, grid
from .torus import within


def _further(dims, rank, slot) -> np.ndarray:
    """Return the rank that lies *slot* further than *rank*, dimension by dimension."""
    rank, slot = np.broadcast_arrays(rank, slot)
    shifted = np.zeros_like(rank)
    for level, size in enumerate(dims):
        inner = within(dims, level)
        shifted = shifted + (rank // inner + slot // inner) % size * inner
    return shifted


def _pairwise_counts(p, dims=None):
    """Of the p - 1 blocks a rank sends, inner * (size - 1) cross a level and none further out."""
    dims = dims or (p,)
    blocks = [within(dims, level) * (size - 1) for level, size in enumerate(dims)]
    return tuple(Counts(block, block / p, 0.0) for block in blocks)


def _pairwise_moves(p: int, dims: tuple[int, ...]) -> Moves:
    s, r = grid(p - 1, p)
    slot = s + 1
    level = np.searchsorted(np.cumprod(dims), slot, side="right")
    return Moves(s, r, _further(dims, r, slot), slot, COPY, level=level)


def _aggregated_counts(p, dims=None):
    return tuple(Counts(size - 1, (size - 1) / size, 0.0) for size in dims or (p,))


def _aggregated_moves(p: int, dims: tuple[int, ...]) -> Moves:
    """One dimension after another: what is to go k further along it moves there, p / size blocks in one message."""
    moves = NOTHING
    for level, size in enumerate(dims):
        inner = within(dims, level)
        s, r = grid(size - 1, p)
        slot = (s + 1) * inner
        moves = moves.then(Moves(s, r, _further(dims, r, slot), slot, COPY, size=inner, repeat=p // (inner * size),
                                 stride=inner * size, level=level))
    return moves


_by_rail = partial(Algorithm, "all_to_all", source="nvidia-pxn", options=("dims",),
                   destination=lambda p, dims: partial(_further, dims))

ENTRIES = [
    _by_rail("pairwise_by_level", _pairwise_counts, _pairwise_moves,
             note="Pairwise exchange, each block priced by the outermost level it crosses: p - g messages through the NIC."),
    _by_rail("rail_aggregated", _aggregated_counts, _aggregated_moves,
             note="NCCL's PXN: over NVLink to the local GPU on the destination's rail, then N - 1 messages on the rail. The two "
                  "stages are priced one after the other; pipelined, the slower of the two byte terms would remain."),
]
