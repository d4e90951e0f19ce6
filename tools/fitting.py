"""Fit the constants of data/fitted.csv to published tables: least squares of log errors, with a prior on every constant.

Every table weighs the same. A constant that no table speaks about keeps its prior, which is a multiple of its family's value.
"""

from __future__ import annotations

import csv

import numpy as np
from scipy.optimize import least_squares

from fabriclib import catalog
from fabriclib.accuracy import Table, build, free
from fabriclib.prediction.constants import UNITS

SPREAD = 0.1  # a relative error that is nothing unusual
DOUBT = 0.5  # how much a departure of one width from a prior weighs beside it


def fit(tables: list[Table]) -> np.ndarray:
    """Return the departures, in widths from the priors, that predict *tables* best."""
    def residuals(departures):
        constants = build(departures)
        off = [(table.predicted(constants) / table.seconds - 1) / (SPREAD * np.sqrt(len(table.seconds))) for table in tables]
        return np.concatenate([*off, DOUBT * departures])

    # Rows that no smooth curve meets (a library that changes its protocol) must not own the fit.
    return least_squares(residuals, np.zeros(len(free())), loss="soft_l1", f_scale=0.5, diff_step=1e-3, ftol=1e-3, max_nfev=15).x


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
    constants, moved = build(departures), influence(tables, departures)
    rows = [dict(row) for row in catalog.rows("fitted")]
    for row in rows:
        key = row["subject"], row["quantity"]
        row["value"] = f"{constants[key] / UNITS[row['unit']]:.4g}"
        row["tables"] = " ".join(moved.get(key, ()))
    with open(catalog.data_folder() / "fitted.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
