"""Copper against optics: what both ends of a link draw, by how far it reaches and how fast it is."""

from __future__ import annotations

import math

import numpy as np

from .. import catalog
from ..cabling import cable
from ..checks import number, plain
from ..links import link
from ..topology.fabrics.parts import drawing

BITS = 8
COLUMNS = ("id", "name", "kind", "reach (m)", "W", "pJ a bit")


def cable_energy(name: str, use=1.0):
    """Return the joules that a byte takes on one link of a cable and its two ends, of whose rate the share *use* is used.

    Raises:
        ValueError: an unknown cable, or one whose watts no source gives.

    >>> round(cable_energy("module-800-sm") / BITS * 1e12, 2)
    21.25
    """
    wire = drawing("cable", name)
    return plain(wire.power / wire.carries.line / number("use", use, high=1))


def links_by_reach(speed: str = "eth400"):
    """Return the cables for links of *speed* as a DataFrame: id, name, kind, reach in metres, W of a link's two ends, pJ a bit.

    A cable or module of several links is counted by the part that one has. Those whose reach or watts no source gives are left
    out.

    Raises:
        ValueError: an unknown speed.

    >>> links_by_reach("eth800").set_index("id").loc["module-800-sm", "W"]
    np.float64(34.0)
    """
    import pandas as pd

    rate, rows = round(link(speed).line), []
    for one in (cable(cells["id"]) for cells in catalog.rows("cables")):
        many, rest = divmod(round(one.carries.line), rate)
        if many and not rest and not math.isnan(one.power) and not math.isnan(one.reach):
            rows.append((one.id, one.name, one.kind, one.reach, 2 * one.power / many,
                         cable_energy(one.id) / BITS * 1e12))
    return pd.DataFrame(rows, columns=list(COLUMNS)).sort_values(["reach (m)", "W"], ignore_index=True)


def frugal(metres, speed: str = "eth400"):
    """Return the fewest watts, both ends, with which a link of *speed* reaches so far: a number or an array.

    Raises:
        ValueError: an unknown speed, or farther than any of its cables.

    >>> frugal([2, 4, 80], "eth800").tolist()
    [0.2, 3.0, 17.0]
    """
    found = links_by_reach(speed)
    if found.empty:
        raise ValueError(f"speed must be that of a cable whose reach and watts are known, such as 'eth400'; got {speed!r}.")
    far = np.asarray(number("metres", metres, zero=True, high=float(found["reach (m)"].max())))
    return plain(np.where(found["reach (m)"].to_numpy() >= far[..., None], found["W"].to_numpy(), np.inf).min(axis=-1))
