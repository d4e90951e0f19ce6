"""Fit the constants of data/fitted.csv to published tables: least squares of log errors, with a prior on every constant.

Every table weighs the same. A constant that no table speaks about keeps its prior, which is a multiple of its family's value.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable, Sequence

import numpy as np

from fabriclib import catalog
from fabriclib.accuracy import Table
from fabriclib.prediction.constants import Constants

SPREAD = 0.1  # a relative error that is nothing unusual
STEP = 1e-3  # of a difference, in widths
ROUNDS = 8  # at most
NEAR = 0.1  # widths: no round moves less
OUTLIER = 0.5  # where a residual ceases to count by its square
FITTED_ON = {"prediction": "tables", "workloads": "steps", "serving": "requests"}  # the column that says so
DOUBT = 0.5  # how much a departure of one width from a prior weighs beside it


@functools.cache
def free(room: str = "prediction") -> tuple[tuple[str, str], ...]:
    """Return (subject, quantity) of every constant of a *room* that is fitted: those whose prior has a width."""
    return tuple((row["subject"], row["quantity"]) for row in catalog.rows("fitted") if row["room"] == room and row["width"] > 0)


def build(departures, room: str = "prediction") -> Constants:
    """Return the constants; those of a *room* lie *departures* (one for each of `free(room)`, in widths) away from their priors.

    A row's prior is a multiple of its parent's value, so a technology without a table follows its family.
    """
    constants: dict[tuple[str, str], float] = {}
    each = iter(departures)
    for row in catalog.rows("fitted"):
        quantity, width = row["quantity"], row["width"]
        if row["room"] != room:
            constants[row["subject"], quantity] = row["value"]
            continue
        from_ = constants[row["parent"], quantity] if row["parent"] else 1.0
        constants[row["subject"], quantity] = row["prior"] * from_ * (np.exp(width * next(each)) if width else 1.0)
    return constants


def fit(tables: Sequence[Table]) -> np.ndarray:
    """Return the departures, in widths from the priors, that predict *tables* best.

    Round by round the predictions are taken as straight lines about where the last round ended, and solved exactly.
    """
    here = np.zeros(len(free()))
    for _ in range(ROUNDS):
        off, slopes = _lines(tables, here)
        best = _solved(off - slopes @ here, slopes)
        if np.max(np.abs(best - here)) < NEAR:
            break
        here = _no_worse(tables, here, best)
    return here


def _lines(tables: Sequence[Table], departures) -> tuple[np.ndarray, np.ndarray]:
    """Return (what *tables* are off, its slopes by each departure): all are predicted once, each constant shifted in turn."""
    shifts = np.column_stack([np.zeros(departures.size), STEP * np.eye(departures.size)])
    off = _off(tables, (departures[:, None] + shifts)[:, :, None])
    return off[0], (off[1:] - off[0]).T / STEP


def _solved(off, slopes) -> np.ndarray:
    """Return the departures where off + slopes @ departures, and the departures themselves, are smallest."""
    # Rows that no smooth curve meets (a library that changes its protocol) must not own the fit.
    best = np.zeros(slopes.shape[1])
    for _ in range(25):
        weights = 1 / np.sqrt(1 + np.square((off + slopes @ best) / OUTLIER))
        weighted = slopes * weights[:, None]
        best = np.linalg.solve(weighted.T @ slopes + DOUBT**2 * np.eye(best.size), -weighted.T @ off)
    return best


def _no_worse(tables: Sequence[Table], here, best) -> np.ndarray:
    """Return *best*, or a point on the way there: where lines are no good guide, half of the way is, or a quarter."""
    def loss(departures):
        off = _off(tables, departures)
        return np.sum(np.sqrt(1 + np.square(off / OUTLIER)) - 1) * 2 * OUTLIER**2 + DOUBT**2 * np.sum(np.square(departures))

    start, points = loss(here), [here + share * (best - here) for share in (1.0, 0.5, 0.25)]
    return next((point for point in points if loss(point) < start), points[-1])


def _off(tables: Sequence[Table], departures) -> np.ndarray:
    constants = build(departures)
    return np.concatenate([(table.predicted(constants) / table.seconds - 1) / (SPREAD * np.sqrt(table.seconds.size))
                           for table in tables], axis=-1)


def influence(tables: Sequence[Table], departures) -> dict[tuple[str, str], list[str]]:
    """Return {constant: ids of the tables whose predictions it moves}."""
    moved = {}
    for index, key in enumerate(free()):
        shifted = np.array(departures)
        shifted[index] += 0.5
        before, after = build(departures), build(shifted)
        moved[key] = [table.id for table in tables
                      if np.max(np.abs(table.predicted(after) / table.predicted(before) - 1)) > 0.01]
    return moved


def write(departures, tables: Sequence[Table]) -> None:
    """Write the values into data/fitted.csv, with the tables that each was fitted on."""
    write_values(build(departures), influence(tables, departures), "prediction")


def write_values(constants: Constants, moved: dict[tuple[str, str], list[str]], room: str) -> None:
    """Write the constants of a *room* into data/fitted.csv, each with the tables that moved it."""
    rows = [dict(row) for row in catalog.texts("fitted")]
    for row in (one for one in rows if one["room"] == room):
        key = row["subject"], row["quantity"]
        row["value"] = f"{constants[key]:.4g}"
        row[FITTED_ON[room]] = " ".join(moved.get(key, ()))
    write_table("fitted", rows[0], (row.values() for row in rows))


def write_table(name: str, head: Iterable[str], rows: Iterable[Iterable]) -> None:
    """Write a table of data/."""
    with open(catalog.data_folder() / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])
