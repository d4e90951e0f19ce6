"""Published times of training steps beside the model's: one number for each row, and the ratios within a table.

The metric: |predicted / measured - 1| of the time of a step, mean over the rows of a table, then mean over tables. A table is one
source, one generation of accelerators, and dense models or mixtures of experts. Ratios: of rows of a table with the same model,
machine and dtype, what is left of predicted / measured when their median is taken out. That is what split and wiring do.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from typing import NamedTuple

import numpy as np

from .. import catalog
from ..prediction.constants import Constants, fitted
from .job import AXES, Choices, Job, job
from .memory import total
from .step import step_parts
from .traffic import Talk, talk


class Rows(NamedTuple):
    """Rows of training_steps.csv that differ in numbers only: which they are, their job, and what it sends."""

    at: np.ndarray
    job: Job
    talk: Talk


class Steps(NamedTuple):
    """All published steps, row by row of training_steps.csv.

    Fields:
        table, source: of each row: its table, and that table's source.
        group, release: of each row: (table, model, machine, dtype), and the same with the release of its software.
        configuration: of each row: all that is stated of it but the release.
        seconds: as measured.
    """

    table: np.ndarray
    source: np.ndarray
    group: list[tuple]
    release: list[tuple]
    configuration: list[tuple]
    seconds: np.ndarray
    parts: tuple[Rows, ...]

    def predicted(self, constants: Constants | None = None) -> np.ndarray:
        """Return the seconds of each row with these constants; those of data/fitted.csv without."""
        found = np.empty(self.seconds.shape)
        for rows in self.parts:
            found[rows.at] = total(step_parts(rows.job, rows.talk, fitted() if constants is None else constants))
        return found


@functools.cache
def steps() -> Steps:
    """Return all published steps.

    >>> steps().seconds.size > 400
    True
    """
    rows, source = catalog.rows("training_steps"), {one["id"]: one["source"] for one in tables()}
    alike = defaultdict(list)
    for at, row in enumerate(rows):
        alike[row["model"], row["system"], row["sharding"], row["recompute"], row["dtype"], row["flash"]].append(at)
    parts = []
    for (model, system, sharding, recompute, dtype, flash), found in alike.items():
        numbers = {axis: np.array([rows[at][axis] for at in found]) for axis in AXES}
        checked = job(model, system, numbers, Choices(sharding, recompute, dtype, flash))
        parts.append(Rows(np.array(found), checked, talk(checked)))
    table = np.array([row["table"] for row in rows])
    group = [(row["table"], row["model"], row["system"], row["dtype"]) for row in rows]
    release = [(*one, row["release"]) for one, row in zip(group, rows, strict=True)]
    apart = ("id", "seconds", "release", "note")
    configuration = [tuple(value for name, value in row.items() if name not in apart) for row in rows]
    return Steps(table, np.array([source[one] for one in table]), group, release, configuration,
                 np.array([row["seconds"] for row in rows]), tuple(parts))


def tables() -> tuple[catalog.Row, ...]:
    """Return the rows of training_tables.csv: id, generation, experts (whether mixtures of experts), source."""
    return catalog.rows("training_tables")


def by_table(predicted: np.ndarray) -> dict[str, float]:
    """Return {table: mean error} of *predicted* seconds, one for each published step.

    >>> by_table(steps().seconds)["megatron-sc21-a100"]
    0.0
    """
    off = np.abs(predicted / steps().seconds - 1)
    return {one["id"]: float(off[steps().table == one["id"]].mean()) for one in tables()}


def ratios(predicted: np.ndarray, alike: list[tuple]) -> dict[str, float]:
    """Return {table: mean error of ratios}: of rows that are *alike* (steps().group or .release), their median taken out.

    A table that has no two rows alike is left out.
    """
    quotient = predicted / steps().seconds
    found: dict[str, list[float]] = defaultdict(list)
    for (table, *_), rows in _together(alike).items():
        if len(rows) > 1:
            found[table] += np.abs(quotient[rows] / np.median(quotient[rows]) - 1).tolist()
    return {table: float(np.mean(off)) for table, off in found.items()}


def typical() -> np.ndarray:
    """Return the median time of all rows of each row's own configuration, whatever their release: no model of it knows more."""
    found = np.empty(steps().seconds.shape)
    for rows in _together(steps().configuration).values():
        found[rows] = np.median(steps().seconds[rows])
    return found


def _together(alike: list[tuple]) -> dict[tuple, list[int]]:
    found = defaultdict(list)
    for at, key in enumerate(alike):
        found[key].append(at)
    return found


def summary(scores: dict[str, float]) -> dict[str, float]:
    """Return the mean over tables of *scores*: of dense models, of mixtures of experts, of all."""
    mixed = {one["id"]: one["experts"] for one in tables()}
    groups = {"dense": [s for id, s in scores.items() if not mixed[id]], "experts": [s for id, s in scores.items() if mixed[id]],
              "all": list(scores.values())}
    return {name: float(np.mean(found)) for name, found in groups.items() if found}
