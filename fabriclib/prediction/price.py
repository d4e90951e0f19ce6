"""The price of every route of a collective on a machine, ready for any number of sizes."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from ..checks import Numbers
from .reach import Reach
from .routes import NETWORK, NODE, Route


class Price(NamedTuple):
    """What a route costs: seconds, and seconds per byte; numbers, or arrays over the numbers of nodes.

    Fields:
        name, place: as in Route.
        start: latency of the smallest message. more: what is added to it beyond the eager limit, *cutoff* bytes.
        per_byte: seconds for each of the n bytes.
        ramps: for each pipeline (most, filled, shape): the seconds that filling it adds at most, the seconds on the wire at which
            that is reached, and the power of them with which it begins. The longest ramp counts.
        possible: where this route can be taken. taken: where the library takes it without being told to.
    """

    name: str
    place: str | np.ndarray
    start: Numbers
    more: Numbers
    cutoff: Numbers
    per_byte: Numbers
    ramps: tuple[tuple[Numbers, Numbers, Numbers], ...]
    possible: np.ndarray
    taken: bool | np.ndarray

    def parts(self, nbytes) -> tuple:
        """Return (latency, wire, ramp) in seconds for messages of *nbytes*."""
        latency = self.start
        if np.any(self.more):
            beyond = np.square(nbytes / self.cutoff)
            latency = latency + self.more * (beyond / (1 + beyond))
        wire = nbytes * self.per_byte
        return latency, wire, functools.reduce(np.maximum, [_ramp(wire, *one) for one in self.ramps])

    def time(self, nbytes):
        """Return the seconds on the devices: latency + wire + ramp."""
        latency, wire, ramp = self.parts(nbytes)
        return latency + wire + ramp


def _ramp(wire, most, filled, shape):
    """Return the seconds that filling a pipeline adds: they grow with a power of those on the wire, and end at *filled*."""
    x = np.minimum(wire / filled, 1.0) ** shape
    return most * (x * (2 - x))


def prices(r: Reach, collective: str, nodes) -> list[Price]:
    """Return the price of every route that a library has, inside a node and between nodes, for *nodes* of them."""
    alone = np.asarray(nodes) == 1
    found = []
    if alone.any():
        found += [_in_node(route, r, alone) for route in NODE[collective](r)]
    if not alone.all():
        r = r.among(nodes)
        found += [_between_nodes(route, r, nodes, ~alone) for route in NETWORK[collective](r, nodes)]
    return found


def _in_node(route: Route, r: Reach, alone) -> Price:
    some = np.where(np.asarray(r.gpus) > 1, 1.0, 0.0)  # one GPU has nobody to talk to: launching is all
    most, filled, shape = _node_ramp(r, route)
    return Price(route.name, route.place, some * (r.base + route.steps * r.step), 0.0, r.cutoff, some * route.per_byte,
                 ((some * most, filled, shape),), alone, route.taken)


def _between_nodes(route: Route, r: Reach, nodes, many) -> Price:
    start = r.base + route.steps * r.chain + route.hops * r.eager
    more = 0.0 if route.overlapped else route.hops * (r.bulk - r.eager)
    # The pipeline is as deep as a tree over the nodes, and the chains of GPUs below it; each node fills its own as well.
    depth = r.base + 2 * (r.gpus - 1) * r.chain + 2 * np.log2(np.maximum(nodes, 2)) * r.bulk
    return Price(route.name, route.place, start, more, r.cutoff / route.share, route.per_byte,
                 ((r.fill[1] * depth, r.filled[1] * depth, r.shape), _node_ramp(r, route)), many, route.taken)


def _node_ramp(r: Reach, route: Route) -> tuple:
    """Return (most, filled, shape), as in Price, of the pipeline along the GPUs of a node."""
    depth = r.base + np.minimum(route.steps, 2 * (r.gpus - 1)) * r.step
    return r.fill[0] * depth, r.filled[0] * np.maximum(depth, r.step), r.shape
