"""A table found in a log: its rows as they were printed, and what the lines around them say about the run."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from ..checks import MAX_RANKS

MOST_ROWS = 100_000  # of a whole log; a sweep of every size has some thirty
MOST_PROBLEMS = 20  # that are listed one by one
_MOST_HOSTS = 100_000
_FAR_OFF = 1e-2  # of a result: more than rounding
SHORTEST, LONGEST = 1e-12, 1e9  # seconds of a row that can be meant
_OPEN = {1e-6: "microseconds", 1e-3: "milliseconds", 1e9: "GB/s", 1e6: "MB/s"}
MISNAMED = {2.0**30 / 1e9: "GiB/s", 2.0**20 / 1e6: "MiB/s", 1 / 8: "bits a second"}
_NONE = math.nan
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?\Z")


class Printed(NamedTuple):
    """A number with half a unit of its last digit: what was printed stands for anything within it."""

    value: float
    half: float

    def times(self, scale: float) -> Printed:
        """Return the number in a unit that is *scale* of this one's; what was not printed stays BLANK.

        >>> BLANK.times(1e3) is BLANK
        True
        """
        return self if self is BLANK else Printed(self.value * scale, self.half * scale)


BLANK = Printed(_NONE, _NONE)


class Row(NamedTuple):
    """One row, in SI base units; what was not printed is NaN or empty."""

    line: int
    nbytes: float
    seconds: Printed
    algbw: Printed = BLANK
    busbw: Printed = BLANK
    in_place: Printed = BLANK
    in_place_algbw: Printed = BLANK
    in_place_busbw: Printed = BLANK
    elements: float = _NONE
    type: str = ""
    redop: str = ""
    root: str = ""
    wrong: str = ""
    in_place_wrong: str = ""
    binary: float = _NONE  # bytes, if the size's unit means powers of 1024
    loose: tuple[str, ...] = ()  # "time", "rate": of columns that name no unit

    def with_in_place(self, other: Row) -> Row:
        """Return the row with the in-place half that *other* has."""
        return self._replace(in_place=other.in_place, in_place_algbw=other.in_place_algbw, in_place_busbw=other.in_place_busbw)

    def scaled(self, time: float, rate: float) -> Row:
        """Return the row with its times and its rates in other units."""
        return self._replace(seconds=self.seconds.times(time), algbw=self.algbw.times(rate), busbw=self.busbw.times(rate),
                             in_place=self.in_place.times(time), in_place_algbw=self.in_place_algbw.times(rate),
                             in_place_busbw=self.in_place_busbw.times(rate))

    def timed(self) -> Row:
        """Return the row with its time worked out from its rate, where only the rate is printed."""
        if self.seconds.value > 0 or self.algbw is BLANK or not self.algbw.value > 0:
            return self
        seconds = self.nbytes / self.algbw.value
        return self._replace(seconds=Printed(seconds, seconds * self.algbw.half / self.algbw.value))


class Units(NamedTuple):
    """How a row is to be read: whether its size is in powers of 1024 or of one rank's part; factors of times and of rates."""

    binary: bool = False
    part: bool = False
    time: float = 1.0
    rate: float = 1.0

    def of(self, row: Row, ranks: int | None) -> Row:
        """Return *row* in these units."""
        if self == AS_READ:
            return row
        nbytes = row.nbytes if not self.binary or math.isnan(row.binary) else row.binary
        return row.scaled(self.time, self.rate)._replace(nbytes=nbytes * (ranks or 1) if self.part else nbytes)

    @property
    def said(self) -> str:
        """What a note says of them; an empty text where all was read as it stands."""
        open_ = [_OPEN[factor] for factor in (self.time, self.rate) if factor in _OPEN]
        found = [*(["the sizes are in powers of 1024"] if self.binary else []),
                 *(["the sizes are those of one rank's part"] if self.part else []),
                 *([f"the columns that name no unit are in {' and '.join(open_)}"] if open_ else []),
                 *([f"the rates are in {MISNAMED[self.rate]}, whatever their column says"] if self.rate in MISNAMED else [])]
        return f"{' and '.join(found)}: so size, time and rate agree" if found else ""


AS_READ = Units()


