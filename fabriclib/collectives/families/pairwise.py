"""Pairwise exchange: in step i everybody talks to the rank i away, so that no port gets two messages at a time."""

from __future__ import annotations

from ..counts import Counts
from ..entry import Algorithm
from ..moves import ADD, COPY, Moves, grid
from .recursive import power_below


def _ahead(p: int):
    """Return (rank, i) -> the rank i ahead; with a power of two r XOR i, so that both of a pair exchange."""
    return (lambda rank, i: rank ^ i) if p == power_below(p) else (lambda rank, i: (rank + i) % p)


def _all_to_all(p: int) -> Moves:
    """Slot i of a rank holds the block for the rank i ahead."""
    i, rank = grid(p - 1, p)
    return Moves(i, rank, _ahead(p)(rank, i + 1), i + 1, COPY)


def _reduce_scatter(p: int) -> Moves:
    i, rank = grid(p - 1, p)
    peer = _ahead(p)(rank, i + 1)
    return Moves(i, rank, peer, peer, ADD)


ENTRIES = [
    Algorithm("all_to_all", "pairwise", lambda p: Counts(p - 1, (p - 1) / p, 0.0), _all_to_all, "mpich-coll", destination=_ahead,
              note="MPICH's comment drops the (p-1)/p, for its n leaves out the block that stays."),
    Algorithm("reduce_scatter", "pairwise", lambda p: Counts(p - 1, (p - 1) / p, (p - 1) / p), _reduce_scatter, "mpich-coll"),
]
