"""Tiers of switches: leaves that the GPUs are cabled to, spines that join the leaves, cores that join groups of spines.

Leaf-spine, fat-tree, rail-optimised, rail-only and dual-plane fabrics are one wiring with other numbers. A *rail* is the
leaf that takes the same GPU of every server; with one rail all NICs of a server go to one leaf. A *plane* is a whole
network that takes one port of every NIC. A *group* is the servers that share their leaves; a *pod* is the groups that
share their spines. Every leaf has equally many links to each spine of its pod, every spine to each of its cores.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from ...links import Link
from ..graph import Cables, Graph
from .design import Design, Run, Tier, latency


@dataclass(frozen=True)
class Clos:
    """The numbers that fix a fabric of switch tiers; `fabric` and `fabric_counts` make it from what one asks for.

    Args:
        name, kind: what it is.
        gpus, per_server: how many GPUs, and how many of them a server has.
        rails: over how many leaves (of each plane) the NICs of one server are spread.
        planes: how many networks side by side; each takes a port of every NIC.
        joined: whether the rails of a plane are one network; if not, each rail is one of its own.
        up: how many ports of a leaf lead to spines.
        group: servers that share their leaves.
        groups_per_pod: groups that share their spines.
        spines: of one pod of one network.
        core_up: the ports of a spine that lead to cores.
        cores: that each spine leads to.
        links: side by side from each GPU to its leaf of a plane.
        link, trunk: of a NIC's port, and between switches.
        inside: the link by which each GPU hangs at its server's NVSwitches, all of them together; none: no such switches.
        passing: seconds that a switch takes.
        radix: ports of a switch; leaf_ports: a leaf's, down and up, where they are given and are not its own.
    """

    name: str
    kind: str
    gpus: int
    per_server: int
    rails: int
    planes: int
    joined: bool
    up: int
    group: int
    groups_per_pod: int
    spines: int
    core_up: int
    cores: int
    links: int
    link: Link
    trunk: Link
    inside: Link | None
    passing: float
    radix: int
    leaf_ports: tuple[int, int] | None

    @cached_property
    def servers(self) -> int:
        """How many servers it joins."""
        return self.gpus // self.per_server

    @cached_property
    def groups(self) -> int:
        """How many groups of servers share leaves; the last may not be full."""
        return -(-self.servers // self.group)

    @cached_property
    def pods(self) -> int:
        """How many pods of groups share spines; the last may not be full."""
        return -(-self.groups // self.groups_per_pod)

    @cached_property
    def networks(self) -> int:
        """How many networks nothing but the servers joins."""
        return self.planes if self.joined else self.planes * self.rails

    @cached_property
    def together(self) -> int:
        """The rails of one network."""
        return self.rails if self.joined else 1

    @cached_property
    def leaves(self) -> int:
        """Of one network."""
        return self.groups * self.together

    def design(self) -> Design:
        """Return the counts."""
        leaves, spines = self.networks * self.leaves, self.networks * self.pods * self.spines
        possible = (Run("GPU to leaf", self.link, self.gpus * self.planes * self.links),
                    Run("leaf to spine", self.trunk, leaves * self.up), Run("spine to core", self.trunk, spines * self.core_up))
        runs = tuple(run for run in possible if run.count)
        ends = runs[0].count + 2 * sum(run.count for run in runs[1:])
        reach = 1 + (self.leaves > 1) + (self.pods > 1)
        cores = self.networks * self.spines * self.cores
        above = tuple(Tier(what, many, ((self.radix, self.trunk),)) for what, many in (("spine", spines), ("core", cores))
                      if many)
        return Design(self.name, self.kind, self.gpus, self.servers, leaves, spines, cores, runs, ends, 2 * reach,
                      self.servers // 2 * self.per_server, self.halving[0], self.assured, (self._leaf_tier(leaves), *above),
                      self.planes)

    def _leaf_tier(self, leaves: int) -> Tier:
        down, up = self.leaf_ports or (self.group * self._ports, self.up)
        if self.leaf_ports is None and self.link == self.trunk:
            return Tier("leaf", leaves, ((self.radix, self.link),))
        return Tier("leaf", leaves, ((down, self.link), (up, self.trunk)), spare=True)

    def graph(self) -> Graph:
        """Return the graph: GPUs first, server after server; then each server's NVSwitch, leaves, spines and cores."""
        leaves, spines = self.networks * self.leaves, self.networks * self.pods * self.spines
        kinds = {"gpu": self.gpus, "switch": self.servers if self.inside else 0, "leaf": leaves, "spine": spines,
                 "core": self.networks * self.spines * self.cores}
        start = dict(zip(kinds, np.cumsum([0, *kinds.values()]).tolist(), strict=False))
        nodes = {("nvswitch" if kind == "switch" else kind) + str(i): kind for kind, many in kinds.items() for i in range(many)}
        gpu = np.arange(self.gpus)
        cables = []
        if self.inside:
            cables.append(Cables(gpu, start["switch"] + gpu // self.per_server, self.inside, self.inside.per_device,
                                 latency(self.inside) / 2))
        # The link's latency is that of a hop from GPU to GPU, software included: half of it on each side of the first switch.
        cables += [Cables(gpu, start["leaf"] + self._leaf_of(gpu, plane), self.link, self.links, latency(self.link) / 2)
                   for plane in range(self.planes)]
        leaf, spine, each = np.arange(leaves)[:, None], np.arange(spines)[:, None], self.leaves
        if self.spines:
            pod = leaf // each * self.pods + leaf % each // (self.groups_per_pod * self.together)
            cables.append(Cables(start["leaf"] + leaf, start["spine"] + pod * self.spines + np.arange(self.spines), self.trunk,
                                 self.up // self.spines, self.passing))
        if self.cores:
            above = (spine // (self.pods * self.spines) * self.spines + spine % self.spines) * self.cores
            cables.append(Cables(start["spine"] + spine, start["core"] + above + np.arange(self.cores), self.trunk,
                                 self.core_up // self.cores, self.passing))
        near = self.servers // 2
        half = np.concatenate([gpu // self.per_server < near, np.arange(kinds["switch"]) < near, *self.halving[1]])
        return Graph.wired(self.name, nodes, cables, half=half)

    def _leaf_of(self, gpu: np.ndarray, plane: int) -> np.ndarray:
        """Return the leaf that a GPU's port in *plane* is cabled to."""
        group, rail = gpu // self.per_server // self.group, gpu % self.rails
        if self.joined:
            return plane * self.leaves + group * self.rails + rail
        return (plane * self.rails + rail) * self.leaves + group

    @property
    def _ports(self) -> int:
        """Ports of a leaf that one server takes."""
        return self.per_server // self.rails * self.links

    @cached_property
    def _sizes(self) -> np.ndarray:
        """Servers at each leaf of one network, group after group."""
        first = np.arange(self.groups) * self.group
        return np.repeat(np.minimum(self.group, self.servers - first), self.together)

    @cached_property
    def _pod(self) -> np.ndarray:
        """The pod of each leaf of one network."""
        return np.arange(self.leaves) // (self.groups_per_pod * self.together)

    @cached_property
    def halving(self) -> tuple[float, tuple[np.ndarray, ...]]:
        """The cut that halves the servers: its bytes per second, one way, and which leaves, spines and cores are near."""
        first = np.repeat(np.arange(self.groups) * self.group, self.together)
        near = np.clip(self.servers // 2 - first, 0, self._sizes)
        leaf, costs, totals = self._costs(near * self._ports, self._sizes * self._ports)
        core = int(totals.argmin())
        spines = costs[core].argmin(axis=0)
        leaves = leaf[spines[self._pod], :, np.arange(self.leaves)].argmin(axis=-1).astype(bool)
        sides = (np.tile(leaves, self.networks), np.tile(np.repeat(spines.astype(bool), self.spines), self.networks),
                 np.full(self.networks * self.spines * self.cores, bool(core)))
        return float(self.networks * totals[core]), sides

    @cached_property
    def assured(self) -> float:
        """Bytes per second, one way, that each GPU has when the worst half of them sends to the other half.

        What GPUs of a half send leaves a leaf, a pod or a network only if all there are of that half: the worst half is made
        of whole networks, then of whole pods, then of whole leaves. (The least cut is concave in how many GPUs of a leaf are
        near, so that at most one leaf is divided.)
        """
        half, size = self.gpus // 2, self._sizes * self._ports
        near = half % (self.gpus if self.joined else self.gpus // self.rails) * self.links  # beyond rails that nothing joins
        return float(self.planes * self._costs(self._halves(near, size), size)[-1].min() / half)

    def _halves(self, near: int, size: np.ndarray) -> np.ndarray:
        """Return the ports that are near at each leaf, a row for each order of the leaves in which a half may fill them.

        Leaves of the last group are smaller if it is not full: some of them may come first, or after some of the others.
        """
        leaf, orders, most = np.arange(len(size)), [], near // size[0]
        for order in (leaf, np.lexsort((leaf, -self._pod))):
            full, small = order[size[order] == size[0]], order[size[order] < size[0]]
            orders += [order, *(np.concatenate([small[:some], full, small[some:]]) for some in range(1, len(small) + 1))]
            orders += [np.concatenate([full[:some], small, full[some:]])
                       for some in range(max(most - len(small), 0), most + 1) if len(small)]
        order = np.stack(orders)
        filled, size = np.empty_like(order), size[order]
        np.put_along_axis(filled, order, np.clip(near - (np.cumsum(size, axis=1) - size), 0, size), axis=1)
        return filled

    def _costs(self, near: np.ndarray, size: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return what a cut of one network takes, for ports *near* (the last axis counts leaves) of *size* in all.

        Each switch stands where it costs least. Spines of a pod are alike, and so are all cores, so that the least cut is found
        side by side: (spines' side, leaf's side, ..., leaf) of a leaf, (cores' side, spines' side, ..., pod) of a pod and the
        spines in it, (cores' side, ...) of all. Sides are 0, beyond, and 1, near.
        """
        port, up, above = self.link.bandwidth(), self.up * self.trunk.bandwidth(), self.core_up * self.trunk.bandwidth()
        out, into = near * port, (size - near) * port  # from GPUs near to a leaf beyond, from a leaf near to GPUs beyond
        leaf = np.stack([[out, into + up], [out + up, into]])
        spine = np.add.reduceat(leaf.min(axis=1), np.flatnonzero(np.diff(self._pod, prepend=-1)), axis=-1)
        costs = spine + self.spines * above * np.array([[0, 1], [1, 0]]).reshape(2, 2, *near.ndim * [1])
        return leaf, costs, costs.min(axis=1).sum(axis=-1)
