"""Links: from signalling rate to the bytes a program gets, and the time a message takes.

Three words for rate. *Raw* is what the wires signal. *Line* is what is left after line code and FEC, and what vendors
advertise per direction. *Payload* is what packets and flits leave of that. What a copy reaches is a measurement, no stage.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from . import catalog, framing, units
from .checks import MAX_BYTES, count, number, short, single, typed, whole
from .shown import sentence

MAX_BUNDLE = 100_000


class Stage(NamedTuple):
    """One stage of a waterfall: its name and the rate left after it, in bytes per second."""

    name: str
    rate: float


@dataclass(frozen=True)
class AlphaBeta:
    """The Hockney model: a message of n bytes takes alpha + beta * n seconds.

    Args:
        alpha: start-up time in seconds.
        beta: seconds per byte; 1 / beta is the asymptotic rate.

    Raises:
        ValueError: a constant that is not one number, or negative.

    Source: Hockney, Parallel Computing 20(3):389-398, 1994.

    >>> AlphaBeta(alpha=1e-6, beta=1 / 50e9).n_half
    50000.0
    """

    alpha: float
    beta: float

    def __post_init__(self):
        for name in ("alpha", "beta"):
            object.__setattr__(self, name, single(name, number(name, getattr(self, name), zero=True)))

    def time(self, nbytes):
        """Return seconds for *nbytes* (a number or an array).

        Raises:
            ValueError: *nbytes* is not positive, or above 1e18.
        """
        return self.alpha + number("nbytes", nbytes, high=MAX_BYTES) * self.beta

    @property
    def n_half(self) -> float:
        """The size, in bytes, that reaches half the asymptotic rate: alpha / beta (infinite when beta is zero)."""
        return self.alpha / self.beta if self.beta else math.inf

    def __repr__(self) -> str:
        rate = units.format(1 / self.beta, "B/s") if self.beta else "no limit"
        return f"<AlphaBeta: {units.format(self.alpha, 's')} to start, then {rate}; n-half {units.format(self.n_half)}>"

    _repr_html_ = sentence

    @classmethod
    def fit(cls, nbytes, seconds) -> AlphaBeta:
        """Return the model with the least squared *relative* error over the points (nbytes, seconds).

        Plain least squares lets the largest message own the fit; weighting by 1 / seconds makes every point count
        the same. Both constants are kept at or above zero.

        Raises:
            ValueError: fewer than two sizes, lengths that differ, or values that are not positive and in range.

        >>> fitted = AlphaBeta.fit([1e3, 1e6, 1e9], [1e-6 + n / 50e9 for n in (1e3, 1e6, 1e9)])
        >>> round(fitted.alpha * 1e6, 6), round(1e-9 / fitted.beta, 6)
        (1.0, 50.0)
        """
        n = np.atleast_1d(number("nbytes", nbytes, high=MAX_BYTES))
        t = np.atleast_1d(number("seconds", seconds))
        if n.ndim != 1 or n.shape != t.shape:
            raise ValueError(f"nbytes and seconds must be two lists of the same length; got shapes {n.shape} and {t.shape}.")
        if np.unique(n).size < 2:
            raise ValueError(f"nbytes must hold at least two different sizes; got {n[0]:g} only.")
        terms = np.stack([1 / t, n / t], axis=1)
        lengths = np.linalg.norm(terms, axis=0)  # seconds and sizes may be many orders of magnitude apart
        alpha, beta = np.linalg.lstsq(terms / lengths, np.ones_like(t))[0] / lengths
        if alpha < 0:
            alpha, beta = 0.0, _only(terms[:, 1])
        elif beta < 0:
            alpha, beta = _only(terms[:, 0]), 0.0
        return cls(float(alpha), float(beta))


def _only(term: np.ndarray) -> float:
    """The one-parameter fit that remains when the other parameter is held at zero."""
    return float(term.sum() / (term @ term))


@typed
@dataclass(frozen=True)
class Link(catalog.Sourced):
    """ONE link in ONE direction, or a bundle of `count` of them side by side.

    Rates are bytes per second, `lane_rate` is raw bytes per second a lane, `latency` is seconds: NaN where no source
    gives one. `framing` is an id of the catalogue's framings, or "" where the packets are not known.

    Raises:
        ValueError: lanes, a count or rates out of range, or a framing that is not known.

    One of your own is a known one with other numbers, or has all of them: see docs/own.md.

    >>> replace(link("pcie5", lanes=16), id="mine", name="My link", lane_rate=64e9 / 8)
    <My link, one direction: raw 128 GB/s, line 126 GB/s, payload 115.2 GB/s>
    """

    _example = "link('nvlink4')"
    _table = "links"

    id: str
    name: str
    family: str
    generation: str
    year: int
    device: str
    per_device: int
    lanes: int
    lane_rate: float
    code: str
    code_rate: float
    framing: str
    packet_bytes: float | None
    latency: float
    note: str
    count: int = 1

    def __post_init__(self):
        for name, value in (("lanes", self.lanes), ("count", self.count)):
            count(name, value)
        number("lane_rate", self.lane_rate)
        number("code_rate", self.code_rate, high=1)
        self.waterfall()  # says what is wrong with the framing

    @property
    def raw(self) -> float:
        """Bytes per second of signalling."""
        return self.count * self.lanes * self.lane_rate

    @property
    def line(self) -> float:
        """Bytes per second that the line code leaves: what vendors advertise per direction.

        >>> link("nvlink4").bundle(18).line
        450000000000.0
        """
        return self.raw * self.code_rate

    def waterfall(self, packet_bytes: float | None = None) -> tuple[Stage, ...]:
        """Return the stages raw, line and (where the framing is known) payload, in bytes per second.

        Args:
            packet_bytes: payload bytes in each packet; the link's usual size when not given.

        Raises:
            ValueError: packet_bytes given for a link whose framing is not known or that sends flits, or not positive.
        """
        stages = (Stage("raw", self.raw), Stage("line", self.line))
        if not self.framing:
            if packet_bytes is not None:
                raise ValueError(f"packet_bytes must be left out for {self.name}, whose packet framing is not published; "
                                 f"got {short(packet_bytes)}.")
            return stages
        usual = self.packet_bytes if packet_bytes is None else packet_bytes
        return (*stages, Stage("payload", self.line * framing.share(self.framing, usual)))

    def bandwidth(self, packet_bytes: float | None = None) -> float:
        """Return bytes per second in one direction: payload where the framing is known from a source, else line.

        Raises:
            ValueError: *packet_bytes* is not positive, or above 1e18.

        >>> link("nvlink4").bundle(18).bandwidth()
        450000000000.0
        """
        return self.waterfall(packet_bytes)[-1].rate

    def time(self, nbytes):
        """Return seconds for a message of *nbytes* (a number or an array): latency + nbytes / bandwidth.

        Raises:
            ValueError: no latency is known for the link, or nbytes is not positive.

        >>> units.format(link("nvlink4").bundle(18).time(2**30), "s")
        '2.39 ms'
        """
        return self.alpha_beta.time(nbytes)

    @property
    def alpha_beta(self) -> AlphaBeta:
        """The link as a Hockney model: alpha is the latency, beta one over the bandwidth.

        Raises:
            ValueError: no latency is known for the link.
        """
        if math.isnan(self.latency):
            raise ValueError(f"link must be one with a known latency to give times; no source gives one for {self.name}.")
        return AlphaBeta(self.latency, 1 / self.bandwidth())

    def bundle(self, count: int) -> Link:
        """Return *count* of these links side by side, as one link: rates add up, latency stays.

        Raises:
            ValueError: *count* is not a whole number from 1 to 100,000.
        """
        return replace(self, count=self.count * single("count", whole("count", count, high=MAX_BUNDLE)))

    def __repr__(self) -> str:
        many = f"{self.count} x " if self.count > 1 else ""
        stages = ", ".join(f"{stage.name} {units.format(stage.rate, 'B/s', 4)}" for stage in self.waterfall())
        return f"<{many}{self.name}, one direction: {stages}>"

    _repr_html_ = sentence


def link(name: str, lanes: int | None = None) -> Link:
    """Return ONE link, ONE direction, from the catalogue.

    Args:
        name: an id from `links()`, such as "nvlink4" or "pcie5".
        lanes: the width, for links that come in several.

    Raises:
        ValueError: an unknown name (the nearest are suggested), or a width the link does not come in.

    >>> link("pcie5", lanes=16)
    <PCIe 5, one direction: raw 64 GB/s, line 63.02 GB/s, payload 57.61 GB/s>
    """
    cells = catalog.row("links", name)
    default = cells["lanes"]
    widths = cells["widths"] or (default,)
    lanes = default if lanes is None else count("lanes", lanes)
    if lanes not in widths:
        raise ValueError(f"lanes must be {' or '.join(map(str, widths))} for {cells['name']}; got {lanes}.")
    return _of(cells["id"], lanes)


@functools.cache
def _of(id: str, lanes: int) -> Link:  # noqa: A002 - the column is called id
    cells = catalog.row("links", id)
    code = catalog.row("codes", cells["code"])
    return Link(
        **{field: cells[field] for field in ("id", "name", "family", "generation", "year", "device", "note")},
        per_device=cells["links"], lanes=lanes, lane_rate=cells["lane_bits_per_s"] / 8, code=code["name"],
        code_rate=code["payload_bits"] / code["coded_bits"], framing=cells["framing"] or "",
        packet_bytes=cells["packet_bytes"], latency=cells["latency_s"],
    )


def links():
    """Return the catalogue as a DataFrame: one row a link, in GB/s, for one link and for one device.

    >>> links().set_index("id").loc["nvlink4", ["device GB/s one way", "device GB/s both ways"]].astype(float).tolist()
    [450.0, 900.0]
    """
    import pandas as pd

    return pd.DataFrame([{
        "id": one.id, "name": one.name, "family": one.family, "year": one.year, "device": one.device, "lanes": one.lanes,
        "raw Gb/s per lane": one.lane_rate / units.Gb, "line code": one.code, "link GB/s one way": one.line / units.GB,
        "link payload GB/s one way": one.bandwidth() / units.GB if one.framing else math.nan,
        "links per device": one.per_device, "device GB/s one way": one.line / units.GB * one.per_device,
        "device GB/s both ways": 2 * (one.line / units.GB * one.per_device), "latency (ns)": one.latency / units.ns,
    } for one in (link(row["id"]) for row in catalog.rows("links"))])
