"""Fit the constants of training steps in data/fitted.csv: least squares of log errors of published steps, with priors.

Every table weighs the same. The logarithm of a step's time is nearly linear in the logarithms of the constants, so that it is
differentiated once, at the priors, and once more at what fits all tables; from there each fit that leaves a source out starts.
"""

from __future__ import annotations

import csv
import functools

import fitting
import numpy as np
from scipy.optimize import least_squares

from fabriclib import catalog
from fabriclib.workloads import published

ROOM = "workloads"
SPREAD = 0.1  # a relative error that is nothing unusual
STEP = 0.02  # of a difference, in widths
DOUBT = 0.7  # how much a departure of one width from a prior weighs beside it
# Public figures, or everything and nothing: the best measured matrix products, what the papers on FlashAttention print of their
# kernels, four fifths of the memory's rate, all traffic shows, the host costs nothing.
UNFITTED = {"matrix share": 1.0, "attention share": 0.5, "memory share": 0.8, "tp exposed": 1.0, "ep exposed": 1.0,
            "cp exposed": 1.0, "pp exposed": 1.0, "dp overlap": 0.0, "dp exposed": 1.0, "fsdp exposed": 1.0, "expert host": 0.0}
PRINTED_ATTENTION = {"A100": 0.35, "H100": 0.35}


def unfitted() -> dict:
    """Return constants none of which was fitted, nor chosen with a published step in view."""
    plain = {key: UNFITTED.get(key[1], value) for key, value in fitting.build(np.zeros(len(fitting.free(ROOM))), ROOM).items()}
    return plain | {(generation, "attention share"): share for generation, share in PRINTED_ATTENTION.items()}


def logs(departures) -> np.ndarray:
    """Return the logarithm of predicted over measured of every step."""
    return np.log(published.steps().predicted(fitting.build(departures, ROOM)) / published.steps().seconds)


def linear(departures) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (departures, logs there, their slopes)."""
    here, slopes = logs(departures), []
    for index in range(departures.size):
        shifted = np.array(departures)
        shifted[index] += STEP
        slopes.append((logs(shifted) - here) / STEP)
    return departures, here, np.stack(slopes, axis=1)


def solve(about, kept: np.ndarray) -> np.ndarray:
    """Return the departures that fit the *kept* rows best, by the line *about* some departures."""
    start, here, slopes = about
    table = published.steps().table
    weight = np.array([1 / np.sqrt(np.sum(table[kept] == one)) if one in table[kept] else 0.0 for one in table]) / SPREAD

    def residuals(departures):
        return np.concatenate([(here + slopes @ (departures - start))[kept] * weight[kept], DOUBT * departures])

    return least_squares(residuals, start, loss="soft_l1", f_scale=0.5).x


@functools.cache
def about_best() -> tuple:
    """Return the line about the departures that fit all tables."""
    everything = np.ones(published.steps().seconds.size, dtype=bool)
    return linear(solve(linear(np.zeros(len(fitting.free(ROOM)))), everything))


def best() -> np.ndarray:
    """Return the departures that fit all tables: what is shipped."""
    return solve(about_best(), np.ones(published.steps().seconds.size, dtype=bool))


def without(source: str) -> np.ndarray:
    """Return the seconds of the steps of *source*, predicted by constants that never saw one of them."""
    of = published.steps().source == source
    return published.steps().predicted(fitting.build(solve(about_best(), ~of), ROOM))[of]


def leave_one_source_out() -> np.ndarray:
    """Return the seconds of every published step, each predicted without its source."""
    found = np.empty(published.steps().seconds.shape)
    for source in sorted(set(published.steps().source.tolist())):
        found[published.steps().source == source] = without(source)
    return found


def refit() -> None:
    """Fit the shipped constants anew, on all tables, and write them, each with the tables that it moves."""
    _, _, slopes = about_best()
    table = published.steps().table
    moved = {key: [one["id"] for one in published.tables() if np.abs(slopes[table == one["id"], index]).max() > 0.02]
             for index, key in enumerate(fitting.free(ROOM))}
    fitting.write_values(fitting.build(best(), ROOM), moved, ROOM)


# ------------------------------------------------------------------ what is printed and kept

COLUMNS = ("left_out", "ratios", "one_release", "spread", "fitted", "unfitted")


def scores() -> dict[str, dict[str, float]]:
    """Return {table: {column: mean error}}, columns as data/columns.csv describes them."""
    steps, held_out = published.steps(), leave_one_source_out()
    each = (published.by_table(held_out), published.ratios(held_out, steps.group), published.ratios(held_out, steps.release),
            published.ratios(published.typical(), steps.group), published.by_table(steps.predicted()),
            published.by_table(steps.predicted(unfitted())))
    return {one["id"]: {name: round(found.get(one["id"], float("nan")), 4) for name, found in zip(COLUMNS, each, strict=True)}
            for one in published.tables()}


def write(found: dict[str, dict[str, float]]) -> None:
    """Write scores into data/held_out_steps.csv."""
    with open(catalog.data_folder() / "held_out_steps.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["table", *COLUMNS])
        writer.writerows([table, *("" if one != one else f"{one:.4f}" for one in row.values())] for table, row in found.items())


def kept() -> dict[str, dict[str, float]]:
    """Return the scores of data/held_out_steps.csv."""
    return {row["table"]: {name: row[name] for name in COLUMNS} for row in catalog.rows("held_out_steps")}


def readme_rows(found: dict[str, dict[str, float]]) -> list[str]:
    """Return the rows of README's table: all, dense models, mixtures of experts, then table by table, the largest error last."""
    rows = []
    summaries = {name: published.summary({table: row[name] for table, row in found.items() if row[name] == row[name]})
                 for name in COLUMNS}
    for group, said in (("all", "all"), ("dense", "dense models"), ("experts", "mixtures of experts")):
        means = " | ".join(_percent(summaries[name][group]) for name in COLUMNS)
        rows.append(f"| **{said}** |  | {means} |")
    steps = published.steps()
    for table in sorted(found, key=lambda one: found[one]["left_out"]):
        row = next(one for one in published.tables() if one["id"] == table)
        kind = ", mixtures of experts" if row["experts"] else ""
        errors = " | ".join(_percent(found[table][name]) for name in COLUMNS)
        many = int(np.sum(steps.table == table))
        rows.append(f"| {catalog.source(row['source']).title}: {row['generation']}{kind} | {many} | {errors} |")
    return rows


def _percent(share: float) -> str:
    return "" if share != share else f"{100 * share:.1f} %"
