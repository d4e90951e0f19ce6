"""Folding: switches that nothing tells apart become one, so that a flow spread over all shortest paths has few rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .graph import Graph

ALIKE = ("leaf", "spine", "core", "router")  # kinds whose nodes may be merged; a server's own switches are few


def folded(graph: Graph) -> Graph:
    """Return *graph* with like switches of a fabric merged, and their links added up. GPUs keep their numbers.

    Two switches are alike when they have the same links to the same nodes, or to nodes that are alike: the coarsest equitable
    partition (colour refinement) that leaves every other node alone. Flows spread over all shortest paths use like switches
    equally, so each gets on the folded graph what it gets on the whole one.

    >>> from fabriclib.topology import fabric
    >>> folded(fabric("rail-optimised", gpus=1024))
    <rail-optimised: 1024 gpu, 32 leaf, 1 spine, 128 switch, 4160 directed edges>
    """
    free = np.isin(graph.kinds, ALIKE)
    if not free.any():
        return graph
    sort = _sorts(graph)
    like = _coarsest(graph, free, sort)
    kept, number = np.unique(like, return_index=True)[1], np.empty(len(graph.nodes), dtype=int)
    number[kept] = np.argsort(np.argsort(kept))  # in the order of the first of each, so that all before the switches stay
    kept, new = np.sort(kept), number[kept[like]]
    edge = _numbered(new[graph.src] * len(kept) + new[graph.dst], sort)
    first = np.unique(edge, return_index=True)[1]
    return replace(graph, nodes=tuple(graph.nodes[i] for i in kept.tolist()), kinds=graph.kinds[kept], half=None,
                   src=new[graph.src[first]], dst=new[graph.dst[first]], latency=graph.latency[first], link=graph.link[first],
                   capacity=np.bincount(edge, graph.capacity), count=np.bincount(edge, graph.count).astype(int))


def _coarsest(graph: Graph, free: np.ndarray, sort: np.ndarray) -> np.ndarray:
    """Return a number for each node that like nodes share: split by kind, then by neighbours, until nothing splits."""
    like = np.arange(len(free)) + len(ALIKE)
    for number, kind in enumerate(ALIKE):
        like[graph.kinds == kind] = number
    like = np.unique(like, return_inverse=True)[1]
    at = np.flatnonzero(free[graph.src])
    sort = sort[at]
    draw = np.random.default_rng(0)
    while True:
        # A node's links are told by a sum of random 64-bit words, one for each (what is at the other end, sort of link).
        words = draw.integers(2**63, size=(like.max() + 1) * (sort.max() + 1), dtype=np.uint64)
        sums = np.zeros(len(free), dtype=np.uint64)
        np.add.at(sums, graph.src[at], words[like[graph.dst[at]] * (sort.max() + 1) + sort])
        finer = _numbered(like, np.unique(sums, return_inverse=True)[1])
        if finer.max() == like.max():
            return like
        like = finer


def _sorts(graph: Graph) -> np.ndarray:
    """Return for each edge a number that edges of one capacity, latency and link share: there are few."""
    number = np.zeros(len(graph.src), dtype=int)
    for column in (graph.capacity, graph.latency):
        number = number * len(values := np.unique(column)) + np.searchsorted(values, column)
    for name in sorted(set(graph.link.tolist())):
        number = number * 2 + (graph.link == name)
    return np.searchsorted(np.unique(number), number)


def _numbered(one: np.ndarray, two: np.ndarray) -> np.ndarray:
    """Return a number for each row (one, two), in the rows' order, that equal rows share; *two* are whole numbers from 0."""
    return np.unique(one * (int(two.max()) + 1) + two, return_inverse=True)[1]
