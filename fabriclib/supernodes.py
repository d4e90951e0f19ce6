"""Supernodes: GPUs beyond one server that are sold, or specified, as one machine, and what is public of each."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from . import catalog, units
from .checks import count, known, typed
from .collectives import network_bound
from .topology import Design, fabric_counts
from .topology.fabrics import counts_of

STATUSES = ("in use", "announced", "specified")
RATIOS = ("x", "%")  # units of a claim that says neither a rate nor of what it is a share
SIZE = 1e9  # bytes of the collectives in the table


@typed
@dataclass(frozen=True)
class Supernode(catalog.Sourced):
    """A machine of many servers whose GPUs reach each other over links of their own.

    What no source gives stays unknown: `rate` and `out` are NaN then, and `counts` says what is missing. The graph of its wiring
    is `fabric(one.design)`.

    Args:
        id, name, year, note: as in data/supernodes.csv.
        status: "in use", "announced" or "specified".
        gpus: how many it joins.
        design: the id of its wiring, as `fabric_counts` takes it; "" where no source says how it is wired.
        out: bytes per second, one way, of each GPU to what is outside.

    Raises:
        ValueError: an unknown status or design, or fewer than two GPUs.
    """

    _example = "supernode('gb200-nvl72')"
    _table = "supernodes"

    id: str
    name: str
    year: int
    status: str
    gpus: int
    design: str
    out: float
    note: str = ""

    def __post_init__(self):
        known("status", self.status, STATUSES)
        count("gpus", self.gpus, low=2)
        if self.design:
            catalog.row("designs", self.design)

    @property
    def rated(self) -> bool:
        """Whether a source gives the rate of its links."""
        return bool(self.design and catalog.row("designs", self.design)["speed"])

    @property
    def rate(self) -> float:
        """Bytes per second, one way, of each GPU to the others; NaN where no source gives the rate of its links."""
        return self.counts().gpu_rate if self.rated else math.nan

    @property
    def claims(self) -> list[catalog.Figure]:
        """What is stated of it without what would let one check it: ratios of something unsaid."""
        return [one for one in catalog.figures(self.id) if one.kind == "claim" and one.unit in RATIOS]

    def counts(self, speed: str | None = None) -> Design:
        """Return the counts of its wiring.

        Args:
            speed: the id of a link to take for its own, for the sake of argument.

        Raises:
            ValueError: no source says how it is wired, or how fast its links are and no *speed* is given.

        >>> supernode("kunlun-32").counts(speed="nvlink4").switches
        4
        """
        if not self.design:
            raise ValueError(f"a supernode must have a wiring to be counted; no source says how {self.name} is wired.")
        return fabric_counts(self.design, **({} if speed is None else {"speed": speed}))

    def __repr__(self) -> str:
        rate = "at a rate that is not published" if math.isnan(self.rate) else f"at {units.format(self.rate, 'B/s')} each way"
        return f"<{self.name}, {self.status}: {self.gpus} GPUs {rate}>"


@typed
@functools.cache
def supernode(name: str) -> Supernode:
    """Return a supernode from the catalogue.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> supernode("gb200-nvl72")
    <GB200 NVL72, in use: 72 GPUs at 900 GB/s each way>
    >>> supernode("kunlun-32")
    <Kunlun supernode of 32, in use: 32 GPUs at a rate that is not published>
    """
    cells = catalog.row("supernodes", name)
    return Supernode(**{field: cells[field] for field in ("id", "name", "year", "status", "gpus", "note")},
                     design=cells["design"] or "", out=cells["out_bits_per_s"] / 8)


def supernodes():
    """Return the catalogue as a DataFrame; what is not published is NaN, or an empty text.

    Rates are one way. The collectives are over all GPUs, 1 GB a buffer, at the bound of ports and cut: `network_bound`.

    >>> supernodes().set_index("id").loc["gb200-nvl72", ["GPUs", "GPU GB/s one way"]].astype(float).tolist()
    [72.0, 900.0]
    """
    import pandas as pd

    found = []
    for cells in catalog.rows("supernodes"):
        one = supernode(cells["id"])
        design = counts_of(one.design) if one.design else None
        rated = design if one.rated else None
        bounds = {f"{collective} of 1 GB (ms)": network_bound(collective, rated, nbytes=SIZE) / units.ms if rated else math.nan
                  for collective in ("all_reduce", "all_to_all")}
        found.append({
            "id": one.id, "name": one.name, "status": one.status, "GPUs": one.gpus, "wiring": design.kind if design else "",
            "switches": design.switches if design else math.nan, "links": rated.cable_count if rated else math.nan,
            "hops": design.hops if design else math.nan, "GPU GB/s one way": one.rate / units.GB,
            "cut per GPU (GB/s)": rated.cut_per_gpu / units.GB if rated else math.nan, "out GB/s one way": one.out / units.GB,
            **bounds, "claims": len(one.claims)})
    return pd.DataFrame(found)
