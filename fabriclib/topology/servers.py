"""Servers: one row of data/servers.csv each, a small builder for each shape of wiring; the PCIe side is in server_parts.csv."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from .. import catalog, units
from ..checks import typed
from ..links import link
from . import trees
from .graph import Cables, Graph

Wiring = tuple[dict[str, str], list[Cables]]  # the switches of the GPUs' own links, and these links; GPUs come first
FEW_GPUS = 12  # with more of them the cut that halves them is declared, not searched for


def _switch_box(cells: catalog.Row) -> Wiring:
    """Every GPU is linked to every switch; `links_per_switch` says with how many links."""
    gpus, wire = cells["gpus"], link(cells["link"])
    per_switch = np.array(cells["links_per_switch"])
    a, b = np.divmod(np.arange(gpus * len(per_switch)), len(per_switch))
    # The link's latency is that of a hop from GPU to GPU, software included: half of it on each side of the switch.
    laid = Cables(a, gpus + b, wire, per_switch[b], wire.latency / 2)
    return _named("nvswitch", "switch", len(per_switch)), [laid]


def _mesh(cells: catalog.Row) -> Wiring:
    """Every GPU is linked to every other one, with `links_per_pair` links."""
    a, b = np.triu_indices(cells["gpus"], k=1)
    return {}, [Cables(a, b, link(cells["link"]), cells["links_per_pair"])]


def _listed_pairs(cells: catalog.Row) -> Wiring:
    """Some pairs of GPUs are linked: `pairs` lists them, as in "0-1:4 0-2:1"."""
    a, b, links = np.array(cells["pairs"]).T
    return {}, [Cables(a, b, link(cells["link"]), links)]


# In a tree the GPUs have no links of their own: everything is in server_parts.csv.
SHAPES: dict[str, Callable[[catalog.Row], Wiring]] = {
    "switch box": _switch_box, "mesh": _mesh, "listed pairs": _listed_pairs, "tree": lambda cells: ({}, [])}


def _named(name: str, kind: str, many: int) -> dict[str, str]:
    return {f"{name}{i}": kind for i in range(many)}


def _parts(id: str) -> list[trees.Part]:  # noqa: A002 - the column is called id
    """Return the PCIe side of a server, as its rows of server_parts.csv list it."""
    return [trees.Part(cells["kind"], cells["names"], cells["at"], cells["link"] or "pcie5", cells["lanes"],
                       cells["links"] or 1, cells["has"], 0.0 if math.isnan(cells["latency_s"]) else cells["latency_s"])
            for cells in catalog.rows("server_parts") if cells["server"] == id]


@typed
@functools.cache
def server(name: str) -> Graph:
    """Return the graph of a server: its GPUs, their switches, what its PCIe side has, and the links between them.

    Args:
        name: an id from `servers()`, such as "hgx-h100" or "mi300x".

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> server("dgx-a100")
    <DGX A100: 2 cpu, 8 gpu, 8 nic, 4 pcie-switch, 4 root, 6 switch, 146 directed edges>
    >>> server("hgx-h100")
    <HGX H100: 8 gpu, 4 switch, 64 directed edges>
    """
    cells, parts = catalog.row("servers", name), _parts(name)
    gpus, (switches, laid) = cells["gpus"], SHAPES[cells["shape"]](cells)
    found = trees.listed(cells["name"], parts) if parts else {}
    nodes = _named("gpu", "gpu", gpus) | switches | {part: one.kind for part, one in found.items()}
    laid += trees.cables(found, {node: i for i, node in enumerate(nodes)})
    half = np.array([i < gpus / 2 if i < gpus else i % 2 for i in range(len(nodes))], dtype=bool) if gpus > FEW_GPUS else None
    return Graph.wired(cells["name"], nodes, laid, half=half, routes=cells["routes"] or "all shortest")


def servers():
    """Return the catalogue as a DataFrame: one row a server, rates in GB/s one way over the GPUs' own links if they have any.

    >>> servers().set_index("id").loc["hgx-h100", ["GPUs", "GPU GB/s one way"]].astype(float).tolist()
    [8.0, 450.0]
    """
    import pandas as pd

    found = []
    for cells in catalog.rows("servers"):
        graph = server(cells["id"])
        own = graph.inner if graph.own.any() else graph
        found.append({
            "id": cells["id"], "name": graph.name, "GPUs": len(graph.gpus), "GPU": cells["gpu"], "shape": cells["shape"],
            "link": cells["link"], "switches": len(graph.of_kind("switch")),
            "GPU GB/s one way": own.capacity[own.src == own.gpus[0]].sum() / units.GB,
            "bisection GB/s one way": graph.bisection() / units.GB})
    return pd.DataFrame(found)
