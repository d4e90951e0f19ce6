"""Memory tiers: the ladder from local DRAM to a pool behind CXL, and what a mix of them gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from . import catalog, units
from .checks import number, plain, typed
from .links import link


class Tier(NamedTuple):
    """One kind of memory as a core sees it: load latency in seconds (with its published range), bytes per second."""

    id: str
    name: str
    latency: float
    low: float
    high: float
    bandwidth: float


class Mix(NamedTuple):
    """The mean load latency in seconds and the largest rate in bytes per second of a mix of tiers."""

    latency: np.ndarray | float
    bandwidth: np.ndarray | float


def tier(name: str) -> Tier:
    """Return the tier *name* from the catalogue; behind CXL the rate is the payload of its link.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> units.format(tier("cxl-direct").latency, "s"), units.format(tier("cxl-direct").bandwidth, "B/s")
    ('304 ns', '59.3 GB/s')
    """
    cells = catalog.row("memory_tiers", name)
    rate = link(cells["link"], cells["lanes"]).bandwidth() if cells["link"] else cells["bytes_per_s"]
    return Tier(cells["id"], cells["name"], cells["latency_s"], cells["low_s"], cells["high_s"], rate)


def tiers():
    """Return the ladder as a DataFrame: one row a tier, latency of a load in ns with the range that sources give.

    >>> list(tiers())
    ['id', 'name', 'load latency (ns)', 'lowest (ns)', 'highest (ns)', 'GB/s', 'note']
    """
    import pandas as pd

    return pd.DataFrame([{
        "id": one.id, "name": one.name, "load latency (ns)": one.latency / units.ns, "lowest (ns)": one.low / units.ns,
        "highest (ns)": one.high / units.ns, "GB/s": one.bandwidth / units.GB, "note": row["note"],
    } for row in catalog.rows("memory_tiers") for one in [tier(row["id"])]])


@typed
def memory_mix(shares, tiers: Sequence[str | Tier]) -> Mix:
    """Return what a program gets whose accesses go to *tiers* in the proportions *shares*.

    Latency is the mean over accesses. All tiers work in parallel, so the rate grows until the first one is full:
    the smallest of bandwidth / share. No queueing: a tier keeps its unloaded latency until it is full.

    Args:
        shares: the share of accesses to each tier along the last axis, adding up to one.
        tiers: ids from `tiers()`, or Tier objects.

    Raises:
        ValueError: an unknown tier, a negative share, shares that do not add up to one or do not match the tiers.

    >>> mix = memory_mix([0.8, 0.2], ["local-dram", "cxl-direct"])
    >>> units.format(mix.latency, "s"), units.format(mix.bandwidth, "B/s")
    ('152 ns', '297 GB/s')
    """
    found = [one if isinstance(one, Tier) else tier(one) for one in tiers]
    share = np.asarray(number("shares", shares, high=1, zero=True), dtype=float)
    if share.ndim == 0 or share.shape[-1] != len(found):
        raise ValueError(f"shares must hold one number for each of the {len(found)} tiers; got shape {share.shape}.")
    total = share.sum(axis=-1)
    if not np.allclose(total, 1, rtol=0, atol=1e-9):
        raise ValueError(f"shares must add up to 1; got {np.atleast_1d(total)[np.argmax(np.abs(np.atleast_1d(total) - 1))]:g}.")
    latency = share @ np.array([one.latency for one in found])
    busy = share / np.array([one.bandwidth for one in found])
    return Mix(plain(latency), plain(1 / busy.max(axis=-1)))
