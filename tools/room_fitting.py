"""Fit the constants of training steps and of requests in data/fitted.csv: least squares of log errors, with priors.

Every table weighs the same. The logarithm of a time is nearly linear in the logarithms of the constants, so that it is
differentiated once, at the priors, and once more at what fits all tables; from there each fit that leaves a source out starts.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import fitting
import numpy as np
from scipy.optimize import least_squares

from fabriclib import catalog
from fabriclib.workloads import published

SPREAD = 0.1  # a relative error that is nothing unusual
STEP = 0.02  # of a difference, in widths
DOUBT = 0.7  # how much a departure of one width from a prior weighs beside it
COLUMNS = ("left_out", "ratios", "one_release", "spread", "fitted", "unfitted")
Scores = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Room:
    """Constants that are fitted to one kind of published times.

    Args:
        name: of the constants in fitted.csv. kept_in: the table that keeps the errors. published: the times.
        plain: {quantity, or (subject, quantity): value} of constants that were neither fitted nor chosen with a published time
            in view; those that it does not name keep their priors.
        groups: {what it is called: whether a row of the sorting table belongs to it}; their means are printed.
        called: what tells one table of a source from another, from the table's row.
        columns: of COLUMNS, the errors that are kept and printed.
    """

    name: str
    kept_in: str
    published: published.Published
    plain: Mapping[str | tuple[str, str], float]
    groups: Mapping[str, Callable]
    called: Callable
    columns: tuple[str, ...] = COLUMNS

    def build(self, departures):
        """Return the constants that lie *departures* away from their priors."""
        return fitting.build(departures, self.name)

    def unfitted(self) -> dict:
        """Return constants none of which was fitted."""
        priors = self.build(np.zeros(len(fitting.free(self.name))))
        return {key: self.plain.get(key, self.plain.get(key[1], value)) for key, value in priors.items()}

    def _logs(self, departures) -> np.ndarray:
        return np.log(self.published.predicted(self.build(departures)) / self.published.seconds)

    def _linear(self, departures) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return (departures, logarithms of predicted over measured there, their slopes)."""
        here, slopes = self._logs(departures), []
        for index in range(departures.size):
            shifted = np.array(departures)
            shifted[index] += STEP
            slopes.append((self._logs(shifted) - here) / STEP)
        return departures, here, np.stack(slopes, axis=1)

    def _solve(self, about, kept: np.ndarray) -> np.ndarray:
        """Return the departures that fit the *kept* rows best, by the line *about* some departures."""
        start, here, slopes = about
        table = self.published.table
        weight = np.array([1 / np.sqrt(np.sum(table[kept] == one)) if one in table[kept] else 0.0 for one in table]) / SPREAD

        def residuals(departures):
            return np.concatenate([(here + slopes @ (departures - start))[kept] * weight[kept], DOUBT * departures])

        return least_squares(residuals, start, loss="soft_l1", f_scale=0.5).x

    @functools.cached_property
    def _about_best(self) -> tuple:
        """The line about the departures that fit all tables."""
        everything = np.ones(self.published.seconds.size, dtype=bool)
        return self._linear(self._solve(self._linear(np.zeros(len(fitting.free(self.name)))), everything))

    def best(self) -> np.ndarray:
        """Return the departures that fit all tables: what is shipped."""
        return self._solve(self._about_best, np.ones(self.published.seconds.size, dtype=bool))

    def without(self, source: str) -> np.ndarray:
        """Return the seconds of the rows of *source*, predicted by constants that never saw one of them."""
        of = self.published.source == source
        return self.published.predicted(self.build(self._solve(self._about_best, ~of)))[of]

    def refit(self) -> None:
        """Fit the shipped constants anew, on all tables, and write them, each with the tables that it moves."""
        _, _, slopes = self._about_best
        moved = {key: [one["id"] for one in self.published.tables
                       if np.abs(slopes[self.published.table == one["id"], index]).max() > 0.02]
                 for index, key in enumerate(fitting.free(self.name))}
        fitting.write_values(self.build(self.best()), moved, self.name)

    def scores(self) -> Scores:
        """Return {table: {column: mean error}}, columns as data/columns.csv describes them."""
        found = self.published
        held_out = np.empty(found.seconds.shape)
        for source in sorted(set(found.source.tolist())):
            held_out[found.source == source] = self.without(source)
        each = (found.by_table(held_out), found.ratios(held_out, found.group), found.ratios(held_out, found.release),
                found.ratios(found.typical(), found.group), found.by_table(found.predicted()),
                found.by_table(found.predicted(self.unfitted())))
        named = dict(zip(COLUMNS, each, strict=True))
        return {one["id"]: {name: round(named[name].get(one["id"], float("nan")), 4) for name in self.columns}
                for one in found.tables}

    def write(self, scores: Scores) -> None:
        """Write scores into their table of data/."""
        fitting.write_table(self.kept_in, ["table", *self.columns], (
            [table, *("" if one != one else f"{one:.4f}" for one in row.values())] for table, row in scores.items()))

    def kept(self) -> Scores:
        """Return the scores that were written."""
        return {row["table"]: {name: row[name] for name in self.columns} for row in catalog.rows(self.kept_in)}

    def means(self, scores: Scores, column: str) -> dict[str, float]:
        """Return {group: mean over its tables of *column*}."""
        errors = {row["id"]: (row, scores[row["id"]][column]) for row in self.published.tables}
        return {said: float(np.nanmean([error for row, error in errors.values() if belongs(row)]))
                for said, belongs in self.groups.items()}

    def readme_rows(self, scores: Scores) -> list[str]:
        """Return the rows of README's table: the groups, then table by table, the largest error last."""
        means = {column: self.means(scores, column) for column in self.columns}
        rows = [f"| **{said}** |  | {' | '.join(_percent(means[column][said]) for column in self.columns)} |"
                for said in self.groups]
        for one in sorted(self.published.tables, key=lambda row: scores[row["id"]]["left_out"]):
            errors = " | ".join(_percent(scores[one["id"]][column]) for column in self.columns)
            many = int(np.sum(self.published.table == one["id"]))
            rows.append(f"| {catalog.source(one['source']).title}: {self.called(one)} | {many} | {errors} |")
        return rows


