"""Signals: what a channel of boards, connectors and cables loses, when it needs a retimer, and how far the eye still opens.

Losses are insertion losses in dB at the Nyquist frequency (half the symbol rate), where a fast pattern 0101... lives;
frequencies are Hz, lengths metres, voltages volts from peak to peak. Parts, budgets, channels and retimers are rows of data/.

The loss of a part grows with the frequency f as a sqrt(f) + b f: the skin of the copper, and the board's dielectric (H. Johnson
and M. Graham, High-Speed Signal Propagation, 2003). Two frequencies of each part, 8 and 16 GHz, give a and b.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from . import catalog, units
from .checks import count, known, number, short, single
from .links import link

_AT = 8 * units.GHz, 16 * units.GHz
_METRES = {"piece": 1.0, "inch": units.inch, "m": 1.0}
_LEAST = 1e-300  # the smallest error rate that is told apart from none
MOST_DB = 300.0


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
            ValueError: a frequency or an amount that is not positive, or out of range.

        >>> round(part("fr4").loss(16 * units.GHz, 10 * units.inch), 2)
        12.89
        """
        f = number("frequency", frequency, high=1e12)
        a, b = self.coefficients
        return number("amount", amount, high=1e3, zero=True) * (a * f**0.5 + b * f)


def part(name: str) -> Part:
    """Return the part *name* of channel_parts.csv.

    Raises:
        ValueError: an unknown name; the nearest are suggested.

    >>> part("cem-connector").name
    'card slot'
    """
    cells = catalog.row("channel_parts", name)
    given = [float(cells[column]) / _METRES[cells["per"]] for column in ("db_8ghz", "db_16ghz")]
    a, b = np.linalg.solve([[math.sqrt(f), f] for f in _AT], given)
    return Part(**{key: cells[key] for key in ("id", "name", "kind", "per", "note")}, coefficients=(float(a), float(b)))


def boards() -> dict[str, str]:
    """Return {id: name} of the board materials, the one that loses least first."""
    found = [part(row["id"]) for row in catalog.rows("channel_parts") if row["kind"] == "board"]
    return {one.id: one.name for one in sorted(found, key=lambda one: one.loss(_AT[1]))}


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
    levels = int(cells["levels"])
    symbols = 8 * link(cells["id"]).lane_rate / math.log2(levels)
    return Standard(cells["id"], cells["name"], levels, symbols / 2, float(cells["budget_db"]),
                    float(cells["error_rate"]), float(cells["swing_mv"]) / 1e3, float(cells["margin"]),
                    int(cells["most_retimers"]))


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
    return tuple(segment(board if row["part"] == "board" else row["part"], float(row["amount"])) for row in listed)


def segment(name: str, amount: float) -> Segment:
    """Return *amount* of the part *name* as a segment: pieces, inches of board or metres of cable, as its row counts.

    >>> segment("fr4", 10).amount
    0.254
    """
    one = part(name)
    return Segment(one, single("amount", number("amount", amount, high=1e3)) * _METRES[one.per])


class Plan(NamedTuple):
    """A channel cut by retimers: the dB of each stretch between fresh signals, and after how many dB each retimer sits.

    `fits` says whether every stretch is within the dB that a design may spend.
    """

    stretches: tuple[float, ...]
    cuts: tuple[float, ...]
    fits: bool


