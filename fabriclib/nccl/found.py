"""What NCCL's search of a machine's graph finds: how many channels, and how fast each is inside a node and between nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from .. import catalog
from ..checks import count, known, number, short, typed

SEARCHES = ("ring", "tree", "nvls", "collnet_direct", "collnet_chain")
CPUS = ("intel", "amd", "arm")
INSIDE = ("nvlink", "pci")


@typed
@dataclass(frozen=True)
class Found:
    """The result of one search: `channels`, each of `intra` bytes per second within a node and `inter` between nodes.

    `one_nic_gpu`: whether a tree sends all traffic of a node through one of its GPUs.

    Raises:
        ValueError: not 1 to 64 channels, or a rate that is not positive.

    >>> Found(channels=16, intra=20e9, inter=20e9, one_nic_gpu=False).channels
    16
    """

    channels: int
    intra: float
    inter: float
    one_nic_gpu: bool = False

    def __post_init__(self) -> None:
        count("channels", self.channels, high=64)
        number("intra", self.intra, high=1e14)
        number("inter", self.inter, high=1e14)


@typed
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
        derived: whether *graphs* follow from the machine's links by the rules of the search, and no log showed them.

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
    derived: bool = False

    def __post_init__(self) -> None:
        known("gpu", self.gpu, [row["id"] for row in catalog.rows("nccl_gpus")])
        known("cpu", self.cpu, CPUS)
        known("inside", self.inside, INSIDE)
        count("gpus", self.gpus, high=1024)
        number("latency_inter", self.latency_inter, high=1, zero=True)
        if "ring" not in self.graphs:
            raise ValueError(f"graphs must be a dict with a Found for 'ring' at least; got {short(self.graphs)}.")
        for name, found in self.graphs.items():
            known("graph", name, SEARCHES)
            if not isinstance(found, Found):
                raise ValueError(f"graphs must hold a Found for {name!r}; got {short(found)}.")
