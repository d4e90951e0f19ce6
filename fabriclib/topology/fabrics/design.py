"""What a fabric is made of, counted by formula: the same for 16 GPUs and for a million."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ... import units
from ...links import Link
from ...shown import sentence


@dataclass(frozen=True)
class Run:
    """Cables of one sort: what they join, the link that each is, and how many there are."""

    what: str
    link: Link
    count: int


@dataclass(frozen=True)
class Tier:
    """Switches of one sort: how many, and the ports that each is counted with, as (how many, of which link).

    `spare`: a switch with more ports than these will do, because a published design says which it uses.
    """

    what: str
    count: int
    ports: tuple[tuple[int, Link], ...]
    spare: bool = False


def latency(link: Link) -> float:
    """Return the seconds of a hop over *link*, device to device; a link without a published latency adds none."""
    return 0.0 if math.isnan(link.latency) else link.latency


@dataclass(frozen=True, eq=False)
class Design:
    """The counts of a fabric. Wiring inside a server is not part of it.

    Args:
        name: what it is.
        kind: the sort of fabric.
        gpus, servers: what it joins.
        leaves, spines, cores: switches of the first, second and third tier; a dragonfly's routers are its leaves.
        cables: the runs of cables, from the GPUs upwards.
        ports: the ports of all switches that have a cable in them.
        hops: the most links, GPU to GPU, that a shortest way through the network takes.
        near: the GPUs of the first half of the servers, as nearly a half as the wiring lets it be cut at.
        cut: bytes per second, one way, that the network carries from these to the others.
        assured: bytes per second, one way, that each GPU has in the worst half: when any half of the GPUs sends to the rest,
            it is never less. NaN for a dragonfly, whose worst half is not known here.
        tiers: the same switches, with their ports.
        planes: networks side by side, each with a port of every NIC.
    """

    name: str
    kind: str
    gpus: int
    servers: int
    leaves: int
    spines: int
    cores: int
    cables: tuple[Run, ...]
    ports: int
    hops: int
    near: int
    cut: float
    assured: float
    tiers: tuple[Tier, ...] = ()
    planes: int = 1

    @property
    def switches(self) -> int:
        """Switches of all tiers."""
        return self.leaves + self.spines + self.cores

    @property
    def cable_count(self) -> int:
        """Cables of all runs; in a torus they are the direct links."""
        return sum(run.count for run in self.cables)

    @property
    def gpu_rate(self) -> float:
        """Bytes per second, one way, that each GPU can send into the network over all its ports; a direct link has two GPUs."""
        runs, ends = (self.cables[:1], 1) if self.switches else (self.cables, 2)
        return sum(ends * run.count * run.link.bandwidth() for run in runs) / self.gpus

    @property
    def cut_per_gpu(self) -> float:
        """Bytes per second, one way, that each GPU of the half has of the cut when all send across it."""
        return self.cut / self.near

    def __repr__(self) -> str:
        parts = [f"{many} {what}" for what, many in (("leaf", self.leaves), ("spine", self.spines), ("core", self.cores)) if many]
        made_of = f"{' + '.join(parts)} switches, " if parts else ""
        return (f"<{self.name}: {self.gpus} GPUs, {made_of}{self.cable_count} cables, at most {self.hops} hops, "
                f"{units.format(self.cut, 'B/s')} one way between halves>")

    _repr_html_ = sentence
