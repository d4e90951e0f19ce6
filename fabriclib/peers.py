"""Peer to peer: what a copy between each two devices of a server gets when nothing else moves, and when its first byte comes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from . import units
from .checks import typed
from .flows import Routing, route
from .shown import sentence
from .topology import Graph

MOST_PAIRS = 20_000


@dataclass(frozen=True, eq=False)
class PeerToPeer:
    """Row i, column j: from the i-th device to the j-th, one pair at a time.

    `rates` in bytes per second at line rate (payload rate where the framing is known), of both directions together where
    both are asked for; `latency` in seconds; `bottleneck` the number of the edge that limits the pair. On the diagonal
    rates and latencies are NaN and the bottleneck is -1.
    """

    graph: Graph
    names: tuple[str, ...]
    rates: np.ndarray
    latency: np.ndarray
    bottleneck: np.ndarray

    def table(self):
        """Return the rates in GB/s as a DataFrame, from the row's device to the column's."""
        return self._frame(self.rates / units.GB)

    def latencies(self):
        """Return the latencies in microseconds as a DataFrame."""
        return self._frame(self.latency / units.us)

    @cached_property
    def slowest(self) -> tuple[str, str]:
        """The first of the pairs with the lowest rate."""
        a, b = np.unravel_index(np.nanargmin(self.rates), self.rates.shape)
        return self.names[a], self.names[b]

    def limit(self, a: str, b: str) -> str:
        """Return the names of the two ends of the edge that limits the pair, as in "sw0 to rc0"."""
        edge = self.bottleneck[self.names.index(a), self.names.index(b)]
        return f"{self.graph.nodes[self.graph.src[edge]]} to {self.graph.nodes[self.graph.dst[edge]]}"

    def _frame(self, values: np.ndarray):
        import pandas as pd

        return pd.DataFrame(values, index=list(self.names), columns=list(self.names))

    def __repr__(self) -> str:
        low, high = (units.format(rate, "B/s") for rate in (np.nanmin(self.rates), np.nanmax(self.rates)))
        return f"<{len(self.names)} devices of {self.graph.name}, pair by pair: {low if low == high else f'{low} to {high}'}>"

    _repr_html_ = sentence


@typed
def p2p(graph: Graph, ends=None, *, staged: bool = False, both: bool = False) -> PeerToPeer:
    """Return what a copy gets between every two devices of a server, one pair at a time.

    Args:
        graph: a server.
        ends: names of devices; all GPUs when not given.
        staged: without peer-to-peer access: up to the memory of the CPU nearest to the sender, and down from there. The two
            halves go on at once, piece by piece, so that they share what they both pass in one direction.
        both: both directions at once, and their sum.

    Raises:
        ValueError: no graph; unknown, repeated or fewer than two devices; too many pairs; no path; no CPU to stage through.

    >>> from fabriclib.topology import server
    >>> p2p(server("mi250x"))
    <8 devices of MI250X node, pair by pair: 50 GB/s to 200 GB/s>
    """
    nodes = graph.gpus if ends is None else graph.numbers(ends)
    if nodes.ndim != 1 or len(nodes) < 2 or len(np.unique(nodes)) < len(nodes) or len(nodes) ** 2 > MOST_PAIRS:
        raise ValueError(f"ends must be at least 2 and at most {int(MOST_PAIRS**0.5)} different devices of {graph.name}; "
                         f"got {nodes.size}.")
    a, b = np.nonzero(~np.eye(len(nodes), dtype=bool))
    pair, src, dst = np.arange(len(a)), nodes[a], nodes[b]
    if staged:
        pair, src, dst = through_host(graph, src, dst)
    there = route(graph, src, dst)
    rates, tight = _slowest(graph, there, pair)
    if both:
        back = np.concatenate([pair, pair]), np.concatenate([src, dst]), np.concatenate([dst, src])
        rates, tight = _slowest(graph, route(graph, *back[1:]), back[0])
        rates = 2 * rates
    squares = []
    for values, diagonal in ((rates, np.nan), (np.bincount(pair, there.latency), np.nan), (tight, -1)):
        squares.append(np.full((len(nodes), len(nodes)), diagonal, dtype=values.dtype))
        squares[-1][a, b] = values
    return PeerToPeer(graph, tuple(graph.nodes[n] for n in nodes), *squares)


@typed
def through_host(graph: Graph, src: np.ndarray, dst: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (flow, src, dst) of the halves of each flow from `src[i]` to `dst[i]`: up to the sender's host, and down from there.

    Raises:
        ValueError: the graph has no CPU.
    """
    host = hosts(graph, src)
    return np.tile(np.arange(len(src)), 2), np.concatenate([src, host]), np.concatenate([host, dst])


@typed
def hosts(graph: Graph, nodes: np.ndarray) -> np.ndarray:
    """Return the nearest CPU of each of *nodes*.

    Raises:
        ValueError: the graph has no CPU.
    """
    cpus = graph.of_kind("cpu")
    if not len(cpus):
        raise ValueError(f"graph must have a CPU to stage copies through its memory; {graph.name} has none.")
    return cpus[graph.tree.hops(cpus)[:, nodes].argmin(axis=0)]


def _slowest(graph: Graph, routing: Routing, pair: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each pair's rate when all its flows run alike, and the number of the edge that limits it (the first of equals)."""
    edges = len(graph.src)
    used, entry = np.unique(pair[routing.flow] * edges + routing.edge, return_inverse=True)
    which, edge = np.divmod(used, edges)
    bound = graph.capacity[edge] / np.bincount(entry, routing.fraction)
    order = np.lexsort([bound, which])
    first = np.searchsorted(which[order], np.arange(pair.max() + 1))
    return bound[order][first], edge[order][first]
