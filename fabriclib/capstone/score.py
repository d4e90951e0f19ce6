"""Scores: what a plan needs of each thing that a brief limits, which limit binds, and what would help."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import units
from ..availability import Uptime, uptime
from ..cabling import cable
from ..checks import count, typed
from ..energy import cluster_power
from ..machines import system
from ..shown import sentence
from ..topology import fabric_counts
from ..workloads.accelerators import of_system
from .brief import Brief, brief_of
from .plan import COPPER, FABRICS, OPTICS, OPTIONS, RADIX, Plan, plan_of
from .ran import Ran
from .serving import SERVING
from .training import TRAINING

JOBS = {"training": TRAINING, "serving": SERVING}
LIMITS = ("time", "memory", "power", "GPUs")
DAY = 86_400.0


class Change(NamedTuple):
    """A plan with one thing changed: what, to what, and its score then, what is allowed over what is needed, a ratio."""

    field: str
    value: object
    score: float


@typed
@dataclass(frozen=True, eq=False)
class Score:
    """What a plan is worth for a brief; `score` makes it.

    Args:
        brief, plan: of which.
        margins: {limit: what is allowed over what is needed}; 1 is just enough, 0 not possible at all.
        needs: {limit: what the plan needs}: seconds of the whole job (or of a token), bytes on a GPU, watts, GPUs.
        share: of the time that the job gets on.
        impossible: why the plan cannot be built, a sentence; empty if it can.
    """

    _example = "score('dense-70b', Plan('dgx-h100', gpus=1024, tp=8))"

    brief: Brief
    plan: Plan
    margins: dict
    needs: dict
    share: float
    impossible: str

    @property
    def value(self) -> float:
        """The smallest margin."""
        return min(self.margins.values())

    @property
    def binding(self) -> str:
        """The limit with the smallest margin."""
        return min(self.margins, key=self.margins.__getitem__)

    @property
    def passes(self) -> bool:
        """Whether the plan keeps every limit of the brief."""
        return self.value >= 1

    def changes(self, most: int = 3) -> list[Change]:
        """Return the changes of one thing that help most, of different things, the best first; fewer if fewer help.

        Of changes with one score the one comes first that helps the other limits more.

        Raises:
            ValueError: *most* is not whole and positive.

        >>> score("dense-70b", Plan("dgx-h100", gpus=1024, tp=4, pp=2, spare=32)).changes(1)[0][:2]
        ('tp', 8)
        """
        here = self.plan.axes()
        found = []
        for field, options in (OPTIONS | {"system": self.brief.systems}).items():
            others = tuple(one for one in options if one != here[field][0])
            if not others:
                continue
            margins = evaluate(self.brief, here | {field: others}).margins
            each = np.stack([margins[limit].reshape(-1) for limit in LIMITS])
            rank = np.lexsort((np.minimum(each, 1).sum(axis=0), each.min(axis=0)))
            best = int(rank[-1])
            found.append((float(each[:, best].min()), float(np.minimum(each[:, best], 1).sum()), field, others[best]))
        better = sorted((one for one in found if one[0] > self.value), key=lambda one: one[:2], reverse=True)
        return [Change(field, value, worth) for worth, _, field, value in better[:count("most", most)]]

    def why(self) -> str:
        """Return in a sentence what binds, or why the plan cannot be built."""
        if self.impossible:
            return f"It cannot be built so: {self.impossible}"
        return f"{said(self, self.binding)} {'It is enough.' if self.passes else 'That is what has to change first.'}"

    def __repr__(self) -> str:
        if self.impossible:
            return f"<{self.brief.name}: cannot be built so>"
        return f"<{self.brief.name}: {100 * self.value:.0f} of 100 wanted, {self.binding} binds>"

    _repr_html_ = sentence


def said(found: Score, limit: str) -> str:
    """Return one limit of a score in a sentence: what is needed, and what is allowed."""
    needed, brief = found.needs[limit], found.brief
    if limit == "time":
        if brief.job == "serving":
            return f"A token takes {units.format(needed, 's')} of {units.format(brief.per_token, 's')}."
        return f"The job takes {needed / DAY:.3g} days of {brief.deadline / DAY:g}."
    if limit == "memory":
        room = needed * found.margins[limit]
        return f"A GPU has to hold {units.format(needed)} in {units.format(room)}."
    if limit == "power":
        return f"The cluster draws {units.format(needed, 'W')} of {units.format(brief.watts, 'W')}."
    return f"There are {needed:,.0f} GPUs, spares included, of {brief.gpus:,}."


class Grid(NamedTuple):
    """Plans over the axes of OPTIONS: {limit: margins}, {limit: needs}, and the share of the time; arrays of that shape."""

    margins: dict[str, np.ndarray]
    needs: dict[str, np.ndarray]
    share: np.ndarray


def evaluate(brief: Brief, axes: dict[str, tuple]) -> Grid:
    """Return what all plans need whose fields are of *axes*, {field: values}, in the order of OPTIONS."""
    shape = tuple(len(axes[field]) for field in OPTIONS)
    found = {name: np.zeros(shape) for name in ("seconds", "room", "share", "watts", "gpus")}
    found["seconds"] += np.inf
    found["watts"] += np.inf
    for s, name in enumerate(axes["system"]):
        for f, fabric in enumerate(axes["fabric"] if name in brief.systems else ()):
            for o, narrower in enumerate(axes["oversubscription"]):
                _fill(found, (s, f, o), brief, axes, Wiring(name, 0, fabric, float(narrower)))
    return _margins(brief, found)


class Wiring(NamedTuple):
    """What a network is counted for: the id of a machine, how many GPUs, a fabric, ports of a leaf down for each port up."""

    system: str
    gpus: int
    fabric: str
    narrower: float


def _fill(found: dict, at: tuple, brief: Brief, axes: dict, wiring: Wiring) -> None:
    """Write what the plans of one machine, fabric and oversubscription need into *found*."""
    s, f, o = at
    ran = _ran(brief, wiring, *(tuple(axes[name]) for name in ("gpus", "tp", "pp")))
    found["seconds"][s, :, :, :, f, o] = ran.seconds[..., None, None]
    found["room"][s, :, :, :, f, o] = ran.room[..., None, None]
    spares = np.array(axes["spare"]) * system(wiring.system).server_gpus
    for g, gpus in enumerate(axes["gpus"]):
        here = wiring._replace(gpus=gpus)
        if isinstance(wired(here), str):
            continue
        found["gpus"][s, g, :, :, f, o] = gpus + spares
        found["share"][s, g, :, :, f, o] = [_share(brief, here, int(spare)) for spare in axes["spare"]]
        for k, optics in enumerate(axes["optics"]):
            if fits_rack(FABRICS[wiring.fabric], optics):
                found["watts"][s, g, :, :, f, o, k] = _watts(here, optics) * (1 + spares / gpus)


# Plans that differ in one thing ask for most of the same: a step of a slider must not count it all again.
@functools.lru_cache(maxsize=512)
def _ran(brief: Brief, wiring: Wiring, gpus: tuple, tp: tuple, pp: tuple) -> Ran:
    return JOBS[brief.job].run(brief, system(wiring.system), gpus, tp, pp, pod=FABRICS[wiring.fabric].pod,
                               oversubscription=wiring.narrower)


@functools.lru_cache(maxsize=4096)
def wired(wiring: Wiring):
    """Return the counts of the network, or the sentence that says why it cannot be wired so."""
    machine, fabric = system(wiring.system), FABRICS[wiring.fabric]
    assert machine.port, "every machine of a brief has one"
    asked = {"per_server": machine.server_gpus, "radix": RADIX, "oversubscription": wiring.narrower,
             "speed": machine.port.link.id}
    try:
        return fabric_counts(fabric.kind, gpus=wiring.gpus, **asked | fabric.options)
    except ValueError as refused:
        return str(refused)


@functools.lru_cache(maxsize=4096)
def _fares(model: str, wiring: Wiring) -> Uptime:
    return uptime(system(wiring.system), gpus=wiring.gpus, design=wired(wiring), model=model)


@functools.lru_cache(maxsize=4096)
def _share(brief: Brief, wiring: Wiring, spare: int) -> float:
    return JOBS[brief.job].share(_fares(brief.model, wiring), system(wiring.system), spare)


@functools.lru_cache(maxsize=4096)
def _watts(wiring: Wiring, optics: str) -> float:
    below, above = OPTICS[optics]
    return float(cluster_power(system(wiring.system), fabric=wired(wiring), below=below, above=above).watts)


def fits_rack(fabric, optics: str) -> bool:
    """Whether copper, where it is asked for, reaches the leaf."""
    return optics != COPPER or fabric.near


def _margins(brief: Brief, found: dict[str, np.ndarray]) -> Grid:
    possible = (found["room"] > 0) & np.isfinite(found["watts"]) & (found["share"] > 0)
    with np.errstate(divide="ignore"):
        seconds, allowed = JOBS[brief.job].needed(brief, found["seconds"], found["share"])
        margins = {"time": allowed / seconds, "memory": found["room"], "power": brief.watts / found["watts"],
                   "GPUs": brief.gpus / np.maximum(found["gpus"], 1)}
    needs = {"time": seconds, "memory": found["room"], "power": found["watts"], "GPUs": found["gpus"]}
    return Grid({name: np.where(possible, margin, 0.0) for name, margin in margins.items()}, needs, found["share"])


def score(brief, plan: Plan) -> Score:
    """Return what *plan* is worth for a *brief*, an id of `briefs()` or a Brief.

    Raises:
        ValueError: an unknown brief, or no Plan.

    >>> score("dense-70b", Plan("dgx-h100", gpus=2048, tp=4, pp=2)).binding in LIMITS
    True
    """
    brief, plan = brief_of(brief), plan_of(plan)
    grid = evaluate(brief, plan.axes())
    margins, needs = ({name: float(value.reshape(-1)[0]) for name, value in one.items()} for one in (grid.margins, grid.needs))
    room = of_system(system(plan.system)).memory
    needs["memory"] = room / needs["memory"] if needs["memory"] else np.inf
    impossible = "" if margins["memory"] else _refused(brief, plan)
    return Score(brief, plan, margins, needs, float(grid.share.reshape(-1)[0]), impossible)


def _refused(brief: Brief, plan: Plan) -> str:
    """Return why a plan cannot be built for a brief, in the words of what refuses it."""
    fabric = FABRICS[plan.fabric]
    if plan.system not in brief.systems:
        return f"only {' and '.join(system(one).name for one in brief.systems)} can be had for it, no {system(plan.system).name}."
    if not fits_rack(fabric, plan.optics):
        metres = cable(OPTICS[COPPER][0]).reach
        return f"copper reaches {metres:g} m, and the leaves of {plan.fabric} are farther; take modules, or rack switches."
    design = wired(Wiring(plan.system, plan.gpus, plan.fabric, float(plan.oversubscription)))
    return design if isinstance(design, str) else JOBS[brief.job].refused(brief, plan)


def search(brief):
    """Return the score of every plan of OPTIONS as a DataFrame, the best first: its fields, its margins, and value, the least.

    Raises:
        ValueError: an unknown brief.

    >>> len(search("dense-70b")), bool(search("dense-70b")["value"].iloc[0] > 1)
    (25920, True)
    """
    return _searched(brief_of(brief)).copy()


@functools.cache
def _searched(brief: Brief):
    import pandas as pd

    axes = OPTIONS | {"system": brief.systems}
    grid = evaluate(brief, axes)
    index = pd.MultiIndex.from_product(list(axes.values()), names=list(axes))
    table = pd.DataFrame({limit: values.reshape(-1) for limit, values in grid.margins.items()}, index=index)
    table["value"] = table.min(axis=1)
    return table.reset_index().sort_values("value", ascending=False, kind="stable", ignore_index=True)
