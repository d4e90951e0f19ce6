"""Rabenseifner's algorithm: recursive halving, then the way back. As little data as a ring, in 2 log2(p) steps.

Partners are 1, 2, 4 .. apart, so that the largest messages go to the nearest rank. Ranks beyond a power of two are folded
away first and get the result at the end; MPICH and Open MPI fold differently.
"""

from __future__ import annotations

import numpy as np

from ..counts import Counts, floor_lg
from ..entry import Algorithm
from ..moves import ADD, COPY, NOTHING, Moves, grid
from .recursive import doubling_moves, fold, halving_moves, power_below


def nearest_first(ranks: np.ndarray) -> np.ndarray:
    """Return *ranks* in bit-reversed order, in which halving from the far end talks to neighbours first."""
    places = np.arange(len(ranks))
    bits = floor_lg(len(ranks))
    return ranks[sum(((places >> k) & 1) << (bits - 1 - k) for k in range(bits))] if bits else ranks


def _halving_and_back(p):
    """Return (q, 1 where p is not a power of two, 2 (q-1)/q)."""
    q = power_below(p)
    return q, 1 * (p != q), 2 * (q - 1) / q


def _mpich_counts(p):
    q, folded, through = _halving_and_back(p)
    return Counts(2 * floor_lg(p) + 2 * folded, through + 2 * folded, through / 2 + folded)


def _mpich(p: int) -> Moves:
    q = power_below(p)
    on, waiting = fold(p)
    names = nearest_first(on)
    moves = Moves(0, waiting, waiting ^ 1, 0, ADD, size=q).then(halving_moves(names)).then(doubling_moves(names))
    return moves.then(Moves(0, waiting ^ 1, waiting, 0, COPY, size=q))


def _ompi_counts(p):
    q, folded, through = _halving_and_back(p)
    return Counts(2 * floor_lg(p) + 3 * folded, through + 2 * folded, through / 2 + folded / 2)


def _ompi(p: int) -> Moves:
    """Both of a pair reduce one half, which then comes together at the even rank."""
    q = power_below(p)
    on, waiting = fold(p, stays=0)
    half = q // 2
    pairs = Moves(0, waiting ^ 1, waiting, half, ADD, size=half).beside(Moves(0, waiting, waiting ^ 1, 0, ADD, size=half))
    names = nearest_first(on)
    moves = pairs.then(Moves(0, waiting, waiting ^ 1, half, COPY, size=half))
    moves = moves.then(halving_moves(names)).then(doubling_moves(names))
    return moves.then(Moves(0, waiting ^ 1, waiting, 0, COPY, size=q))


def _reduce_counts(p, root=0):
    q, folded, through = _halving_and_back(p)
    late = _waits(p, root)
    return Counts(2 * floor_lg(p) + folded + late, through + folded + late / q, through / 2 + folded)


def _waits(p, root):
    """Return 1 where the fold has put the root aside: it is odd, and among the first 2 (p - q) ranks."""
    return root % 2 * (root < 2 * (p - power_below(p)))


def _reduce(p: int, root: int = 0) -> Moves:
    """A root put aside takes the place, and after the halving the chunk, of the first rank."""
    q = power_below(p)
    on, waiting = fold(p, stays=0)
    names = nearest_first(on)
    moves = Moves(0, waiting, waiting ^ 1, 0, ADD, size=q).then(halving_moves(names))
    if _waits(p, root):
        moves = moves.then(Moves(0, names[0], root, 0, COPY))
        names[0] = root
    return moves.then(_gather_moves(names, root))


def _gather_moves(names: np.ndarray, root: int) -> Moves:
    """`doubling_moves`, but only towards *root*: step k ends for those whose number differs from the root's in bit k."""
    if len(names) == 1:
        return NOTHING
    k, w = grid(floor_lg(len(names)), len(names))
    have = 1 << k
    away = w ^ np.flatnonzero(names == root)[0]
    return Moves(k, names[w], names[w ^ have], w & -have, COPY, size=have).where(away % (2 * have) == have)


ENTRIES = [
    Algorithm("all_reduce", "rabenseifner", _mpich_counts, _mpich, "mpich-coll", slots=power_below,
              note="MPICH's fold for other than powers of two: each pair's even rank sends everything. MPICH's comment writes "
                   "(p-1)/p there; the halving runs on q ranks."),
    Algorithm("all_reduce", "rabenseifner_ompi", _ompi_counts, _ompi, "ompi-coll", slots=power_below,
              note="Open MPI's fold: both of a pair reduce one half. One more step than MPICH's, half the reduction."),
    Algorithm("reduce", "rabenseifner", _reduce_counts, _reduce, "mpich-coll", options=("root",),
              slots=lambda p, root=0: power_below(p),
              note="Reduce-scatter, then a gather; one more step where the fold has put the root aside."),
]
