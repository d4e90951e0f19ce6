"""Barriers: an all-gather of tokens without bytes. Nobody leaves before it holds, through whatever ranks, a token of each."""

from __future__ import annotations

from ..counts import Counts, ceil_lg
from ..entry import Algorithm
from ..moves import COPY, Moves, grid
from .binomial import broadcast_moves, scatter_moves
from .direct import root_to_all


def _dissemination(p: int) -> Moves:
    """In step k rank r tells the rank 2**k further of the 2**k ranks up to itself."""
    k, r = grid(ceil_lg(p), p)
    known = 1 << k
    return Moves(k, r, (r + known) % p, r - known + 1, COPY, size=known)


def _binomial(p: int) -> Moves:
    return scatter_moves(p).backwards(COPY).then(broadcast_moves(p, slots=p))


def _central_counter(p: int) -> Moves:
    return root_to_all(p, scatter=True).backwards(COPY).then(broadcast_moves(p, slots=p))


ENTRIES = [
    Algorithm("barrier", "dissemination", lambda p: Counts(ceil_lg(p), 0.0, 0.0), _dissemination, "mpich-coll"),
    Algorithm("barrier", "binomial", lambda p: Counts(2 * ceil_lg(p), 0.0, 0.0), _binomial, "mpich-coll",
              note="A gather to rank 0, then a broadcast, both along a binomial tree."),
    Algorithm("barrier", "central_counter", lambda p: Counts(p - 1 + ceil_lg(p), 0.0, 0.0), _central_counter, "none",
              note="Follows from its two parts. Arrivals queue at rank 0, which then releases all by a binomial broadcast."),
]
