"""Retimers: how many a channel needs, where they sit best, and what the chips add in latency and watts."""

from __future__ import annotations

import functools
import itertools
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import catalog, units
from ..checks import count, known, number, plain, single, together, typed
from .channels import MOST_DB, Segment, boards, channel, losses, part, standard


class Plan(NamedTuple):
    """A channel cut by retimers: the dB of each stretch between fresh signals, and after how many dB each retimer sits.

    `fits` says whether every stretch is within the dB that a design may spend.
    """

    stretches: tuple[float, ...]
    cuts: tuple[float, ...]
    fits: bool


def place(segments: Sequence[Segment], generation: str, retimers: int) -> Plan:
    """Return where to put *retimers* so that the worst stretch is as short as it can be.

    A retimer sits on a board: in the middle of one or at its end, never inside a package, a connector or a cable. Its own
    package belongs to both stretches it ends.

    Raises:
        ValueError: more retimers than a link may have, or a channel without a board to put them on.

    >>> plan = place(channel("baseboard", "fr4"), "pcie5", 1)
    >>> [round(db, 1) for db in plan.stretches], plan.fits
    ([27.8, 27.9], True)
    """
    asked = standard(generation)
    retimers = count("retimers", retimers, low=0, high=asked.most_retimers)
    ends = np.concatenate([[0.0], np.cumsum(losses(segments, asked.nyquist))])
    if not retimers:
        return Plan((float(ends[-1]),), (), bool(ends[-1] <= asked.usable))
    boarded = [np.linspace(*between, 101) for one, between in zip(segments, itertools.pairwise(ends), strict=True)
               if one.part.kind == "board"]
    if not boarded:
        raise ValueError(f"segments must have a board for {retimers} retimer{'s' if retimers > 1 else ''} to sit on; got none.")
    package = part("device-package").loss(asked.nyquist)
    spots = np.concatenate(boarded)
    grid = np.stack(np.meshgrid(*[spots] * retimers, indexing="ij")).reshape(retimers, -1)
    grid = grid[:, (np.diff(grid, axis=0) >= 0).all(axis=0)]
    bounds = np.vstack([np.zeros(grid.shape[1]), grid, np.full(grid.shape[1], ends[-1])])
    stretches = np.diff(bounds, axis=0) + package * np.array([[1], *[[2]] * (retimers - 1), [1]])
    # Of equal worst stretches the evenest plan, so that a retimer that cannot help is not put beside another.
    best = np.lexsort(((stretches**2).sum(axis=0), stretches.max(axis=0).round(9)))[0]
    return Plan(tuple(stretches[:, best].tolist()), tuple(grid[:, best].tolist()),
                bool(stretches[:, best].max() <= asked.usable))


def needed(segments: Sequence[Segment], generation: str) -> int | None:
    """Return how many retimers the channel needs, or None if as many as a link may have are not enough.

    Raises:
        ValueError: no segments, something that is no Segment, an unknown generation, or no board for a retimer that is needed.

    >>> [needed(channel("baseboard", board), "pcie5") for board in ("megtron6", "fr4")]
    [1, 1]
    """
    most = standard(generation).most_retimers
    return next((n for n in range(most + 1) if place(segments, generation, n).fits), None)


@typed
@functools.cache
def by_board(name: str, generation: str) -> Mapping[str, int | None]:
    """Return {board: how many retimers the channel *name* needs with it}, the board that loses least first; see `needed`.

    Raises:
        ValueError: an unknown channel or generation; the nearest are suggested.

    >>> list(by_board("slot", "pcie5").values())
    [0, 0, 0, 0, 0, 1]
    """
    counts = {board: needed(channel(name, board), generation) for board in boards()}
    return types.MappingProxyType(counts)  # shared by all callers


def at_least(loss, usable):
    """Return the least number of retimers that cuts *loss* dB into stretches of *usable* dB, wherever they may sit.

    A bound from below: it lets a retimer sit anywhere and counts no package of its own. Arrays in, arrays out.

    Raises:
        ValueError: a negative loss, or less than 0.1 dB that can be used.

    >>> at_least([20.0, 36.0, 37.0, 80.0], 36.0).tolist()
    [0, 0, 1, 2]
    """
    loss, usable = together(loss=number("loss", loss, high=1e4, zero=True),
                            usable=number("usable", usable, low=0.1, high=MOST_DB, zero=True))
    return plain(np.maximum(np.ceil(np.round(loss / usable, 9)) - 1, 0).astype(int))


@typed
def reach(generation: str, board: str, others: Sequence[Segment] = (), margin: float | None = None) -> float:
    """Return the metres of *board* that the budget of *generation* leaves when the segments *others* have taken their part.

    Args:
        margin: the share of the budget to keep in hand; that of the standard's row when not given. Zero when nothing is left.

    Raises:
        ValueError: an unknown generation or board, something that is no Segment, or a margin that is not from 0 to 1.

    >>> slot = [one for one in channel("slot", "fr4") if one.part.kind not in ("board", "via")]
    >>> round(reach("pcie5", "fr4", slot, margin=0) / units.inch, 1)
    12.4
    """
    asked, one = standard(generation), part(known("board", board, boards()))
    margin = asked.margin if margin is None else single("margin", number("margin", margin, high=1, zero=True))
    taken = losses(others, asked.nyquist).sum() if others else 0.0
    return max(asked.budget * (1 - margin) - float(taken), 0.0) / one.loss(asked.nyquist)


@typed
@dataclass(frozen=True)
class Device:
    """A retimer or redriver. `db`: what a retimer's receiver reaches or a redriver makes good. Seconds and watts, NaN where
    no source gives them; latency is for one way."""

    id: str
    name: str
    kind: str
    link: str
    db: float
    latency: float
    power: float
    note: str


def device(name: str) -> Device:
    """Return the retimer or redriver *name* of retimers.csv.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> units.format(device("pcie4-limit").latency, "s"), device("ds320pr822").kind
    ('64 ns', 'redriver')
    """
    cells = catalog.row("retimers", name)
    return Device(**{key: cells[key] for key in ("id", "name", "kind", "link", "db", "note")},
                  latency=cells["latency_s"], power=cells["power_w"])


def devices():
    """Return the retimers and redrivers as a DataFrame; latency in ns, one way.

    >>> devices()["kind"].unique().tolist()
    ['retimer', 'redriver']
    """
    import pandas as pd

    return pd.DataFrame([{
        "id": one.id, "name": one.name, "kind": one.kind, "for": standard(one.link).name, "dB it bridges": one.db,
        "latency (ns)": one.latency / units.ns, "power (W)": one.power, "note": one.note,
    } for one in (device(row["id"]) for row in catalog.rows("retimers"))])


def retimer_counts():
    """Return as a DataFrame how many retimers were reported in which machine, with the source of each row.

    >>> list(retimer_counts())
    ['machine', 'accelerators', 'where', 'retimers', 'source', 'grade']
    """
    import pandas as pd

    return pd.DataFrame([{
        "machine": row["machine"], "accelerators": row["gpus"], "where": row["place"], "retimers": row["retimers"],
        "source": source.publisher, "grade": source.grade,
    } for row in catalog.rows("retimer_counts") for source in [catalog.sources_of(row)["retimers"]]])
