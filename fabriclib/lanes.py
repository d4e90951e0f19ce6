"""The lane budget: the PCIe lanes that a CPU has, that devices ask for, and what a switch's uplink must carry.

A switch makes no lanes towards the CPU. It lets more devices share those there are, and lets them reach each other without.
"""

from __future__ import annotations

from . import catalog, units
from .checks import count, known, number, single, together
from .links import link
from .switches import switch

SOCKETS = (1, 2)


def lanes_of(cpu: str, sockets: int = 1) -> int:
    """Return the PCIe lanes that one or two sockets of a CPU have for devices.

    Args:
        cpu: an id from cpus.csv, such as "epyc-9004".
        sockets: 1 or 2; some CPUs give up lanes to reach each other.

    Raises:
        ValueError: an unknown CPU, or a number of sockets other than 1 and 2.

    >>> lanes_of("epyc-9004"), lanes_of("epyc-9004", sockets=2), lanes_of("xeon-sp4", sockets=2)
    (128, 128, 160)
    """
    row = catalog.row("cpus", cpu)
    return row["lanes" if count("sockets", sockets, high=SOCKETS[-1]) == 1 else "lanes_of_two"]


def lanes_asked(gpus: int = 8, nics: int = 8, ssds: int = 4) -> int:
    """Return the PCIe lanes that these devices ask for together, each at its full width.

    Raises:
        ValueError: a number of devices that is negative or not whole.

    >>> lanes_asked(), lanes_asked(gpus=8, nics=0, ssds=0)
    (272, 128)
    """
    asked = {"gpus": gpus, "nics": nics, "ssds": ssds}
    needs = {f"{row['id']}s": row["lanes"] for row in catalog.rows("lane_needs")}
    return sum(count(name, many, low=0) * needs[name] for name, many in asked.items())


def width_for(name: str, rate: float) -> int:
    """Return the narrowest width of the link *name* whose line rate carries *rate* bytes per second one way.

    Raises:
        ValueError: a rate that even the widest does not carry.

    >>> width_for("pcie5", 50e9), width_for("pcie3", 100e9 / 8)
    (16, 16)
    """
    wanted = single("rate", number("rate", rate))
    of_pcie = [row["id"] for row in catalog.rows("links") if row["family"] == "pcie"]
    for width in catalog.row("links", known("link", name, of_pcie))["widths"]:
        if link(name, width).line >= wanted:
            return width
    widest = link(name)
    most = units.format(widest.line, "B/s", 4)
    raise ValueError(f"rate must be at most the {most} of {widest.name} x{widest.lanes}; got {units.format(wanted, 'B/s')}.")


def fan_out(part: str, uplink: int = 16, width: int = 16) -> int:
    """Return how many devices of *width* lanes a PCIe switch holds below an uplink of *uplink* lanes.

    Raises:
        ValueError: a switch that is no PCIe switch, or an uplink wider than the chip.

    >>> fan_out("pex89144"), fan_out("pex89144", uplink=32), fan_out("switchtec-pfx5")
    (8, 7, 5)
    """
    chips = [row["id"] for row in catalog.rows("switches") if row["family"] == "pcie-switch"]
    has = switch(known("PCIe switch", part, chips)).lanes
    return (has - count("uplink", uplink, high=has)) // count("width", width)


def oversubscription(below, uplink):
    """Return how many times the lanes below a switch exceed those of its uplink: what all devices lose when all use it.

    Both may be arrays; lanes of one generation are assumed.

    Raises:
        ValueError: lanes that are not positive.

    >>> oversubscription(below=4 * 16, uplink=16)
    4.0
    """
    below, uplink = together(below=number("below", below), uplink=number("uplink", uplink))
    return below / uplink


def budgets(gpus: int = 8, nics: int = 8, ssds: int = 4):
    """Return a DataFrame: for each CPU, alone and as two, the lanes it has, those asked for, and those short.

    Raises:
        ValueError: what `lanes_asked` refuses.

    >>> list(budgets())
    ['CPU', 'link', 'sockets', 'lanes', 'asked', 'short']
    """
    import pandas as pd

    asked = lanes_asked(gpus, nics, ssds)
    return pd.DataFrame([{"CPU": row["name"], "link": link(row["link"]).name, "sockets": sockets, "lanes": has, "asked": asked,
                          "short": max(asked - has, 0)}
                         for row in catalog.rows("cpus") for sockets in SOCKETS for has in [lanes_of(row["id"], sockets)]])
