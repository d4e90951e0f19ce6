"""Folding: switches that nothing tells apart become one, so that a flow spread over all shortest paths has few rows."""

from __future__ import annotations

import numpy as np

ALIKE = ("leaf", "spine", "core", "router")  # kinds whose nodes may be merged; a server's own switches are few


def alike(kinds: np.ndarray, src: np.ndarray, dst: np.ndarray, sort: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return (kept, number): the first node of each set of like nodes, and for every node its set's place among those kept.

    Two switches are alike when they have the same links to the same nodes, or to nodes that are alike: the coarsest equitable
    partition (colour refinement) that leaves every other node alone. Flows spread over all shortest paths use like switches
    equally, so each gets on the folded graph what it gets on the whole one.

    Args:
        kinds: what each node is.
        src, dst: the nodes that each edge joins; sort: a number that edges of one sort share.
    """
    like = _coarsest(kinds, src, dst, sort)
    first = np.unique(like, return_index=True)[1]
    place = np.empty(len(kinds), dtype=int)
    place[first] = np.argsort(np.argsort(first))  # in the order of the first of each, so that all before the switches stay
    return np.sort(first), place[first[like]]


def sorts(capacity: np.ndarray, latency: np.ndarray, link: np.ndarray) -> np.ndarray:
    """Return for each edge a number that edges of one capacity, latency and link share: there are few."""
    number = np.zeros(len(link), dtype=int)
    for column in (capacity, latency):
        number = number * len(values := np.unique(column)) + np.searchsorted(values, column)
    for name in sorted(set(link.tolist())):
        number = number * 2 + (link == name)
    return np.searchsorted(np.unique(number), number)


def together(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Return a number for each row (one, two), in the rows' order, that equal rows share; *two* are whole numbers from 0."""
    return np.unique(one * (int(two.max()) + 1) + two, return_inverse=True)[1]


def _coarsest(kinds: np.ndarray, src: np.ndarray, dst: np.ndarray, sort: np.ndarray) -> np.ndarray:
    """Return a number for each node that like nodes share: split by kind, then by neighbours, until nothing splits."""
    free = np.isin(kinds, ALIKE)
    like = np.arange(len(free)) + len(ALIKE)
    for number, kind in enumerate(ALIKE):
        like[kinds == kind] = number
    like = np.unique(like, return_inverse=True)[1]
    at = np.flatnonzero(free[src])
    sort = sort[at]
    draw = np.random.default_rng(0)
    while True:
        # A node's links are told by a sum of random 64-bit words, one for each (what is at the other end, sort of link).
        words = draw.integers(2**63, size=(like.max() + 1) * (sort.max() + 1), dtype=np.uint64)
        sums = np.zeros(len(free), dtype=np.uint64)
        np.add.at(sums, src[at], words[like[dst[at]] * (sort.max() + 1) + sort])
        finer = together(like, np.unique(sums, return_inverse=True)[1])
        if finer.max() == like.max():
            return like
        like = finer
