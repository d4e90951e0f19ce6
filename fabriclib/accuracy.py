"""How far the predictions are from the published measurements.

The metric: the out-of-place time (the in-place one where a warm-up glitch made that more than 1.4 times as long), absolute
relative error, mean over the rows of a table, then mean over tables. Three regimes: up to 64 KiB, between, from 64 MiB.
"""

from __future__ import annotations

import functools
import itertools
from typing import NamedTuple

import numpy as np

from . import catalog, units
from .measurements import published
from .prediction import interval
from .prediction.cases import Case, case
from .prediction.constants import Constants, fitted
from .prediction.model import predicted

SMALL, LARGE = 64 * units.KiB, 64 * units.MiB
REGIMES = ("all sizes", f"up to {units.format(SMALL)}", "between", f"from {units.format(LARGE)}")
TARGETS = {"single-node": (0.12, 0.07), "multi-node": (0.20, 0.12)}  # over all sizes, from 64 MiB
HELD = 0.95  # of the measured times lie in an interval
FEWEST_SITES = 3  # that an interval is made from


class Table(NamedTuple):
    """A published table of a properly configured machine, ready to be predicted.

    `cause` is "congestion" where the network was shared.
    """

    id: str
    system: str
    collective: str
    nodes: int
    ranks: int
    site: str
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

    >>> len(tables()) > 100
    True
    """
    return tuple(_table(row) for row in catalog.rows("measurement_tables") if row["split"] == "fit")


def _table(row: catalog.Row) -> Table:
    measured = published(row["id"])
    nodes, ranks = row["nodes"], row["ranks"]
    nbytes = measured["nbytes"].to_numpy()
    checked = case(row["system"], row["collective"], nbytes, nodes, ranks // nodes, row["harness"])
    return Table(row["id"], row["system"], row["collective"], nodes, ranks, row["site"], row["cause"], nbytes,
                 measured["seconds"].to_numpy(), checked)


def by_regime(table: Table, seconds: np.ndarray | None = None) -> tuple[float, ...]:
    """Return the mean absolute relative error of a table in each of REGIMES; NaN where it has no rows there.

    *seconds* are those that were predicted; those of the shipped constants without.
    """
    off = np.abs((table.predicted(fitted()) if seconds is None else seconds) / table.seconds - 1)
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


def intervals(seconds: dict[str, np.ndarray], without: str = "") -> list[tuple[bool, bool, str, float, float]]:
    """Return (several nodes, technology seen, regime, low, high): factors of a prediction between which HELD of what is measured
    at a site that the factors never saw lies.

    *seconds* are those that were predicted of tables held out by their site; the tables of the site *without* are left away. A
    technology is seen if another site measured it. Where fewer than FEWEST_SITES tell of one that no other site measured, those
    of all count.
    """
    rows = [(table.nodes > 1, elsewhere(table), regime, table.site, np.log(table.seconds / seconds[table.id])[inside])
            for table in tables() if table.site != without
            for regime, inside in zip(interval.REGIMES, list(regimes_of(table.nbytes).values())[1:], strict=True) if inside.any()]
    found = []
    for several, seen, regime in itertools.product((False, True), (True, False), interval.REGIMES):
        alike = [(known, site, off) for many, known, where, site, off in rows if (many, where) == (several, regime)]
        own = [one for one in alike if one[0] == seen]
        used = own if len({site for _, site, _ in own}) >= FEWEST_SITES else alike
        found.append((several, seen, regime, *_across_sites([one[1:] for one in used])))
    return found


def _across_sites(each: list[tuple[str, np.ndarray]]) -> tuple[float, float]:
    """Return the ends of a stretch of factors that holds HELD of those of each site in turn when it is made from the others.

    *each* has the site and the logarithms of the factors of a table. It is the shortest stretch that holds HELD of them all,
    widened by the same factor at both ends: sites differ, so that the stretch of others holds fewer of one's own.
    """
    misses = []  # by how much each lies outside; below 0: inside
    for site in sorted({site for site, _ in each}):
        low, high = _shortest([off for other, off in each if other != site])
        misses += [np.maximum(off - high, low - off) for own, off in each if own == site]
    missed, held = _weighed(misses)
    wider = max(float(missed[np.searchsorted(held[1:], HELD - 1e-9)]), 0.0)
    low, high = _shortest([off for _, off in each])
    return float(np.exp(low - wider)), float(np.exp(high + wider))


def _shortest(each: list[np.ndarray]) -> tuple[float, float]:
    """Return the ends of the shortest stretch that holds HELD of logarithms of factors, and 0 in any case."""
    logs, held = _weighed(each)
    last = np.searchsorted(held, held[:-1] + HELD - 1e-9)  # so many from the first of a stretch on are enough
    ends = np.append(logs, np.inf)[np.minimum(last - 1, logs.size)]
    first = int(np.argmin(np.where(last <= logs.size, ends - logs, np.inf)))
    return min(float(logs[first]), 0.0), max(float(ends[first]), 0.0)


def _weighed(each: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Return the values of all tables in order, and the shares of the first none, one, two ...; every table weighs the same."""
    values, weights = np.concatenate(each), np.concatenate([np.full(one.size, 1 / one.size / len(each)) for one in each])
    order = np.argsort(values)
    return values[order], np.concatenate([[0.0], np.cumsum(weights[order])])


def elsewhere(table: Table) -> bool:
    """Whether another site measured what the constants of a table's machine hang on."""
    own = _technology(table)
    return any(_technology(other) == own for other in tables() if other.site != table.site)


def _technology(table: Table) -> tuple[str, ...]:
    return interval.technology(table.case.machine, table.nodes > 1)


@functools.cache
def held_out() -> dict[str, tuple[float, ...]]:
    """Return {table id: error by regime} out of data/held_out.csv: by constants that never saw a table of the same site.

    tools/accuracy.py writes it. NaN where a table has no rows in a regime.
    """
    return {row["table"]: (row["all_sizes"], row["small"], row["between"], row["large"]) for row in catalog.rows("held_out")}


@functools.cache
def held_out_seconds() -> dict[str, np.ndarray]:
    """Return {table id: predicted seconds} out of data/held_out_times.csv, in the order of the table's sizes."""
    found: dict[str, list[float]] = {}
    for row in catalog.rows("held_out_times"):
        found.setdefault(row["table"], []).append(row["seconds"])
    return {table: np.array(seconds) for table, seconds in found.items()}
