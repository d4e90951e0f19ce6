"""Switches: ports, what each port carries, and what all of them together do, computed from the port's link."""

from __future__ import annotations

from dataclasses import dataclass, replace

from . import catalog, units
from .checks import count, typed
from .links import Link, link
from .shown import sentence


@typed
@dataclass(frozen=True)
class Switch(catalog.Sourced):
    """ONE switch chip, or ONE box of several where the note says so.

    `port` is the link of one port in one direction, the widest it can be; `lanes` are those of all ports.

    A PCIe switch is divided as its user likes: into `ports` at most, or into as many of the widest as its lanes make.
    `latency` is seconds from port to port, `power` is watts of the row's chip (or box of several), and `box_power` watts of a
    box with that chip in it, its fans and its processor, but without modules in its cages: NaN where no source gives it.
    """

    _example = "switch('nvswitch3')"
    _table = "switches"

    id: str
    name: str
    family: str
    generation: str
    year: int
    ports: int
    lanes: int
    port: Link
    reduces: bool
    latency: float
    power: float
    box_power: float
    note: str

    def __post_init__(self):
        count("ports", self.ports)
        count("lanes", self.lanes)

    @property
    def rate(self) -> float:
        """Bytes per second that all ports together take in, or give out, at line rate: one direction.

        >>> switch("nvswitch3").rate
        1600000000000.0
        """
        return self.whole.line

    @property
    def whole(self) -> Link:
        """All lanes of the chip as one link, in one direction."""
        return replace(self.port, lanes=self.lanes)

    def __repr__(self) -> str:
        return f"<{self.name}: {self.ports} ports, {units.format(self.rate, 'B/s', 4)} one way>"

    _repr_html_ = sentence


def switch(name: str) -> Switch:
    """Return ONE switch chip from the catalogue.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> switch("nvswitch4")
    <NVSwitch 4: 72 ports, 3.6 TB/s one way>
    """
    cells = catalog.row("switches", name)
    port = link(cells["link"], cells["port_lanes"])
    return Switch(
        **{field: cells[field] for field in ("id", "name", "family", "generation", "year", "ports", "reduces", "note")},
        lanes=cells["lanes"] or cells["ports"] * port.lanes, port=port, latency=cells["latency_s"], power=cells["power_w"],
        box_power=cells["box_w"],
    )


def switches():
    """Return the catalogue as a DataFrame: one row a switch chip, rates in GB/s.

    >>> switches().set_index("id").loc["nvswitch3", ["ports", "port GB/s one way"]].astype(float).tolist()
    [64.0, 25.0]
    """
    import pandas as pd

    return pd.DataFrame([{
        "id": one.id, "name": one.name, "family": one.family, "year": one.year, "ports": one.ports, "lanes": one.lanes,
        "port": one.port.name, "port GB/s one way": one.port.line / units.GB, "chip GB/s one way": one.rate / units.GB,
        "chip GB/s both ways": 2 * one.rate / units.GB, "reduces in the network": one.reduces,
        "latency (ns)": one.latency / units.ns, "power (W)": one.power, "power of a box without modules (W)": one.box_power,
    } for one in (switch(row["id"]) for row in catalog.rows("switches"))])
