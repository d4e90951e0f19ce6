"""Shortest paths of many flows at once, grown from both ends: what it costs follows the flows, not flows times nodes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .graph import Graph
from .groups import Groups

Leg = tuple[np.ndarray, np.ndarray]
AT_ONCE = 4_000_000  # flows times nodes that are looked up in tables: some 50 MB


def legs(graph: Graph, src: np.ndarray, dst: np.ndarray) -> list[Leg]:
    """Return the k-th edges of all shortest paths, for k = 0, 1, ...: one (flow, edge) row for each edge a flow may take.

    A GPU with one link only can be left and entered in one way: what is searched is the way between the nodes behind such
    links, once for all flows that have these two in common.

    Raises:
        ValueError: a flow from a node to itself, or between nodes that no path joins.
    """
    if (same := src[src == dst]).size:
        raise ValueError(f"a flow must go to another node than it comes from; got {graph.nodes[same[0]]} twice.")
    out, into = _only(graph.leaving, src, graph.dst, dst), _only(graph.entering, dst, graph.src, src)
    onward, back = np.append(graph.dst, 0), np.append(graph.src, 0)  # -1 looks up the 0, even in a graph without edges
    start, end = np.where(out < 0, src, onward[out]), np.where(into < 0, dst, back[into])
    pairs, pair = np.unique(start * len(graph.nodes) + end, return_inverse=True)
    between = _between(graph, *np.divmod(pairs, len(graph.nodes)))
    reach = np.where(pairs // len(graph.nodes) == pairs % len(graph.nodes), 0, -1)
    for hop, (row, _) in enumerate(between, start=1):
        reach[row] = hop
    if (lost := np.flatnonzero(reach[pair] < 0)).size:
        raise ValueError(f"{graph.name} has no path from {graph.nodes[src[lost[0]]]} to {graph.nodes[dst[lost[0]]]}.")
    return _whole(out, into, pair, reach, between)


def first_legs(graph: Graph, src: np.ndarray, dst: np.ndarray) -> Iterator[Leg]:
    """Yield the k-th edges of one shortest path a flow: of several, the one that goes by the least node numbers."""
    at = src.copy()
    for flow, edge in legs(graph, src, dst):
        here = graph.src[edge] == at[flow]
        flow, edge = flow[here], edge[here]
        order = np.lexsort((edge, graph.dst[edge], flow))
        flow, first = np.unique(flow[order], return_index=True)
        edge = edge[order[first]]
        at[flow] = graph.dst[edge]
        yield flow, edge


def _only(edges: Groups, at: np.ndarray, onward: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return for each node of *at* its edge, if it has one only and this does not lead to *other*; else -1."""
    found = np.full(len(at), -1)
    single = np.flatnonzero(edges.sizes[at] == 1)
    edge = edges.of(at[single])[1]
    onwards = onward[edge] != other[single]
    found[single[onwards]] = edge[onwards]
    return found


def _whole(out, into, pair, reach, between: list[Leg]) -> list[Leg]:
    """Return the legs of the flows: the only edge *out*, then those of the flow's *pair*, then the only edge *into*."""
    hops: dict[int, list[Leg]] = {0: [(np.flatnonzero(out >= 0), out[out >= 0])]}
    first, flows = (out >= 0).astype(int), Groups(pair, len(reach))
    for hop, (row, edge) in enumerate(between):
        which, flow = flows.of(row)
        for later in (0, 1):
            so = first[flow] == later
            hops.setdefault(hop + later, []).append((flow[so], edge[which[so]]))
    last = np.where(into >= 0, reach[pair] + first, -1)
    for hop in np.unique(last[last >= 0]).tolist():
        flow = np.flatnonzero(last == hop)
        hops.setdefault(hop, []).append((flow, into[flow]))
    return [leg for leg in _joined(hops) if leg[0].size]


def _joined(hops: dict[int, list[Leg]]) -> list[Leg]:
    """Return one leg for each hop, in their order."""
    flows, edges = ({hop: np.concatenate([leg[part] for leg in legs]) for hop, legs in hops.items()} for part in (0, 1))
    return [(flows[hop], edges[hop]) for hop in sorted(hops)]


