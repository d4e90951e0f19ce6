"""Network adapters (NICs): their ports, the slot behind them, and which of the two is narrower."""

from __future__ import annotations

from dataclasses import dataclass

from . import catalog, units
from .checks import count, typed
from .links import MAX_BUNDLE, Link, link
from .shown import sentence


@typed
@dataclass(frozen=True)
class Adapter(catalog.Sourced):
    """ONE adapter. `port` is the link of one port in one direction, `host` the link to its server: None where unknown.

    `latency` is seconds and `power` watts as the maker states them, NaN where no source gives a figure.
    """

    _table = "adapters"
    id: str
    name: str
    family: str
    year: int
    ports: int
    port: Link
    transports: tuple[str, ...]
    host: Link | None
    latency: float
    power: float
    note: str

    def __post_init__(self):
        count("ports", self.ports, high=MAX_BUNDLE)

    @property
    def rate(self) -> float:
        """Bytes per second that the adapter can move in one direction: the line rate of its ports or what its slot leaves.

        >>> adapter("connectx7").rate, units.format(adapter("connectx6").rate, "B/s")
        (50000000000.0, '28.8 GB/s')
        """
        ports = self.port.bundle(self.ports).line
        return ports if self.host is None else min(ports, self.host.bandwidth())

    def __repr__(self) -> str:
        many = f"{self.ports} ports" if self.ports > 1 else "one port"
        slot = f"{self.host.name} x{self.host.lanes}" if self.host else "slot unknown"
        return f"<{self.name}: {many} of {self.port.name}, {slot}, {units.format(self.rate, 'B/s')} one way>"

    _repr_html_ = sentence


def adapter(name: str) -> Adapter:
    """Return ONE adapter from the catalogue.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> adapter("connectx7")
    <ConnectX-7: one port of InfiniBand NDR, PCIe 5 x16, 50 GB/s one way>
    """
    cells = catalog.row("adapters", name)
    return Adapter(
        **{field: cells[field] for field in ("id", "name", "family", "year", "ports", "note")},
        port=link(cells["link"]), transports=cells["transport"],
        host=link(cells["host_link"], cells["host_lanes"]) if cells["host_link"] else None,
        latency=cells["latency_s"], power=cells["power_w"],
    )


def adapters():
    """Return the catalogue as a DataFrame: one row an adapter, rates in GB/s.

    >>> float(adapters().set_index("id").loc["connectx7", "adapter GB/s one way"])
    50.0
    """
    import pandas as pd

    return pd.DataFrame([{
        "id": one.id, "name": one.name, "year": one.year, "ports": one.ports, "port": one.port.name,
        "transports": ", ".join(one.transports), "slot": f"{one.host.name} x{one.host.lanes}" if one.host else "",
        "ports GB/s one way": one.port.bundle(one.ports).line / units.GB, "adapter GB/s one way": one.rate / units.GB,
        "latency (ns)": one.latency / units.ns, "note": one.note,
    } for one in (adapter(row["id"]) for row in catalog.rows("adapters"))])
