"""Input checks shared by every module: each error names the argument, shows the value, says what is allowed."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable

import numpy as np

MAX_BYTES = 1e18
MAX_RANKS = 10_000_000
MOST_NAMES = 40  # that a message lists


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
        raise ValueError(f"{name} must be {_interval(low, high, zero, math.isfinite(bad))}; got {_exact(bad)}.")
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
            raise ValueError(f"{name} must be a whole number from {low} to {high}; got {_exact(bad)}.")
        least, most = value.min().item(), value.max().item()
    if not (least >= low and most <= high):
        bad = least if not least >= low else most
        raise ValueError(f"{name} must be a whole number from {low} to {high}; got {short(bad)}.")
    if isinstance(value, int):
        return value
    value = value.astype(np.int64, copy=False)
    return int(value) if value.ndim == 0 else value


def count(name: str, value, *, low: int = 1, high: int = MAX_RANKS) -> int:
    """Return *value* as an int, as `whole` does, where no array will do.

    >>> count("ranks", 8.0)
    8
    """
    return single(name, whole(name, value, low=low, high=high))


def single(name: str, checked):
    """Return what `number` or `whole` returned if it is one number; raise a ValueError if it is an array.

    >>> single("alpha", number("alpha", 1e-6))
    1e-06
    """
    if isinstance(checked, np.ndarray):
        raise ValueError(f"{name} must be one number, not an array; got {short(checked)}.")
    return checked


def plain(value):
    """Return a NumPy value without dimensions as the Python value it holds, and anything else as it is.

    A function that broadcasts ends with it: one number in, one number out.

    >>> plain(np.float64(2.5)), plain(np.array(2.5)), plain(np.array([2.5]))
    (2.5, 2.5, array([2.5]))
    """
    return value.item() if getattr(value, "ndim", None) == 0 else value


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
    by_folded = {a.lower(): a for a in allowed}
    text = value[:60] if isinstance(value, str) else short(value)
    near = difflib.get_close_matches(text.lower(), list(by_folded), n=3, cutoff=0.5)
    hint = f" Did you mean {' or '.join(repr(by_folded[n]) for n in near)}?" if near else ""
    more = f" and {len(allowed) - MOST_NAMES} more" if len(allowed) > MOST_NAMES else ""
    raise ValueError(f"{name} {short(value)} is not known.{hint} Known: {', '.join(allowed[:MOST_NAMES])}{more}.")


def short(value) -> str:
    """Return the text of *value*, whatever it is, as far as it fits into a message.

    >>> short("x"), short(10**400)
    ("'x'", 'an integer of 1329 bits')
    """
    if isinstance(value, int) and value.bit_length() > 200:  # of more than 4300 digits Python makes no text
        return f"an integer of {value.bit_length()} bits"
    try:
        text = repr(value)
    except Exception:  # anything may be passed, even an object whose text fails
        text = f"a {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def _scalar(name: str, value) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must be a number a float can hold; got {short(value)}.") from None


def _array(name: str, value) -> np.ndarray:
    try:
        array = np.asarray(value)
    except ValueError:
        array = None
    if array is None or array.dtype.kind not in "iuf":
        raise ValueError(f"{name} must be a number or an array of numbers; got {short(value)}.")
    if array.size == 0:
        raise ValueError(f"{name} must hold at least one number; got an empty array.")
    # Narrow types would overflow or lose digits in later arithmetic: 2 * 100 does not fit into int8.
    wide = np.int64 if array.dtype.kind == "i" or array.dtype.kind == "u" and array.dtype.itemsize < 8 else np.float64
    return array.astype(wide, copy=False)


def _offender(value, low: float, high: float, zero: bool) -> float:
    values = np.atleast_1d(np.asarray(value, dtype=float))
    above = values >= low if zero else values > low
    return values[~(above & (values <= high) & (values < math.inf))][0]


def _exact(value: float) -> str:
    """Few digits where they are all there is, and all of them where they are not: 8, but 1.0000001e+18."""
    return f"{value:g}" if float(f"{value:g}") == value or math.isnan(value) else repr(float(value))


def _interval(low: float, high: float, zero: bool, finite: bool) -> str:
    lower = f"a {'' if finite else 'finite '}number {'at least' if zero else 'greater than'} {low:g}"
    return lower if high == math.inf else f"{lower} and at most {high:g}"
