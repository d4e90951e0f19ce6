"""What NCCL's search of a machine's graph finds: how many channels, and how fast each is inside a node and between nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from .. import catalog, machines
from ..checks import count, known, number, short, single
from ..machines import System

SEARCHES = ("ring", "tree", "nvls", "collnet_direct", "collnet_chain")
CPUS = ("intel", "amd", "arm")
INSIDE = ("nvlink", "pci")
_SCORED_ALIKE = ("ib", "roce")  # transports that NCCL drives itself, through verbs


@dataclass(frozen=True)
class Found:
    """The result of one search: `channels`, each of `intra` bytes per second within a node and `inter` between nodes.

    `one_nic_gpu`: whether a tree sends all traffic of a node through one of its GPUs.
    """

    channels: int
    intra: float
    inter: float
    one_nic_gpu: bool = False

    def __post_init__(self) -> None:
        count("channels", self.channels, high=64)
        for name, rate in (("intra", self.intra), ("inter", self.inter)):
            single(name, number(name, rate, high=1e14))


@dataclass(frozen=True)
class Searched:
    """A machine as the tuner sees it.

    Args:
        gpu: "volta", "ampere", "hopper" or "blackwell".
        gpus: GPUs in a node.
        graphs: a Found for "ring" at least; "tree", "nvls", "collnet_direct", "collnet_chain" where the search found one.
        cpu: "intel", "amd" or "arm".
        inside: "nvlink" or "pci": what connects the GPUs of a node.
        ll128: whether the protocol LL128 may be used: NVLink inside, and NICs near their GPUs.
        same_channels: whether all ring channels visit the GPUs in the same order.
        latency_inter: seconds that the NIC reports for itself; InfiniBand and sockets report none.
        network: share of the rate between nodes in *graphs* that the adapters carry; 0 where nothing is known between nodes.

    Raises:
        ValueError: an unknown name, no ring, or a number out of range.

    >>> Searched("hopper", 8, {"ring": Found(12, 30e9, 30e9)}).gpus
    8
    """

    gpu: str
    gpus: int
    graphs: Mapping[str, Found] = field(hash=False)
    cpu: str = "intel"
    inside: str = "nvlink"
    ll128: bool = True
    same_channels: bool = True
    latency_inter: float = 0.0
    network: float = 1.0

    def __post_init__(self) -> None:
        known("gpu", self.gpu, [row["id"] for row in catalog.rows("nccl_gpus")])
        known("cpu", self.cpu, CPUS)
        known("inside", self.inside, INSIDE)
        count("gpus", self.gpus, high=1024)
        single("latency_inter", number("latency_inter", self.latency_inter, high=1, zero=True))
        single("network", number("network", self.network, high=1, zero=True))
        if not isinstance(self.graphs, Mapping) or "ring" not in self.graphs:
            raise ValueError(f"graphs must be a dict with a Found for 'ring' at least; got {short(self.graphs)}.")
        for name, found in self.graphs.items():
            known("graph", name, SEARCHES)
            if not isinstance(found, Found):
                raise ValueError(f"graphs must hold a Found for {name!r}; got {short(found)}.")


def searched(system: str | System) -> Searched:
    """Return what the search found on a machine of nccl_graphs.csv: from a log, or derived, as its note says.

    On another machine with the same links and switch it finds the same inside a node. Between nodes InfiniBand and RoCE that are
    slower are taken to carry their share of it. Adapters with a plugin of their own bring another tuner: of those one node.

    Raises:
        ValueError: a machine without a published search; the known ones are listed.

    >>> searched("dgx-h100").graphs["nvls"].channels
    8
    >>> searched(machines.composed("H100", 4, port="ib-ndr", ports=2)).network
    0.25
    """
    machine = system if isinstance(system, System) else machines.system(system)
    known_ones = {name: machines.system(name) for name in dict.fromkeys(row["system"] for row in catalog.rows("nccl_graphs"))}
    for name, one in known_ones.items():
        if machine.gpus <= one.gpus and _inside(machine) == _inside(one):
            return replace(_published(name), gpus=machine.gpus, network=_share(machine, one))
    raise ValueError(f"system must have the links and the switch of one whose search is known, {', '.join(known_ones)}, and no "
                     f"more GPUs, or be a Searched with the graphs that a log of NCCL_DEBUG=INFO prints; got {short(system)}.")


def _inside(machine: System) -> tuple[object, ...]:
    return machine.link, machine.wiring, machine.switch, machine.host, machine.library


def _share(machine: System, like: System) -> float:
    plain = machine.port is not None and machine.port.transport in _SCORED_ALIKE
    return min(machine.node_rate / like.node_rate, 1.0) if plain else 0.0


def _published(name: str) -> Searched:
    mine = [row for row in catalog.rows("nccl_graphs") if row["system"] == name]
    graphs = {row["algorithm"]: Found(row["channels"], row["intra_bytes_per_s"], row["inter_bytes_per_s"],
                                      row["pattern"] == "tree") for row in mine}
    return Searched(mine[0]["gpu"], mine[0]["gpus"], graphs, cpu=mine[0]["cpu"])
