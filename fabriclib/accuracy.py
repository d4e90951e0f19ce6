"""How far the predictions are from the published measurements.

The metric: the out-of-place time (the in-place one where a warm-up glitch made that more than 1.4 times as long), absolute
relative error, mean over the rows of a table, then mean over tables. Three regimes: up to 64 KiB, between, from 64 MiB.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from . import catalog, units
from .measurements import published
from .prediction.cases import Case, case
from .prediction.constants import Constants, fitted
from .prediction.model import predicted

SMALL, LARGE = 64 * units.KiB, 64 * units.MiB
REGIMES = ("all sizes", f"up to {units.format(SMALL)}", "between", f"from {units.format(LARGE)}")
TARGETS = {"single-node": (0.12, 0.07), "multi-node": (0.20, 0.12)}  # over all sizes, from 64 MiB


class Table(NamedTuple):
    """A published table of a properly configured machine, ready to be predicted.

    `split` is "fit" where the shipped constants were fitted on it, else "validate"; `cause` is "congestion" where the network
    was shared.
    """

    id: str
    system: str
    collective: str
    nodes: int
    ranks: int
    site: str
    split: str
    cause: str | None
    nbytes: np.ndarray
    seconds: np.ndarray
    case: Case

    def predicted(self, constants: Constants) -> np.ndarray:
        """Return the seconds that the model gives with these constants."""
        return np.asarray(predicted(constants, *self.case).seconds)

    def errors(self, constants: Constants | None = None) -> np.ndarray:
        """Return the relative error of each row: 0.1 is a prediction ten per cent too slow."""
        return self.predicted(fitted() if constants is None else constants) / self.seconds - 1


@functools.cache
def tables() -> tuple[Table, ...]:
    """Return the tables that the accuracy is taken over: sweeps on machines that were configured properly.

    >>> len([table for table in tables() if table.split == "validate"]) >= len(tables()) / 2
    True
    """
    return tuple(_table(row) for row in catalog.rows("measurement_tables") if row["split"] in ("fit", "validate"))


def _table(row: catalog.Row) -> Table:
    measured = published(row["id"])
    nodes, ranks = row["nodes"], row["ranks"]
    nbytes = measured["nbytes"].to_numpy()
    checked = case(row["system"], row["collective"], nbytes, nodes, ranks // nodes, row["harness"])
    return Table(row["id"], row["system"], row["collective"], nodes, ranks, row["site"], row["split"], row["cause"], nbytes,
                 measured["seconds"].to_numpy(), checked)


def by_regime(table: Table, constants: Constants | None = None) -> tuple[float, ...]:
    """Return the mean absolute relative error of a table in each of REGIMES; NaN where it has no rows there."""
    off = np.abs(table.errors(constants))
    return tuple(float(off[rows].mean()) if rows.any() else float("nan") for rows in regimes_of(table.nbytes).values())


def regimes_of(nbytes: np.ndarray) -> dict[str, np.ndarray]:
    """Return {regime: which of *nbytes* are in it} for each of REGIMES.

    >>> {regime: rows.sum().item() for regime, rows in regimes_of(np.array([8.0, 2.0**20, 2.0**30, 2.0**34])).items()}
    {'all sizes': 4, 'up to 64 KiB': 1, 'between': 1, 'from 64 MiB': 2}
    """
    small, large = nbytes <= SMALL, nbytes >= LARGE
    return dict(zip(REGIMES, (nbytes > 0, small, ~small & ~large, large), strict=True))


def summary(scores: dict[str, tuple[float, ...]]):
    """Return the mean over tables of *scores*, {table id: error by regime}, as {"single-node": ..., "multi-node": ...}."""
    nodes = {table.id: table.nodes for table in tables()}
    groups = {"single-node": [s for id, s in scores.items() if nodes[id] == 1],
              "multi-node": [s for id, s in scores.items() if nodes[id] > 1]}
    return {group: tuple(float(np.nanmean(column)) for column in zip(*found, strict=True)) for group, found in groups.items()
            if found}


@functools.cache
def held_out() -> dict[str, tuple[float, ...]]:
    """Return {table id: error by regime} out of data/held_out.csv: by constants that never saw a table of the same site.

    tools/accuracy.py writes it. NaN where a table has no rows in a regime.
    """
    return {row["table"]: (row["all_sizes"], row["small"], row["between"], row["large"]) for row in catalog.rows("held_out")}
