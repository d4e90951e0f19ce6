"""Rings that share no link, so that together they use all of a GPU's links, or all NICs of a server."""

from __future__ import annotations

import functools
import random

import numpy as np

from ..checks import typed
from .graph import Graph

ATTEMPTS, PATIENCE = 100, 2000  # times to start again, and nodes to try in the search for one ring
MOST = 256  # GPUs among which rings are searched for


@typed
def disjoint_rings(graph: Graph, ranks: int | None = None) -> list[list[int]]:
    """Return rings through the first *ranks* GPUs over direct links, as orders of GPU numbers; no two share a link.

    As many as the links allow, or as a search found in a fixed number of steps. A directed mesh of 8 is taken apart into
    7 of them (Tillson, J. Combinatorial Theory B 29:68, 1980: possible for all sizes but 4 and 6). Without direct links
    between the GPUs there are none, and among more than 256 none is searched for. The first ring is 0, 1, 2, ... where the
    links allow it.

    >>> from fabriclib.topology import server
    >>> len(disjoint_rings(server("mi300x"))), len(disjoint_rings(server("hgx-h100")))
    (7, 0)
    """
    gpus = graph.gpus[:ranks]
    place = np.full(len(graph.nodes), -1)
    place[gpus] = np.arange(len(gpus))
    a, b = place[graph.src], place[graph.dst]
    direct = (a >= 0) & (b >= 0)
    if not direct.any() or len(gpus) > MOST:
        return []
    links = np.zeros((len(gpus), len(gpus)), dtype=int)
    np.add.at(links, (a[direct], b[direct]), graph.count[direct])
    return [list(ring) for ring in _rings(tuple(map(tuple, links.tolist())))]


@typed
def rail_rings(graph: Graph, ranks: int | None = None) -> list[list[int]]:
    """Return a ring for each GPU of a server through the first *ranks* GPUs, as orders of GPU numbers: one for each NIC.

    A ring goes round every server over the GPUs' own links, and from the last GPU of one server to the GPU of the same place
    in the next: on a rail-optimised fabric that is one switch away. As it may not leave a server where it came in, it leaves
    one place further down, and one further up in the next server, and so on; with an odd number of servers the last two both
    go down. (Servers of two GPUs have no third place: where their number is odd, one step of each ring crosses the rails.)

    One server, servers of different sizes, or one of which a part only is in use: no rings.

    >>> from fabriclib.topology import fabric
    >>> rail_rings(fabric("rail-optimised", gpus=8, per_server=4, radix=8))[1]
    [1, 2, 3, 0, 4, 6, 7, 5]
    """
    all_islands = graph.islands[graph.gpus]
    island = all_islands[:ranks]
    server, size = np.unique(island, return_counts=True)
    many, servers = int(size[0]), len(server)
    if servers < 2 or not np.array_equal(island, np.repeat(server, many)) or np.isin(all_islands, server).sum() > len(island):
        return []
    enters = -(np.arange(servers) % 2)
    if servers % 2:
        enters[-1] = -2
    at = (np.arange(many)[:, None] + enters) % many  # a row a ring, a column a server
    way = (at[..., None] + np.arange(many)) % many
    end_last = np.argsort(way == np.roll(at, -1, axis=1)[..., None], axis=-1, kind="stable")
    place = np.take_along_axis(way, end_last, axis=-1)
    return (place + many * np.arange(servers)[:, None]).reshape(many, -1).tolist()


@functools.lru_cache(maxsize=64)
def _rings(links: tuple[tuple[int, ...], ...]) -> tuple[tuple[int, ...], ...]:
    """Take rings out of *links* (how many from a to b) at random, start again while better is possible: seeded, so fixed."""
    if len(links) < 2:
        return ()
    most = min(sum(row) for way in (links, zip(*links, strict=True)) for row in way)
    if len(links) in (4, 6) and all(links[a][b] == (a != b) for a in range(len(links)) for b in range(len(links))):
        most -= 1  # the two meshes that cannot be taken apart
    best: tuple[tuple[int, ...], ...] = ()
    for seed in range(ATTEMPTS):
        if len(best) == most:
            break
        best = max(best, _attempt(links, random.Random(seed)), key=len)
    return best


def _attempt(links, draw: random.Random) -> tuple[tuple[int, ...], ...]:
    left = [list(row) for row in links]
    found: list[tuple[int, ...]] = []
    while ring := _ring(left, draw if found else None):
        found.append(ring)
        for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
            left[a][b] -= 1
    return tuple(found)


def _ring(left: list[list[int]], draw: random.Random | None) -> tuple[int, ...]:
    """Return a ring from 0 through every node over links that are left, by depth-first search; none found: empty."""
    size, ways = len(left), [[0]]
    onto = [[node for node in range(size) if row[node]] for row in left]
    path: list[int] = []
    for _ in range(PATIENCE):
        while ways and not ways[-1]:
            ways.pop()
            if path:
                path.pop()
        if not ways:
            return ()
        path.append(ways[-1].pop())
        if len(path) == size and left[path[-1]][0]:
            return tuple(path)
        onward = [node for node in onto[path[-1]] if node not in path]
        if draw:
            draw.shuffle(onward)
        ways.append(onward[::-1])
    return ()
