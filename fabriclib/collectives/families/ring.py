"""Rings: every rank only ever talks to its two neighbours. Bandwidth-optimal; latency grows with the ranks."""

from __future__ import annotations

import numpy as np

from ..counts import Counts
from ..entry import Algorithm
from ..moves import ADD, COPY, Moves, grid


def reduce_scatter_moves(p: int) -> Moves:
    """In step k rank r passes chunk r-1-k on, so that chunk r arrives complete at rank r."""
    k, r = grid(p - 1, p)
    return Moves(k, r, (r + 1) % p, (r - 1 - k) % p, ADD)


def all_gather_moves(p: int) -> Moves:
    """In step k rank r passes on the chunk it got in the step before, its own first."""
    k, r = grid(p - 1, p)
    return Moves(k, r, (r + 1) % p, (r - k) % p, COPY)


def _all_reduce_moves(p: int) -> Moves:
    """In step k rank r passes chunk r-1-k on: once around it is added to, and once more around it is whole."""
    k, r = grid(2 * (p - 1), p)
    return Moves(k, r, (r + 1) % p, (r - 1 - k) % p, np.where(k < p - 1, ADD, COPY))


def _all_reduce_counts(p) -> Counts:
    share = (p - 1) / p
    return Counts(2 * (p - 1), 2 * share, share)


ENTRIES = [
    Algorithm("all_reduce", "ring", _all_reduce_counts, _all_reduce_moves, "patarasuk-yuan"),
    Algorithm("reduce_scatter", "ring", lambda p: Counts(p - 1, (p - 1) / p, (p - 1) / p), reduce_scatter_moves,
              "patarasuk-yuan"),
    Algorithm("all_gather", "ring", lambda p: Counts(p - 1, (p - 1) / p, 0.0), all_gather_moves, "patarasuk-yuan"),
]
