"""Binomial trees: whoever has the data sends it on, so the number of those who have it doubles in every step.

Ranks are counted from the root. Rank v hangs under v without its lowest set bit, and that bit is the size of its subtree.
"""

from __future__ import annotations

from functools import partial

from ..counts import Counts, ceil_lg, floor_lg
from ..entry import Algorithm, one_slot
from ..moves import ADD, COPY, Moves, grid


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


def _whole(reduces: int):
    return lambda p, root=0: Counts(ceil_lg(p), 1.0 * ceil_lg(p), reduces * ceil_lg(p))


def _blocks(p, root=0):
    return Counts(ceil_lg(p), (p - 1) / p, 0.0)


_rooted = partial(Algorithm, name="binomial", source="mpich-coll", options=("root",))

ENTRIES = [
    _rooted("broadcast", counts=_whole(0), moves=broadcast_moves, slots=one_slot),
    _rooted("reduce", counts=_whole(1), moves=lambda p, root=0: broadcast_moves(p, root).backwards(ADD), slots=one_slot),
    _rooted("scatter", counts=_blocks, moves=scatter_moves,
            note="Exact for every number of ranks: the root's own sends total p - 1 blocks."),
    _rooted("gather", counts=_blocks, moves=lambda p, root=0: scatter_moves(p, root).backwards(COPY)),
]
