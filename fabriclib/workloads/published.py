"""Published times of training steps and of requests beside the model's: one number for each row, and the ratios within a table.

The metric: |predicted / measured - 1| of the time, mean over the rows of a table, then mean over tables. A table is one source,
one generation of accelerators, and one kind: dense models or mixtures of experts, or one engine. Ratios: of rows of a table with
the same model, machine and dtype, what is left of predicted / measured when their median is taken out: what split and wiring do.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from .. import catalog
from ..prediction.constants import Constants, fitted
from . import job as training
from . import serving
from .experts import expert_exchange
from .kv import kv_transfer
from .memory import total
from .request import first_and_next
from .step import step_parts
from .traffic import talk

APART = ("id", "seconds", "release", "note")  # columns that are no part of a configuration
Times = Callable[[Constants], np.ndarray]


class Published(NamedTuple):
    """Rows of one table of data/, in their order.

    Fields:
        tables: the rows of the table that sorts them: id, source and what tells them apart.
        table, source: of each row: its table, and that table's source.
        group, release: of each row: (table, model, machine, dtype), and the same with the release of its software, where stated.
        configuration: of each row: all that is stated of it but the release.
        seconds: as measured. parts: (which rows, a function from constants to their seconds) of rows that are alike.
    """

    tables: tuple[catalog.Row, ...]
    table: np.ndarray
    source: np.ndarray
    group: list[tuple]
    release: list[tuple]
    configuration: list[tuple]
    seconds: np.ndarray
    parts: tuple[tuple[np.ndarray, Times], ...]

    def predicted(self, constants: Constants | None = None) -> np.ndarray:
        """Return the seconds of each row with these constants; those of data/fitted.csv without."""
        found = np.empty(self.seconds.shape)
        for at, times in self.parts:
            found[at] = times(fitted() if constants is None else constants)
        return found

    def by_table(self, predicted: np.ndarray) -> dict[str, float]:
        """Return {table: mean error} of *predicted* seconds, one for each row.

        >>> steps().by_table(steps().seconds)["megatron-sc21-a100"]
        0.0
        """
        off = np.abs(predicted / self.seconds - 1)
        return {one["id"]: float(off[self.table == one["id"]].mean()) for one in self.tables}

    def ratios(self, predicted: np.ndarray, alike: list[tuple]) -> dict[str, float]:
        """Return {table: mean error of ratios}: of rows that are *alike* (group or release), their median taken out.

        A table that has no two rows alike is left out.
        """
        quotient = predicted / self.seconds
        found: dict[str, list[float]] = defaultdict(list)
        for (table, *_), rows in _together(alike).items():
            if len(rows) > 1:
                found[table] += np.abs(quotient[rows] / np.median(quotient[rows]) - 1).tolist()
        return {table: float(np.mean(off)) for table, off in found.items()}

    def typical(self) -> np.ndarray:
        """Return the median time of all rows of each row's own configuration, of any release: no model of it knows more."""
        found = np.empty(self.seconds.shape)
        for rows in _together(self.configuration).values():
            found[rows] = np.median(self.seconds[rows])
        return found


@functools.cache
def steps() -> Published:
    """Return all published training steps.

    >>> steps().seconds.size > 400
    True
    """
    def times(rows, like) -> Times:
        numbers = {axis: np.array([row[axis] for row in rows]) for axis in training.AXES}
        job = training.job(like["model"], like["system"], numbers,
                           training.Choices(*(like[one] for one in ("sharding", "recompute", "dtype", "flash"))))
        sent = talk(job)
        return lambda constants: total(step_parts(job, sent, constants))

    return _published("training_steps", "training_tables", ("model", "system", "sharding", "recompute", "dtype", "flash"), times)


@functools.cache
def requests() -> Published:
    """Return all published requests, or first or further tokens of them.

    >>> requests().seconds.size > 500
    True
    """
    engines = {one["id"]: one["engine"] for one in catalog.rows("request_tables")}

    def times(rows, like) -> Times:
        numbers = {axis: np.array([row[axis] for row in rows]) for axis in serving.AXES}
        asked = np.array([row["measures"] for row in rows])
        job = serving.serving(like["model"], like["system"], numbers, like["dtype"], like["cache"], engines[like["table"]])

        def seconds(constants: Constants) -> np.ndarray:
            first, further = map(total, first_and_next(job, constants))
            return np.select([asked == "first_token", asked == "per_token"], [first, further], first + (job.output - 1) * further)
        return seconds

    return _published("requests", "request_tables", ("model", "system", "dtype", "cache", "table"), times)


def _published(name: str, sorted_by: str, alike: tuple[str, ...], times) -> Published:
    """Return the rows of data/*name*.csv; *times* gets rows that are *alike*, and one of them."""
    rows, tables = catalog.rows(name), catalog.rows(sorted_by)
    source = {one["id"]: one["source"] for one in tables}
    found = defaultdict(list)
    for at, row in enumerate(rows):
        found[tuple(row[column] for column in alike)].append(at)
    table = [row["table"] for row in rows]
    group = [(row["table"], row["model"], row["system"], row["dtype"]) for row in rows]
    release = [(*one, row.get("release", "")) for one, row in zip(group, rows, strict=True)]
    configuration = [tuple(value for column, value in row.items() if column not in APART) for row in rows]
    return Published(tables, np.array(table), np.array([source[one] for one in table]), group, release, configuration,
                     np.array([row["seconds"] for row in rows]),
                     tuple((np.array(at), times([rows[one] for one in at], rows[at[0]])) for at in found.values()))


def _together(alike: list[tuple]) -> dict[tuple, list[int]]:
    found = defaultdict(list)
    for at, key in enumerate(alike):
        found[key].append(at)
    return found


def wired() -> dict[str, list[float]]:
    """Return {table: predicted over measured time of each row} of what is pure wiring: keys and values, and tokens to experts.

    No constant was fitted to any of them.

    >>> sorted(wired())[0]
    'deepep-v1'
    """
    found = defaultdict(list)
    for row in catalog.rows("kv_transfers"):
        sent = kv_transfer(row["model"], row["system"], prompt=row["prompt"], tp=row["tp"])
        found[row["table"]].append(sent.seconds / row["seconds"])
    for row in catalog.rows("expert_exchanges"):
        both = expert_exchange("deepseek-v3", row["system"], tokens=row["tokens"], ep=row["ep"], mode=row["mode"],
                               nodes_a_token=row["nodes_a_token"] or 0)
        way = ("dispatch", "combine").index(row["way"])
        timed = row["quantity"] == "seconds"
        found[row["table"]].append((both.dispatch, both.combine)[way] / row["value"] if timed else row["value"] / both.rates[way])
    return dict(found)
