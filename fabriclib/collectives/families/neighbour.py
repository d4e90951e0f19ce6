"""Neighbour exchange: pairs swap what they learnt last, first with one neighbour, then with the other, in turn."""

from __future__ import annotations

import numpy as np

from ..counts import Counts
from ..entry import Algorithm
from ..moves import COPY, Moves, grid


def _moves(p: int) -> Moves:
    """After the first swap everything travels as pairs of chunks.

    In step s an even rank sends the pair (-1)**(s+1) floor(s/2) pairs away from its own, an odd rank the mirror image.
    """
    (r,) = grid(p if p > 1 else 0)
    first = Moves(0, r, r ^ 1, r, COPY)
    s, r = grid(max(p // 2 - 1, 0), p)
    s, side = s + 1, 1 - r % 2 * 2
    away = side * np.where(s % 2, 1, -1) * (s // 2)
    return first.beside(Moves(s, r, (r + side * np.where(s % 2, -1, 1)) % p, (r // 2 + away) * 2 % p, COPY, size=2))


def _odd(p: int) -> str:
    return "ranks form pairs, so their number must be even." if p % 2 and p > 1 else ""


ENTRIES = [Algorithm("all_gather", "neighbour_exchange", lambda p: Counts(p // 2, (p - 1) / p, 0.0),
                     _moves, "ompi-coll", refuses=_odd, note="Half the steps of a ring, with the same neighbours.")]
