"""SI constants, and the edges where text becomes numbers and numbers become text.

Inside the library everything is a plain float in SI base units: bytes, seconds, bytes per second, joules, watts.
GB is 1e9 bytes; GiB is 2**30 bytes and exists for sizes only. A small b is a bit, a capital B a byte.
"""

from __future__ import annotations

import difflib
import math
import numbers
import re

from .checks import count, known, short

kB, MB, GB, TB = 1e3, 1e6, 1e9, 1e12
KiB, MiB, GiB, TiB = 2.0**10, 2.0**20, 2.0**30, 2.0**40
Gb = 1e9 / 8
us, ns, ms = 1e-6, 1e-9, 1e-3
GHz, inch = 1e9, 0.0254

_SI = {"": 1.0, "k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}
_ALL = {"p": 1e-12, "n": 1e-9, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "m": 1e-3} | {p: f for p, f in _SI.items() if p != "K"}
_BINARY = {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50}
_SIZES = {f"{p}B": f for p, f in (_SI | _BINARY).items()} | {f"{p}b": f / 8 for p, f in _SI.items()}
_LONGER = {"min": 60.0, "h": 3600.0, "days": 86400.0, "years": 365.25 * 86400}
_TIMES = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ns": 1e-9, "ps": 1e-12,
          "d": 86400.0, "day": 86400.0, "week": 7 * 86400.0, "month": 365.25 / 12 * 86400, "year": 365.25 * 86400} | _LONGER
KINDS = {
    "size": _SIZES,
    "rate": {f"{u}/s": f for u, f in _SIZES.items()}
    | {f"{p}Bps": f for p, f in _SI.items()} | {f"{p}bps": f / 8 for p, f in _SI.items()},
    "time": _TIMES,
    "energy": {f"{p}J": f for p, f in _ALL.items()} | {"kWh": 3.6e6},
    "power": {f"{p}W": f for p, f in _ALL.items()},
    "ratio": {"": 1.0, "x": 1.0, "times": 1.0, "%": 0.01},
}
EXAMPLES = {"size": "64 KiB", "rate": "450 GB/s", "time": "2.5 ms", "energy": "5 pJ", "power": "700 W", "ratio": "1.75"}
# The few units that a message names; all of them would be a wall of spellings.
USUAL = {"size": "B, kB, MB, GB or KiB, MiB, GiB", "rate": "MB/s, GB/s, TB/s or Gb/s",
          "time": "ns, us, ms, s, min, h, days or years",
          "energy": "pJ, nJ, J or kWh", "power": "mW, W, kW or MW", "ratio": "a plain number or %"}
# What a learner writes out. Words are read and never written, so that they stay out of the lists of known units.
_PREFIXES = {"": "", "kilo": "k", "mega": "M", "giga": "G", "tera": "T", "milli": "m", "micro": "µ", "nano": "n", "pico": "p"}
WORDS = {f"{long}{word}{plural}": short + unit for long, short in _PREFIXES.items() for plural in ("", "s")
          for word, unit in (("second", "s"), ("byte", "B"), ("bit", "b"), ("joule", "J"), ("watt", "W"))}
WORDS |= {f"{p.lower()}{word}{plural}": p + unit for p in "kMGT" for plural in ("", "s")
           for word, unit in (("byte", "B"), ("bit", "b"))}
WORDS |= {f"{p}sec{plural}": f"{p}s" for p in ("", "m", "u", "µ", "n") for plural in ("", "s")}
WORDS |= {"minute": "min", "minutes": "min", "mins": "min", "hour": "h", "hours": "h", "hr": "h", "hrs": "h",
           "weeks": "week", "months": "month", "yr": "year", "yrs": "year"}
LONGEST_TEXT = 200  # characters that are looked at as a number and its unit
# The repetitions never give back what they took, so that no text can send them to and fro.
_NUMBER = r"(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+"
_TEXT = re.compile(rf"([+-]?{_NUMBER}(?:\s*+[*×/]\s*+{_NUMBER})*+)\s*+([^\d\s]\S*+|)\Z")
_PIECE = re.compile(r"[*×/]|[^*×/\s]++")
# How a rate may end but for "/s": "per second", " / sec".
_A_SECOND = re.compile(r"(?<!\s)\s*+(?:/|\bper\b)\s*+s(?:ec(?:ond)?)?\Z", re.IGNORECASE)


def parse(text: str, kind: str | None = None) -> float:
    """Return the value of *text* in SI base units: bytes, bytes per second, seconds, joules, watts.

    Args:
        text: a number and a unit, such as "64 KiB", "400 Gb/s", "2.5 us". A capital B is a byte, a small b a bit. The number
            may be a quotient or a product: "63/4 GB/s", "2*7/8".
        kind: "size", "rate", "time", "energy", "power" or "ratio" to accept that kind only.

    Raises:
        ValueError: no number, one too large, no unit, an unknown unit or one of another kind, or a negative size.

    >>> parse("64 KiB"), parse("400 Gb/s"), parse("900 GB/s", "rate"), parse("2 hours")
    (65536.0, 50000000000.0, 900000000000.0, 7200.0)
    >>> parse("1/2 MB"), parse("14/8", "ratio"), parse("3 GB per second")
    (500000.0, 1.75, 3000000000.0)
    """
    if kind is not None:
        known("kind", kind, KINDS)
    if not isinstance(text, str) or len(text) > LONGEST_TEXT:
        raise ValueError(f"text must be a short string such as '{EXAMPLES[kind or 'size']}'; got {short(text)}.")
    example = f"Write a number and a unit, such as '{EXAMPLES[kind or 'size']}'"
    if "," in text:
        raise ValueError(f"{short(text)} has a comma. {example}, with a point for decimals and nothing between thousands.")
    match = _TEXT.match(_A_SECOND.sub("/s", text.strip()))
    if not match:
        raise ValueError(f"{short(text)} is not a number with a unit. {example}.")
    number, unit = _computed(match[1], short(text)), _abbreviated(match[2])
    if unit == "" and kind != "ratio":
        raise ValueError(f"{short(text)} has no unit. {example}.")
    value = number * _factor(unit, kind, example)
    if not math.isfinite(value):
        raise ValueError(f"{short(text)} is too large to hold. {example}.")
    if value < 0 and unit in _SIZES:
        raise ValueError(f"{short(text)} is less than no bytes. {example}.")
    return value


