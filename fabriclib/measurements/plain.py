"""Plain tables: CSV with any of the usual separators, and the tables of Markdown that people print and publish.

The header names the columns. A size column and one of time, algbw or busbw make a table; a number without a unit takes
the unit its column's name ends in, and SI base units where it ends in none.
"""

from __future__ import annotations

import csv
import re
from typing import NamedTuple

from .. import units
from ..checks import MAX_RANKS, known
from ..collectives.buffers import COLLECTIVES
from .rows import BLANK, Printed, Row, printed

_SIZE = {"nbytes", "size", "bytes", "message", "messagesize", "payload", "buffer", "msgsize", "datasize"}
_SIZED = ("size", "bytes", "message", "payload", "buffer")
_TIME = {"seconds", "time", "latency", "t", "outofplace", "avgtime", "avegtime", "avglatency", "duration"}
_RATES = {"algbw": "algbw", "busbw": "busbw", "algorithmbandwidth": "algbw", "busbandwidth": "busbw", "algbandwidth": "algbw"}
_OTHER = {"collective": "collective", "ranks": "ranks", "gpus": "ranks", "np": "ranks", "nodes": "nodes"}
_SCALES = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2.0**10,
           "mib": 2.0**20, "gib": 2.0**30, "b/s": 1.0, "kb/s": 1e3, "mb/s": 1e6, "gb/s": 1e9, "tb/s": 1e12, "usec": 1e-6}
# "GBps" are bytes; "Gbps", "gbps" and what is written out are bits.
_BITS = re.compile(r"[ _(\[](?:([KMGT])bi?t?/s(?:ec)?|([KMGTkmgt])(?:bps|bits?(?:/s|ps)))[)\]]?\Z")
_BYTES_PS = re.compile(r"[ _(\[]([KMGT])Bps[)\]]?\Z")
_TENFOLD = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_AS_NCCL = re.compile(r"([0-9.]{1,18})([KMGT])\Z")  # sizes as the tests take them: powers of 1024
_NO_NUMBERS = {*_OTHER.values(), "which"}
_NCCL = {"seconds": 1e-6, "in_place": 1e-6, "algbw": 1e9, "busbw": 1e9}
_UNIT = re.compile(r"[ _(\[]([kmg]i?b|[kmgt]?b/s|[mun]?s|usec|b)[)\]]?\Z")
_NO_LETTERS = re.compile(r"[^a-z]+")
_RULE = re.compile(r"[\s|:+-]+\Z")
_BEGINNING = re.compile(r"\s*([0-9.]+)")
LONGEST_NAME = 60  # characters of a column's name
SEPARATORS = ("|", ";", "\t", ",")
MOST_COLUMNS = 100


class Columns(NamedTuple):
    """The columns of a plain table: where each stands, and what its numbers are to be multiplied by; *width* of them in all."""

    separator: str
    at: dict[str, tuple[int, float]]
    width: int


def split(line: str, separator: str) -> list[str]:
    """Return the cells of *line*; the bars at both ends of a line of Markdown make none."""
    if separator == "|":
        line = line.strip().strip("|")
    return [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]


def columns_of(line: str) -> Columns | None:
    """Return the columns that a header line announces; None for any other line.

    >>> columns_of("nbytes,time (us),busbw_GB/s").at
    {'nbytes': (0, 1.0), 'seconds': (1, 1e-06), 'busbw': (2, 1000000000.0)}
    """
    folded = line.lower()
    if not any(word in folded for word in _SIZED):
        return None
    for separator in SEPARATORS:
        if separator in line and line.count(separator) < MOST_COLUMNS:
            cells = split(line.lstrip("# "), separator)
            at: dict[str, tuple[int, float]] = {}
            for place, cell in enumerate(cells):
                name, scale = _named(cell)
                if name:
                    at.setdefault(name, (place, scale))
            if "nbytes" in at and {"seconds", "algbw", "busbw"} & set(at):
                return Columns(separator, at, len(cells))
    return None


def _named(cell: str) -> tuple[str | None, float]:
    given = cell.strip().rstrip(":").replace("µ", "u").replace("μ", "u")
    if len(given) > LONGEST_NAME:
        return None, 1.0
    text, scale = given.lower(), 1.0
    if rated := _BYTES_PS.search(given) or _BITS.search(given):
        scale = _TENFOLD[(rated[1] or rated[2]).lower()] / (1 if "B" in rated[0] else 8)
        text = text[:rated.start()]
    elif match := _UNIT.search(text):
        scale, text = _SCALES[match[1]], text[:match.start()]
    name = _NO_LETTERS.sub("", text)
    if name == "timeusec":
        return "seconds", 1e-6
    if name in ("us", "ms", "ns"):
        return "seconds", _SCALES[name]
    if name in _SIZE:
        return "nbytes", scale
    if name in _TIME:
        return "seconds", scale
    if name == "inplace":
        return ("which" if given == "inPlace" else "in_place"), scale  # rccl-tests: a flag
    return _RATES.get(name) or _OTHER.get(name), scale


