"""Cuts: how much a graph carries from one set of nodes to another, and from one half of its GPUs to the other."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from ..checks import typed, whole
from .graph import Graph

MOST_GPUS = 12  # 462 ways to halve them


def bisection(graph: Graph) -> float:
    """Return bytes per second, one way, over the worst balanced cut of the GPUs, or over the declared one (`half`).

    Over the GPUs' own links, where these join them all.
    """
    graph = graph.inner if len(set(graph.islands[graph.gpus].tolist())) == 1 else graph
    if graph.half is not None:
        return float(graph.capacity[graph.half[graph.src] & ~graph.half[graph.dst]].sum())
    gpus = graph.gpus
    if not 2 <= len(gpus) <= MOST_GPUS:
        raise ValueError(f"bisection tries every cut for 2 to {MOST_GPUS} GPUs; {graph.name} has {len(gpus)}: "
                         "give the graph the cut to take (half).")
    halves = [list(half) for half in combinations(range(len(gpus)), len(gpus) // 2)]
    return min(max_flow(graph, gpus[half], np.delete(gpus, half)) for half in halves)


@typed
def max_flow(graph: Graph, sources: np.ndarray, targets: np.ndarray) -> float:
    """Return the most bytes per second that all *sources* (node numbers) together can send to all *targets*.

    Shortest augmenting paths (Edmonds and Karp, 1972): this is also the capacity of the smallest cut between the two.
    """
    whole("sources", sources, low=0, high=len(graph.nodes) - 1)
    whole("targets", targets, low=0, high=len(graph.nodes) - 1)
    room = [{} for _ in graph.nodes]
    for a, b, capacity in zip(graph.src.tolist(), graph.dst.tolist(), graph.capacity.tolist(), strict=True):
        room[a][b] = room[a].get(b, 0.0) + capacity
        room[b].setdefault(a, 0.0)
    starts, ends, total = np.asarray(sources).tolist(), set(np.asarray(targets).tolist()), 0.0
    while path := _augmenting(room, starts, ends):
        least = min(room[a][b] for a, b in path)
        for a, b in path:
            room[a][b] -= least
            room[b][a] += least
        total += least
    return total


def _augmenting(room: list[dict[int, float]], starts: list[int], ends: set[int]) -> list[tuple[int, int]]:
    """Return the edges of a shortest path with room on it, last edge first; none: an empty list."""
    before = dict.fromkeys(starts)
    queue = list(starts)
    for at in queue:
        for after, capacity in room[at].items():
            if capacity > 0 and after not in before:
                before[after] = at
                if after in ends:
                    path = []
                    while before[after] is not None:
                        path.append((before[after], after))
                        after = before[after]
                    return path
                queue.append(after)
    return []
