"""Cuts: how much a network carries from one set of nodes to another, and from one half of its GPUs to the other."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

Room = list[dict[int, float]]  # for each node, how much can still go from it to each node that it has an edge to or from
MOST_GPUS = 12  # 462 ways to halve them


def worst_half(free: Room, gpus: list[int]) -> float:
    """Return the least that any half of the *gpus* can send to the other half."""
    halves = list(combinations(gpus, len(gpus) // 2))
    if len(gpus) % 2 == 0 and all(free[b][a] == rate for a, to in enumerate(free) for b, rate in to.items()):
        halves = halves[:len(halves) // 2]  # the others are their counterparts, and get as much back
    return min(max_flow(free, half, [gpu for gpu in gpus if gpu not in half]) for half in halves)


def max_flow(free: Room, sources: Sequence[int], targets: Sequence[int]) -> float:
    """Return the most that all *sources* together can send to all *targets*.

    Shortest augmenting paths (Edmonds and Karp, 1972): this is also the capacity of the smallest cut between the two.
    """
    left, ends, total = [dict(to) for to in free], set(targets), 0.0
    while path := _augmenting(left, sources, ends):
        least = min(left[a][b] for a, b in path)
        for a, b in path:
            left[a][b] -= least
            left[b][a] += least
        total += least
    return total


def _augmenting(free: Room, starts: Sequence[int], ends: set[int]) -> list[tuple[int, int]]:
    """Return the edges of a shortest path with room on it, last edge first; none: an empty list."""
    before: dict[int, int] = {}
    queue, seen = list(starts), set(starts)
    for at in queue:
        for after, capacity in free[at].items():
            if capacity > 0 and after not in seen:
                before[after] = at
                seen.add(after)
                queue.append(after)
                if after in ends:
                    path = [(at, after)]
                    while (back := path[-1][0]) in before:
                        path.append((before[back], back))
                    return path
    return []
