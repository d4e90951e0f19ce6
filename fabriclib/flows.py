"""Flows: what each transfer gets when many share the links. Routes over all shortest paths, then max-min fair sharing.

GPUs that their own links join talk over these; all else goes through the PCIe tree and the network. Hardware striping: a
flow spreads over all shortest paths at once, at every fork in proportion to what each way on can carry. Max-min fairness:
all flows grow together; when an edge is full, the flows on it stop, and the others go on.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from . import units
from .checks import count, number, short, typed, whole
from .shown import sentence
from .topology import Graph
from .topology.groups import Groups
from .topology.shortest import first_legs, legs
from .topology.widest import widths

SAME = 1e-9  # fair levels and finishing times closer than this, relatively, are one
MOST_RANKS = 4096  # for a flow between all of them: 17 million
MOST_IN_RING = 1_000_000


class Routing(NamedTuple):
    """Which edges each flow uses: on edges[i], flow flow[i] sends the share fraction[i] of its rate.

    `latency` has one entry a flow: seconds along the slowest of its paths.
    """

    flow: np.ndarray
    edge: np.ndarray
    fraction: np.ndarray
    latency: np.ndarray


@typed
def route(graph: Graph, src, dst) -> Routing:
    """Return the routes of flows from node numbers *src* to *dst*, one each.

    Between GPUs that their own links join, those links are used, and no others; between all others, all but those.
    A flow is spread over all shortest paths, but for the GPUs' own links of a graph whose `routes` are "widest" or "all widest".

    Raises:
        ValueError: a flow from a node to itself, or between nodes that no path joins.

    >>> from fabriclib.topology import server
    >>> float(route(server("mi300x"), [0], [1]).fraction.sum())
    1.0
    """
    src, dst = graph.among("src", src), graph.among("dst", dst)
    if src.shape != dst.shape:
        raise ValueError(f"src and dst must be equally many node numbers; got {len(src)} and {len(dst)}.")
    inside, latency, columns = graph.islands[src] == graph.islands[dst], np.empty(len(src)), []
    one = {"widest": _first, "all widest": _spread}.get(graph.routes)
    own = functools.partial(_over_widest, one) if one else _spread
    for some, edges, part, how in ((inside, graph.own, graph.inner, own),
                                   (~inside, graph.beyond, graph.tree, _spread)):
        if some.any():
            found = how(part, src[some], dst[some])
            latency[some] = found.latency
            columns.append((np.flatnonzero(some)[found.flow], np.flatnonzero(edges)[found.edge], found.fraction))
    return _joined(columns, latency)


def _joined(parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]], latency: np.ndarray) -> Routing:
    """Return all *parts*, each (flow, edge, fraction), as one routing."""
    flow, edge, fraction = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Routing(flow, edge, fraction, latency)


def _over_widest(how: Callable[..., Routing], graph: Graph, src: np.ndarray, dst: np.ndarray) -> Routing:
    """Send each flow over its widest paths, of those the shortest: *how* takes one, or spreads the flow over all."""
    least, latency, columns = widths(graph)[src, dst], np.empty(len(src)), []
    for width in np.unique(least):
        wide, some = np.flatnonzero(graph.capacity >= max(width, np.finfo(float).tiny)), least == width
        found = how(graph.over(wide), src[some], dst[some])
        latency[some] = found.latency
        columns.append((np.flatnonzero(some)[found.flow], wide[found.edge], found.fraction))
    return _joined(columns, latency)


def _first(graph: Graph, src: np.ndarray, dst: np.ndarray) -> Routing:
    """Send each flow along the first of its shortest paths."""
    flow, edge = (np.concatenate(column) for column in zip(*first_legs(graph, src, dst), strict=True))
    return Routing(flow, edge, np.ones(len(flow)), np.bincount(flow, graph.latency[edge]))


def _spread(graph: Graph, src: np.ndarray, dst: np.ndarray) -> Routing:
    """Spread each flow over all shortest paths."""
    nodes, flows = len(graph.nodes), len(src)
    stages, forks = [np.arange(flows) * nodes + src], []
    for flow, edge in legs(graph, src, dst):
        after, head = np.unique(flow * nodes + graph.dst[edge], return_inverse=True)
        forks.append((np.searchsorted(stages[-1], flow * nodes + graph.src[edge]), edge, head))
        stages.append(after)
    ways, latency = _ways(graph, stages, forks)
    share: np.ndarray = np.ones(flows)
    pieces = []
    for stage, (tail, edge, head), (way, total) in zip(stages, forks, ways, strict=False):
        fraction = share[tail] * way / total[tail]
        pieces.append((stage[tail] // nodes, edge, fraction))
        share = np.bincount(head, fraction)
    return _joined(pieces, latency)


def _ways(graph: Graph, stages, forks):
    """Go back from the targets: what each edge of a fork can carry on, what each fork can, and the time ahead of it."""
    ways, beyond, ahead = [], np.full(len(stages[-1]), np.inf), np.zeros(len(stages[-1]))
    for stage, (tail, edge, head) in zip(stages[-2::-1], forks[::-1], strict=True):
        way = np.minimum(graph.capacity[edge], beyond[head])
        total = np.bincount(tail, way, minlength=len(stage))
        ways.append((way, total))
        later, ahead = graph.latency[edge] + ahead[head], np.zeros(len(stage))
        np.maximum.at(ahead, tail, later)
        beyond = np.where(total > 0, total, np.inf)  # a target passes on whatever reaches it
    return ways[::-1], ahead


@typed
def max_min(routing: Routing, capacity) -> tuple[np.ndarray, np.ndarray]:
    """Return (rates, bottlenecks): the max-min fair rate of each flow and the number of the edge that stops it.

    Progressive filling (Bertsekas and Gallager, Data Networks, 2nd ed. 1992, 6.5.2). Edges of *capacity* bytes per second; a
    flow that uses no edge is given an infinite rate and the bottleneck -1. Among edges that fill together the first is named.

    Raises:
        ValueError: no Routing, or capacities that are not one positive number an edge.

    >>> two = Routing(np.array([0, 1]), np.array([0, 0]), np.ones(2), np.zeros(2))
    >>> max_min(two, [1e9])[0].tolist()
    [500000000.0, 500000000.0]
    """
    flow, edge, fraction, latency = routing
    capacity = _capacities(routing, capacity)
    of_flow, of_edge = Groups(flow, len(latency)), Groups(edge, len(capacity))
    weight, users = np.bincount(edge, fraction, minlength=len(capacity)), of_edge.sizes.copy()
    left, level = np.array(capacity, dtype=float), 0.0
    rates, bottleneck = np.full(len(latency), np.inf), np.full(len(latency), -1)
    while users.any():
        used = np.flatnonzero(users)
        levels = np.maximum(left[used] / weight[used], level)  # rounding must not let the water fall
        level = levels.min()
        tight = used[levels <= level * (1 + SAME)]
        entry = of_edge.of(tight)[1]
        entry = entry[bottleneck[flow[entry]] < 0]
        stopped, first = np.unique(flow[entry], return_index=True)
        rates[stopped], bottleneck[stopped] = level, edge[entry[first]]
        gone = of_flow.of(stopped)[1]
        np.subtract.at(users, edge[gone], 1)
        np.subtract.at(weight, edge[gone], fraction[gone])
        np.subtract.at(left, edge[gone], fraction[gone] * level)
        users[tight] = 0
    return rates, bottleneck


def _capacities(routing: Routing, capacity) -> np.ndarray:
    capacity, last = np.atleast_1d(number("capacity", capacity)), routing.edge.max(initial=-1)
    if capacity.ndim > 1 or len(capacity) <= last:
        raise ValueError(f"capacity must be one number for each edge, the last in use being {last}; got shape {capacity.shape}.")
    return capacity


def _sizes(routing: Routing, nbytes) -> np.ndarray:
    nbytes, flows = np.asarray(number("nbytes", nbytes, zero=True)), len(routing.latency)
    if nbytes.shape != (flows,):
        raise ValueError(f"nbytes must be one number for each of the {flows} flows; got shape {nbytes.shape}.")
    return nbytes


@typed
def finish(routing: Routing, capacity, nbytes) -> float:
    """Return the seconds until the last of the flows is done: all start together, each with *nbytes* (one entry a flow).

    Whenever a flow ends, the others share what it leaves free. Latency is not counted.

    Raises:
        ValueError: no Routing, capacities that are not one positive number an edge, or negative bytes.

    >>> two = Routing(np.array([0, 1]), np.array([0, 0]), np.ones(2), np.zeros(2))
    >>> finish(two, [1e9], [1e9, 3e9])
    4.0
    """
    capacity, left, seconds = _capacities(routing, capacity), _sizes(routing, nbytes).copy(), 0.0
    while (going := left > 0).any():
        flow, edge, fraction = (column[going[routing.flow]] for column in routing[:3])
        weight = np.bincount(edge, fraction, minlength=len(capacity)) / capacity
        busiest = (np.bincount(edge, fraction * left[flow], minlength=len(capacity)) / capacity).max()
        # No flow ever gets less than 1 / max(weight). If that is enough to end with the busiest edge, nothing need be
        # solved: so it is whenever all flows are equally long.
        if left.max() * weight.max() <= busiest * (1 + SAME):
            return float(seconds + busiest)
        rates = max_min(Routing(flow, edge, fraction, routing.latency), capacity)[0][going]
        times = left[going] / rates
        step = times.min()
        seconds += step
        left[going] = np.where(times > step * (1 + SAME), left[going] - rates * step, 0.0)
    return float(seconds)


@typed
def finish_each(routing: Routing, capacity, nbytes, ends) -> np.ndarray:
    """Return what `finish` says of each run of flows, the runs one after another: run i ends before flow ends[i].

    As an array, (runs,), in a few calls for all runs; only a run whose shorter flows leave links free is solved by itself.

    Raises:
        ValueError: what `finish` refuses, or ends that do not rise to the number of flows.

    >>> two = Routing(np.array([0, 1]), np.array([0, 0]), np.ones(2), np.zeros(2))
    >>> finish_each(two, [1e9], [1e9, 3e9], [1, 2]).tolist()
    [1.0, 3.0]
    """
    capacity, nbytes = _capacities(routing, capacity), _sizes(routing, nbytes)
    ends = np.atleast_1d(whole("ends", ends, high=len(nbytes))).astype(np.intp, copy=False)
    if ends.ndim > 1 or ends[-1] != len(nbytes) or np.any(np.diff(ends) <= 0):
        raise ValueError(f"ends must rise to the {len(nbytes)} flows; got {short(ends.tolist())}.")
    run, shape = np.searchsorted(ends, np.arange(len(nbytes)), side="right"), (len(ends), len(capacity))
    flow, edge, fraction = (column[nbytes[routing.flow] > 0] for column in routing[:3])
    cell = run[flow] * shape[1] + edge
    weight = (np.bincount(cell, fraction, minlength=shape[0] * shape[1]).reshape(shape) / capacity).max(axis=1)
    busiest = (np.bincount(cell, fraction * nbytes[flow], minlength=shape[0] * shape[1]).reshape(shape) / capacity).max(axis=1)
    longest = np.maximum.reduceat(np.asarray(nbytes, dtype=float), np.append(0, ends[:-1]))
    for i in np.flatnonzero(longest * weight > busiest * (1 + SAME)).tolist():
        own, start = run[routing.flow] == i, ends[i - 1] if i else 0
        alone = Routing(routing.flow[own] - start, routing.edge[own], routing.fraction[own], routing.latency[start:ends[i]])
        busiest[i] = finish(alone, capacity, nbytes[start:ends[i]])
    return busiest


@dataclass(frozen=True, eq=False)
class Share:
    """What each flow gets: from *src* to *dst* (node numbers) at *rates* bytes per second, stopped by edge *bottleneck*."""

    graph: Graph
    src: np.ndarray
    dst: np.ndarray
    rates: np.ndarray
    bottleneck: np.ndarray
    routing: Routing

    @property
    def total(self) -> float:
        """All rates together, in bytes per second."""
        return float(self.rates.sum())

    @property
    def load(self) -> np.ndarray:
        """Bytes per second on each edge of the graph."""
        carried = self.rates[self.routing.flow] * self.routing.fraction
        return np.bincount(self.routing.edge, carried, minlength=len(self.graph.src))

    def table(self):
        """Return one row a flow as a DataFrame: from, to, rate in GB/s, and the edge that limits it."""
        import pandas as pd

        names = np.array(self.graph.nodes)
        ends = zip(names[self.graph.src[self.bottleneck]], names[self.graph.dst[self.bottleneck]], strict=True)
        return pd.DataFrame({"from": names[self.src], "to": names[self.dst], "GB/s": self.rates / units.GB,
                             "limited by": [f"{a} to {b}" for a, b in ends]})

    def __repr__(self) -> str:
        low, high = (units.format(rate, "B/s") for rate in (self.rates.min(), self.rates.max()))
        each = low if low == high else f"{low} to {high}"
        flows = "1 flow" if len(self.rates) == 1 else f"{len(self.rates)} flows"
        return f"<{flows} over {self.graph.name}: {each} each, {units.format(self.total, 'B/s')} together>"

    _repr_html_ = sentence


@typed
def share(graph: Graph, pairs) -> Share:
    """Return what flows that start together and never end get of a graph's links.

    Args:
        graph: a server or fabric.
        pairs: the flows, as (from, to): node names, or numbers that count the GPUs; a pattern such as `ring(8)` is that too.

    Raises:
        ValueError: no graph, no flow, unknown nodes, a flow from a node to itself, or no path.

    >>> from fabriclib.topology import server
    >>> share(server("hgx-h100"), [("gpu0", "gpu1")])
    <1 flow over HGX H100: 450 GB/s each, 450 GB/s together>
    >>> share(server("mi300x"), all_to_all(8))
    <56 flows over MI300X platform: 64 GB/s each, 3.58 TB/s together>
    """
    try:
        ends = np.asarray(pairs)
    except ValueError:
        ends = np.array([])
    if ends.ndim != 2 or ends.shape[1] != 2 or not len(ends):
        raise ValueError(f"pairs must be a list of (from, to), at least one; got {short(pairs)}.")
    src, dst = graph.numbers(ends).T
    routing = route(graph, src, dst)
    return Share(graph, src, dst, *max_min(routing, graph.capacity), routing)


def one_pair(ranks: int) -> np.ndarray:
    """Return the flow from GPU 0 to GPU 1, as rows (from, to).

    Raises:
        ValueError: *ranks* is not whole, or below 2.

    >>> one_pair(8)
    array([[0, 1]])
    """
    count("ranks", ranks, low=2)
    return np.array([[0, 1]])


def ring(order) -> np.ndarray:
    """Return the flows of one ring, as rows (from, to): every rank to the next one.

    Args:
        order: the ranks as they stand in the ring, or how many for 0, 1, 2 and so on.

    Raises:
        ValueError: fewer than two ranks, or one of them twice.

    >>> ring(3).tolist(), ring([0, 2, 1]).tolist()
    ([[0, 1], [1, 2], [2, 0]], [[0, 2], [2, 1], [1, 0]])
    """
    order = whole("order", order, low=0)
    order = np.arange(count("order", order, low=2, high=MOST_IN_RING)) if isinstance(order, int) else order
    if order.ndim != 1 or len(np.unique(order)) != len(order) or len(order) < 2:
        raise ValueError(f"order must list at least two different ranks, each once; got {short(order.tolist())}.")
    return np.stack([order, np.roll(order, -1)], axis=1)


def all_to_all(ranks: int) -> np.ndarray:
    """Return a flow from every GPU to every other one, as rows (from, to).

    Raises:
        ValueError: *ranks* is not a whole number from 2 to 4096.

    >>> len(all_to_all(8))
    56
    """
    ranks = count("ranks", ranks, low=2, high=MOST_RANKS)
    src, others = np.arange(ranks)[:, None], np.arange(ranks - 1)
    pairs = np.empty((ranks, ranks - 1, 2), dtype=np.intp)
    pairs[..., 0], pairs[..., 1] = src, others + (others >= src)
    return pairs.reshape(-1, 2)
