"""cluster_power: what a cluster draws, part by part, and which share of it is wiring."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from .. import catalog, units
from ..checks import Numbers, known, number, plain, short, single, whole
from ..machines import System
from ..prediction.cases import machine_of
from ..topology.fabrics import KINDS, Design, fabric_counts
from ..topology.fabrics.parts import OPTICS, dollars, watts
from .servers import GPUS, NICS, NVLINK, REST, chips, domain_watts

SWITCHES, TO_GPUS, BETWEEN = "switches", "links to GPUs", "links between switches"
NETWORK = (NICS, SWITCHES, TO_GPUS, BETWEEN)


@dataclass(frozen=True, repr=False)
class ClusterPower:
    """What a cluster draws: numbers for one size, arrays for many.

    Fields:
        system: the machine. gpus: how many. load: the share of their most that GPUs and servers draw.
        parts: {part: watts}, which add up to watts. counts: {part: how many}. listed: {part: US dollars} where a source has them.
    """

    system: System
    gpus: Numbers
    load: float
    parts: dict[str, Numbers]
    counts: dict[str, Numbers]
    listed: dict[str, Numbers]

    @property
    def watts(self):
        """Watts of everything."""
        return sum(self.parts.values())

    @property
    def network(self):
        """Watts of the network between servers: NICs, switches, links."""
        return sum(self.parts[part] for part in NETWORK)

    @property
    def share(self):
        """The network's share of the watts."""
        return self.network / self.watts

    @property
    def wiring(self):
        """The share of the watts that moves bytes between GPUs: the network and the NVLink switches."""
        return (self.network + self.parts[NVLINK]) / self.watts

    @property
    def per_gpu(self):
        """Watts for each GPU, of everything."""
        return self.watts / self.gpus

    def why(self) -> str:
        """Return in one sentence where the watts go; of many sizes, for the last."""
        largest = dict(sorted(self.parts.items(), key=lambda part: -np.ravel(part[1])[-1]))
        return f"{told(largest, 'W', f'for {int(np.ravel(self.gpus)[-1]):,} GPUs')}."

    def __repr__(self) -> str:
        return f"<{self.system.name}: {self.why()}>"


def told(parts: dict[str, Numbers], unit: str, of_what: str) -> str:
    """Return in words what *parts* come to and the share of each that is worth naming; of many cases, for the last.

    >>> told({"GPUs": [10.0, 75.0], "NICs": [0.0, 24.4], "fans": [0.0, 0.6], "lamps": [9.0, 0.4]}, "W", "for 2 GPUs")
    '100 W for 2 GPUs: GPUs 75 %, NICs 24 %, fans 1 %'
    """
    last = {part: float(np.ravel(value)[-1]) for part, value in parts.items()}
    all_of_it = sum(last.values())
    shares = ", ".join(f"{part} {units.portion(value / all_of_it)}" for part, value in last.items() if value / all_of_it >= 0.005)
    return f"{units.format(all_of_it, unit)} {of_what}: {shares}"


