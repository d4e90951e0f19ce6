"""Channels: boards, connectors and cables in a row, what each loses, and what a PCIe generation allows together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .. import catalog, units
from ..checks import known, number, short, single, together, typed
from ..links import link

STATED_AT = 8 * units.GHz, 16 * units.GHz
_METRES = {"piece": 1.0, "inch": units.inch, "m": 1.0}
MOST_DB = 300.0


@typed
@dataclass(frozen=True)
class Part:
    """One kind of part of a channel. `coefficients` are the a and b of its loss in dB, for one piece or one metre."""

    id: str
    name: str
    kind: str
    per: str
    coefficients: tuple[float, float]
    note: str

    def loss(self, frequency, amount=1.0):
        """Return the insertion loss in dB at *frequency* (Hz) of *amount* pieces, or metres of board or cable.

        Raises:
            ValueError: a frequency that is not positive, a negative amount, either out of range; shapes that do not broadcast.

        >>> round(part("fr4").loss(16 * units.GHz, 10 * units.inch), 2)
        12.89
        """
        f, amount = together(frequency=number("frequency", frequency, high=1e12),
                             amount=number("amount", amount, high=1e3, zero=True))
        a, b = self.coefficients
        return amount * (a * f**0.5 + b * f)


def part(name: str) -> Part:
    """Return the part *name* of channel_parts.csv.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> part("cem-connector").name
    'card slot'
    """
    cells = catalog.row("channel_parts", name)
    given = [cells[column] / _METRES[cells["per"]] for column in ("at_8ghz_db", "at_16ghz_db")]
    a, b = np.linalg.solve([[math.sqrt(f), f] for f in STATED_AT], given)
    return Part(**{key: cells[key] for key in ("id", "name", "kind", "per", "note")}, coefficients=(float(a), float(b)))


def boards() -> dict[str, str]:
    """Return {id: name} of the board materials, the one that loses least first.

    >>> boards()["fr4"]
    'FR4'
    """
    found = [part(row["id"]) for row in catalog.rows("channel_parts") if row["kind"] == "board"]
    return {one.id: one.name for one in sorted(found, key=lambda one: one.loss(STATED_AT[1]))}


@typed
@dataclass(frozen=True)
class Standard:
    """What a PCIe generation asks of a channel: `budget` dB at `nyquist` Hz, `levels` voltages within `swing` volts.

    `margin` is the share of the budget that designers keep in hand; `error_rate` is the share of wrong bits allowed.
    """

    id: str
    name: str
    levels: int
    nyquist: float
    budget: float
    error_rate: float
    swing: float
    margin: float
    most_retimers: int

    @property
    def usable(self) -> float:
        """dB that a design may spend: the budget less the margin."""
        return self.budget * (1 - self.margin)


def standard(name: str) -> Standard:
    """Return the generation *name*; its Nyquist frequency is half the symbol rate, the lane rate over the bits of a symbol.

    Raises:
        ValueError: a generation without a published budget.

    >>> [standard(f"pcie{n}").nyquist / units.GHz for n in (3, 4, 5, 6)]
    [4.0, 8.0, 16.0, 16.0]
    """
    cells = catalog.row("channel_budgets", name)
    symbols = 8 * link(cells["id"]).lane_rate / math.log2(cells["levels"])
    return Standard(cells["id"], cells["name"], cells["levels"], symbols / 2, cells["budget_db"], cells["error_rate"],
                    cells["swing_v"], cells["margin"], cells["most_retimers"])


class Segment(NamedTuple):
    """One piece of a channel: a part, and how much of it (pieces or metres)."""

    part: Part
    amount: float


def channel(name: str, board: str) -> tuple[Segment, ...]:
    """Return the segments of the channel *name* of channels.csv, from the sender on, with boards of the material *board*.

    Raises:
        ValueError: an unknown channel, or a part that is no board.

    >>> len(channel("slot", "fr4"))
    6
    """
    catalog.row("channels", name)
    known("board", board, boards())
    listed = (row for row in catalog.rows("channel_segments") if row["channel"] == name)
    return tuple(segment(row["part"] or board, row["amount"]) for row in listed)


def segment(name: str, amount: float) -> Segment:
    """Return *amount* of the part *name* as a segment: pieces, inches of board or metres of cable, as its row counts.

    Raises:
        ValueError: an unknown part, or an amount that is not positive, or above 1000.

    >>> segment("fr4", 10).amount
    0.254
    """
    one = part(name)
    return Segment(one, single("amount", number("amount", amount, high=1e3)) * _METRES[one.per])


def losses(segments: Sequence[Segment], frequency: float) -> np.ndarray:
    """Return the dB of each segment at *frequency* (Hz).

    Raises:
        ValueError: no segments, or something that is no Segment.

    >>> losses(channel("baseboard", "fr4"), 16 * units.GHz).round(1).tolist()
    [9.0, 0.7, 6.4, 0.5, 2.0, 0.5, 1.5, 15.5, 0.7, 1.5, 9.5]
    """
    if not isinstance(segments, (list, tuple)) or not segments or not all(isinstance(one, Segment) for one in segments):
        raise ValueError(f"segments must be a list of at least one Segment, as channel() and segment() return; "
                         f"got {short(segments)}.")
    return np.array([one.part.loss(frequency, one.amount) for one in segments])
