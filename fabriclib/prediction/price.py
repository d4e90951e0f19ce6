"""The price of every route of a collective on a machine, ready for any number of sizes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .reach import Reach
from .routes import NETWORK, NODE, Route


class Price(NamedTuple):
    """What a route costs: seconds, and seconds per byte; numbers, or arrays over the numbers of nodes.

    Fields:
        name, place: as in Route.
        start: latency of the smallest message. more: what is added to it beyond the eager limit, *cutoff* bytes.
        per_byte: seconds for each of the n bytes.
        fill: seconds that filling the pipeline adds at most, reached where the wire takes *filled* seconds.
        seen: as in Route. possible: where this route can be taken.
    """

    name: str
    place: str
    start: float
    more: float
    cutoff: float
    per_byte: float
    fill: float
    filled: float
    seen: float
    possible: bool

    def parts(self, nbytes) -> tuple:
        """Return (latency, wire, ramp) in seconds for messages of *nbytes*."""
        latency = self.start
        if np.any(self.more):
            beyond = np.square(nbytes / self.cutoff)
            latency = latency + self.more * (beyond / (1 + beyond))
        wire = nbytes * self.per_byte
        x = np.sqrt(np.minimum(wire / self.filled, 1.0))
        return latency, wire, self.fill * (x * (2 - x))

    def time(self, nbytes):
        """Return the seconds on the devices: latency + wire + ramp."""
        latency, wire, ramp = self.parts(nbytes)
        return latency + wire + ramp

    def seen_as(self, nbytes, time):
        """Return the seconds that the library expects of this route, which takes *time*."""
        return time if np.all(self.seen == 1) else self._replace(per_byte=self.per_byte * self.seen).time(nbytes)


def prices(r: Reach, collective: str, nodes) -> list[Price]:
    """Return the price of every route that a library has, inside a node and between nodes, for *nodes* of them."""
    alone = np.asarray(nodes) == 1
    found = []
    if alone.any():
        found += [_in_node(route, r, alone) for route in NODE[collective](r)]
    if not alone.all():
        found += [_between_nodes(route, r, nodes, ~alone) for route in NETWORK[collective](r, nodes)]
    return found


def _in_node(route: Route, r: Reach, alone) -> Price:
    some = np.where(np.asarray(r.gpus) > 1, 1.0, 0.0)  # one GPU has nobody to talk to: launching is all
    depth = r.base + 2 * (r.gpus - 1) * r.step
    return Price(route.name, route.place, some * (r.base + route.steps * r.step), 0.0, r.cutoff, some * route.per_byte,
                 some * r.fill[0] * depth, r.filled[0] * np.maximum(depth, r.step), route.seen, alone)


def _between_nodes(route: Route, r: Reach, nodes, many) -> Price:
    start = r.base + route.steps * r.chain + route.hops * r.eager
    more = 0.0 if route.overlapped else route.hops * (r.bulk - r.eager)
    # The pipeline is as deep as a tree over the nodes, and the chains of GPUs below it.
    depth = r.base + 2 * (r.gpus - 1) * r.chain + 2 * np.log2(np.maximum(nodes, 2)) * r.bulk
    return Price(route.name, route.place, start, more, r.cutoff / route.share, route.per_byte, r.fill[1] * depth,
                 r.filled[1] * depth, route.seen, many)
