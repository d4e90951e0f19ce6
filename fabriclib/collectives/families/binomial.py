"""Binomial trees: whoever has the data sends it on, so the number of those who have it doubles in every step.

Ranks are counted from the root. Rank v hangs under v without its lowest set bit, and that bit is the size of its subtree.
"""

from __future__ import annotations

from ..counts import Counts, ceil_lg, floor_lg
from ..entry import Algorithm
from ..moves import ADD, COPY, Moves, grid
from ..schedule import Schedule


def broadcast_moves(p: int, root: int = 0, slots: int = 1) -> Moves:
    """All *slots* chunks go down the tree, to the largest subtree first."""
    step, parent, rank, _ = _tree(p, root)
    return Moves(step, parent, rank, 0, COPY, size=slots)


def scatter_moves(p: int, root: int = 0) -> Moves:
    """Each rank gets the chunks of its whole subtree, which follow its own."""
    step, parent, rank, subtree = _tree(p, root)
    return Moves(step, parent, rank, rank, COPY, size=subtree)


def _tree(p: int, root: int):
    v = grid(p - 1)[0] + 1
    lowest = v & -v
    step = ceil_lg(p) - 1 - floor_lg(lowest)
    return step, (v - lowest + root) % p, (v + root) % p, (p - v).clip(max=lowest)


def _whole(rounds_reduced: int):
    return lambda p, root=0: Counts(ceil_lg(p), 1.0 * ceil_lg(p), rounds_reduced * ceil_lg(p))


def _blocks(p, root=0):
    return Counts(ceil_lg(p), (p - 1) / p, 0.0)


def _broadcast(p: int, root: int = 0) -> Schedule:
    return Schedule("broadcast", "binomial", p, slots=1, moves=broadcast_moves(p, root), root=root)


def _reduce(p: int, root: int = 0) -> Schedule:
    return Schedule("reduce", "binomial", p, slots=1, moves=broadcast_moves(p, root).backwards(ADD), root=root)


def _scatter(p: int, root: int = 0) -> Schedule:
    return Schedule("scatter", "binomial", p, slots=p, moves=scatter_moves(p, root), root=root)


def _gather(p: int, root: int = 0) -> Schedule:
    return Schedule("gather", "binomial", p, slots=p, moves=scatter_moves(p, root).backwards(COPY), root=root)


ENTRIES = [
    Algorithm("broadcast", "binomial", _whole(0), _broadcast, "mpich-coll", options=("root",)),
    Algorithm("reduce", "binomial", _whole(1), _reduce, "mpich-coll", options=("root",)),
    Algorithm("scatter", "binomial", _blocks, _scatter, "mpich-coll", options=("root",),
              note="Exact for every number of ranks: the root's own sends total p - 1 blocks."),
    Algorithm("gather", "binomial", _blocks, _gather, "mpich-coll", options=("root",)),
]
