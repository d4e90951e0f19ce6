"""What a machine draws inside: GPUs, NVLink switches, NICs, and the rest, which is what a nameplate leaves for it.

    rest = nameplate - GPUs - NVLink switches - NICs

CPUs, memory, drives, fans, what the supplies lose, and what the maker plans for and nobody sees drawn. A machine without a
nameplate of its own has the rest of its like, as a share of its GPUs' watts: of the machine with the same GPUs, else of the mean
of air-cooled servers, or of the Grace rack.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .. import catalog
from ..host_adapters import adapter
from ..links import link
from ..machines import System, system
from ..switches import Switch, switch
from ..topology.fabrics.parts import NIC
from ..workloads.accelerators import of_system

NAMEPLATE = "nameplate"
GPUS, REST, NVLINK, NICS = "GPUs", "rest of the servers", "NVLink switches", "NICs"
MEASURED = "nvswitch3"  # the chip whose watts stand for those of its family, in proportion to their rate


@functools.cache
def domain_watts(machine: System, without: str = "") -> dict[str, float]:
    """Return {part: watts} of all GPUs that one NVLink domain joins, at the most that it may draw.

    Args:
        machine: a server, or a rack that is one domain.
        without: the id of a machine whose nameplate is not to be known.

    Raises:
        ValueError: its accelerator, or what that draws, is not known.
    """
    gpus = gpu_watts(machine)
    return {GPUS: gpus, REST: _rest(machine, gpus, without), NVLINK: nvlink_watts(machine), NICS: nic_watts(machine)}


def gpu_watts(machine: System) -> float:
    """Return the watts of the GPUs of a domain, as their boards are specified."""
    one = of_system(machine)
    if not one.watts:
        raise ValueError(f"system must be one whose accelerator's watts are known; no source gives those of {one.name}.")
    return machine.gpus * one.watts


def nvlink_watts(machine: System) -> float:
    """Return the watts of a domain's NVLink switches: of bare chips on a server's board, of trays where a rack has them.

    0 where GPUs are linked to one another directly.
    """
    if not machine.switch:
        return 0.0
    chip, rack = machine.switch, machine.server_gpus < machine.gpus
    if rack and not math.isnan(chip.box_power):
        return chips(machine) * chip.box_power
    return chips(machine) * chip_watts(chip)


def chip_watts(chip: Switch) -> float:
    """Return the watts of an NVSwitch chip; where no source gives them, those of the third generation, in proportion to rate."""
    known = switch(MEASURED)
    return known.power * chip.rate / known.rate if math.isnan(chip.power) else chip.power


@functools.cache
def chips(machine: System) -> int:
    """Return how many switch chips a domain has: as servers.csv says of one that is wired alike, else the fewest that do."""
    for cells in catalog.rows("servers"):
        if cells["links_per_switch"] and cells["gpus"] == machine.gpus and link(cells["link"]).name == machine.link.name:
            return len(cells["links_per_switch"])
    return math.ceil(machine.gpus * machine.link.count / machine.switch.ports) if machine.switch else 0


def nic_watts(machine: System) -> float:
    """Return the watts of a domain's NICs: those of one kind, in proportion to the rate of its ports."""
    card = adapter(NIC)
    return machine.node_rate * card.power / card.rate


def _rest(machine: System, gpus: float, without: str) -> float:
    own = [cells for cells in _nameplates() if cells["system"] == machine.id != without]
    if own:
        return own[0]["power_w"] - gpus - nvlink_watts(machine) - nic_watts(machine)
    return gpus * _share(machine.accelerator, machine.host == "grace", without)


@functools.cache
def _share(accelerator: str, grace: bool, without: str) -> float:
    """Return the rest as a share of the GPUs' watts, a mean over machines with a nameplate.

    Of those with the same accelerator, else with Grace or without it as this one, else of all.
    """
    found = [system(cells["system"]) for cells in _nameplates() if cells["system"] != without]
    alike = ([one for one in found if one.accelerator == accelerator]
             or [one for one in found if (one.host == "grace") == grace] or found)
    return float(np.mean([_rest(one, gpu_watts(one), without) / gpu_watts(one) for one in alike]))


def _nameplates():
    return [cells for cells in catalog.rows("machine_powers") if cells["kind"] == NAMEPLATE]
