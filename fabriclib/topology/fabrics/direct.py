"""Fabrics without tiers: the dragonfly, whose routers are all joined within a group, and the torus, which has no switches."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ...links import Link
from ..graph import Cables, Graph
from .design import Design, Run, Tier, latency


@dataclass(frozen=True)
class Dragonfly:
    """Groups of routers: within a group each is linked to every other one, and every two groups are linked.

    Args:
        per_router: GPUs at a router.
        routers: of a group.
        groups: how many.
        between: links between every two groups.
        ends: the most of these links that one router takes.
        link, trunk: of a NIC's port, and between routers.
        passing: seconds that a router takes.
        radix: ports of a router.

    Source: Kim, Dally, Scott and Abts, Technology-driven, highly-scalable dragonfly topology, ISCA 2008.
    """

    name: str
    kind: str
    per_server: int
    per_router: int
    routers: int
    groups: int
    between: int
    ends: int
    link: Link
    trunk: Link
    inside: Link | None
    passing: float
    radix: int

    @property
    def gpus(self) -> int:
        """How many GPUs it joins."""
        return self.groups * self.routers * self.per_router

    def design(self) -> Design:
        """Return the counts."""
        routers, pairs = self.groups * self.routers, self.groups * (self.groups - 1) // 2
        within = self.groups * self.routers * (self.routers - 1) // 2
        runs = [Run("GPU to router", self.link, self.gpus), Run("router to router of a group", self.trunk, within),
                Run("group to group", self.trunk, pairs * self.between)]
        near = self.groups // 2
        cut = near * (self.groups - near) * self.between * self.trunk.bandwidth()
        return Design(self.name, self.kind, self.gpus, self.gpus // self.per_server, routers, 0, 0, tuple(runs),
                      self.gpus + 2 * (within + pairs * self.between), 4 if self.groups == 2 else 5,
                      near * self.routers * self.per_router, cut, math.nan,
                      (Tier("router", routers, ((self.radix, self.link),)),))

    def graph(self) -> Graph:
        """Return the graph: GPUs first, router after router; then each server's NVSwitch, and the routers."""
        servers, routers = self.gpus // self.per_server if self.inside else 0, self.groups * self.routers
        nodes = {f"gpu{i}": "gpu" for i in range(self.gpus)} | {f"nvswitch{i}": "switch" for i in range(servers)}
        nodes |= {f"router{i}": "router" for i in range(routers)}
        gpu, first = np.arange(self.gpus), self.gpus + servers
        cables = [Cables(gpu, first + gpu // self.per_router, self.link, latency=latency(self.link) / 2)]
        if self.inside:
            cables.append(Cables(gpu, self.gpus + gpu // self.per_server, self.inside, self.inside.per_device,
                                 latency(self.inside) / 2))
        a, b = np.triu_indices(self.routers, k=1)
        group = np.arange(self.groups)[:, None] * self.routers
        cables.append(Cables(first + (group + a), first + (group + b), self.trunk, latency=self.passing))
        here, there = self._between()
        cables.append(Cables(first + here, first + there, self.trunk, latency=self.passing))
        near = self.groups // 2 * self.routers * self.per_router
        half = np.concatenate([gpu < near, np.arange(servers) < near // self.per_server,
                               np.arange(routers) < self.groups // 2 * self.routers])
        return Graph.wired(self.name, nodes, cables, half=half)

    def _between(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the routers at the two ends of each link between groups: a group's links to the next group come first."""
        i, j = (end[:, None] for end in np.triu_indices(self.groups, k=1))
        which = np.arange(self.between)
        here, there = (a * self.routers + ((b - a - 1) % self.groups * self.between + which) // self.ends
                       for a, b in ((i, j), (j, i)))
        return here, there


@dataclass(frozen=True)
class Torus:
    """A ring in every dimension: each chip is linked to the next and the last one along each.

    Args:
        dims: the chips along each dimension.
        link: from chip to chip.
        first: the same along the first dimension, which may be another link.
    """

    name: str
    kind: str
    dims: tuple[int, ...]
    link: Link
    first: Link

    @property
    def _rings(self) -> list[tuple[int, int, Link]]:
        """(dimension, size, link) of the dimensions in which there is more than one chip."""
        return [(axis, size, self.link if axis else self.first) for axis, size in enumerate(self.dims) if size > 1]

    @property
    def _narrowest(self) -> tuple[int, float]:
        """The dimension across which a cut is smallest, and what that cut carries: both ends of every ring along it."""
        gpus = math.prod(self.dims)
        return min(((axis, 2 * gpus // size * wire.bandwidth()) for axis, size, wire in self._rings), key=lambda one: one[1])

    def design(self) -> Design:
        """Return the counts."""
        gpus, (axis, cut) = math.prod(self.dims), self._narrowest
        near = gpus // self.dims[axis] * (self.dims[axis] // 2)
        links = {wire: sum(one == wire for *_, one in self._rings) for *_, wire in self._rings}
        runs = tuple(Run("GPU to GPU", wire, gpus * rings) for wire, rings in links.items())
        return Design(self.name, self.kind, gpus, gpus, 0, 0, 0, runs, 0, sum(size // 2 for size in self.dims), near,
                      cut, cut / (gpus // 2))

    def graph(self) -> Graph:
        """Return the graph: GPUs only, numbered with the last dimension fastest. A ring of two has both links side by side."""
        at = np.arange(math.prod(self.dims)).reshape(self.dims)
        cables = [Cables(at.ravel(), np.roll(at, -1, axis).ravel(), wire, latency=latency(wire))
                  for axis, _, wire in self._rings]
        axis = self._narrowest[0]
        half = np.indices(self.dims)[axis].ravel() < self.dims[axis] // 2
        return Graph.wired(self.name, {f"gpu{i}": "gpu" for i in range(at.size)}, cables, half=half)
