"""Fabrics: the network between servers, as a graph and as counts by formula. Each kind is one way to ask for a wiring."""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable
from dataclasses import replace

from ... import catalog, units
from ...checks import known
from ...links import link
from ..graph import Graph
from . import ask, named
from .clos import Clos
from .design import Design, Run
from .direct import Dragonfly, Torus
from .parts import estimate, parts_list, watts

MOST = 100_000  # GPUs of a graph; counts go on beyond


class Kind:
    """A kind of fabric: what makes one, and the arguments of that which its name fixes; `options` are the others."""

    def __init__(self, make: Callable[..., Clos | Dragonfly | Torus], **fixed):
        self.make = functools.partial(make, **fixed)
        self.needed, *free = (name for name in inspect.signature(make).parameters if name not in ("kind", *fixed))
        self.options = (self.needed, *free)


KINDS = {
    "one-tier": Kind(ask.tiered, tiers=1, rails=1, joined=True),
    "leaf-spine": Kind(ask.tiered, tiers=2, rails=1, joined=True),
    "fat-tree": Kind(ask.tiered, tiers=3, rails=1, joined=True),
    "rail-optimised": Kind(ask.tiered, joined=True),
    "rail-only": Kind(ask.tiered, joined=False),
    "dual-plane": Kind(ask.tiered, planes=2, joined=True),
    "multi-plane": Kind(ask.multi_plane),
    "dragonfly": Kind(ask.dragonfly),
    "torus": Kind(ask.torus),
}

__all__ = ["Design", "KINDS", "Run", "designs", "estimate", "fabric", "fabric_counts", "parts_list", "watts"]


def fabric(kind: str, gpus=None, **options) -> Graph:
    """Return the graph of a fabric: GPUs in their servers, switches, and the cables between them.

    GPUs come first, server after server: GPU i is place i % per_server of server i // per_server. Every GPU has a NIC, which
    is its link to the leaf. Half of the servers against the other half is the declared cut (`bisection`).

    Args:
        kind: "one-tier" (every GPU on one switch of each plane), "leaf-spine" (two tiers), "fat-tree" (three),
            "rail-optimised" (GPU i of every server on leaf i of its group), "rail-only" (so too, but nothing joins the rails),
            "dual-plane" (rail-optimised twice: two ports a NIC), "multi-plane" (rail-optimised `planes` times, the lanes of
            each port of a NIC and of a switch divided between them), "dragonfly" or "torus"; or a named design of
            data/designs.csv, such as "superpod-b200-16su", whose options may be changed.
        gpus: how many; a torus is given `dims` instead, such as (4, 4, 8).
        radix: ports of each switch, 64 when not given.
        oversubscription: a leaf's ports down for each port up (1 when not given); core_oversubscription: a spine's.
        leaf_ports: a leaf's (ports down, ports up), where `radix` is not its own; pod_gpus: the GPUs below the spines of one
            pod; spines: those of a pod, the fewest when not given; links: side by side from each GPU to its leaf.
        tiers: of the rail and plane kinds, 1 to 3; the fewest that fit when not given.
        planes: whole networks side by side, 1 when not given: each takes a port of every NIC, or in a multi-plane fabric a
            part of its one port, such as 2, 4 or 8 (when not given) for the eight lanes of "eth800".
        rails: of these kinds, the leaves over which a server's NICs are spread; per_server when not given.
        per_server: GPUs of a server, 8 when not given; 1 for bare GPUs.
        speed: the catalogue id of the link of a NIC's port, "eth400" when not given ("eth800" in a multi-plane fabric, whole;
            "ici-v5p" in a torus).
        trunk: of the links between switches, or along a torus's first dimension; as `speed` when not given.
        inside: of the link from each GPU to its server's NVSwitches, "nvlink4" when not given; None: no such switches.
        passing: seconds that each switch after the first takes, 0 when not given.

    Raises:
        ValueError: an unknown kind or option, GPUs that do not fill the servers, or a fabric that these switches cannot make.

    >>> fabric("rail-optimised", gpus=32, radix=8)
    <rail-optimised: 32 gpu, 8 leaf, 4 spine, 4 switch, 192 directed edges>
    """
    asked = _asked(kind, gpus, options)
    many = asked.design().gpus
    if many > MOST:
        raise ValueError(f"gpus must be at most {MOST} for a graph; got {many}: fabric_counts has no such limit.")
    return asked.graph()


def fabric_counts(kind: str, gpus=None, **options) -> Design:
    """Return the counts of a fabric by formula: switches, cables, ports, hops and what its halving cut carries.

    Arguments and errors are those of `fabric`, but there is no largest fabric.

    Raises:
        ValueError: what `fabric` refuses, but for the size of the graph.

    >>> fabric_counts("rail-optimised", gpus=1024)
    <rail-optimised: 1024 GPUs, 32 leaf + 16 spine switches, 2048 cables, at most 4 hops, 25.1 TB/s one way between halves>
    >>> fabric_counts("multi-plane", gpus=131_072, planes=8).switches
    6144
    """
    return _asked(kind, gpus, options).design()


@functools.cache
def counts_of(name: str) -> Design:
    """Return the counts of a named design. They do not hang on its links' rate: where no source gives that, it is not one."""
    return fabric_counts(name, **({} if catalog.row("designs", name)["speed"] else {"speed": "nvlink4"}))


def designs():
    """Return the named designs as a DataFrame, counted by the model; "as stated" says how many of the source's counts agree.

    >>> designs().set_index("id").loc["superpod-b200-4su", ["kind", "as stated"]].tolist()
    ['rail-optimised', '5 of 5']
    """
    import pandas as pd

    found = []
    for cells in catalog.rows("designs"):
        design, said, rated = counts_of(cells["id"]), named.stated(cells["id"]), bool(cells["speed"])
        here = named.counted(design)
        found.append({
            "id": cells["id"], "name": cells["name"], "kind": cells["kind"], "GPUs": design.gpus,
            "link": link(cells["speed"]).name if rated else "not published", "leaf": design.leaves, "spine": design.spines,
            "core": design.cores, "cables": design.cable_count, "hops": design.hops,
            "cut per GPU (GB/s)": round(design.cut_per_gpu / units.GB, 2) if rated else math.nan,
            "as stated": f"{sum(here[what] == value for what, value in said.items())} of {len(said)}", "note": cells["note"]})
    return pd.DataFrame(found)


def _asked(kind: str, gpus, options: dict) -> Clos | Dragonfly | Torus:
    ids = [cells["id"] for cells in catalog.rows("designs")]
    if known("kind of fabric", kind, [*KINDS, *ids]) in ids:
        name = catalog.row("designs", kind)["name"]
        kind, usual = named.asked(kind)
        if "speed" not in usual | options:
            raise ValueError(f"speed must be given for {name}: no source gives the rate of its links. Take one for the sake of "
                             "argument, such as speed='nvlink4'.")
        return replace(_asked(kind, gpus, usual | options), name=name)
    sort = KINDS[kind]
    given = options if gpus is None else options | {"gpus": gpus}
    for name in given:
        known(f"option of a {kind} fabric", name, sort.options)
    if sort.needed not in given:
        raise ValueError(f"{sort.needed} must be given for a {kind} fabric; got {', '.join(given) or 'nothing'}.")
    return sort.make(kind, **given)
