"""A schedule on a graph: every message becomes a flow, and the flows of a step share the links."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from ..checks import count, short, typed, whole
from ..flows import finish_each, route
from ..topology import Graph, disjoint_rings, rail_rings
from .counts import Price
from .plan import Plan, Step

MOST_CHANNELS = 64
BATCH = 4096  # flows, and edges by the 64, that are priced together: more take memory and no less time
REDUCER = "reducer"  # the node behind the switches that add
ADDING = ("switch", "leaf")  # kinds of node that may: a server's NVSwitches, and a fabric's first switches


@typed
def line_on(schedule: Plan, graph: Graph, channels="auto", order=None) -> Price:
    """Return the time that *schedule* takes on *graph*; see `Schedule.line_on`."""
    if schedule.ranks > len(graph.gpus):
        raise ValueError(f"ranks must be at most {len(graph.gpus)}, the GPUs of {graph.name}; got {schedule.ranks}.")
    orders = _orders(schedule, graph, channels, order)
    nodes = [graph.gpus[one] for one in orders]
    if schedule.switches:
        graph = _with_reducer(schedule, graph, np.unique(np.concatenate(nodes)))
    graph = graph.folded  # GPUs keep their numbers
    if schedule.switches:
        nodes = [np.append(one, graph.nodes.index(REDUCER)) for one in nodes]
    unlike, which = schedule.steps
    latency, per_chunk = np.array(list(_prices(graph, nodes, unlike))).reshape(-1, 2)[which].sum(axis=0)
    if schedule.streamed and unlike:
        (_, per_chunk), = _prices(graph, nodes, [schedule.messages(np.zeros_like(schedule.step))[1:]])
    return Price(float(latency), float(per_chunk * schedule.share / len(orders)))


def _prices(graph: Graph, nodes: list[np.ndarray], steps: list[Step]) -> Iterator[tuple[float, float]]:
    """Yield each step's (latency, seconds a byte of chunk): every channel sends each message, between nodes of its own.

    Steps do not share links, but as many as make a batch are routed and priced together: that is several times as fast.
    """
    size = np.array([len(src) * len(nodes) for src, _, _ in steps], dtype=int)
    cost = size + len(graph.src) // 64
    batch = (np.cumsum(cost) - cost) // BATCH
    for number in np.unique(batch):
        some, ends = [steps[i] for i in np.flatnonzero(batch == number)], np.cumsum(size[batch == number])
        src, dst = (np.concatenate([one[step[end]] for step in some for one in nodes]) for end in (0, 1))
        routing = route(graph, src, dst)
        chunks = np.concatenate([np.tile(step[2], len(nodes)) for step in some])
        latency = np.maximum.reduceat(routing.latency, np.append(0, ends[:-1]))
        yield from zip(latency.tolist(), finish_each(routing, graph.capacity, chunks, ends).tolist(), strict=True)


def _orders(schedule: Plan, graph: Graph, channels, order) -> list[np.ndarray]:
    """Return for each channel the GPU number that plays each rank."""
    if not isinstance(channels, str):
        channels = count("channels", channels, high=MOST_CHANNELS)
    elif channels != "auto":
        raise ValueError(f"channels must be 'auto' or a whole number from 1 to {MOST_CHANNELS}; got {short(channels)}.")
    if order is not None:
        return _given_orders(schedule, graph, channels, order)
    way = _way_round(schedule)
    if not way:
        if channels not in ("auto", 1):
            raise ValueError(f"channels must be 1 or 'auto' for {schedule.collective} by {schedule.algorithm}, which does not go "
                             f"round a ring (or give order= a list of ranks for each channel); got {channels}.")
        return [np.arange(schedule.ranks)]
    rings = disjoint_rings(graph, schedule.ranks) or rail_rings(graph, schedule.ranks) or [list(range(schedule.ranks))]
    # Turned so that the root keeps its place in every ring.
    turned = [np.roll(ring[::way], schedule.root - ring[::way].index(schedule.root)) for ring in rings]
    return turned if channels == "auto" else [turned[i % len(turned)] for i in range(channels)]


def _way_round(schedule: Plan) -> int:
    """Return 1 or -1 if every message goes from rank r to rank r + 1, or to r - 1; else 0."""
    if schedule.switches:
        return 0
    far = [(dst - src) % schedule.ranks for src, dst, _ in schedule.steps[0]]
    return next((way for way in (1, -1) if all(np.all(one == way % schedule.ranks) for one in far)), 0)


def _given_orders(schedule: Plan, graph: Graph, channels, order) -> list[np.ndarray]:
    try:
        orders = np.atleast_2d(whole("order", order, low=0, high=len(graph.gpus) - 1))
    except ValueError as error:
        raise ValueError(f"order must list GPU numbers, or hold such a list for each channel: {error}") from None
    if orders.ndim != 2 or orders.shape[1] != schedule.ranks or any(len(np.unique(one)) < schedule.ranks for one in orders):
        raise ValueError(f"order must name {schedule.ranks} different GPUs, one a rank (or so for each channel); got "
                         f"{short(orders.tolist())}.")
    if channels not in ("auto", len(orders)):
        raise ValueError(f"channels must be {len(orders)}, as many as orders are given, or 'auto'; got {channels}.")
    return list(orders)


def _with_reducer(schedule: Plan, graph: Graph, ranks: np.ndarray) -> Graph:
    """Return *graph* with one node more behind all switches that every rank is linked to: together they do the reducing."""
    fan = [s for kind in ADDING for s in graph.of_kind(kind) if np.isin(ranks, graph.src[graph.dst == s]).all()]
    needs = f"{schedule.collective} by {schedule.algorithm} needs"
    if schedule.switches > 1:
        raise ValueError(f"{needs} {schedule.switches} switches one above the other; the switches of a graph act as one here.")
    if not fan:
        raise ValueError(f"{needs} a switch that every rank is linked to; {graph.name} has none.")
    hub, rates = np.full(len(fan), len(graph.nodes)), [graph.capacity[graph.src == s].sum() for s in fan]
    none = np.zeros(2 * len(fan))
    return replace(
        graph, nodes=(*graph.nodes, REDUCER), kinds=np.append(graph.kinds, "switch"),
        src=np.concatenate([graph.src, fan, hub]), dst=np.concatenate([graph.dst, hub, fan]),
        capacity=np.concatenate([graph.capacity, rates, rates]), count=np.append(graph.count, np.ones_like(none, dtype=int)),
        latency=np.append(graph.latency, none), link=np.append(graph.link, ["inside"] * len(none)))
