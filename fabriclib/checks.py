"""Input checks shared by every module: each error names the argument, shows the value, says what is allowed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable

import numpy as np

MAX_BYTES = 1e18
MAX_RANKS = 10_000_000


def number(name: str, value, *, low: float = 0.0, high: float = math.inf, zero: bool = False):
    """Return *value* as a float, or as a float array, after checking its range.

    Args:
        name: the argument's name, for the error.
        value: a number or anything `numpy.asarray` turns into a non-empty numeric array.
        low, high: the allowed interval; *high* included, *low* excluded unless *zero* is true.
        zero: whether *low* itself is allowed.

    Raises:
        ValueError: wrong type, empty, NaN, infinite, or outside the interval.

    >>> number("nbytes", 8)
    8.0
    >>> number("nbytes", -1)
    Traceback (most recent call last):
        ...
    ValueError: nbytes must be a number greater than 0; got -1.
    """
    if type(value) is float or type(value) is int:
        least = most = value = _scalar(name, value)
    else:
        value = _array(name, value)
        least, most = value.min(), value.max()
    # Comparisons written so that NaN, which fails every one of them, is refused too.
    if not ((least >= low if zero else least > low) and most <= high and most < math.inf):
        bad = _offender(value, low, high, zero)
        raise ValueError(f"{name} must be {_interval(low, high, zero)}; got {bad}.")
    if isinstance(value, float):
        return value
    return float(value) if value.ndim == 0 else value.astype(np.float64, copy=False)


def whole(name: str, value, *, low: int = 1, high: int = MAX_RANKS):
    """Return *value* as an int, or as an integer array, after checking that it is whole and within [low, high].

    Raises:
        ValueError: not whole, or outside the interval.

    >>> whole("ranks", 8)
    8
    >>> whole("ranks", 2.5)
    Traceback (most recent call last):
        ...
    ValueError: ranks must be a whole number from 1 to 10000000; got 2.5.
    """
    if type(value) is int:
        least = most = value
    else:
        value = _array(name, value)
        if value.dtype.kind != "i" and not np.all(value == np.floor(value)):
            bad = value[value != np.floor(value)].flat[0]
            raise ValueError(f"{name} must be a whole number from {low} to {high}; got {bad:g}.")
        least, most = value.min(), value.max()
    if not (least >= low and most <= high):
        bad = least if not least >= low else most
        raise ValueError(f"{name} must be a whole number from {low} to {high}; got {bad}.")
    if isinstance(value, int):
        return value
    value = value.astype(np.int64, copy=False)
    return int(value) if value.ndim == 0 else value


def known(name: str, value, allowed: Iterable[str]) -> str:
    """Return *value* if it is one of *allowed*; otherwise raise a ValueError that suggests the nearest.

    >>> known("link", "nvlnik4", ["nvlink4", "pcie5"])
    Traceback (most recent call last):
        ...
    ValueError: link 'nvlnik4' is not known. Did you mean 'nvlink4'? Known: nvlink4, pcie5.
    """
    allowed = list(allowed)
    if isinstance(value, str) and value in allowed:
        return value
    shown = repr(value) if len(repr(value)) <= 60 else repr(value)[:57] + "..."
    by_folded = {a.lower(): a for a in allowed}
    near = difflib.get_close_matches(str(value)[:60].lower(), list(by_folded), n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(repr(by_folded[n]) for n in near)}?" if near else ""
    raise ValueError(f"{name} {shown} is not known.{hint} Known: {', '.join(allowed)}.")


def _scalar(name: str, value) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must be a number a float can hold; got an integer of {value.bit_length()} bits.") from None


def _array(name: str, value) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        array = None
    if array is None or array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be a number or an array of numbers; got {_short(value)}.")
    if array.size == 0:
        raise ValueError(f"{name} must hold at least one number; got an empty array.")
    # Narrow types would overflow or lose digits in later arithmetic: 2 * 100 does not fit into int8.
    wide = np.int64 if array.dtype.kind == "i" or array.dtype.kind == "u" and array.dtype.itemsize < 8 else np.float64
    return array.astype(wide, copy=False)


def _offender(value, low: float, high: float, zero: bool):
    values = np.atleast_1d(np.asarray(value, dtype=float))
    above = values >= low if zero else values > low
    bad = values[~(above & (values <= high) & (values < math.inf))]
    return f"{bad.flat[0]:g}"


def _interval(low: float, high: float, zero: bool) -> str:
    lower = f"at least {low:g}" if zero else f"greater than {low:g}"
    return f"a number {lower}" if high == math.inf else f"a number {lower} and at most {high:g}"


def _short(value) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
