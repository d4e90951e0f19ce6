"""Dice: runs with failures at random, seeded, to set beside the formulas, which they do not use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..checks import count, number, short, single, typed

MOST_RUNS = 100_000
MOST_FAILURES = 10_000  # of a run, in the mean
ATTEMPTS = 40  # to save or to restart, in the mean: beyond, a job gets nowhere


class Events(NamedTuple):
    """Interruptions in the order of time: when, in seconds, and by which part."""

    at: np.ndarray
    part: np.ndarray


def throw(by_part: dict, seconds, seed: int = 0) -> Events:
    """Return the interruptions of one run of so many *seconds*, each part failing at random.

    Args:
        by_part: {part: interruptions per second}, such as an Uptime's.
        seconds: length of the run.
        seed: the same seed gives the same run.

    Raises:
        ValueError: no dict of parts and rates, seconds that are not positive, or a seed that is not whole.

    >>> events = throw({"gpu": 1 / 3600, "leaf": 1 / 86400}, 86400, seed=1)
    >>> len(events.at), events.part[:3].tolist()
    (22, ['gpu', 'gpu', 'gpu'])
    """
    if not isinstance(by_part, dict) or not by_part:
        raise ValueError(f"by_part must be a dict of parts and failures per second, such as uptime(...).by_part; "
                         f"got {short(by_part)}.")
    each = np.array([single("by_part", number("by_part", rate, zero=True)) for rate in by_part.values()])
    seconds, draw = single("seconds", number("seconds", seconds)), np.random.default_rng(count("seed", seed, low=0))
    if each.sum() * seconds > MOST_FAILURES:
        raise ValueError(f"seconds must be so few that at most {MOST_FAILURES} failures are expected; got {seconds:g}, in which "
                         f"{each.sum() * seconds:.3g} are.")
    many = draw.poisson(each * seconds)
    at, part = draw.uniform(0, seconds, many.sum()), np.repeat(np.array(list(by_part), dtype=str), many.astype(np.intp))
    order = np.argsort(at)
    return Events(at[order], part[order])


@dataclass(frozen=True, eq=False)
class Runs:
    """Many runs of one job: the seconds that each took and its failures, those during restarts among them."""

    work: float
    seconds: np.ndarray
    failures: np.ndarray

    @property
    def share(self) -> tuple[float, float]:
        """Share of the time that was useful, over all runs, and its standard error."""
        mean = self.seconds.mean()
        return self.work / mean, self.work / mean**2 * self.seconds.std(ddof=1) / np.sqrt(len(self.seconds))

    def __repr__(self) -> str:
        share, error = self.share
        return f"<{len(self.seconds)} runs: {100 * share:.2f} +- {100 * error:.2f} % of the time useful>"


@typed
def simulate(stretches: int, interval, *, save, between, restart=0.0, runs: int = 10_000, seed: int = 0) -> Runs:
    """Return *runs* of a job that works *stretches* times *interval* seconds, with failures at random moments.

    One failure after another, for all runs at once: from each the next is as far as the dice say. Arguments are those of `spent`,
    each one number.

    Raises:
        ValueError: stretches, runs or seed not whole or out of range, negative times, or failures so frequent that no job
            gets on.

    >>> simulate(50, 1200, save=60, between=10_800, restart=600, runs=2000, seed=1)
    <2000 runs: 84.89 +- 0.09 % of the time useful>
    """
    interval, save, between, restart = (single(name, number(name, value, zero=name in ("save", "restart"))) for name, value in (
        ("interval", interval), ("save", save), ("between", between), ("restart", restart)))
    many, draw = count("runs", runs, low=2, high=MOST_RUNS), np.random.default_rng(count("seed", seed, low=0))
    stretch, stretches = interval + save, count("stretches", stretches, high=1_000_000)
    left = np.full(many, stretches)
    for name, each in (("interval", stretch), ("restart", restart)):
        if each > between * np.log(ATTEMPTS):
            raise ValueError(f"{name} must be so short that a job gets on: at most {between * np.log(ATTEMPTS):.4g} s with "
                             f"failures {between:g} s apart; got {each:g}.")
    if left[0] * stretch / between > MOST_FAILURES:
        raise ValueError(f"stretches must be so few that at most {MOST_FAILURES} failures are expected; got {left[0]}.")
    seconds, failures, at_work = np.zeros(many), np.zeros(many, dtype=int), np.ones(many, dtype=bool)
    while (open_ := np.flatnonzero(left)).size:
        gap, working = draw.exponential(between, open_.size), at_work[open_]
        wanted = np.where(working, left[open_] * stretch, restart)
        failed = gap < wanted
        done = np.minimum(gap // stretch, left[open_]).astype(int)
        left[open_] -= np.where(working, np.where(failed, done, left[open_]), 0)
        seconds[open_] += np.minimum(gap, wanted)
        failures[open_] += failed
        at_work[open_] = ~failed
    return Runs(float(interval * stretches), seconds, failures)
