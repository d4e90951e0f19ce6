"""What NCCL's search would find on a machine whose log nobody published: its rules, over the machine's own links.

The rules are those of src/graph/search.cc (v2.31.2; the rates it tries are v2.30.7's): take the highest rate that a channel
can have, count the channels that fit, try lower rates down to half of that, keep the most bytes per second, double the
channels where they are quick and few, then raise what is left. The search itself walks a graph; here all GPUs of a node are
taken as alike and each adapter as beside a GPU, so that what fits is counted.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from .. import catalog, machines
from ..checks import short
from ..links import link
from .constants import factor
from .found import Found, Searched

_SCORED_ALIKE = ("ib", "roce")  # transports that NCCL drives itself, through verbs
_ROUNDING = 1e-6  # of a channel, or of a byte per second


@dataclass(frozen=True)
class _Wires:
    """A node as the search counts it. Rates are bytes per second, one way; `several` says whether adapters count.

    `bundles` bundles of links of the rate `inside` leave a GPU, one to a switch, or one to each other GPU.
    """

    gpu: catalog.Row
    capability: int
    gpus: int
    inside: float
    bundles: int
    nvlink: bool
    reduces: bool
    several: bool
    nics: int
    nic: float

    @property
    def speeds(self) -> tuple[float, ...]:
        return self.gpu["between_bytes_per_s" if self.several else "inside_bytes_per_s"]

    @property
    def total(self) -> float:
        return self.bundles * self.inside

    def fit(self, intra: float, inter: float, chain: bool) -> int:
        """Return how many channels fit, rings or chains, of these rates within a node and between nodes.

        The last GPU of a chain sends nothing on over NVLink, so that more chains fit than rings; over PCIe it has an adapter.
        """
        inside = self.bundles * _whole(self.inside / intra)
        if chain and self.nvlink and self.gpus > 1:
            inside = inside * self.gpus // (self.gpus - 1)
        return min(inside, self.nics * _whole(self.nic / inter)) if self.several else inside

    def fit_heads(self, intra: float, inter: float) -> int:
        """Return how many GPUs can have a part each added up in the switch: a head's links carry its own part twice."""
        heads = _whole(self.total / intra) - 1
        return min(heads, self.nics if inter <= self.nic + _ROUNDING else 0) if self.several else heads


@functools.cache
def derived(machine: machines.System, several: bool) -> Searched:
    """Return what the search would find on one node of *machine*, or on each of *several*.

    The CPUs are taken as Intel's where the machine's `host` does not say whose they are.

    Raises:
        ValueError: GPUs that NCCL does not run on, or a network whose scores are not known.

    >>> h100 = machines.system("dgx-h100")
    >>> [(one.channels, one.intra / 1e9) for one in (derived(h100, several).graphs["ring"] for several in (False, True))]
    [(12, 30.0), (8, 48.0)]
    """
    if several and (machine.port is None or machine.port.transport not in _SCORED_ALIKE):
        raise ValueError("nodes must be 1: NCCL scores a network that it drives itself, InfiniBand or RoCE; got "
                         f"{machine.port.name if machine.port else 'no network'} of {short(machine.id or machine.name)}.")
    wires = _wires(machine, several)
    ring = _ring(wires)
    graphs = {"ring": ring, "tree": _tree(wires, ring.channels)}
    if wires.reduces and wires.capability >= 90 and wires.gpus > 2:
        graphs["nvls"] = _nvls(wires)
    return Searched(wires.gpu["id"], wires.gpus, graphs, cpu=cpu_of(machine), inside="nvlink" if wires.nvlink else "pci",
                    ll128=wires.nvlink, same_channels=wires.bundles == 1 and not several, derived=True)


def cpu_of(machine: machines.System) -> str:
    """Return the maker of a machine's CPUs as the tuner tells them apart: Intel where nobody says whose they are."""
    return {"grace": "arm", "amd": "amd"}.get(machine.host, "intel")


