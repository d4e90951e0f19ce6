"""In-network: switches add what passes through them and multicast the sum, so endpoints send everything only once.

Switches are nodes p, p + 1, ... of the schedule, and alpha is the price of one hop: a rank to a switch, a switch to a rank,
a switch to a switch. Data streams through, so only the total of each port counts, not the steps one by one.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..counts import Counts
from ..entry import Algorithm, one_slot
from ..moves import ADD, COPY, NOTHING, Moves


def _pull(p: int) -> Moves:
    """multimem.ld_reduce: each rank reads its chunk of the sum, which the switch forms out of every rank's copy."""
    r = np.arange(p)
    return Moves(0, r, p, 0, ADD, size=p).beside(Moves(1, p, r, r, COPY))


def _push(p: int) -> Moves:
    """multimem.st: each rank writes its chunk once, and the switch hands it to every rank, the writer too."""
    r = np.arange(p)
    return Moves(0, r, p, r, COPY).beside(Moves(1, p, r, 0, COPY, size=p))


def _nvls(collective: str, moves, hops: int, sent):
    def counts(p):
        return Counts(hops * (p > 1), sent(p) * (p > 1), 0.0 * p)

    return Algorithm(collective, "nvls", counts, lambda p: moves(p) if p > 1 else NOTHING, "nccl-sym-kernels",
                     reduction="network", streamed=True,
                     note="NVLink SHARP in one NVSwitch: alpha is a hop between a GPU and the switch. "
                          "A server's graph takes half the latency from GPU to GPU for such a hop.")


def _tree_counts(sent: float):
    def counts(p, dims=None):
        return tuple(Counts(2 * (d > 1), sent * (d > 1), 0.0 * d) for d in dims or (p,))
    return counts


def _tree(p: int, dims, slots: int) -> Moves:
    """Sums climb from the ranks to the root switch, level by level; the total comes down the same way."""
    up, hops, children, nodes = NOTHING, [], np.arange(p), p
    for level, size in enumerate(dims):
        if size > 1:
            parents = nodes + np.arange(len(children) // size)
            hops.append((children, np.repeat(parents, size), level))
            children, nodes = parents, nodes + len(parents)
    for child, parent, level in hops:
        up = up.then(Moves(0, child, parent, 0, ADD, size=slots, level=level))
    for child, parent, level in reversed(hops):
        up = up.then(Moves(0, parent, child, 0, COPY, size=slots, level=level))
    return up


_sharp = partial(
    Algorithm, name="sharp", source="graham-sharp", options=("dims",), reduction="network", streamed=True,
    note="An aggregation tree of switches: dims is its fan-in at each height, innermost first, one switch without; "
         "alpha is one hop up or down, where a server's graph takes half the latency from GPU to GPU.")

ENTRIES = [
    _nvls("all_reduce", lambda p: _pull(p).then(_push(p)), 4, lambda p: 1 + 1 / p),
    _nvls("reduce_scatter", _pull, 2, lambda p: 1.0),
    _nvls("all_gather", _push, 2, lambda p: 1.0),
    _sharp("all_reduce", counts=_tree_counts(1.0), moves=lambda p, dims: _tree(p, dims, 1), slots=one_slot),
    _sharp("barrier", counts=_tree_counts(0.0), moves=lambda p, dims: _tree(p, dims, p)),
]