@dataclass
class Heading:
    """What the lines above a table say about its run; None where they say nothing."""

    collective: str | None = None
    ranks: int | None = None
    nodes: int | None = None
    gpus_per_process: int | None = None
    gpu: str = ""
    largest: float | None = None
    listed: int = 0
    highest: int = -1
    hosts: set[str] = field(default_factory=set)
    hints: dict[str, None] = field(default_factory=dict)
    algorithm: str = ""
    other: str = ""
    launcher: str = ""
    jobs: int = 1
    windowed: bool = False  # many messages on their way at once
    ways: int = 1  # that its rates count together
    part: bool = False  # its sizes are those of one rank's part
    binary: bool = False  # its "GB" are powers of 1024

    def rank(self, number: int, host: str) -> None:
        """Take in a line that lists a rank and the host it runs on."""
        if number < MAX_RANKS:
            self.listed += 1
            if number == 0 and self.highest >= 0:
                self.jobs += 1
            self.highest = max(self.highest, number)
            if len(self.hosts) < _MOST_HOSTS:
                self.hosts.add(host)

    @property
    def all_listed(self) -> bool:
        """Whether every rank up to the highest one listed has a line of its own."""
        return self.listed == (self.highest + 1) * self.jobs > 0

    def again(self) -> Heading:
        """Return the heading of a next table of the same run, which repeats none of this."""
        return replace(self, largest=None)

    @property
    def ranks_told(self) -> int | None:
        """Ranks, as they are listed; else as a launcher or the tool says."""
        return self.highest + 1 if self.all_listed else self.ranks

    @property
    def nodes_listed(self) -> int:
        """Hosts of the ranks listed, those of one job where several ran beside one another."""
        return -(-len(self.hosts) // self.jobs)


@dataclass
class Table:
    """Rows of one benchmark, in the order of the log."""

    kind: str
    heading: Heading
    rows: list[Row] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    mean_busbw: Printed = BLANK
    empty_rows: int = 0
    device: bool | None = None
    windowed: bool = False
    launcher: str = ""
    units: Units | None = None
    notes: list[str] = field(default_factory=list)
    twice: list[Row] = field(default_factory=list)

    def turns(self, row: Row) -> bool:
        """Whether *row* is of a next table: sizes grow, only a plain table may have the largest first, and what is done stays."""
        if not self.rows:
            return False
        last = self.rows[-1]
        if row.nbytes == last.nbytes:
            return (row.type, row.redop, row.root) != (last.type, last.redop, last.root)
        shrinks = row.nbytes < last.nbytes
        if self.kind != "csv" or len(self.rows) > 1 and self.rows[0].nbytes < last.nbytes:
            return shrinks
        return len(self.rows) > 1 and not shrinks

    @property
    def doubled(self) -> bool:
        """Whether all that stands there twice is alike to the digit: its lines were copied, for two runs never are."""
        first = {row.nbytes: row for row in self.rows}
        return len(self.twice) > 1 and all(row[1:] == first[row.nbytes][1:] for row in self.twice)

    @property
    def jobs(self) -> int:
        """How many separate runs wrote into it at once: as many as listed a rank 0, or as often as every size stands there."""
        if self.doubled:
            return 1
        again = len(self.twice) // len(self.rows) + 1 if self.rows and len(self.twice) % len(self.rows) == 0 else 1
        return max(self.heading.jobs, again)

    @property
    def wrong(self) -> bool:
        """Whether the test found wrong results."""
        return any(is_wrong(mark) for row in self.rows for mark in (row.wrong, row.in_place_wrong))

    def column(self, name: str) -> np.ndarray:
        """Return a numeric column, the values of printed numbers."""
        cells = [getattr(row, name) for row in self.rows]
        return np.array([cell.value if isinstance(cell, Printed) else cell for cell in cells], dtype=float)


def is_wrong(mark: str) -> bool:
    """Return whether *mark*, below #wrong or error, stands for wrong results: old tests print how far off the worst element is.

    >>> is_wrong("512"), is_wrong("0e+00"), is_wrong("1e-06"), is_wrong("N/A")
    (True, False, False, False)
    """
    if mark in ("", "N/A", "-"):
        return False
    try:
        return not abs(float(mark)) < _FAR_OFF
    except ValueError:
        return True


def printed(text: str, scale: float = 1.0) -> Printed:
    """Return the number *text* stands for, times *scale*; a ValueError where it is no finite number.

    >>> printed("101.9", 1e-6)
    Printed(value=0.0001019, half=5e-08)
    """
    if not _NUMBER.match(text):
        raise ValueError(f"{text[:40]!r} is no number")
    mantissa, _, exponent = text.partition("e") if "e" in text else text.partition("E")
    power = int(exponent or 0) - len(mantissa.partition(".")[2])
    return Printed(float(text) * scale, 0.5 * 10.0 ** power * scale)


def whole_number(text: str) -> int:
    """Return the whole number *text* stands for, with or without marks between thousands; a ValueError for anything else.

    >>> whole_number("17_179_869_184"), whole_number("1,048,576")
    (17179869184, 1048576)
    """
    digits = text.replace("_", "").replace(",", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise ValueError(text)
    return int(digits)
