"""Machines as a collective library sees them: GPUs on links, network ports behind them, and whoever launches the kernels.

A System is composed of catalogue parts. `gpus` GPUs form one NVLink (or xGMI, or PCIe) domain, called a node here; `ports`
ports carry what leaves it. What such parts reach in practice is no property of a machine: it belongs to the technology
(a link generation, a switch, a NIC kind, a launcher) and stands in data/fitted.csv.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import numpy as np

from . import catalog, units
from .checks import Numbers, count, known, number, short, single, typed, whole
from .links import Link, link
from .shown import sentence
from .switches import Switch, switch

OVER_PCIE = ("pcie", "pcie-switch", "staged")
WIRINGS = ("switch", "mesh", *OVER_PCIE)
LIBRARIES = ("nccl", "rccl")
HOSTS = ("x86", "intel", "amd", "grace")


@typed
@dataclass(frozen=True)
class Port:
    """ONE network port in ONE direction, with the transport a library drives it by.

    Its latency and efficiency are those that fitted.csv has for its id, else for its transport, else for its family.
    """

    _example = "port('ib-ndr')"

    id: str
    name: str
    transport: str
    link: Link
    family: str = "network"
    note: str = ""

    @property
    def rate(self) -> float:
        """Line rate in bytes per second, one way."""
        return self.link.line

    def __repr__(self) -> str:
        return f"<{self.name}: {units.format(self.rate, 'B/s')} one way, {self.transport}>"

    _repr_html_ = sentence


@typed
@dataclass(frozen=True)
class Launcher:
    """Who starts the kernels: its cost per collective, for the whole process and again for each GPU it drives (fitted).

    >>> launcher("mpi").name
    'one process for each GPU'
    """

    id: str
    name: str
    note: str = ""

    def __repr__(self) -> str:
        return f"<launcher {self.id}: {self.name}>"

    _repr_html_ = sentence


@typed
@dataclass(frozen=True)
class System:
    """A machine, composed of catalogue parts.

    Args:
        name: what to call it.
        gpus: GPUs in one domain of the inner links: a server, or the whole rack of an NVL72.
        link: all links of ONE GPU as a bundle, such as link("nvlink4").bundle(18), or link("pcie4", lanes=16).
        wiring: "switch", "mesh" (a link or more between every pair), "pcie" (peer to peer, through CPUs), "pcie-switch"
            (peer to peer below one PCIe switch) or "staged" (PCIe, each transfer through host memory).
        switch: the switch chip, for wiring "switch"; one that reduces gives NVLS.
        port: one port of the network, where there is one.
        ports: how many such ports a domain has.
        library: "nccl" or "rccl".
        host: the CPU that launches the kernels: "intel", "amd" or "grace"; "x86" where nobody says whose it is.
        server_gpus: GPUs of one server, where a domain spans several servers (an NVL72); else the same as gpus.
        sharp: whether the switches of the network reduce (InfiniBand SHARP), and the library uses it.
        accelerator: the id of its accelerators in accelerators.csv, where it is known.
        oversubscription: ports down for each port up of the leaves that the machine hangs on, as `fabric` takes it.
        leaf_nodes: machines below one leaf, which reach one another without going up.
        failed_ports: how many ports of one machine carry nothing: all others wait for it.
        gpu: the kind of its GPUs as systems.csv names it, where it is known.
        note: what a reader should know.

    Raises:
        ValueError: a part that is missing, of the wrong kind, or not possible.

    >>> System("mine", gpus=8, link=link("nvlink4").bundle(18), switch=switch("nvswitch3"), port=port("ib-ndr"), ports=8)
    <mine: 8 GPUs, 450 GB/s each way over a switch; 8 x NDR InfiniBand: 400 GB/s each way to the network>
    """

    _example = "system('dgx-h100')"

    name: str
    gpus: int
    link: Link
    wiring: str = "switch"
    switch: Switch | None = None
    port: Port | None = None
    ports: int = 0
    library: str = "nccl"
    host: str = "x86"
    server_gpus: int = 0
    sharp: bool = False
    id: str = ""
    note: str = ""
    accelerator: str = ""
    oversubscription: float = 1.0
    leaf_nodes: int = 1
    failed_ports: int = 0
    gpu: str = ""

    def __post_init__(self):
        known("wiring", self.wiring, WIRINGS)
        known("library", self.library, LIBRARIES)
        known("host", self.host, HOSTS)
        object.__setattr__(self, "gpus", count("gpus", self.gpus, high=100_000))
        object.__setattr__(self, "ports", count("ports", self.ports, low=0, high=100_000))
        object.__setattr__(self, "server_gpus", count("server_gpus", self.server_gpus or self.gpus, high=self.gpus))
        if (self.port is None) != (self.ports == 0):
            raise ValueError(f"ports must be 0 without a port and at least 1 with one; got {self.ports} of {short(self.port)}.")
        ratio = single("oversubscription", number("oversubscription", self.oversubscription, low=1.0, high=1000, zero=True))
        object.__setattr__(self, "oversubscription", ratio)
        object.__setattr__(self, "leaf_nodes", count("leaf_nodes", self.leaf_nodes))
        object.__setattr__(self, "failed_ports", count("failed_ports", self.failed_ports, low=0, high=max(self.ports - 1, 0)))

    @property
    def over_pcie(self) -> bool:
        """Whether the GPUs have no links of their own."""
        return self.wiring in OVER_PCIE

    @property
    def gpu_rate(self) -> float:
        """Line rate of all links of one GPU, bytes per second one way."""
        return self.link.line

    @property
    def node_rate(self) -> float:
        """Line rate of all network ports of a domain, bytes per second one way; 0 where there is no network."""
        return self.ports * self.port.rate if self.port else 0.0

    @typed
    def crossing(self, nodes, all_to_all: bool = False) -> Numbers:
        """Return how many times longer the bytes between *nodes* machines take by what is missing: the cuts of the graph.

        A ring or tree leaves a leaf once, and all machines below it have its uplinks together. Of what a machine sends to all
        others, that to those below another leaf goes up. A machine with failed ports is a cut of its own: the narrowest counts.

        Raises:
            ValueError: *nodes* is not whole and positive.

        >>> float(system("dgx-h100", oversubscription=2, leaf_nodes=4).crossing(16, all_to_all=True))
        1.6
        """
        nodes = whole("nodes", nodes)
        below = np.minimum(self.leaf_nodes, nodes)
        apart = (nodes - below) / np.maximum(nodes - 1, 1) if all_to_all else (nodes > below) / below
        return np.maximum(self.oversubscription * apart, self.ports / (self.ports - self.failed_ports) if self.ports else 1.0)

    def __repr__(self) -> str:
        how = {"switch": "over a switch", "mesh": "over a mesh", "pcie": "over PCIe",
               "pcie-switch": "over a PCIe switch", "staged": "through host memory"}
        out = (f"; {self.ports} x {self.port.name}: {units.format(self.node_rate, 'B/s')} each way to the network" if self.port
               else "; no network")
        return (f"<{self.name}: {self.gpus} GPUs, {units.format(self.gpu_rate, 'B/s')} each way {how[self.wiring]}{out}>")

    _repr_html_ = sentence


@typed
@functools.cache
def port(name: str) -> Port:
    """Return ONE network port from the catalogue.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> port("ib-ndr")
    <NDR InfiniBand: 50 GB/s one way, ib>
    """
    cells = catalog.row("ports", name)
    wire = link(cells["link"]).bundle(cells["links"])
    return Port(cells["id"], cells["name"], cells["transport"], wire, cells["family"], cells["note"])


@typed
@functools.cache
def launcher(name: str) -> Launcher:
    """Return who starts the kernels, from the catalogue.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> launcher("mpi")
    <launcher mpi: one process for each GPU>
    """
    cells = catalog.row("launchers", name)
    return Launcher(cells["id"], cells["name"], cells["note"])


def launchers() -> list[Launcher]:
    """Return every launcher of the catalogue.

    >>> launchers()[0].id
    'mpi'
    """
    return [launcher(cells["id"]) for cells in catalog.rows("launchers")]


@typed
def system(name: str, oversubscription: float = 1.0, leaf_nodes: int = 1, failed_ports: int = 0) -> System:
    """Return a machine from the catalogue, in a network that is whole or, as `System` takes it, is not.

    Raises:
        ValueError: an unknown name; the nearest are suggested. More than the machine's ports failed, or less than none.

    >>> system("dgx-h100")
    <DGX H100: 8 GPUs, 450 GB/s each way over a switch; 8 x NDR InfiniBand: 400 GB/s each way to the network>
    """
    return _system(name, single("oversubscription", number("oversubscription", oversubscription, low=1.0, high=1000, zero=True)),
                   count("leaf_nodes", leaf_nodes), count("failed_ports", failed_ports, low=0))


@functools.cache
def _system(name: str, oversubscription: float, leaf_nodes: int, failed_ports: int) -> System:
    cells = catalog.row("systems", name)
    return System(
        cells["name"], cells["gpus"], _wires(cells["link"], cells["links"]), cells["wiring"],
        switch(cells["switch"]) if cells["switch"] else None, _port(cells["port"]),
        cells["ports"] or 0, cells["library"], cells["host"] or "x86", cells["server_gpus"] or cells["gpus"],
        id=cells["id"], note=cells["note"], accelerator=cells["accelerator"] or "",
        oversubscription=oversubscription, leaf_nodes=leaf_nodes, failed_ports=failed_ports, gpu=cells["gpu"],
    )


@typed
def composed(gpu: str, gpus: int | None = None, link: str = "", wiring: str = "", port: str = "",
             ports: int | None = None) -> System:
    """Return a machine that is put together: GPUs of a known kind, on their own links or others, behind a network.

    Args:
        gpu: a kind of GPU that systems.csv has, such as "H100". Its links, switch, library and CPUs are those of the
            first such row.
        gpus: how many of them one node has; as many as there without.
        link: a link that is not the GPU's own, such as "pcie5".
        wiring: "switch", "mesh", "pcie", "pcie-switch" or "staged", where it is not as there.
        port, ports: a network port, such as "ib-ndr", and how many a node has: one for each GPU without. No port is no network.

    Raises:
        ValueError: an unknown part, or parts that do not fit.

    >>> composed("H100", port="ib-ndr", ports=4)
    <my H100 machine: 8 GPUs, 450 GB/s each way over a switch; 4 x NDR InfiniBand: 200 GB/s each way to the network>
    >>> composed("H100", 4, link="pcie5")
    <my H100 machine: 4 GPUs, 63 GB/s each way over PCIe; no network>
    """
    rows = {cells["gpu"]: cells for cells in reversed(catalog.rows("systems"))}
    like = rows[known("gpu", gpu, sorted(rows))]
    own = not link or link == like["link"]
    wire = _wires(link or like["link"], like["links"] if own else None)
    wiring = wiring or (like["wiring"] if own else "pcie" if wire.family == "pcie" else "mesh")
    if wiring == "switch" and not (own and like["switch"]):
        raise ValueError(f"wiring must be another than 'switch' for {wire.name} between {gpu}: no switch for them is known; "
                         "got 'switch'.")
    if (wiring in OVER_PCIE) != (wire.family == "pcie"):
        raise ValueError(f"wiring must be {', '.join(OVER_PCIE)} for a link of PCIe, and for no other; got {short(wiring)} for "
                         f"{wire.name}.")
    gpus = like["gpus"] if gpus is None else count("gpus", gpus, high=100_000)
    return System(f"my {gpu} machine", gpus, wire, wiring, switch(like["switch"]) if wiring == "switch" else None,
                  _port(port), (gpus if ports is None else ports) if port else 0, like["library"],
                  like["host"] or "x86", min(like["server_gpus"] or gpus, gpus), accelerator=like["accelerator"] or "", gpu=gpu)


def _wires(name: str, count: int | None) -> Link:
    """All links of one GPU: *count* of them, else as many as a device has."""
    one = link(name)
    return one.bundle(count or one.per_device)


def _port(name: str | None) -> Port | None:
    return port(name) if name else None


def systems():
    """Return the catalogue as a DataFrame: one row a machine, rates in GB/s one way.

    >>> systems().set_index("id").loc["dgx-h100", ["GPUs", "GPU GB/s one way"]].astype(float).tolist()
    [8.0, 450.0]
    """
    import pandas as pd

    found = [system(cells["id"]) for cells in catalog.rows("systems")]
    return pd.DataFrame({
        "id": [one.id for one in found], "name": [one.name for one in found],
        "GPU": [cells["gpu"] for cells in catalog.rows("systems")], "GPUs": [one.gpus for one in found],
        "link": [f"{one.link.count} x {one.link.name}" for one in found], "wiring": [one.wiring for one in found],
        "GPU GB/s one way": [one.gpu_rate / units.GB for one in found],
        "in-switch reduction": [bool(one.switch and one.switch.reduces) for one in found],
        "network": [f"{one.ports} x {one.port.name}" if one.port else "none" for one in found],
        "network GB/s one way": [one.node_rate / units.GB if one.port else math.nan for one in found],
        "library": [one.library for one in found],
    })


