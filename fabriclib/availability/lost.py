"""A fabric with a part lost: what is cut off, and what is left of a collective, by flows over the graph without the part.

A cable is a pair of node names, a switch is the name of its node; `parts` is a list of such.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..checks import count, known, short, typed
from ..flows import share
from ..shown import sentence
from ..topology import Graph

PATTERNS = ("rails", "all to all")
SWITCHES = ("leaf", "spine", "core", "router")


@typed
def lose(graph: Graph, parts: Sequence) -> Graph:
    """Return *graph* without *parts*: of parallel links between two nodes one is lost, with a switch all that it carries.

    What is left of parallel links stays one edge, and flows that fork do not favour the others: each way is as wide as the
    narrowest link on it for one flow. A fabric with one link between two switches is spread over as it is.

    Raises:
        ValueError: a node that there is not, or two that no cable joins.

    >>> from fabriclib.topology import fabric
    >>> lose(fabric("rail-optimised", gpus=32, radix=8), ["leaf0", ("gpu1", "leaf1")])
    <rail-optimised: 32 gpu, 8 leaf, 4 spine, 4 switch, 174 directed edges>
    """
    links = graph.count.astype(float)
    for part in parts:
        ends = [part] if isinstance(part, str) else part
        if not isinstance(ends, (list, tuple)) or len(ends) not in (1, 2):
            raise ValueError(f"parts must be names of nodes, or pairs of names that a cable joins; got {short(part)}.")
        nodes = [graph.node(end) for end in ends]
        hit = (np.isin(graph.src, nodes) & np.isin(graph.dst, nodes) if len(nodes) == 2
               else (graph.src == nodes[0]) | (graph.dst == nodes[0]))
        if not hit.any():
            raise ValueError(f"parts must be joined by a cable; {' and '.join(map(str, ends))} are not.")
        links[hit] = np.maximum(links[hit] - 1, 0) if len(nodes) == 2 else 0
    kept = replace(graph, capacity=graph.capacity * np.maximum(links, 1) / graph.count, count=np.maximum(links, 1).astype(int))
    return kept.over(links > 0)


@typed
def planes(graph: Graph) -> list[tuple[str, ...]]:
    """Return the networks that nothing but the servers joins, each as the names of its switches: planes, or rails on their own.

    Raises:
        ValueError: no Graph.

    >>> from fabriclib.topology import fabric
    >>> [len(plane) for plane in planes(fabric("dual-plane", gpus=32, radix=8))]
    [12, 12]
    """
    of = _network(graph)
    switches = np.flatnonzero(np.isin(graph.kinds, SWITCHES))
    return [tuple(graph.nodes[i] for i in switches[of[switches] == one]) for one in np.unique(of[switches])]


@typed
def rail(graph: Graph, place: int = 0) -> tuple[str, ...]:
    """Return the leaves that GPUs at *place* of their servers are cabled to.

    Raises:
        ValueError: no Graph, or a place that no server of it has.

    >>> from fabriclib.topology import fabric
    >>> rail(fabric("rail-optimised", gpus=32, radix=8), 1)
    ('leaf1',)
    """
    servers = _servers(graph)
    mine = servers[:, count("place", place, low=0, high=servers.shape[1] - 1)]
    leaves = np.unique(graph.dst[np.isin(graph.src, mine) & (graph.kinds[graph.dst] == "leaf")])
    return tuple(graph.nodes[i] for i in leaves)


@typed
@dataclass(frozen=True, eq=False)
class Left:
    """What is left of a collective.

    Args:
        graph: without the parts.
        src, dst: GPUs (node numbers) of each flow.
        ring: the ring that each flow belongs to; all to all is one.
        rates: bytes per second of each flow, 0 where no way is left.
        healthy: the same with nothing lost.
    """

    graph: Graph
    src: np.ndarray
    dst: np.ndarray
    ring: np.ndarray
    rates: np.ndarray
    healthy: np.ndarray

    @property
    def slowest(self) -> float:
        """Share of the healthy rate when every ring carries an equal piece, and all wait for the slowest."""
        return float(self._rings.min())

    @property
    def dealt(self) -> float:
        """Share of it when each ring carries as much as it can: what a library could reach that deals the pieces anew."""
        return float(self._rings.mean())

    @property
    def cut_off(self) -> int:
        """How many flows have no way left: one is enough to stop a job."""
        return int((self.rates == 0).sum())

    @property
    def _rings(self) -> np.ndarray:
        share = np.full(self.ring.max() + 1, np.inf)
        np.minimum.at(share, self.ring, self.rates / self.healthy)
        return share

    def __repr__(self) -> str:
        if self.cut_off:
            return f"<{self.graph.name}: {self.cut_off} of {len(self.rates)} flows have no way left>"
        return f"<{self.graph.name}: {100 * self.slowest:.3g} % of the rate is left, {100 * self.dealt:.3g} % if dealt anew>"

    _repr_html_ = sentence


@typed
def left(graph: Graph, parts: Sequence, pattern: str = "rails") -> Left:
    """Return what the loss of *parts* leaves of a collective over all GPUs of *graph*.

    Args:
        graph: a fabric whose servers have two GPUs or more and NVSwitches.
        pattern: "rails", one ring for each place in a server, over the GPUs at that place of all servers (what an all-reduce over
            servers does), or "all to all" between all GPUs of different servers.

    Raises:
        ValueError: a graph of one server, or as `lose`.

    >>> from fabriclib.topology import fabric
    >>> left(fabric("dual-plane", gpus=32, radix=8), [("gpu0", "leaf0")])
    <dual-plane: 50 % of the rate is left, 93.8 % if dealt anew>
    """
    src, dst, ring, healthy = _whole(graph, known("pattern", pattern, PATTERNS))
    without = lose(graph, parts)
    return Left(without, src, dst, ring, _rates(without, src, dst), healthy)


@functools.lru_cache(maxsize=16)
def _whole(graph: Graph, pattern: str) -> tuple[np.ndarray, ...]:
    """Return (from, to, ring, rate) of each flow of a pattern while nothing is lost."""
    servers = _servers(graph)
    if pattern == "rails":
        src, dst = servers, np.roll(servers, -1, axis=0)
        ring = np.broadcast_to(np.arange(servers.shape[1]), servers.shape)
    else:
        every = servers.ravel()
        far = np.repeat(np.arange(len(servers)), servers.shape[1])
        one, other = np.nonzero(far[:, None] != far)
        src, dst, ring = every[one], every[other], np.zeros(len(one), dtype=int)
    src, dst, ring = src.ravel(), dst.ravel(), ring.ravel()
    return src, dst, ring, _rates(graph, src, dst)


def _servers(graph: Graph) -> np.ndarray:
    """Return the GPUs (node numbers) of each server, a row a server."""
    of, many = np.unique(graph.islands[graph.gpus], return_counts=True)
    if len(of) < 2 or len(np.unique(many)) > 1:
        raise ValueError(f"graph must be a fabric of two servers or more, as large as each other; {graph.name} is not.")
    return graph.gpus[np.argsort(graph.islands[graph.gpus], kind="stable")].reshape(len(of), -1)


def _network(graph: Graph) -> np.ndarray:
    """Return for each node the least number among the switches that it is joined to without a GPU between."""
    switch = np.isin(graph.kinds, SWITCHES)
    between = switch[graph.src] & switch[graph.dst]
    return replace(graph, kinds=np.where(switch, "switch", "none")).over(between).islands


def _rates(graph: Graph, src: np.ndarray, dst: np.ndarray) -> np.ndarray:
    """Return the fair rate of each flow: 0 where both its GPUs have no cable to one network. Nothing goes through a third GPU."""
    switch = np.isin(graph.kinds, SWITCHES)
    up = switch[graph.dst] & ~switch[graph.src]
    networks, of = np.unique(_network(graph)[graph.dst[up]], return_inverse=True)
    reach = np.zeros((len(graph.nodes), len(networks)), dtype=bool)
    reach[graph.src[up], of] = True
    joined, rates = (reach[src] & reach[dst]).any(axis=1), np.zeros(len(src))
    if joined.any():
        place = {node: i for i, node in enumerate(graph.gpus.tolist())}
        pairs = [(place[a], place[b]) for a, b in zip(src[joined].tolist(), dst[joined].tolist(), strict=True)]
        rates[joined] = share(graph, pairs).rates
    return rates