def is_rule(line: str) -> bool:
    """Return whether *line* is the rule below the header of a Markdown table."""
    return "-" in line and _RULE.match(line) is not None


def row_of(number: int, line: str, columns: Columns) -> tuple[Row, dict[str, str]] | None:
    """Return (row, what the row says of collective, ranks and nodes); None where *line* has another number of cells.

    Raises:
        ValueError: the right number of cells, and one that is no number.
    """
    if columns.separator not in line:
        return None
    cells = split(line, columns.separator)
    if len(cells) == columns.width + 1 and (place := _nameless(cells, columns)) is not None:
        del cells[place]
    if len(cells) != columns.width:
        return None
    values = {name: _value(cells[place], scale, columns.separator) for name, (place, scale) in columns.at.items()
              if name not in _NO_NUMBERS}
    if _in_units_of_nccl(values):
        values = {name: cell.times(_NCCL.get(name, 1.0)) for name, cell in values.items()}
    said = {name: cells[columns.at[name][0]] for name in _OTHER.values() if name in columns.at}
    seconds, algbw, busbw, in_place = (values.get(name, BLANK) for name in ("seconds", "algbw", "busbw", "in_place"))
    if "which" in columns.at:  # a flag: the row is of one half alone
        which = cells[columns.at["which"][0]].strip('"').lower()
        if which in ("1", "true"):
            return Row(number, values["nbytes"].value, BLANK, in_place=seconds, in_place_algbw=algbw, in_place_busbw=busbw), said
        if which not in ("0", "false", ""):
            in_place = _value(which, 1.0, columns.separator)
    return Row(number, values["nbytes"].value, seconds, algbw, busbw, in_place), said


def _nameless(cells: list[str], columns: Columns) -> int | None:
    """Return the place of the one cell that the header has no name for: without it the row can be read, and as few as can be."""
    for place in range(len(cells)):
        rest = cells[:place] + cells[place + 1:]
        try:
            for name, (at, scale) in columns.at.items():
                (collective_of if name == "collective" else count_of if name in _OTHER.values() else
                 lambda text, scale=scale: _value(text, scale, columns.separator))(rest[at])
        except ValueError:
            continue
        return place
    return None


def _in_units_of_nccl(values: dict[str, Printed]) -> bool:
    """Whether the figures fit each other as microseconds and GB/s, the units of nccl-tests, and not as seconds and B/s."""
    if not {"seconds", "algbw"} <= set(values):
        return False
    nbytes, seconds, rate = (values[name].value for name in ("nbytes", "seconds", "algbw"))
    half = values["algbw"].half
    return seconds > 0 and rate > 20 * half and abs(nbytes / seconds / 1e3 - rate) < 2 * half + 0.01 * rate


def _value(cell: str, scale: float, separator: str) -> Printed:
    """Return the number in *cell*, with its own unit or its column's; a ValueError that shows the cell."""
    text = cell.replace(",", ".") if separator == ";" else cell
    if as_nccl := _AS_NCCL.match(text):
        return printed(as_nccl[1], scale * 1024.0 ** (1 + "KMGT".index(as_nccl[2])))
    if text.lower() in ("", "na", "n/a", "nan", "-"):
        return BLANK
    try:
        return printed(text, scale)
    except ValueError:
        match = _BEGINNING.match(text)
        value = units.parse(text)
        half = printed(match[1]).half / max(float(match[1]), 1e-300) if match else 0.0
        return Printed(value, value * half)


def count_of(text: str) -> int:
    """Return the ranks or nodes that *text* stands for, 8 or 8.0; a ValueError for what can be no such number."""
    digits = text.strip().removesuffix(".0")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 20 or not 1 <= int(digits) <= MAX_RANKS:
        raise ValueError(f"it must be a whole number from 1 to {MAX_RANKS}; got {text.strip()[:40]!r}.")
    return int(digits)


def collective_of(name: str) -> str:
    """Return *name* as fabriclib spells it; a ValueError suggests the nearest."""
    spelt = name.strip().lower().replace("-", "_").replace(" ", "_").removesuffix("_perf")
    again = {"allreduce": "all_reduce", "allgather": "all_gather", "alltoall": "all_to_all", "sendrecv": "send_recv",
             "reducescatter": "reduce_scatter", "bcast": "broadcast"}
    return known("collective", again.get(spelt, spelt), COLLECTIVES)
