"""Cables and optics: how far they reach, what they draw and how long a bit travels through them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from . import catalog, units
from .checks import number, typed
from .links import Link, link
from .shown import sentence


@typed
@dataclass(frozen=True)
class Cable(catalog.Sourced):
    """ONE cable with its two ends, or a fibre with a module on each.

    `carries` is the link it is made for, `reach` is metres, `power` is watts drawn by ONE end, `delay` is seconds a metre
    and `end_latency` is seconds that ONE end adds. NaN where no source gives a figure.
    """

    _example = "cable('dac-400')"
    _table = "cables"

    id: str
    name: str
    kind: str
    carries: Link
    reach: float
    power: float
    delay: float
    end_latency: float
    note: str

    def latency(self, metres):
        """Return seconds from plug to plug: the way through *metres* (a number or an array) and both ends.

        Raises:
            ValueError: metres below zero or beyond the cable's reach.

        >>> units.format(cable("dac-400").latency(2), "s"), units.format(cable("module-800-sm").latency(100), "s")
        ('8.24 ns', '520 ns')
        """
        reach = math.inf if math.isnan(self.reach) else self.reach
        return number("metres", metres, high=reach, zero=True) * self.delay + 2 * self.end_latency

    def __repr__(self) -> str:
        reach = "reach unknown" if math.isnan(self.reach) else f"up to {self.reach:g} m"
        power = "power unknown" if math.isnan(self.power) else f"{self.power:g} W an end"
        return f"<{self.name}: {reach}, {power}, {self.delay / units.ns:g} ns a metre>"

    _repr_html_ = sentence


def cable(name: str) -> Cable:
    """Return ONE cable from the catalogue.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> cable("dac-800")
    <800G passive copper (DAC): up to 3 m, 0.1 W an end, 4.12 ns a metre>
    """
    cells = catalog.row("cables", name)
    return Cable(
        **{field: cells[field] for field in ("id", "name", "kind", "note")}, carries=link(cells["link"]),
        reach=cells["reach_m"], power=cells["power_w"], delay=cells["s_per_m"], end_latency=cells["end_s"],
    )


def cables():
    """Return the catalogue as a DataFrame: one row a cable; watts for one end.

    >>> float(cables().set_index("id").loc["dac-400", "reach (m)"])
    3.0
    """
    import pandas as pd

    return pd.DataFrame([{
        "id": one.id, "name": one.name, "kind": one.kind, "carries": one.carries.name, "reach (m)": one.reach,
        "power of one end (W)": one.power, "ns per metre": one.delay / units.ns, "ns of one end": one.end_latency / units.ns,
        "note": one.note,
    } for one in (cable(row["id"]) for row in catalog.rows("cables"))])
