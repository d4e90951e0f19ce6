"""Bruck's algorithms: about log2(p) steps for any number of ranks."""

from __future__ import annotations

import numpy as np

from ..counts import Counts, ceil_lg
from ..entry import Algorithm
from ..moves import COPY, Moves, grid
from .direct import further


def _all_gather(p: int) -> Moves:
    """In step k rank r, which has the 2**k chunks from its own on, hands them 2**k ranks back, or as many as lack there."""
    k, r = grid(ceil_lg(p), p)
    have = 1 << k
    return Moves(k, r, (r - have) % p, r, COPY, size=np.minimum(have, p - have))


def _set_bits_below(p):
    """Return how many bits are set in 0, 1, .. p-1 together: bit k in half of every 2**(k+1), and in what is left over."""
    total = 0
    for k in range(ceil_lg(int(np.max(p)))):
        total = total + ((p >> (k + 1)) << k) + np.maximum(p % (2 << k) - (1 << k), 0)
    return total


def _all_to_all_counts(p):
    return Counts(ceil_lg(p), _set_bits_below(p) / p, 0.0)


def _all_to_all(p: int) -> Moves:
    """Slot i holds the block for the rank i further: where bit k of i is set, it moves 2**k ranks in step k."""
    k, r = grid(ceil_lg(p), p)
    bit = 1 << k
    runs = p // (2 * bit)
    last = np.clip(p - 2 * bit * runs - bit, 0, None)
    rest = Moves(k, r, (r + bit) % p, 2 * bit * runs + bit, COPY, size=last)
    return Moves(k, r, (r + bit) % p, bit, COPY, size=bit, repeat=runs, stride=2 * bit).beside(rest.where(rest.size > 0))


ENTRIES = [
    Algorithm("all_gather", "bruck", lambda p: Counts(ceil_lg(p), (p - 1) / p, 0.0), _all_gather, "bruck-1997",
              note="The final rotation of the chunks, a copy of n in memory, is not priced."),
    Algorithm("all_to_all", "bruck", _all_to_all_counts, _all_to_all, "bruck-1997", destination=further,
              note="Exact for every p; the usual n/2 log2(p) is too much where p is not a power of two. The two local "
                   "permutations, about 2 n of memory traffic, are not priced."),
]
