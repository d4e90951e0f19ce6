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
SHORTEST, LONGEST = 1e-12, 1e9  # seconds of a row that can be meant
_NONE = math.nan
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,20}\.?[0-9]{0,20}|\.[0-9]{1,20})(?:[eE][+-]?[0-9]{1,2})?\Z")


class Printed(NamedTuple):
    """A number with half a unit of its last digit: what was printed stands for anything within it."""

    value: float
    half: float

    def times(self, scale: float) -> Printed:
        """Return the number in a unit that is *scale* of this one's."""
        return Printed(self.value * scale, self.half * scale)


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

    def timed(self) -> Row:
        """Return the row with its time worked out from its rate, where only the rate is printed."""
        if self.seconds.value > 0 or self.algbw is BLANK or not self.algbw.value > 0:
            return self
        seconds = self.nbytes / self.algbw.value
        return self._replace(seconds=Printed(seconds, seconds * self.algbw.half / self.algbw.value))


@dataclass
class Heading:
    """What the lines above a table say about its run; None where they say nothing."""

    collective: str | None = None
    ranks: int | None = None
    nodes: int | None = None
    gpus_per_process: int | None = None
    gpu: str = ""
    smallest: float | None = None
    largest: float | None = None
    listed: int = 0
    highest: int = -1
    hosts: set[str] = field(default_factory=set)

    def rank(self, number: int, host: str) -> None:
        """Take in a line that lists a rank and the host it runs on."""
        if number < MAX_RANKS:
            self.listed += 1
            self.highest = max(self.highest, number)
            if len(self.hosts) < _MOST_HOSTS:
                self.hosts.add(host)

    @property
    def all_listed(self) -> bool:
        """Whether every rank up to the highest one listed has a line of its own."""
        return self.listed == self.highest + 1 > 0

    def again(self) -> Heading:
        """Return the heading of a next table of the same run, which repeats none of this."""
        return replace(self, smallest=None, largest=None)


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
    notes: list[str] = field(default_factory=list)

    def column(self, name: str) -> np.ndarray:
        """Return a numeric column, the values of printed numbers."""
        cells = [getattr(row, name) for row in self.rows]
        return np.array([cell.value if isinstance(cell, Printed) else cell for cell in cells], dtype=float)


def printed(text: str, scale: float = 1.0) -> Printed:
    """Return the number *text* stands for, times *scale*; a ValueError where it is no finite number.

    >>> printed("101.9", 1e-6)
    Printed(value=0.0001019, half=5e-08)
    """
    if not _NUMBER.match(text):
        raise ValueError(f"{text[:40]!r} is no number")
    value, (mantissa, _, exponent) = float(text), text.lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    return Printed(value * scale, 0.5 * 10.0 ** (int(exponent or 0) - decimals) * scale)


def whole_number(text: str) -> int:
    """Return the whole number *text* stands for, with or without marks between thousands; a ValueError for anything else.

    >>> whole_number("17_179_869_184"), whole_number("1,048,576")
    (17179869184, 1048576)
    """
    digits = text.replace("_", "").replace(",", "")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 18:
        raise ValueError(text)
    return int(digits)
