"""Rings in several dimensions: the bucket algorithm on a torus, and hierarchical collectives, which are the same thing.

Rank = x + X*y + X*Y*z ..., innermost dimension first. Reduce-scatter runs a ring along the first dimension on everything,
then along the next on the X-th part that is left, and so on; all-gather is the way back; all-reduce is both. With
dims=(X, Y) and one price this is the torus, whose dimensions take turns; with levels=[Level(g, ...), Level(N, ...)], GPUs in a
server and servers on a network, it is the hierarchical collective: each GPU carries its g-th part to the network itself.
"""

from __future__ import annotations

import math

from ..counts import Counts
from ..entry import Algorithm
from ..moves import ADD, COPY, NOTHING, Moves, grid


def within(dims, level: int):
    """Return how many ranks lie within reach before dimension *level* starts: 1, X, X*Y, ..."""
    return math.prod(dims[:level])


def _counts(rounds: int, reduces: int):
    def counts(p, dims=None):
        dims = dims or (p,)
        passed = [(d - 1) / d / within(dims, level) for level, d in enumerate(dims)]
        return tuple(Counts(rounds * (d - 1), rounds * part, reduces * part) for d, part in zip(dims, passed, strict=True))
    return counts


def _ring(p: int, dims: tuple[int, ...], level: int, lag: int, op: int) -> Moves:
    """In step k each rank passes on, along its ring of dimension *level*, the segment that lies k + lag behind its own."""
    size, inner = dims[level], within(dims, level)
    k, r = grid(size - 1, p)
    place = r // inner % size
    neighbour = r + ((place + 1) % size - place) * inner
    return Moves(k, r, neighbour, r % inner + (place - k - lag) % size * inner, op, size=1, repeat=p // (inner * size),
                 stride=inner * size, level=level)


def _reduce_scatter(p: int, dims: tuple[int, ...]) -> Moves:
    moves = NOTHING
    for level in range(len(dims)):
        moves = moves.then(_ring(p, dims, level, 1, ADD))
    return moves


def _all_gather(p: int, dims: tuple[int, ...]) -> Moves:
    moves = NOTHING
    for level in reversed(range(len(dims))):
        moves = moves.then(_ring(p, dims, level, 0, COPY))
    return moves


def _all_reduce(p: int, dims: tuple[int, ...]) -> Moves:
    return _reduce_scatter(p, dims).then(_all_gather(p, dims))


_NOTES = {"torus": "Needs the wrap-around links; uses one dimension's links at a time. The same algorithm as hierarchical.",
          "hierarchical": "Rings at every level, and every rank has its own way out. The same algorithm as torus."}
_FORMS = {"all_reduce": (_counts(2, 1), _all_reduce), "reduce_scatter": (_counts(1, 1), _reduce_scatter),
          "all_gather": (_counts(1, 0), _all_gather)}

ENTRIES = [Algorithm(collective, name, counts, moves, "scaling-book-sharding", options=("dims",), note=note)
           for name, note in _NOTES.items() for collective, (counts, moves) in _FORMS.items()]
