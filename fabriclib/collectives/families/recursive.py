"""Recursive doubling and halving: in log2(p) steps, each with the partner whose number differs in one bit.

Only powers of two pair off like that. Where p is not one, MPICH folds: q is the largest power of two below p, the first
2 (p - q) ranks form pairs, the even one hands its vector to the odd one and waits, and q ranks go on.
"""

from __future__ import annotations

import numpy as np

from ..counts import Counts, floor_lg
from ..entry import Algorithm, one_slot
from ..moves import ADD, COPY, Moves, grid


def power_below(p):
    """Return the largest power of two that is at most p."""
    return 1 << floor_lg(p)


def fold(p: int, stays: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Return (ranks that go on, ranks that wait); a waiting rank's partner is waiting ^ 1.

    Of each of the first p - q pairs the odd rank stays, or the even one with stays=0.
    """
    waiting = 2 * np.arange(p - power_below(p)) + 1 - stays
    return np.setdiff1d(np.arange(p), waiting), waiting


def halving_moves(names: np.ndarray, starts: np.ndarray | None = None) -> Moves:
    """Reduce-scatter among q = 2**k ranks: give away half of what is left, first to the partner q/2 away, then q/4.

    Args:
        names: the rank that plays number w, for w = 0 .. q-1; it ends with the chunks of w.
        starts: w ends with chunks starts[w] .. starts[w+1]-1; one chunk each without.
    """
    q = len(names)
    starts = np.arange(q + 1) if starts is None else starts
    k, w = grid(floor_lg(q), q)
    half = q >> (k + 1)
    given = (w ^ half) & -half
    return Moves(k, names[w], names[w ^ half], starts[given], ADD, size=starts[given + half] - starts[given])


def doubling_moves(names: np.ndarray) -> Moves:
    """All-gather among q = 2**k ranks, the way back of `halving_moves`: number w starts with chunk w."""
    k, w = grid(floor_lg(len(names)), len(names))
    have = 1 << k
    return Moves(k, names[w], names[w ^ have], w & -have, COPY, size=have)


def pairs_only(p: int, root: int = 0) -> str:
    return "" if p == power_below(p) else "it pairs rank r with rank r XOR 2**k, so their number must be a power of two."


def _all_reduce_counts(p):
    folded = 1 * (p != power_below(p))
    vectors = floor_lg(p) + 2 * folded
    return Counts(vectors, 1.0 * vectors, 1.0 * vectors - folded)


def _all_reduce(p: int) -> Moves:
    on, waiting = fold(p)
    k, w = grid(floor_lg(p), len(on))
    doubling = Moves(k, on[w], on[w ^ (1 << k)], 0, ADD)
    return Moves(0, waiting, waiting ^ 1, 0, ADD).then(doubling).then(Moves(0, waiting ^ 1, waiting, 0, COPY))


def _ordered_reduce_scatter_counts(p):
    vectors = floor_lg(p) - (p - 1) / p
    return Counts(floor_lg(p), vectors, vectors)


def _ordered_reduce_scatter(p: int) -> Moves:
    """Everything goes to the partner but the chunks of the 2**k ranks that r has already exchanged with."""
    k, r = grid(floor_lg(p), p)
    group = 1 << k
    return Moves(k, r, r ^ group, (r & -group) + group, ADD, size=p - group)


def _halving_counts(p):
    """In the halving, the numbers up to q/2**k hold the most: a chunk each, and one more for each folded pair among them."""
    q = power_below(p)
    folds = p - q
    folded, rounds, full = 1 * (folds > 0), floor_lg(p), floor_lg(folds) + 1
    extra = 2**full - 1 + (rounds - full) * folds  # sum of min(folds, 2**j) over j < rounds
    reduced = (q - 1 + extra) / p + folded
    return Counts(rounds + 2 * folded, reduced + folded / p, reduced)


def _halving(p: int) -> Moves:
    on, waiting = fold(p)
    starts = np.concatenate([[0], on + 1])
    moves = Moves(0, waiting, waiting ^ 1, 0, ADD, size=p).then(halving_moves(on, starts))
    return moves.then(Moves(0, waiting ^ 1, waiting, waiting, COPY))


ENTRIES = [
    Algorithm("all_gather", "recursive_doubling", lambda p: Counts(floor_lg(p), (p - 1) / p, 0.0),
              lambda p: doubling_moves(np.arange(p)), "mpich-coll", refuses=pairs_only,
              note="MPICH asserts a power of two; Bruck serves the rest."),
    Algorithm("all_reduce", "recursive_doubling", _all_reduce_counts, _all_reduce, "thakur-2005", slots=one_slot,
              note="The whole vector in every step: log2(p) n, where Rabenseifner and the ring send less than 2 n."),
    Algorithm("reduce_scatter", "recursive_doubling", _ordered_reduce_scatter_counts, _ordered_reduce_scatter, "mpich-coll",
              refuses=pairs_only, note="Reduces neighbours first, so the operation need not commute; it sends more for that."),
    Algorithm("reduce_scatter", "recursive_halving", _halving_counts, _halving, "mpich-coll",
              note="Other than powers of two: folded as in MPICH, whose comment says 2 n; the busiest rank of each step, counted "
                   "here, carries up to 2.4 n (5 * 2**k ranks come near), for ranks that stand for two hold twice as much."),
]