def _wires(machine: machines.System, several: bool) -> _Wires:
    kinds = {row["gpu"]: row for row in catalog.rows("cuda_gpus")}
    if machine.library != "nccl" or machine.gpu not in kinds:
        raise ValueError(f"system must have GPUs that NCCL runs on, {', '.join(kinds)}, or be a Searched with the graphs that a "
                         f"log of NCCL_DEBUG=INFO prints; got {short(machine.id or machine.name)}.")
    capability = kinds[machine.gpu]["compute_capability"]
    gpu = [row for row in catalog.rows("nccl_gpus") if row["compute_capability"] <= capability][-1]
    pci = factor("pci") * (machine.link if machine.over_pcie else link(kinds[machine.gpu]["pcie"])).raw
    if machine.over_pcie:
        through_intel = machine.wiring != "pcie-switch" and cpu_of(machine) == "intel"
        inside, bundles = pci / (factor("intel-p2p") if through_intel else 1.0), 1
    else:
        peers = 1 if machine.wiring == "switch" else max(machine.gpus - 1, 1)
        together = max(machine.link.count // peers, 1)
        inside, bundles = together * gpu["nvlink_bytes_per_s"], min(machine.link.count // together, peers)
    return _Wires(gpu, capability, machine.gpus, inside, bundles, not machine.over_pcie,
                  bool(machine.switch and machine.switch.reduces), several, machine.ports - machine.failed_ports,
                  min(machine.port.rate, pci) if machine.port else 0.0)


def _ring(wires: _Wires) -> Found:
    def fit(speed):
        return wires.fit(speed, speed, chain=wires.several)

    found = _doubled(wires, *_first(wires, fit, _most()))
    for speed in _above(wires, found.inter):
        if fit(speed) >= found.channels:
            found = replace(found, intra=speed, inter=speed)
    return found


def _tree(wires: _Wires, channels: int) -> Found:
    """As many channels as the ring has, a chain of GPUs each."""
    channels, rate = _first(wires, lambda speed: wires.fit(speed, speed, chain=True), channels, least=channels)
    found = Found(channels, rate, rate)
    for speed in _above(wires, rate):
        if found.intra >= 2 * rate or wires.fit(speed, rate, chain=True) < channels:
            break
        found = replace(found, intra=speed)
    return found


def _nvls(wires: _Wires) -> Found:
    most = min(int(factor("search-heads")), wires.gpus)
    least = 1 if wires.several else most
    channels, rate = _first(wires, lambda speed: wires.fit_heads(speed, speed), most, least, more=True)
    found = Found(channels, rate, rate)
    for speed in _above(wires, rate):
        if found.inter >= 2 * rate or wires.fit_heads(rate, speed) < channels:
            break
        found = replace(found, inter=speed)
    return found


def _first(wires: _Wires, fit: Callable[[float], int], most: int, least: int = 1, more: bool = False) -> tuple[int, float]:
    """Return channels and their rate: of the rates worth trying the one with most bytes per second, or with *more* channels."""
    fastest = wires.nic if wires.several else wires.inside
    channels, rate = 0, factor("search-no-path")
    for speed in wires.speeds:
        if channels == most or channels * rate >= wires.total or channels and speed / rate <= factor("search-slowest"):
            break
        fitting = min(fit(speed), most) if speed <= fastest + _ROUNDING else 0
        if fitting >= least and (fitting * speed > channels * rate or more and fitting > channels):
            channels, rate = fitting, speed
    return max(channels, 1), rate


def _doubled(wires: _Wires, channels: int, speed: float) -> Found:
    many = wires.capability > 80 and channels > factor("search-few")
    if speed < factor("search-double") or many and speed < factor("search-double-hopper"):
        return Found(channels, speed, speed)
    double = min(2 * channels, _most())
    each = speed / math.ceil(double / channels)
    return Found(double, each, each)


def _above(wires: _Wires, speed: float) -> list[float]:
    """The rates above *speed*, if that is one of them, from the next on."""
    return [one for one in reversed(wires.speeds) if one > speed] if speed in wires.speeds else []


def _most() -> int:
    return int(factor("search-channels"))


def _whole(channels: float) -> int:
    return int(min(channels + _ROUNDING, 2 * _most()))
