"""Send and receive: every rank passes what it has to the next one, as nccl-tests' sendrecv does."""

from __future__ import annotations

from ..counts import Counts
from ..entry import Algorithm, one_slot
from ..moves import COPY, Moves, grid


def _moves(p: int) -> Moves:
    (rank,) = grid(p if p > 1 else 0)
    return Moves(0, rank, (rank + 1) % p, 0, COPY)


ENTRIES = [Algorithm("send_recv", "direct", lambda p: Counts(1 * (p > 1), 1.0 * (p > 1), 0.0), _moves, "nccl-tests",
                     slots=one_slot)]