def _percent(share: float) -> str:
    return "" if share != share else f"{100 * share:.1f} %"


@functools.cache
def training() -> Room:
    """Return the room of training steps.

    Unfitted: public figures, or everything and nothing: the best measured matrix products, what the papers on FlashAttention
    print of their kernels, four fifths of the memory's rate, all traffic shows, the host costs nothing.
    """
    plain = {"matrix share": 1.0, "attention share": 0.5, "memory share": 0.8, "tp exposed": 1.0, "ep exposed": 1.0,
             "cp exposed": 1.0, "pp exposed": 1.0, "dp overlap": 0.0, "dp exposed": 1.0, "fsdp exposed": 1.0, "expert host": 0.0,
             ("A100", "attention share"): 0.35, ("H100", "attention share"): 0.35}
    return Room("workloads", "held_out_steps", published.steps(), plain,
                {"all": lambda row: True, "dense models": lambda row: not row["experts"],
                 "mixtures of experts": lambda row: row["experts"]},
                lambda row: row["generation"] + (", mixtures of experts" if row["experts"] else ""))


@functools.cache
def serving() -> Room:
    """Return the room of requests.

    Unfitted: the best measured matrix products, four fifths of the memory's rate, and a host that costs nothing.
    """
    plain = {"weights share": 0.8, "cache share": 0.8, "small share": 0.8, "product share": 1.0, "prompt share": 0.35,
             "key repeats": 0.0, "expert kernels": 0.0, "exchange shown": 1.0, "host layer": 0.0, "host pass": 0.0,
             "host request": 0.0, "reduce start": 0.0}
    return Room("serving", "held_out_requests", published.requests(), plain, {"all": lambda row: True},
                lambda row: f"{catalog.row('engines', row['engine'])['name']}, {row['generation']}",
                ("left_out", "ratios", "fitted", "unfitted"))
