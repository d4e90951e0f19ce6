"""Fit the constants of data/fitted.csv to published tables: least squares of log errors, with a prior on every constant.

Every table weighs the same. A constant that no table speaks about keeps its prior, which is a multiple of its family's value.
"""

from __future__ import annotations

import csv
import functools

import numpy as np
from scipy.optimize import least_squares

from fabriclib import catalog
from fabriclib.accuracy import Table
from fabriclib.prediction.constants import Constants

SPREAD = 0.1  # a relative error that is nothing unusual
STEP = 1e-3  # of a difference, in widths
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


def fit(tables: list[Table]) -> np.ndarray:
    """Return the departures, in widths from the priors, that predict *tables* best."""
    # Rows that no smooth curve meets (a library that changes its protocol) must not own the fit.
    problem = _Problem(tables)
    return least_squares(problem.residuals, np.zeros(len(free())), problem.slopes, loss="soft_l1", f_scale=0.5, ftol=1e-3,
                         max_nfev=15).x


class _Problem:
    """The residuals of *tables*, and their slopes by differences: only of the tables that a constant moves, a few of many."""

    def __init__(self, tables: list[Table]):
        self.tables = tables
        ends = np.cumsum([0, *(len(table.seconds) for table in tables)])
        self.rows = [slice(*pair) for pair in zip(ends[:-1], ends[1:], strict=True)]
        moved_by = [_moved_by(table) for table in tables]
        self.moved = [[at for at, keys in enumerate(moved_by) if key in keys] for key in free()]

    def residuals(self, departures) -> np.ndarray:
        constants = build(departures)
        return np.concatenate([*(_off(table, constants) for table in self.tables), DOUBT * departures])

    def slopes(self, departures) -> np.ndarray:
        now = self.residuals(departures)
        found = np.zeros((now.size, departures.size))
        found[-departures.size:] = DOUBT * np.eye(departures.size)
        for index, moved in enumerate(self.moved):
            shifted = np.array(departures)
            shifted[index] += STEP
            constants = build(shifted)
            for at in moved:
                found[self.rows[at], index] = (_off(self.tables[at], constants) - now[self.rows[at]]) / STEP
        return found


def _off(table: Table, constants) -> np.ndarray:
    return (table.predicted(constants) / table.seconds - 1) / (SPREAD * np.sqrt(len(table.seconds)))


class _Noted(dict):
    """Constants that note which of them are read."""

    def __init__(self, constants):
        super().__init__(constants)
        self.read = set()

    def __getitem__(self, key):
        self.read.add(key)
        return super().__getitem__(key)


def _moved_by(table: Table) -> set[tuple[str, str]]:
    """Return the constants that a table's prediction hangs on: those it reads, and what they are multiples of."""
    constants = _Noted(build(np.zeros(len(free()))))
    table.predicted(constants)
    parents = {(row["subject"], row["quantity"]): (row["parent"], row["quantity"]) for row in catalog.rows("fitted")}
    found, asked = set(), list(constants.read)
    while asked:
        key = asked.pop()
        found.add(key)
        if parents[key][0]:
            asked.append(parents[key])
    return found


def influence(tables: list[Table], departures) -> dict[tuple[str, str], list[str]]:
    """Return {constant: ids of the tables whose predictions it moves}."""
    moved = {}
    for index, key in enumerate(free()):
        shifted = np.array(departures)
        shifted[index] += 0.5
        before, after = build(departures), build(shifted)
        moved[key] = [table.id for table in tables
                      if np.max(np.abs(table.predicted(after) / table.predicted(before) - 1)) > 0.01]
    return moved


def write(departures, tables: list[Table]) -> None:
    """Write the values into data/fitted.csv, with the tables that each was fitted on."""
    write_values(build(departures), influence(tables, departures), "prediction")


def write_values(constants: Constants, moved: dict[tuple[str, str], list[str]], room: str) -> None:
    """Write the constants of a *room* into data/fitted.csv, each with the tables that moved it."""
    rows = [dict(row) for row in catalog.texts("fitted")]
    for row in (one for one in rows if one["room"] == room):
        key = row["subject"], row["quantity"]
        row["value"] = f"{constants[key]:.4g}"
        row[FITTED_ON[room]] = " ".join(moved.get(key, ()))
    with open(catalog.data_folder() / "fitted.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