def losses(segments: Sequence[Segment], frequency: float) -> np.ndarray:
    """Return the dB of each segment at *frequency* (Hz).

    Raises:
        ValueError: no segments, or something that is no Segment.
    """
    if not segments or not all(isinstance(one, Segment) for one in segments):
        raise ValueError(f"segments must be a list of at least one Segment, as channel() and segment() return; "
                         f"got {short(segments)}.")
    return np.array([one.part.loss(frequency, one.amount) for one in segments])


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
    boarded = [np.linspace(a, b, 101) for one, a, b in zip(segments, ends, ends[1:], strict=False) if one.part.kind == "board"]
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

    >>> [needed(channel("baseboard", board), "pcie5") for board in ("megtron6", "fr4")]
    [1, 1]
    """
    most = standard(generation).most_retimers
    return next((n for n in range(most + 1) if place(segments, generation, n).fits), None)


@functools.cache
def by_board(name: str, generation: str) -> dict[str, int | None]:
    """Return {board: how many retimers the channel *name* needs with it}, the board that loses least first; see `needed`.

    >>> list(by_board("slot", "pcie5").values())
    [0, 0, 0, 0, 0, 1]
    """
    return {board: needed(channel(name, board), generation) for board in boards()}


def at_least(loss, usable):
    """Return the least number of retimers that cuts *loss* dB into stretches of *usable* dB, wherever they may sit.

    A bound from below: it lets a retimer sit anywhere and counts no package of its own. Arrays in, arrays out.

    >>> at_least([20.0, 36.0, 37.0, 80.0], 36.0).tolist()
    [0, 0, 1, 2]
    """
    stretches = number("loss", loss, high=1e4, zero=True) / number("usable", usable, high=MOST_DB)
    return np.maximum(np.ceil(np.round(stretches, 9)) - 1, 0).astype(int)


def reach(generation: str, board: str, others: Sequence[Segment] = (), margin: float | None = None) -> float:
    """Return the metres of *board* that the budget of *generation* leaves when the segments *others* have taken their part.

    Args:
        margin: the share of the budget to keep in hand; that of the standard's row when not given. Zero when nothing is left.

    >>> slot = [one for one in channel("slot", "fr4") if one.part.kind not in ("board", "via")]
    >>> round(reach("pcie5", "fr4", slot, margin=0) / units.inch, 1)
    12.4
    """
    asked, one = standard(generation), part(known("board", board, boards()))
    margin = asked.margin if margin is None else single("margin", number("margin", margin, high=1, zero=True))
    taken = losses(others, asked.nyquist).sum() if others else 0.0
    return max(asked.budget * (1 - margin) - float(taken), 0.0) / one.loss(asked.nyquist)


# ---- the eye ----


class Eye(NamedTuple):
    """An eye at the receiver's input. Volts: `height` of each opening (negative: closed), `swing` from the lowest to the
    highest level a long run reaches, `noise` rms. `memory` is the share of a step that is still missing one symbol later."""

    height: np.ndarray | float
    swing: np.ndarray | float
    noise: np.ndarray | float
    memory: np.ndarray | float
    error_rate: np.ndarray | float


def eye(generation: str, loss, *, equalised=None, noise=None) -> Eye:
    """Return the eye after *loss* dB (at the Nyquist frequency), by a small statistical model.

    Args:
        loss: dB between the sender's and the receiver's chip; a number or an array.
        equalised: dB of it that equalisers take out of the difference between slow and fast patterns: all of it up to the
            generation's budget when not given, 0 for none.
        noise: volts rms at the receiver's input; `receiver_noise` when not given.

    The fast pattern arrives with swing 10^(-loss/20). What is not equalised acts like one pole: of each step a share e is
    still missing one symbol later, and a pattern 0101... then reaches (1-e)/(1+e) of a long run's swing. With M levels the
    worst opening is swing ((1-e)/(M-1) - e), less noise Q(error rate) above and below. The equaliser is ideal and costs
    no noise of its own; it lowers slow patterns to the fast ones. Left out: jitter and so the eye's width, reflections,
    crosstalk but as part of the noise, the equaliser's taps, error propagation and error correction.

    Raises:
        ValueError: values out of range.

    >>> [round(1e3 * eye(f"pcie{n}", db).height, 1) for n, db in ((3, 22), (4, 28), (5, 36), (6, 32))]
    [58.5, 24.8, 2.6, 0.0]
    >>> round(eye("pcie5", 9.5, equalised=0, noise=1e-9).height, 3)  # one pole closes the eye at a factor of three, 9.54 dB
    0.003
    """
    asked = standard(generation)
    loss = number("loss", loss, high=MOST_DB, zero=True)
    equalised = np.minimum(loss, asked.budget) if equalised is None else number("equalised", equalised, high=MOST_DB, zero=True)
    noise = receiver_noise(generation) if noise is None else number("noise", noise, high=10)
    ratio = _ratio(np.maximum(loss - equalised, 0.0))
    memory = (1 - ratio) / (1 + ratio)
    swing = asked.swing * _ratio(loss) / ratio
    opening = swing * ((1 - memory) / (asked.levels - 1) - memory)
    height = opening - 2 * _quantile(asked.error_rate, asked.levels) * noise
    found = np.broadcast_arrays(height, swing, noise, memory, _errors(opening / 2 / noise, asked.levels))
    return Eye(*(float(one) if one.ndim == 0 else one for one in found))


def receiver_noise(generation: str) -> float:
    """Return the noise at a receiver's input in volts rms: derived, the most that leaves PCIe 6 an eye at its full budget.

    The same density for every generation; its power grows with the bandwidth, taken to be the Nyquist frequency.

    >>> round(1e3 * receiver_noise("pcie5"), 2)
    0.71
    """
    last = standard("pcie6")
    at_limit = last.swing * _ratio(last.budget) / (last.levels - 1) / 2 / _quantile(last.error_rate, last.levels)
    return float(at_limit * math.sqrt(standard(generation).nyquist / last.nyquist))


def redriven(generation: str, before, after, boost: float) -> tuple:
    """Return (loss, noise) of a channel with a redriver after *before* dB and *after* dB still to go.

    An ideal linear amplifier: it makes good at most *boost* dB and never more than was lost before it. The noise at its
    input (taken to be as large as a receiver's) is amplified with the signal, and the rest of the channel weakens both.

    >>> loss, noise = redriven("pcie5", 20.0, 20.0, boost=20.0)
    >>> float(loss), round(float(noise) / receiver_noise("pcie5"), 3)
    (20.0, 1.414)
    """
    before, after = (number(name, db, high=MOST_DB, zero=True) for name, db in (("before", before), ("after", after)))
    gain = np.minimum(single("boost", number("boost", boost, high=MOST_DB, zero=True)), before)
    own = receiver_noise(generation)
    return before + after - gain, own * np.sqrt(1 + _ratio(after - gain) ** 2)


def _ratio(db):
    """The voltage ratio that *db* of loss leave; the inverse of 20 log10."""
    return 10 ** (-db / 20)


def _quantile(error_rate: float, levels: int) -> float:
    """How many standard deviations away the threshold must be for *error_rate* wrong bits, with Gray-coded levels."""
    return -NormalDist().inv_cdf(error_rate / _neighbours(levels))


def _errors(deviations, levels: int):
    """The share of wrong bits when the thresholds are *deviations* standard deviations away."""
    tail = np.vectorize(math.erfc, otypes=[float])(np.asarray(deviations) / math.sqrt(2)) / 2
    return np.clip(_neighbours(levels) * tail, _LEAST, 0.5)


def _neighbours(levels: int) -> float:
    """Wrong bits for each noise excursion past a threshold: inner levels have two neighbours, a symbol has log2 bits."""
    return 2 * (levels - 1) / levels / math.log2(levels)


# ---- retimers and redrivers ----


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

    >>> units.format(device("pcie4-limit").latency, "s"), device("ds320pr822").kind
    ('64 ns', 'redriver')
    """
    cells = catalog.row("retimers", name)
    return Device(**{key: cells[key] for key in ("id", "name", "kind", "link", "note")}, db=float(cells["db"]),
                  latency=float(cells["latency_ns"] or math.nan) * units.ns, power=float(cells["power_w"] or math.nan))


def devices():
    """Return the retimers and redrivers as a DataFrame; latency in ns, one way."""
    import pandas as pd

    found = [device(row["id"]) for row in catalog.rows("retimers")]
    return pd.DataFrame({
        "id": [one.id for one in found], "name": [one.name for one in found], "kind": [one.kind for one in found],
        "for": [standard(one.link).name for one in found], "dB it bridges": [one.db for one in found],
        "latency (ns)": [one.latency / units.ns for one in found], "power (W)": [one.power for one in found],
        "note": [one.note for one in found],
    })


def retimer_counts():
    """Return as a DataFrame how many retimers were reported in which machine, with the source of each row."""
    import pandas as pd

    rows = catalog.rows("retimer_counts")
    sources = [catalog.sources_of(row)["retimers"] for row in rows]
    return pd.DataFrame({
        "machine": [row["machine"] for row in rows], "accelerators": [int(row["gpus"]) for row in rows],
        "where": [row["place"] for row in rows], "retimers": [int(row["retimers"]) for row in rows],
        "source": [one.publisher for one in sources], "grade": [one.grade for one in sources],
    })
