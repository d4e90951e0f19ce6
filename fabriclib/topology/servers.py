"""Servers: one row of data/servers.csv each, and one small builder for each shape of wiring."""

from __future__ import annotations

import functools

import numpy as np

from .. import catalog, units
from ..checks import known
from ..links import link
from .graph import Cables, Graph


def _switch_box(cells: dict[str, str]) -> Graph:
    """Every GPU is linked to every switch; `links_per_switch` says with how many links."""
    gpus, wire = int(cells["gpus"]), link(cells["link"])
    per_switch = np.array(cells["links_per_switch"].split(), dtype=int)
    nodes = _named("gpu", "gpu", gpus) | _named("nvswitch", "switch", len(per_switch))
    a, b = np.divmod(np.arange(gpus * len(per_switch)), len(per_switch))
    # The link's latency is that of a hop from GPU to GPU, software included: half of it on each side of the switch.
    return Graph.wired(cells["name"], nodes, [Cables(a, gpus + b, wire, per_switch[b], wire.latency / 2)])


def _mesh(cells: dict[str, str]) -> Graph:
    """Every GPU is linked to every other one, with `links_per_pair` links."""
    gpus = int(cells["gpus"])
    a, b = np.triu_indices(gpus, k=1)
    cables = Cables(a, b, link(cells["link"]), int(cells["links_per_pair"]))
    return Graph.wired(cells["name"], _named("gpu", "gpu", gpus), [cables])


SHAPES = {"switch box": _switch_box, "mesh": _mesh}


def _named(name: str, kind: str, many: int) -> dict[str, str]:
    return {f"{name}{i}": kind for i in range(many)}


@functools.cache
def _built(id: str) -> Graph:  # noqa: A002 - the column is called id
    cells = catalog.row("servers", id)
    return SHAPES[cells["shape"]](cells)


def server(name: str) -> Graph:
    """Return the graph of a server: its GPUs, its switches and the links between them.

    Args:
        name: an id from `servers()`, such as "hgx-h100" or "mi300x".

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> server("hgx-h100")
    <HGX H100: 8 gpu, 4 switch, 64 directed edges>
    """
    return _built(known("server", name, [cells["id"] for cells in catalog.rows("servers")]))


def servers():
    """Return the catalogue as a DataFrame: one row a server, rates in GB/s one way."""
    import pandas as pd

    found = {cells["id"]: (cells, server(cells["id"])) for cells in catalog.rows("servers")}
    leaving = [graph.capacity[graph.src == graph.gpus[0]].sum() for _, graph in found.values()]
    return pd.DataFrame({
        "id": list(found), "name": [graph.name for _, graph in found.values()],
        "GPUs": [len(graph.gpus) for _, graph in found.values()], "GPU": [cells["gpu"] for cells, _ in found.values()],
        "shape": [cells["shape"] for cells, _ in found.values()], "link": [cells["link"] for cells, _ in found.values()],
        "switches": [len(graph.of_kind("switch")) for _, graph in found.values()],
        "GPU GB/s one way": [rate / units.GB for rate in leaving],
        "bisection GB/s one way": [graph.bisection() / units.GB for _, graph in found.values()],
    })