def _between(graph: Graph, src: np.ndarray, dst: np.ndarray) -> list[Leg]:
    """Return the legs of pairs of nodes; a pair of the same node twice, or that no path joins, has none."""
    hops: dict[int, list[Leg]] = {}
    nodes, edges, wires = _passed(graph, np.concatenate([src, dst]))
    apart, many = np.flatnonzero(src != dst), max(AT_ONCE // len(nodes), 1)
    for first in range(0, len(apart), many):
        some = apart[first : first + many]
        for hop, flow, edge in _some_legs(wires, *np.searchsorted(nodes, (src[some], dst[some]))):
            hops.setdefault(hop, []).append((some[flow], edges[edge]))
    return _joined(hops)


class _Wires(NamedTuple):
    """Edges, from node to node, and those that leave and enter each node."""

    src: np.ndarray
    dst: np.ndarray
    leaving: Groups
    entering: Groups


def _passed(graph: Graph, ends: np.ndarray) -> tuple[np.ndarray, np.ndarray, _Wires]:
    """Return the nodes that a shortest path between *ends* may touch, the edges among these, and the same numbered anew.

    A dead end, joined to one other node only, is on no way but its own.
    """
    dead = np.flatnonzero((graph.leaving.sizes == 1) & (graph.entering.sizes == 1))
    out, into = graph.leaving.of(dead)[1], graph.entering.of(dead)[1]
    keep = np.ones(len(graph.nodes), dtype=bool)
    keep[dead[graph.dst[out] == graph.src[into]]] = False
    keep[ends] = True
    edges, place = np.flatnonzero(keep[graph.src] & keep[graph.dst]), np.cumsum(keep) - 1
    src, dst, size = place[graph.src[edges]], place[graph.dst[edges]], int(keep.sum())
    return np.flatnonzero(keep), edges, _Wires(src, dst, Groups(src, size), Groups(dst, size))


def _some_legs(wires: _Wires, src: np.ndarray, dst: np.ndarray) -> list[tuple[int, np.ndarray, np.ndarray]]:
    nodes = len(wires.leaving.sizes)
    ahead = _Side(wires.leaving, wires.dst, src, nodes)
    back = _Side(wires.entering, wires.src, dst, nodes)
    waiting, found = np.ones(len(src), dtype=bool), []
    while waiting.any():
        side = min(ahead, back, key=lambda one: len(one.steps))
        if not side.front.size:
            break
        side.grow()
        # The two sides first meet when their steps add up to the shortest path: all its middle nodes are there at once.
        met = ahead.front[back.seen[ahead.front]]
        before, after = ahead.edges_to(met), back.edges_to(met)
        found += [(hop, *leg) for hop, leg in enumerate([*before[::-1], *after]) if met.size]
        waiting[met // nodes] = False
        for one in (ahead, back):
            one.front = one.front[waiting[one.front // nodes]]
    return found


class _Side:
    """What flows reach from one of their ends, step by step. A key is flow * nodes + node."""

    def __init__(self, edges: Groups, onward: np.ndarray, ends: np.ndarray, nodes: int):
        self.edges, self.onward, self.nodes = edges, onward, nodes
        self.front = np.arange(len(ends)) * nodes + ends
        self.seen, self.marked = np.zeros((2, len(ends) * nodes), dtype=bool)
        self.seen[self.front] = True
        self.place = np.empty(len(ends) * nodes, dtype=np.int32)
        # For each step the keys it came from, the edges it took, and the keys it led to.
        self.steps: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def grow(self) -> None:
        flow, at = np.divmod(self.front, self.nodes)
        row, edge = self.edges.of(at)
        to = flow[row] * self.nodes + self.onward[edge]
        new = ~self.seen[to]
        to, places = to[new], np.arange(new.sum())
        self.steps.append((self.front[row[new]], edge[new], to))
        self.seen[to] = True
        self.place[to] = places
        self.front = to[self.place[to] == places]  # each key once: at the last of its places

    def edges_to(self, keys: np.ndarray) -> list[Leg]:
        """Return (flow, edge) for the steps that lead to *keys*, the last step first."""
        taken = []
        for came_from, edge, to in self.steps[::-1]:
            self.marked[keys] = True
            on = self.marked[to]
            self.marked[keys] = False
            keys = came_from[on]
            taken.append((keys // self.nodes, edge[on]))
        return taken
