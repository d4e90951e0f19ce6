"""How sure a prediction is: between which factors of it 95 of 100 measured times lie, at sites that no constant saw.

data/intervals.csv has them, from predictions of every published table by constants fitted without its site, and wide enough to
hold as many of a site when they are made from the other sites alone. They are wider where the message is of middle size, where
there are several nodes, and where no table at all is of the links or of the network.
"""

from __future__ import annotations

import functools

import numpy as np

from .. import catalog, machines, units
from ..machines import System

KNOTS = np.log2([64 * units.KiB, 2 * units.MiB, 64 * units.MiB])  # sizes at which the factors of a regime hold; lines between
REGIMES = ("small", "between", "large")


def technology(machine: System, several: bool) -> tuple[str, ...]:
    """Return what the constants of *machine* hang on: its links and how they are wired, and its network for *several* nodes."""
    links = f"{machine.link.id} {machine.wiring}" if machine.over_pcie else machine.link.id
    return (links, machine.port.transport) if several and machine.port else (links,)


@functools.cache
def measured() -> frozenset[tuple[str, ...]]:
    """Return the technologies of which there is a published table."""
    rows = [row for row in catalog.rows("measurement_tables") if row["split"] == "fit"]
    return frozenset(technology(machines.system(row["system"]), row["nodes"] > 1) for row in rows)


@functools.cache
def _factors(several: bool, seen: bool) -> np.ndarray:
    """Return (low, high) at each of KNOTS."""
    kept = {row["regime"]: (row["low"], row["high"]) for row in catalog.rows("intervals")
            if (row["several"], row["seen"]) == (several, seen)}
    return np.array([kept[regime] for regime in REGIMES]).T


def factors(nbytes, several: bool, seen: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors (low, high) of a predicted time for messages of *nbytes*."""
    size = np.log2(np.maximum(nbytes, 1))
    low, high = (np.interp(size, KNOTS, each) for each in _factors(several, seen))
    return low, high


def around(machine: System, nbytes, nodes, seconds) -> tuple[np.ndarray, np.ndarray]:
    """Return (low, high) seconds around the predicted *seconds*; arrays broadcast."""
    size = 1.0 if nbytes is None else nbytes
    one, many = (factors(size, several, technology(machine, several) in measured()) for several in (False, True))
    low, high = (np.where(np.asarray(nodes) > 1, far, near) * seconds for near, far in zip(one, many, strict=True))
    return low, high
