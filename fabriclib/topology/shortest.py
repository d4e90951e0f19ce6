"""Shortest paths of many flows at once, grown from both ends: what it costs follows the flows, not flows times nodes."""

from __future__ import annotations

import numpy as np

from .graph import Graph
from .groups import Groups

Leg = tuple[np.ndarray, np.ndarray]
AT_ONCE = 4_000_000  # flows times nodes that are looked up in tables: some 50 MB


def legs(graph: Graph, src: np.ndarray, dst: np.ndarray) -> list[Leg]:
    """Return the k-th edges of all shortest paths, for k = 0, 1, ...: one (flow, edge) row for each edge a flow may take.

    Raises:
        ValueError: a flow from a node to itself, or between nodes that no path joins.
    """
    if (same := src[src == dst]).size:
        raise ValueError(f"a flow must go to another node than it comes from; got {graph.nodes[same[0]]} twice.")
    hops: dict[int, list[Leg]] = {}
    many = max(AT_ONCE // len(graph.nodes), 1)
    for first in range(0, len(src), many):
        for hop, flow, edge in _some_legs(graph, src[first : first + many], dst[first : first + many]):
            hops.setdefault(hop, []).append((flow + first, edge))
    return [tuple(map(np.concatenate, zip(*hops[hop], strict=True))) for hop in sorted(hops)]


def _some_legs(graph: Graph, src: np.ndarray, dst: np.ndarray) -> list[tuple[int, np.ndarray, np.ndarray]]:
    ahead = _Side(graph.leaving, graph.dst, src, len(graph.nodes))
    back = _Side(graph.entering, graph.src, dst, len(graph.nodes))
    waiting, found = np.ones(len(src), dtype=bool), []
    while waiting.any():
        side = min(ahead, back, key=lambda one: len(one.steps))
        if not side.front.size:
            lost = np.flatnonzero(waiting)[0]
            raise ValueError(f"{graph.name} has no path from {graph.nodes[src[lost]]} to {graph.nodes[dst[lost]]}.")
        side.grow()
        # The two sides first meet when their steps add up to the shortest path: all its middle nodes are there at once.
        met = ahead.front[back.seen[ahead.front]]
        before, after = ahead.edges_to(met), back.edges_to(met)
        found += [(hop, *leg) for hop, leg in enumerate([*before[::-1], *after]) if met.size]
        waiting[met // len(graph.nodes)] = False
        for one in (ahead, back):
            one.front = one.front[waiting[one.front // len(graph.nodes)]]
    return found


class _Side:
    """What flows reach from one of their ends, step by step. A key is flow * nodes + node."""

    def __init__(self, edges: Groups, onward: np.ndarray, ends: np.ndarray, nodes: int):
        self.edges, self.onward, self.nodes = edges, onward, nodes
        self.front = np.arange(len(ends)) * nodes + ends
        self.seen, self.marked = np.zeros((2, len(ends) * nodes), dtype=bool)
        self.seen[self.front] = True
        self.place = np.empty(len(ends) * nodes, dtype=np.int32)
        self.steps = []  # for each step the keys it came from, the edges it took, and the keys it led to

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
