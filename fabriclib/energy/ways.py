"""What moving a byte from one chip to another takes, by the way it goes.

Of a part with watts P and a rate R each way, a byte takes P / R if both ways are full: a switch passes every byte once, a link
has two ends and two ways, and so does a pair of NICs. What is stated in joules a bit is taken as stated. A way that is used less
takes more: its parts draw the same whether or not a byte passes.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from .. import catalog, units
from ..checks import known, number, plain
from ..host_adapters import adapter
from ..switches import switch
from ..topology.fabrics.parts import CHIP, NIC, OPTICS
from .reach import BITS, cable_energy

COPPER = "dac-400"


@dataclass(frozen=True)
class Way:
    """A way from chip to chip: its tier, and {part: joules a byte} of a full one, and whether anybody measured it.

    `kind` is "from watts" where it follows from the parts' watts and rates, else what bit_energies.csv says of the figure.
    """

    name: str
    tier: str
    parts: dict[str, float]
    kind: str

    @property
    def joules(self) -> float:
        """Joules a byte of a way that is full both ways."""
        return sum(self.parts.values())

    def __repr__(self) -> str:
        return f"<{self.name}: {units.format(self.joules, 'J')} a byte, {self.kind}>"


def byte_energy(way: str, use=1.0):
    """Return the joules that a byte takes on a *way*, of whose rate the share *use* is used.

    Raises:
        ValueError: an unknown way, or a share outside (0, 1].

    >>> byte_energy("NVLink through a switch") < byte_energy("optics over one switch")
    True
    """
    return plain(ways()[known("way", way, ways(), {name: name for name in ways()})].joules / number("use", use, high=1))


@functools.cache
def ways() -> dict[str, Way]:
    """Return every way by its name, from within a package to three switches of a network.

    >>> ways()["GPU memory"].tier
    'memory'
    """
    found = [_stated("dies in one package", "ucie-advanced"), _stated("CPU and GPU on a module", "nvlink-c2c"),
             _stated("GPU memory", "hbm2"), _nvlink(), _pcie(), _network("copper over one switch", 1, COPPER),
             _network("optics over one switch", 1, OPTICS), _network("optics over three switches", 3, OPTICS),
             _stated("NVLink by convention", "nvlink-convention"), _stated("InfiniBand by convention", "ib-convention")]
    return {one.name: one for one in found}


def ways_table():
    """Return the ways as a DataFrame, a row a part: way, tier, part, joules a byte, picojoules a bit, kind.

    >>> list(ways_table())
    ['way', 'tier', 'part', 'J a byte', 'pJ a bit', 'kind']
    """
    import pandas as pd

    return pd.DataFrame([{"way": one.name, "tier": one.tier, "part": part, "J a byte": joules, "pJ a bit": joules / BITS * 1e12,
                          "kind": one.kind} for one in ways().values() for part, joules in one.parts.items()])


def _stated(name: str, row: str) -> Way:
    cells = catalog.row("bit_energies", row)
    return Way(name, cells["tier"], {cells["name"]: BITS * cells["j_per_bit"]}, cells["kind"])


def _nvlink() -> Way:
    lane, chip = catalog.row("bit_energies", "serdes-112g"), switch("nvswitch3")
    return Way("NVLink through a switch", "board", {"lanes at the GPUs": BITS * lane["j_per_bit"],
                                                    "switch chip": chip.power / chip.rate}, "from watts")


def _pcie() -> Way:
    lane, chip = catalog.row("bit_energies", "pcie5-serdes"), switch("pex88096")
    return Way("PCIe through a switch", "board", {"lanes at both ends": BITS * lane["j_per_bit"],
                                                  "switch chip": chip.power / chip.rate}, "from watts")


def _network(name: str, switches: int, below: str) -> Way:
    card, box = adapter(NIC), switch(CHIP)
    links = 2 * cable_energy(below) + (switches - 1) * cable_energy(OPTICS)
    return Way(name, "network", {"NICs": card.power / card.rate, "switch boxes": switches * box.box_power / box.rate,
                                 "ends of the links": links}, "from watts")
