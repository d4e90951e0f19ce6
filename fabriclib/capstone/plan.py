"""A plan: everything that somebody who builds a cluster for one job decides, and what may be decided."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import NamedTuple

from ..checks import count, known, number, short, single, typed
from ..machines import system

RADIX = 64  # ports of a switch


class Fabric(NamedTuple):
    """A way to wire the servers: what `fabric_counts` is asked for, and the servers that share their leaves."""

    kind: str
    options: dict
    pod: int
    near: bool  # whether the leaf stands in the server's own rack


FABRICS = {
    "rails": Fabric("rail-optimised", {}, RADIX // 2, near=False),
    "rack switches": Fabric("rail-optimised", {"rails": 1}, RADIX // 2 // 8, near=True),
    "two planes": Fabric("multi-plane", {"planes": 2}, RADIX, near=False),
}
# Cables from GPUs to leaves, and between switches.
OPTICS = {"copper to the rack": ("dac-800", "module-800-sm"), "modules": ("module-800-sm", "module-800-sm"),
          "linear modules": ("lpo-800", "lpo-800")}
COPPER = "copper to the rack"

OPTIONS: dict[str, tuple] = {
    "system": ("dgx-a100", "dgx-h100", "dgx-b200", "gb200-nvl72"),
    "gpus": (256, 512, 1024, 2048, 4096, 8192),
    "tp": (1, 2, 4, 8),
    "pp": (1, 2, 4, 8, 16),
    "fabric": tuple(FABRICS),
    "oversubscription": (1.0, 2.0, 4.0),
    "optics": tuple(OPTICS),
    "spare": (0, 2, 8, 32),
}


@typed
@dataclass(frozen=True)
class Plan:
    """What is built and how the job is laid on it. OPTIONS are what `search` tries; any other numbers are allowed too.

    Args:
        system: the machine, an id of `systems()`.
        gpus: that the job runs on.
        tp, pp: GPUs that share each matrix, and stages of the pipeline.
        fabric: "rails", "rack switches" (all NICs of a server at one leaf of its rack) or "two planes".
        oversubscription: ports of a leaf down for each port up.
        optics: "copper to the rack", "modules" or "linear modules".
        spare: servers that stand by.

    Raises:
        ValueError: an unknown name, or a number out of range.
    """

    _example = "Plan('dgx-h100', gpus=2048, tp=8)"

    system: str
    gpus: int
    tp: int = 1
    pp: int = 1
    fabric: str = "rails"
    oversubscription: float = 1.0
    optics: str = "modules"
    spare: int = 2

    def __post_init__(self):
        system(self.system)
        known("fabric", self.fabric, FABRICS)
        known("optics", self.optics, OPTICS)
        for name in ("gpus", "tp", "pp"):
            count(name, getattr(self, name))
        count("spare", self.spare, low=0)
        single("oversubscription", number("oversubscription", self.oversubscription, low=1, zero=True, high=1000))

    def axes(self) -> dict[str, tuple]:
        """Return {field: (value,)}, in the order of OPTIONS."""
        return {one.name: (getattr(self, one.name),) for one in fields(self)}


def plan_of(plan) -> Plan:
    """Return *plan*.

    Raises:
        ValueError: it is no Plan.
    """
    if not isinstance(plan, Plan):
        raise ValueError(f"plan must be a Plan, such as Plan('dgx-h100', gpus=2048, tp=8); got {short(plan)}.")
    return plan