def cluster_power(system, *, gpus=None, fabric="rail-optimised", below: str = OPTICS, above: str = OPTICS, load=1.0,
                  **options) -> ClusterPower:
    """Return what a cluster draws: its servers at their most, or a share of it, and its network, all of it always.

    A server is what its nameplate says, or by the share of its like; a switch is a box without modules, and every link has two
    ends (`fabrics.parts.watts`). Cooling of the hall and conversion before the rack are not in it, nor is storage.

    Args:
        system: an id from `systems()` whose accelerator is known, such as "dgx-h100", or a System.
        gpus: how many, a number or an array; not given where *fabric* is a Design.
        fabric: a kind that `fabric_counts` knows, or what it returned. Of a kind, every GPU has one port, and the watts are
            those of as many ports as the system has.
        below, above: the cables from GPUs to leaves, and between switches: ids of `cables()`.
        load: the share of their most that GPUs and servers draw: 1 is the nameplate, `energy.TRAINING` what was measured.
        options: for `fabric_counts`, such as oversubscription, planes, radix or tiers.

    Raises:
        ValueError: unknown names, GPUs that do not fill servers, a cable whose watts nobody gives.

    >>> power = cluster_power("dgx-h100", gpus=1024)
    >>> round(power.watts), round(power.share, 3)
    (1362328, 0.06)
    """
    machine = machine_of(system)
    share = single("load", number("load", load, high=1))
    if isinstance(fabric, Design):
        if gpus is not None:
            raise ValueError(f"gpus must not be given with a Design, which has {fabric.gpus}; got {short(gpus)}.")
        return _powered(machine, [fabric], np.array(fabric.gpus), share, (below, above), 1.0)
    if gpus is None:
        raise ValueError("gpus must be given: how many the cluster has.")
    many = np.asarray(whole("gpus", gpus))
    usual = {"per_server": machine.server_gpus} | _speed(machine)
    asked = {name: value for name, value in usual.items() if name in _options(fabric)} | options
    found = [_built(machine, fabric, int(one), asked) for one in many.ravel()]
    ports = machine.ports / machine.gpus if "speed" not in options else 1.0
    return _powered(machine, found, many, share, (below, above), ports)


def _built(machine: System, fabric, gpus: int, asked: dict) -> Design | None:
    """Return the counts of the network; GPUs of one server or rack need none, and have the NICs that are in it."""
    if gpus > machine.gpus:
        try:
            return _counted(fabric, gpus, tuple(asked.items()))
        except TypeError:  # what cannot be looked up, a list among the options, is counted anew
            return fabric_counts(fabric, gpus=gpus, **asked)
    known("kind of fabric", fabric, [*KINDS, *(cells["id"] for cells in catalog.rows("designs"))])
    if gpus % machine.server_gpus:
        raise ValueError(f"gpus must fill servers of {machine.server_gpus} GPUs; got {gpus}.")
    return None


@functools.lru_cache(maxsize=1000)
def _counted(fabric: str, gpus: int, asked: tuple) -> Design:
    """Return the counts of a network, which many machines and loads ask for alike."""
    return fabric_counts(fabric, gpus=gpus, **dict(asked))


def _powered(machine: System, found: list[Design | None], many: np.ndarray, load: float, ends: tuple[str, str],
             ports: float) -> ClusterPower:
    inside = {part: many / machine.gpus * value for part, value in domain_watts(machine).items()}
    drawn = [watts(design, *ends) if design else {} for design in found]
    listed = [dollars(design) if design else {} for design in found]

    def of(each) -> np.ndarray:
        return ports * np.array([each(design) if design else 0.0 for design in found]).reshape(many.shape)

    def summed(rows: list[dict], part: str) -> np.ndarray:
        return ports * np.array([one.get(part, 0.0) for one in rows]).reshape(many.shape)

    alone = np.array([design is None for design in found]).reshape(many.shape)
    parts = {GPUS: load * inside[GPUS], REST: load * inside[REST], NVLINK: inside[NVLINK],
             NICS: np.where(alone, inside[NICS], summed(drawn, NICS))}
    parts |= {part: summed(drawn, part) for part in NETWORK[1:]}
    counts = {GPUS: many, "servers": many / machine.server_gpus, NVLINK: many * chips(machine) / machine.gpus,
              NICS: many * machine.ports / machine.gpus, SWITCHES: of(lambda one: one.switches),
              "links": of(lambda one: one.cable_count)}
    prices = {part: summed(listed, part) for part in ("switches", "links")}
    return ClusterPower(machine, plain(many), load, *({part: plain(value) for part, value in one.items()}
                                                     for one in (parts, counts, prices)))


def _options(fabric) -> tuple[str, ...]:
    return KINDS[fabric].options if isinstance(fabric, str) and fabric in KINDS else ()


def _speed(machine: System) -> dict[str, str]:
    """Return the rate of one port of *machine*, as an option of `fabric_counts`; nothing for one that the catalogue lacks."""
    ids = {cells["id"]: cells["link"] for cells in catalog.rows("ports")}
    return {"speed": ids[machine.port.id]} if machine.port and machine.port.id in ids else {}
