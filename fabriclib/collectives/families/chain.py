"""Pipelined chain: the vector is cut into chunks that follow one another along a line of ranks, the root at one end."""

from __future__ import annotations

from functools import partial

import numpy as np

from ..counts import Counts
from ..entry import Algorithm
from ..moves import ADD, COPY, Moves, grid


def _counts(reduces: int):
    def counts(p, chunks=1, root=0):
        """The last chunk starts chunks - 1 steps after the first, which takes p - 1 hops."""
        steps = (p - 2 + chunks) * (p > 1)
        return Counts(steps, steps / chunks, reduces * (steps / chunks))
    return counts


def best_chunks(p, nbytes, alpha, beta):
    """Return sqrt((p-2) n beta / alpha), where one more chunk costs as much latency as it saves in filling the pipe.

    It is p - 2: of p - 1 hops the last one overlaps with nothing. Books also write p - 1 or p.
    """
    return np.sqrt(np.maximum(p - 2, 0) * np.divide(nbytes * beta, alpha))


def _moves(p: int, chunks: int = 1, root: int = 0) -> Moves:
    """Chunk c takes hop h in step c + h."""
    hop, chunk = grid(p - 1, chunks)
    return Moves(hop + chunk, (root + hop) % p, (root + hop + 1) % p, chunk, COPY)


_chain = partial(Algorithm, name="chain", source="sanders-2009", options=("chunks", "root"), best_chunks=best_chunks,
                 slots=lambda p, chunks=1, root=0: chunks)

ENTRIES = [
    _chain("broadcast", counts=_counts(0), moves=_moves),
    _chain("reduce", counts=_counts(1), moves=lambda p, chunks=1, root=0: _moves(p, chunks, root).backwards(ADD)),
]
