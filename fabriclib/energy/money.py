"""What a cluster costs: the learner's own prices, and those few that a source states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .. import units
from ..checks import Numbers, known, number, plain, short, single
from .cluster import SWITCHES, ClusterPower
from .servers import GPUS, NICS

PRICED = {"gpu": GPUS, "server": "servers", "nic": NICS, "switch": SWITCHES, "link": "links"}  # price: what it is one of
SOURCED = {"switch": "switches", "link": "links"}
KWH = "kwh"
JOULES = units.parse("1 kWh")


@dataclass(frozen=True, repr=False)
class ClusterCost:
    """What a cluster costs in US dollars.

    Fields:
        parts: {part: US dollars} of what has a price. unpriced: what has none, neither stated nor given: it is not in the sum.
        sourced: parts whose price is a source's, not the learner's.
    """

    parts: dict[str, Numbers]
    unpriced: tuple[str, ...]
    sourced: tuple[str, ...]

    @property
    def usd(self):
        """US dollars of all that has a price."""
        return sum(self.parts.values())

    def __repr__(self) -> str:
        last = float(np.ravel(self.usd)[-1])
        without = f"; no price for {', '.join(self.unpriced)}" if self.unpriced else ""
        return f"<{last / 1e6:,.4g} million US$ for {', '.join(self.parts)}{without}>"


def cluster_cost(power: ClusterPower, prices: Mapping | None = None, hours=0.0) -> ClusterCost:
    """Return what a cluster costs, from one's own prices.

    Only switches and links have a price in a source (data/prices.csv, August 2024): theirs is taken where *prices* has none.

    Args:
        power: from `cluster_power`.
        prices: US dollars of one "gpu", "server" (without its GPUs and NICs), "nic", "switch", "link" (with its ends), and of one
            "kwh" of energy.
        hours: for how long it draws what it does; with a price of a kWh this adds the energy.

    Raises:
        ValueError: an unknown price, or one that is not a number.

    >>> from fabriclib.energy import cluster_power
    >>> cluster_cost(cluster_power("dgx-h100", gpus=1024), {"gpu": 30_000, "kwh": 0.1}, hours=8766)
    <36.26 million US$ for GPUs, switches, links, energy; no price for servers, NICs>
    """
    if not isinstance(power, ClusterPower):
        raise ValueError(f"power must be what cluster_power returns; got {short(power)}.")
    own = _checked({} if prices is None else prices)
    parts: dict[str, Numbers] = {part: own[one] * power.counts[part] for one, part in PRICED.items() if one in own}
    parts |= {part: power.listed[part] for one, part in SOURCED.items() if one not in own}
    time = single("hours", number("hours", hours, zero=True))
    if KWH in own and time:
        parts["energy"] = own[KWH] * power.watts * time * 3600 / JOULES
    in_order = [part for part in (*PRICED.values(), "energy") if part in parts]
    return ClusterCost({part: plain(parts[part]) for part in in_order},
                       tuple(part for part in PRICED.values() if part not in parts),
                       tuple(part for one, part in SOURCED.items() if one not in own))


def _checked(prices) -> dict[str, float]:
    if not isinstance(prices, Mapping):
        raise ValueError(f"prices must be a dict of US dollars, such as {{'gpu': 30_000}}; got {short(prices)}.")
    return {known("price", name, (*PRICED, KWH)): single(name, number(name, value, zero=True)) for name, value in prices.items()}
