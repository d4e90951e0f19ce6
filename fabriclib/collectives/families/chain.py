"""Pipelined chain: the vector is cut into chunks that follow one another along a line of ranks, the root at one end."""

from __future__ import annotations

import numpy as np

from ..counts import Counts
from ..entry import Algorithm
from ..moves import ADD, COPY, Moves, grid
from ..schedule import Schedule


def _steps(p, chunks):
    """The last chunk starts chunks - 1 steps after the first, which takes p - 1 hops."""
    return (p - 2 + chunks) * (p > 1)


def _broadcast_counts(p, chunks=1, root=0):
    return Counts(_steps(p, chunks), _steps(p, chunks) / chunks, 0.0)


def _reduce_counts(p, chunks=1, root=0):
    return Counts(_steps(p, chunks), _steps(p, chunks) / chunks, _steps(p, chunks) / chunks)


def best_chunks(p, nbytes, alpha, beta):
    """Return sqrt((p-2) n beta / alpha), where one more chunk costs as much latency as it saves in filling the pipe.

    It is p - 2: of p - 1 hops the last one overlaps with nothing. Books also write p - 1 or p.
    """
    return np.sqrt(np.maximum(p - 2, 0) * np.divide(nbytes * beta, alpha))


def _moves(p: int, chunks: int, root: int) -> Moves:
    """Chunk c takes hop h in step c + h."""
    hop, chunk = grid(p - 1, chunks)
    return Moves(hop + chunk, (root + hop) % p, (root + hop + 1) % p, chunk, COPY)


def _broadcast(p: int, chunks: int = 1, root: int = 0) -> Schedule:
    return Schedule("broadcast", "chain", p, slots=chunks, moves=_moves(p, chunks, root), root=root)


def _reduce(p: int, chunks: int = 1, root: int = 0) -> Schedule:
    return Schedule("reduce", "chain", p, slots=chunks, moves=_moves(p, chunks, root).backwards(ADD), root=root)


ENTRIES = [
    Algorithm("broadcast", "chain", _broadcast_counts, _broadcast, "sanders-2009", options=("chunks", "root"),
              best_chunks=best_chunks),
    Algorithm("reduce", "chain", _reduce_counts, _reduce, "sanders-2009", options=("chunks", "root"), best_chunks=best_chunks),
]