def _computed(text: str, shown: str) -> float:
    """Return the value of a number, or of numbers joined by * and /, from left to right."""
    first, *rest = _PIECE.findall(text)
    value = float(first)
    for sign, factor in zip(rest[::2], map(float, rest[1::2]), strict=True):
        if sign == "/" and factor == 0:
            raise ValueError(f"{shown} divides by zero.")
        value = value / factor if sign == "/" else value * factor
    return value


def _abbreviated(unit: str) -> str:
    """Return the usual spelling of a unit that is written out: "seconds", "Gbit/s"."""
    each = "/s" if unit.endswith("/s") else ""
    base = unit.removesuffix(each)
    return WORDS.get(base.lower(), base) + each


def _factor(unit: str, kind: str | None, example: str) -> float:
    for name, table in KINDS.items():
        if unit in table and kind in (None, name):
            return table[unit]
    for name, table in KINDS.items():
        if unit in table:
            raise ValueError(f"{unit!r} is a unit of {name}; a {kind} is asked for. {example}.")
    names = sorted({u for k, table in KINDS.items() if kind in (None, k) for u in table if u})
    folded = [u for u in names if u.lower() == unit.lower()]
    if folded:
        raise ValueError(f"{short(unit)} could be read in more than one way or is misspelt: did you mean "
                         f"{' or '.join(folded)}? (B is a byte, b a bit.) {example}.")
    near = difflib.get_close_matches(unit, names, n=2)
    hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
    usual = f" Usual: {USUAL[kind]}." if kind else ""
    raise ValueError(f"unit {short(unit)} is not known.{hint}{usual} {example}.")


def format(value: float, unit: str = "B", digits: int = 3) -> str:  # noqa: A001 - reads as units.format
    """Return *value*, given in the SI base *unit* ("B", "B/s", "b/s", "s", "J" or "W"), as short text.

    Sizes that are a power of two from 1 KiB up are written in binary units, as buffers are; all else in SI.

    Raises:
        ValueError: a value that is not one number, an unknown unit, or digits that are not 1 to 15.

    >>> format(4.5e11, "B/s"), format(2.386e-3, "s"), format(65536), format(14e9)
    ('450 GB/s', '2.39 ms', '64 KiB', '14 GB')
    """
    known("unit", unit, ("B", "B/s", "b/s", "s", "J", "W"))
    digits, value = count("digits", digits, high=15), _float(value)
    if value == 0 or not math.isfinite(value):
        return f"{value:g} {unit}"
    if unit == "B" and value >= 1024 and math.log2(value).is_integer():
        power = min(int(math.log2(value)) // 10, 5)
        return f"{value / 1024**power:.0f} {' KMGTP'[power]}iB"
    rounded = _rounded(value, digits)
    if unit == "s" and abs(rounded) >= 60:
        return _long_time(value, digits)
    least = 0 if unit in ("B", "B/s", "b/s") else -4
    power = max(min(math.floor(math.log10(abs(rounded)) / 3), 6), least)
    return f"{_written(rounded / 1000.0**power, digits)} {'pnµm kMGTPE'[power + 4].strip()}{unit}"


def portion(fraction: float) -> str:
    """Return a part of a whole as text, in whole per cent.

    Raises:
        ValueError: *fraction* is no finite number.

    >>> portion(0.217)
    '22 %'
    """
    return f"{100 * _float(fraction):.0f} %"


def _float(value) -> float:
    try:
        if isinstance(value, numbers.Real):
            return float(value) + 0.0  # no minus before a zero
    except OverflowError:
        pass
    raise ValueError(f"value must be one number that a float can hold; got {short(value)}.")


def _long_time(value: float, digits: int) -> str:
    """Write a time of a minute or more in the longest unit that it fills, if only as rounded in the unit before."""
    (unit, length), *longer = _LONGER.items()
    for name, seconds in longer:
        if max(abs(value), _rounded(abs(value) / length, digits) * length) >= seconds:
            unit, length = name, seconds
    text = _written(math.copysign(max(abs(value) / length, 1.0), value), digits)
    return f"{text} {unit.removesuffix('s') if text == '1' else unit}"


def _rounded(value: float, digits: int) -> float:
    return float(f"{value:.{digits - 1}e}")


def _written(value: float, digits: int) -> str:
    return f"{value:.{digits}g}" if abs(value) < 10**digits else f"{value:.0f}"
