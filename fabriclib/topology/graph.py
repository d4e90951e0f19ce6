"""Graphs: devices, switches and the links between them, as arrays, so that a server and a large fabric are the same thing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .. import units
from ..checks import known, number, typed, whole
from ..links import Link
from ..shown import sentence
from . import cuts, folding
from .groups import Groups

ROUTES = ("all shortest", "widest", "all widest")


@dataclass(frozen=True, eq=False)
class Cables:
    """Links laid between nodes a[i] and b[i], `count` of them side by side; each carries both directions at once.

    `a`, `b` and `count` broadcast. `latency` is seconds one way along the cable; the link's own when not given.
    """

    a: ArrayLike
    b: ArrayLike
    link: Link
    count: ArrayLike = 1
    latency: float | None = None


@typed
@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes, and directed edges between them: one array entry a node, one an edge.

    Args:
        name: what it is.
        nodes: their names, each once.
        kinds: what each node is: "gpu"; "switch", of the GPUs' own links (an NVSwitch); of a server's
            PCIe tree "cpu", "root", "pcie-switch", "retimer", "nic", "ssd"; of a fabric "leaf", "spine", "core", "router".
        src, dst: the node numbers that an edge leads from and to.
        capacity: bytes per second one way, of all parallel links of the edge together.
        count: how many parallel links the edge is.
        latency: seconds along the edge.
        link: the catalogue id of the edge's link.
        half: the nodes on one side of the cut that halves the GPUs (a mask), for graphs too large to search for it.
        routes: how traffic goes over the GPUs' own links: spread over "all shortest" paths, along the one "widest" (the
            first of several that are as wide and as short), or spread over "all widest".

    Raises:
        ValueError: names that repeat, columns of different lengths, edges that lead nowhere or carry nothing.
    """

    _example = "server('hgx-h100')"

    name: str
    nodes: tuple[str, ...]
    kinds: np.ndarray
    src: np.ndarray
    dst: np.ndarray
    capacity: np.ndarray
    count: np.ndarray
    latency: np.ndarray
    link: np.ndarray
    half: np.ndarray | None = None
    routes: str = "all shortest"

    def __post_init__(self):
        if len(self._numbers) < len(self.nodes):
            twice = next(name for i, name in enumerate(self.nodes) if self._numbers[name] != i)
            raise ValueError(f"nodes must have different names; {twice!r} comes more than once in {self.name}.")
        lengths = {field: len(getattr(self, field)) for field in ("src", "dst", "capacity", "count", "latency", "link")}
        if len(set(lengths.values())) > 1 or len(self.kinds) != len(self.nodes):
            raise ValueError(f"edges and nodes of {self.name} must have columns of one length; got {lengths}, "
                             f"{len(self.nodes)} nodes and {len(self.kinds)} kinds.")
        if len(self.src):
            whole("src", self.src, low=0, high=len(self.nodes) - 1)
            whole("dst", self.dst, low=0, high=len(self.nodes) - 1)
            number("capacity", self.capacity)
            whole("count", self.count)
            number("latency", self.latency, zero=True)
        known("routes", self.routes, ROUTES)
        if (loops := self.src[self.src == self.dst]).size:
            raise ValueError(f"an edge must join two different nodes; {self.name} has one from {self.nodes[loops[0]]} to itself.")

    @classmethod
    @typed
    def wired(cls, name: str, nodes: dict[str, str], cables: list[Cables], half: np.ndarray | None = None,
              routes: str = "all shortest") -> Graph:
        """Return the graph of *nodes* ({name: kind}, numbered in that order) joined by *cables*, two edges for each.

        Raises:
            ValueError: cables that are none or join what is no node, or unknown routes.

        >>> from fabriclib.links import link
        >>> pair = Graph.wired("a pair", {"gpu0": "gpu", "gpu1": "gpu"}, [Cables([0], [1], link("nvlink4"), count=4)])
        >>> pair.capacity
        array([1.e+11, 1.e+11])
        """
        columns = [_edges(c) for c in cables]
        joined = [np.concatenate(column) for column in zip(*columns, strict=True)] or [np.array([], int)] * 6
        src, dst, capacity, count, latency, link = joined
        return cls(name, tuple(nodes), np.array(list(nodes.values())), src, dst, capacity, count, latency, link, half, routes)

    def __repr__(self) -> str:
        kinds, many = np.unique(self.kinds, return_counts=True)
        return f"<{self.name}: {', '.join(f'{m} {k}' for k, m in zip(kinds, many, strict=True))}, {len(self.src)} directed edges>"

    _repr_html_ = sentence

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {name: i for i, name in enumerate(self.nodes)}

    @cached_property
    def leaving(self) -> Groups:
        """The edges that leave each node."""
        return Groups(self.src, len(self.nodes))

    @cached_property
    def entering(self) -> Groups:
        """The edges that enter each node."""
        return Groups(self.dst, len(self.nodes))

    @cached_property
    def gpus(self) -> np.ndarray:
        """The node numbers of the GPUs: the node that rank i is, when nothing else is said."""
        return self.of_kind("gpu")

    @cached_property
    def own(self) -> np.ndarray:
        """Which edges are the GPUs' own links, from GPU to GPU or to a switch and among switches: a mask."""
        ends = np.isin(self.kinds, ("gpu", "switch"))
        return ends[self.src] & ends[self.dst]

    @cached_property
    def islands(self) -> np.ndarray:
        """For each node a number that nodes joined by the GPUs' own links share: the least node number among them."""
        label = np.arange(len(self.nodes))
        while True:
            least = label.copy()
            np.minimum.at(least, self.dst[self.own], label[self.src[self.own]])
            np.minimum.at(least, self.src[self.own], label[self.dst[self.own]])
            if np.array_equal(least, label):
                return label
            label = least[least]

    @cached_property
    def beyond(self) -> np.ndarray:
        """Which edges all other traffic uses: those that are not the GPUs' own links, a mask; between switches they are both."""
        gpu = self.kinds == "gpu"
        return ~(self.own & (gpu[self.src] | gpu[self.dst]))

    @cached_property
    def inner(self) -> Graph:
        """The same nodes with the GPUs' own links only."""
        return self if self.own.all() else self.over(self.own)

    @cached_property
    def tree(self) -> Graph:
        """The same nodes without the links that GPUs have of their own."""
        return self if self.beyond.all() else self.over(self.beyond)

    @cached_property
    def folded(self) -> Graph:
        """The same with like switches of a fabric merged: flows get on it what they get on the whole, and it routes faster."""
        if not np.isin(self.kinds, folding.ALIKE).any():
            return self
        sort = folding.sorts(self.capacity, self.latency, self.link)
        kept, new = folding.alike(self.kinds, self.src, self.dst, sort)
        edge = folding.together(new[self.src] * len(kept) + new[self.dst], sort)
        first = np.unique(edge, return_index=True)[1]
        return replace(self, nodes=tuple(self.nodes[i] for i in kept.tolist()), kinds=self.kinds[kept], half=None,
                       src=new[self.src[first]], dst=new[self.dst[first]], latency=self.latency[first], link=self.link[first],
                       capacity=np.bincount(edge, self.capacity), count=np.bincount(edge, self.count).astype(int))

    def over(self, edges) -> Graph:
        """Return the graph of the same nodes and of the chosen *edges* (a mask, or their numbers) only.

        Raises:
            ValueError: a mask of another length, or an edge that there is not.
        """
        if not (isinstance(edges, np.ndarray) and edges.dtype == bool and edges.shape == self.src.shape):
            edges = np.atleast_1d(whole("edges", edges, low=0, high=len(self.src) - 1)).ravel()
        columns = {field: getattr(self, field)[edges] for field in ("src", "dst", "capacity", "count", "latency", "link")}
        return replace(self, **columns)

    @typed
    def of_kind(self, kind: str) -> np.ndarray:
        """Return the node numbers of one kind.

        Raises:
            ValueError: *kind* is no text.
        """
        return np.flatnonzero(self.kinds == kind)

    def node(self, name: str) -> int:
        """Return the number of the node *name*.

        Raises:
            ValueError: no such node; the nearest names are suggested.
        """
        return self._numbers[known(f"node of {self.name}", name, self._numbers)]

    def numbers(self, ends) -> np.ndarray:
        """Return the node numbers of *ends*: node names, or whole numbers that count the GPUs.

        Raises:
            ValueError: a name the graph does not have, or a GPU number beyond the last.
        """
        try:
            named = np.asarray(ends)
        except Exception:  # anything may be passed, lists of different lengths too
            named = None
        if named is not None and named.dtype.kind in "US" and named.size:
            return np.array([self.node(name) for name in named.ravel().tolist()]).reshape(named.shape)
        return self.gpus[whole("a GPU's number", ends, low=0, high=len(self.gpus) - 1)]

    def among(self, name: str, nodes) -> np.ndarray:
        """Return the argument *name*, one or more node numbers, as a list of them; raise a ValueError if it is none."""
        number = whole(name, nodes, low=0, high=len(self.nodes) - 1)
        return np.atleast_1d(number).ravel().astype(np.intp, copy=False)  # as indices, in a 32-bit Python too

    def hops(self, targets) -> np.ndarray:
        """Return the fewest edges from every node to each of *targets*, as (targets, nodes); no way: the number of nodes.

        Raises:
            ValueError: a node that there is not.
        """
        nodes, at, steps = len(self.nodes), self.among("targets", targets), 0
        far, row = np.full((len(at), nodes), nodes), np.arange(len(at))
        while at.size:
            far[row, at] = steps
            steps += 1
            of, edge = self.entering.of(at)
            row, at = row[of], self.src[edge]
            new = far[row, at] == nodes
            row, at = np.divmod(np.unique(row[new] * nodes + at[new]), nodes)
        return far

    def paths(self, a: str, b: str) -> list[tuple[str, ...]]:
        """Return all shortest paths from node *a* to node *b*, fewest edges first of all, as tuples of node names.

        Raises:
            ValueError: an unknown node, twice the same node, or no path.

        >>> from fabriclib.topology import server
        >>> server("hgx-h100").paths("gpu0", "gpu1")[0]
        ('gpu0', 'nvswitch0', 'gpu1')
        """
        start, end = self.node(a), self.node(b)
        if start == end:
            raise ValueError(f"b must be another node than a; got {a!r} twice.")
        far = self.hops(np.array([end]))[0]
        if far[start] == len(self.nodes):
            raise ValueError(f"{self.name} has no path from {a} to {b}.")
        found: list[tuple[int, ...]] = [(start,)]
        for ahead in range(far[start] - 1, -1, -1):
            onward = (np.unique(self.dst[self.leaving.of(np.array(path[-1:]))[1]]).tolist() for path in found)
            found = [(*path, n) for path, after in zip(found, onward, strict=True) for n in after if far[n] == ahead]
        return [tuple(self.nodes[n] for n in path) for path in found]

    def parts(self):
        """Return what the graph is made of, as a DataFrame: devices by kind, and links (both directions are one link)."""
        import pandas as pd

        kinds, devices = np.unique(self.kinds, return_counts=True)
        names, which = np.unique(self.link, return_inverse=True)
        links = np.bincount(which, self.count, minlength=len(names)).astype(int) // 2
        return pd.DataFrame({"part": [*kinds, *names], "is": ["device"] * len(kinds) + ["link"] * len(names),
                             "count": [*devices, *links]})

    def edges(self):
        """Return the directed edges as a DataFrame, rates in GB/s one way."""
        import pandas as pd

        names = np.array(self.nodes)
        return pd.DataFrame({"from": names[self.src], "to": names[self.dst], "link": self.link, "links": self.count,
                             "GB/s one way": self.capacity / units.GB})

    def bisection(self) -> float:
        """Return bytes per second, one way, over the worst cut that halves the GPUs, or over the declared one.

        Raises:
            ValueError: too many GPUs to try every cut, and none declared.

        >>> from fabriclib.topology import server
        >>> server("hgx-h100").bisection(), server("mi300x").bisection()
        (1800000000000.0, 1024000000000.0)
        """
        graph = self.inner if len(np.unique(self.islands[self.gpus])) == 1 else self
        if graph.half is not None:
            return float(graph.capacity[graph.half[graph.src] & ~graph.half[graph.dst]].sum())
        if not 2 <= len(self.gpus) <= cuts.MOST_GPUS:
            raise ValueError(f"bisection tries every cut for 2 to {cuts.MOST_GPUS} GPUs; {self.name} has {len(self.gpus)}: "
                             "give the graph the cut to take (half).")
        return graph._worst_half

    def max_flow(self, sources, targets) -> float:
        """Return the most bytes per second that all *sources* (node numbers) together can send to all *targets*.

        Raises:
            ValueError: a node that there is not.

        >>> from fabriclib.topology import server
        >>> server("hgx-h100").max_flow([0, 1, 2], [7])
        450000000000.0
        """
        return cuts.max_flow(self._room, self.among("sources", sources).tolist(), self.among("targets", targets).tolist())

    @cached_property
    def _worst_half(self) -> float:
        return cuts.worst_half(self._room, self.gpus.tolist())

    @cached_property
    def _room(self) -> cuts.Room:
        free: cuts.Room = [{} for _ in self.nodes]
        for a, b, rate in zip(self.src.tolist(), self.dst.tolist(), self.capacity.tolist(), strict=True):
            free[a][b] = free[a].get(b, 0.0) + rate
            free[b].setdefault(a, 0.0)
        return free


def _edges(cables: Cables) -> list[np.ndarray]:
    """Return the columns src, dst, capacity, count, latency, link of both directions of *cables*."""
    a, b, count = (column.ravel() for column in np.broadcast_arrays(cables.a, cables.b, cables.count))
    latency = cables.link.latency if cables.latency is None else cables.latency
    rate = cables.link.bandwidth()
    one_way = [count * rate, count, np.full(len(a), latency), np.full(len(a), cables.link.id)]
    return [np.concatenate(pair) for pair in ((a, b), (b, a), *((column, column) for column in one_way))]
