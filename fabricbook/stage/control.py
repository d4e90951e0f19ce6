"""A control: one value picked from a list, by a slider or a menu."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fabriclib import units
from fabriclib.checks import MOST, known, plain, short

SI_UNITS = ("B", "B/s", "b/s", "s", "J", "W")
KINDS = ("slider", "menu", "steps")
AXES = ("x", "y")


@dataclass(frozen=True)
class Control:
    """One value picked from a list: a slider moves along the list, so it is linear or logarithmic as the list is.

    Args:
        name: the argument of the lab's function that receives the value.
        values: what may be picked, in order: numbers or text.
        default: where the control starts; one of *values*.
        label: what stands before the control; *name* if not given.
        unit: "B", "B/s", "b/s", "s", "J" or "W" for values in that SI base unit, written with a prefix
            ("64 KiB"); any other text is written after the value ("18 links").
        as_: "slider"; "menu"; or "steps", a slider with buttons for the previous and the next value, and one that plays all.
        verb: what the button of the next value says, where it is more than the next one: "throw" for dice.
        until: takes the lab's other controls and returns the last of *values* that there is with them, where they decide it.
        picks: a column of the lab's table: a click on a mark whose row has there one of *values*, or its text, picks that.
        drags: "x" or "y": the axis of the chart along which a drag in the picture moves this control.
        carries: a column of the lab's table: a mark whose row has text there can be carried, under that text, to a mark that
            *picks* names, and picks that.

    Raises:
        ValueError: no values, a repeated value, a default that is not among them, an unknown kind or axis, a verb without
            steps, a menu that ends, something carried to nowhere.

    >>> links = Control("links", range(1, 19), default=18, unit="links")
    >>> links.text(18), links.position(3)
    ('18 links', 2)
    >>> links.position(19)
    Traceback (most recent call last):
        ...
    ValueError: links must be one of 18 values from 1 to 18; got 19.
    """

    name: str
    values: tuple
    default: Any
    label: str = ""
    unit: str = ""
    as_: str = "slider"
    verb: str = ""
    until: Callable | None = None
    picks: str = ""
    drags: str = ""
    carries: str = ""

    def __post_init__(self) -> None:
        # Frozen: what was given is brought to one form here, once, and never changes again.
        values = tuple(plain(value) for value in self.values)
        object.__setattr__(self, "values", values)
        object.__setattr__(self, "default", plain(self.default))
        object.__setattr__(self, "label", self.label or self.name)
        known("as_", self.as_, KINDS)
        if self.drags:
            known("drags", self.drags, AXES)
        if self.carries and not self.picks:
            raise ValueError(f"carries of control {self.name} needs picks, the column that says where to; got picks=''.")
        if self.until and self.as_ == "menu":
            raise ValueError(f"until of control {self.name} ends a slider or steps; got as_='menu'.")
        if self.verb and self.as_ != "steps":
            raise ValueError(f"verb of control {self.name} names a button of as_='steps'; got as_={self.as_!r}.")
        if len(values) < 2 or len(set(values)) < len(values):
            raise ValueError(f"values of control {self.name} must be at least two, each once; got {short(values)}.")
        self.position(self.default)

    def position(self, value) -> int:
        """Return where *value* stands in the list of values.

        Raises:
            ValueError: it is not in the list; the message says what is.
        """
        value = plain(value)
        for position, listed in enumerate(self.values):
            if _same(listed, value):
                return position
        if all(isinstance(listed, str) for listed in self.values):
            known(self.name, value, self.values)
        raise ValueError(f"{self.name} must be one of {self._allowed()}; got {short(value)}.{self._nearest(value)}")

    def text(self, value) -> str:
        """Return *value* as the learner reads it, with its unit."""
        if self.unit in SI_UNITS:
            return units.format(value, self.unit)
        shown = f"{value:,g}" if isinstance(value, float) else f"{value:,}" if _is_number(value) else str(value)
        unit = self.unit.removesuffix("s" if self.unit != "inches" else "es") if shown == "1" else self.unit
        return f"{shown} {unit}".rstrip()

    def _allowed(self) -> str:
        if len(self.values) <= 12:
            return ", ".join(str(value) for value in self.values)
        return f"{len(self.values)} values from {self.values[0]} to {self.values[-1]}"

    def _nearest(self, value) -> str:
        if len(self.values) <= 12 or not _is_number(value) or not min(self.values) <= value <= max(self.values):
            return ""
        return f" The nearest is {min(self.values, key=lambda listed: abs(listed - value))}."


def _is_number(value) -> bool:
    """Say whether *value* is a number that may be compared with one of the list: no NaN, and none that no float can hold."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool) and bool(abs(value) <= MOST)


def _same(listed, value) -> bool:
    if _is_number(listed) and _is_number(value):
        return math.isclose(listed, value, rel_tol=1e-9)
    return type(listed) is type(value) and listed == value
