"""Tables that name their columns: CSV with any of the usual separators, Markdown, and columns apart by blanks.

The header names the columns, in the words of the tools that print them. A size column and one of time, algbw or busbw make a
table; a number without a unit takes the unit its column's name ends in, and SI base units where it ends in none.
"""

from __future__ import annotations

import csv
import functools
import re
from collections.abc import Callable
from typing import NamedTuple

from .. import units
from ..checks import MAX_RANKS, known
from ..collectives.buffers import COLLECTIVES
from .rows import BLANK, Printed, Row, printed

_SIZE = {"nbytes", "size", "bytes", "message", "messagesize", "payload", "buffer", "msgsize", "datasize", "sizebytes"}
_SIZED = ("size", "bytes", "message", "payload", "buffer")
_TIMED = ("time", "sec", "latency", "bw", "bandwidth", "duration", "us", "ms", "ns", "out of place", "(s)")
_TIME = {"seconds", "time", "latency", "t", "outofplace", "avgtime", "avegtime", "avglatency", "duration", "timeavg", "tavg",
         "tpure", "typical"}
_RATES = {"algbw": "algbw", "busbw": "busbw", "algorithmbandwidth": "algbw", "busbandwidth": "busbw", "algbandwidth": "algbw",
          "bwaverage": "algbw", "avgbw": "busbw"}  # the latter as IBM's pytorch-communication-benchmarks compute it
_SPELT = {"allreduce": "all_reduce", "allgather": "all_gather", "alltoall": "all_to_all", "sendrecv": "send_recv",
          "reducescatter": "reduce_scatter", "bcast": "broadcast", "pt2pt": "send_recv", "pingpong": "send_recv"}
_SECOND_BEST = {"ttypical": "seconds"}  # what an older version prints in place of the average
_OTHER = {"collective": "collective", "ranks": "ranks", "gpus": "ranks", "np": "ranks", "nodes": "nodes", "wrong": "wrong",
          "checkresult": "wrong", "correctness": "wrong"}
_SAID = ("collective", "ranks", "nodes")
_SCALES = {"": 1.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9, "b": 1.0, "kb": 1e3, "mb": 1e6, "gb": 1e9, "kib": 2.0**10,
           "mib": 2.0**20, "gib": 2.0**30, "b/s": 1.0, "kb/s": 1e3, "mb/s": 1e6, "gb/s": 1e9, "tb/s": 1e12, "usec": 1e-6,
           "bytes": 1.0, "kib/s": 2.0**10, "mib/s": 2.0**20, "gib/s": 2.0**30, "sec": 1.0, "msec": 1e-3}
# "GBps" are bytes; "Gbps", "gbps" and what is written out are bits.
_BITS = re.compile(r"[ _(\[](?:([KMGT])bi?t?/s(?:ec)?|([KMGTkmgt])(?:bps|bits?(?:/s|ps)))[)\]]?\Z")
_BYTES_PS = re.compile(r"[ _(\[]([KMGT])Bps[)\]]?\Z")
_MEBI = re.compile(r"\[Mi?B/sec\]\Z")  # perftest's megabytes are 2^20 bytes, under either name
_TENFOLD = {"k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}
_AS_NCCL = re.compile(r"([0-9.]{1,18})([KMGT])\Z")  # sizes as the tests take them: powers of 1024
_DECIMAL = re.compile(r"([0-9.]{1,20})\s?([KkMGT])B\Z")
_UNIT = re.compile(r"[ _(\[]([kmg]i?b/s(?:ec)?|tb/s|b/s|[kmg]i?b|[mun]?s|[mu]?sec|bytes|b)[)\]]?\Z")
_NO_LETTERS = re.compile(r"[^a-z]+")
_RULE = re.compile(r"[\s|:+=#-]+\Z")
_THOUSANDS = re.compile(r"\d{1,3}(?:,\d{3}){1,6}\Z")
_MEASURED = re.compile(r"\s*([0-9.]+)\s*+(\S+)\s*\Z")
_UNITS = {unit for table in units.KINDS.values() for unit in table} | set(units.WORDS)
# A cell of a header whose cells are two blanks apart; a unit in brackets ends one, and a # begins one.
_CELL = re.compile(r"#[^\s#]+|[^\s#]+(?:(?<![\])]) [^\s#]+)*")
_STARTS = re.compile(r"(?<=[\s:>\]|])(?=[A-Za-z#])")  # of a name behind what stands before it
_COUNTED = re.compile(r"(?:size|bytes|message|payload|buffer)\b.{0,200}?[\s,;|]\d[\d.]*(?:[\s,;|]|\Z)")  # a number is no name
_MIXED = re.compile(r"\t[\t ]")  # tabs for blanks
_REMARK = re.compile(r"\s?\([^()]{1,20}\)\Z")
# How what stands before a table ends, or a time of day in it.
_BEFORE = re.compile(r"[:\]>|)│]\s*\Z|(?:\A|\s)[A-Z\d:.,+-]+\s*\Z|\d\d:\d\d")
_BARS = str.maketrans("│┃├┤┼┌┐└┘┬┴─━", "||+++++++++--")
LONGEST_NAME, LONGEST_HEADER = 60, 400  # characters
BLANKS = " "
SEPARATORS = ("|", ";", "\t", ",", BLANKS)
MOST_COLUMNS = 100


class Columns(NamedTuple):
    """The columns of a plain table.

    Args:
        separator: what stands between them. at: {name: (place, what its numbers are to be multiplied by)}. width: how many.
        loose: "time" and "rate" where the column names no unit. before: what a launcher wrote before the header.
        indent: blanks before the first name, under which a printed frame has the numbers of its rows.
    """

    separator: str
    at: dict[str, tuple[int, float]]
    width: int
    loose: tuple[str, ...] = ()
    before: str = ""
    indent: int = 0

    @property
    def says_more(self) -> bool:
        """Whether the header names what none of nccl-tests does: the collective, the ranks, or units beside the names."""
        return bool({"collective", "ranks", "nodes"} & set(self.at)) or not {"time", "rate"} & set(self.loose)


def split(line: str, separator: str) -> list[str]:
    """Return the cells of *line*; the bars at both ends of a line of Markdown make none."""
    if separator == BLANKS:
        return line.split()
    if separator == "|":
        line = line.translate(_BARS).strip().strip("|")
    cells = [cell.strip() for cell in next(csv.reader([line], delimiter=separator), [])]
    return [cell.strip("*`") for cell in cells] if separator == "|" else cells


def columns_of(line: str) -> Columns | None:
    """Return the columns that a header line announces; None for any other line.

    >>> columns_of("nbytes,time (us),busbw_GB/s").at
    {'nbytes': (0, 1.0), 'seconds': (1, 1e-06), 'busbw': (2, 1000000000.0)}
    >>> columns_of("  #bytes #repetitions  t_min[usec]  t_max[usec]  t_avg[usec]").at
    {'nbytes': (0, 1.0), 'seconds': (4, 1e-06)}
    """
    if len(line) > LONGEST_HEADER:
        return None
    folded = line.lower()
    for word in _SIZED:  # most lines have none, and there may be millions
        if word in folded:
            return _announced(line) if any(word in folded for word in _TIMED) and not _COUNTED.search(folded) else None
    return None


@functools.lru_cache(64)
def _announced(line: str) -> Columns | None:
    """Return the columns that a line announces which has the words of a header; None if it does not."""
    barred = line.translate(_BARS)
    for separator in SEPARATORS:
        if separator in barred and not (separator == "\t" and _MIXED.search(barred)):
            for cut in (_CELL.findall, str.split) if separator == BLANKS else (_headers(separator),):
                if found := _columns(barred, cut, separator):
                    return found._replace(before=line[:len(found.before)], indent=_indent(line))
    return None


def _headers(separator: str) -> Callable[[str], list[str]]:
    return lambda line: split(line.lstrip("# "), separator)


def _columns(line: str, cut: Callable[[str], list[str]], separator: str) -> Columns | None:
    """Return the columns of a header that *cut* cuts into cells, without what stands before it; None if they make no table."""
    cells = cut(line)
    before = _before(line, cells, separator)
    if before:
        cells = cut(line[len(before):])
    at: dict[str, tuple[int, float]] = {}
    loose: dict[str, None] = {}
    for place, cell in enumerate(cells[:MOST_COLUMNS]):
        name, scale, told = _named(cell)
        if name and name not in at:
            at[name] = (place, scale)
            if not told and name in ("seconds", "in_place", "algbw", "busbw"):
                loose["rate" if name.endswith("bw") else "time"] = None
    for place, cell in enumerate(cells[:MOST_COLUMNS]):
        if second := _SECOND_BEST.get(_letters(cell)):
            at.setdefault(second, (place, _named(cell)[1]))
    if "nbytes" not in at or not {"seconds", "algbw", "busbw"} & set(at):
        return None
    return Columns(separator, at, len(cells), tuple(loose), before)


def _before(line: str, cells: list[str], separator: str) -> str:
    """Return what a launcher wrote before the first name of a header; an empty text where it wrote nothing."""
    end = 0
    for cell in filter(None, cells):
        at = line.find(cell, end)
        if at < 0:
            continue
        end = at + len(cell)
        for start in (0, *(match.start() for match in _STARTS.finditer(cell))):
            if not _named(cell[start:])[0]:
                continue
            text = line[:at + start]
            if separator == "|" and "|" in text:
                text = text.rstrip().removesuffix("|") if line.rstrip().endswith("|") and line.lstrip()[:1] != "|" else ""
            if text.strip("# ") and _BEFORE.search(text.rstrip("# ")):
                return text
        if _named(cell)[0]:
            return ""
    return ""


@functools.lru_cache(4096)
def _letters(cell: str) -> str:
    """Return the name of a column without its unit, its case and what is no letter."""
    text = cell.lower().rstrip(":")
    match = _UNIT.search(text)
    return _NO_LETTERS.sub("", text[:match.start()] if match else text)


@functools.lru_cache(4096)
def _named(cell: str) -> tuple[str | None, float, bool]:
    """Return (name, what its numbers are to be multiplied by, whether it names a unit) of a column."""
    given = cell.strip().rstrip(":").replace("µ", "u").replace("μ", "u")
    if len(given) > LONGEST_NAME:
        return None, 1.0, False
    if remark := _REMARK.search(given):
        given = given if _UNIT.search(given.lower()) or _BITS.search(given) or _BYTES_PS.search(given) else given[:remark.start()]
    text, scale, told = given.lower(), 1.0, True
    if mebi := _MEBI.search(given):
        scale, text = 2.0**20, text[:mebi.start()]
    elif rated := _BYTES_PS.search(given) or _BITS.search(given):
        scale = _TENFOLD[(rated[1] or rated[2]).lower()] / (1 if "B" in rated[0] else 8)
        text = text[:rated.start()]
    elif match := _UNIT.search(text):
        scale, text = _SCALES[match[1].replace("/sec", "/s")], text[:match.start()]
    else:
        told = False
    name = _NO_LETTERS.sub("", text)
    if name == "timeusec":
        return "seconds", 1e-6, True
    if name in ("us", "ms", "ns"):
        return "seconds", _SCALES[name], True
    if name in _SIZE:
        return "nbytes", scale, told
    if name in _TIME:
        return "seconds", scale, told or name == "seconds"
    if name == "inplace":
        return ("which" if given == "inPlace" else "in_place"), scale, told  # rccl-tests: a flag
    return _RATES.get(name) or _OTHER.get(name), scale, told


def is_rule(line: str) -> bool:
    """Return whether *line* is the rule below the header of a table."""
    line = line.translate(_BARS)
    return "-" in line and _RULE.match(line[max(line.find("|"), 0):]) is not None


def _cells(number: int, line: str, columns: Columns) -> list[str] | None:
    """Return the cells of a row; None where there are not as many as the header has."""
    if columns.separator not in (line.translate(_BARS) if columns.separator == "|" else line.strip()):
        return None
    cells = split(line, columns.separator)
    if columns.separator == BLANKS:
        if len(cells) != columns.width:
            cells = _united(cells)
        if len(cells) == columns.width + 1 and cells[0].isdigit() and _indent(line) + len(cells[0]) <= columns.indent:
            cells = cells[1:]
        return cells if len(cells) == columns.width and cells[columns.at["nbytes"][0]][0].isdigit() else None
    if len(cells) == columns.width + 1 and (place := _nameless(number, cells, columns)) is not None:
        del cells[place]
    return cells if len(cells) == columns.width else None


def names_collective(line: str, columns: Columns) -> bool:
    """Return whether *line* has a collective's name where a row of the table has it."""
    place = columns.at.get("collective", (MOST_COLUMNS, 1.0))[0]
    return spelt("".join(split(line, columns.separator)[place:place + 1])) is not None


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _united(cells: list[str]) -> list[str]:
    """Return the cells with a number and its unit, "39.4 ms", in one."""
    found: list[str] = []
    for cell in cells:
        if found and cell[0].isalpha() and found[-1][-1].isdigit() and cell.lower() in _SCALES:
            found[-1] += f" {cell}"
        else:
            found.append(cell)
    return found


def row_of(number: int, line: str, columns: Columns) -> tuple[Row, dict[str, str]] | None:
    """Return (row, what the row says of collective, ranks and nodes); None where *line* has another number of cells.

    Raises:
        ValueError: the right number of cells, and one that is no number.
    """
    cells = _cells(number, line, columns)
    if cells is None:
        return None
    values = {name: value_of(cells[place], scale, columns.separator) for name, (place, scale) in columns.at.items()
              if name not in (*_OTHER.values(), "which")}
    said = {name: cells[columns.at[name][0]] for name in _SAID if name in columns.at}
    seconds, algbw, busbw, in_place = (values.get(name, BLANK) for name in ("seconds", "algbw", "busbw", "in_place"))
    binary = _binary(cells[columns.at["nbytes"][0]])
    row = Row(number, values["nbytes"].value, seconds, algbw, busbw, in_place, binary=binary, loose=columns.loose,
              wrong=_mark(cells[columns.at["wrong"][0]]) if "wrong" in columns.at else "")
    if "which" in columns.at:  # a flag: the row is of one half alone
        which = cells[columns.at["which"][0]].strip('"').lower()
        if which in ("1", "true"):
            return row._replace(seconds=BLANK, algbw=BLANK, busbw=BLANK, in_place=seconds, in_place_algbw=algbw,
                                in_place_busbw=busbw), said
        if which not in ("0", "false", ""):
            row = row._replace(in_place=value_of(which, 1.0, columns.separator))
    return row, said


def _mark(cell: str) -> str:
    """Return how nccl-tests would mark what a test found of its results, success or failed."""
    text = cell.strip('" ').lower()
    return "1" if text in ("fail", "failed", "false", "error", "wrong") else "0" if text.isalpha() else text


def _numbers(cell: str, line: int) -> bool:
    """Whether *cell* can be the number of a row: there are no more rows than lines."""
    return cell.isascii() and cell.isdigit() and len(cell) < 7 and int(cell) <= line


def _nameless(number: int, cells: list[str], columns: Columns) -> int | None:
    """Return the place of the one cell that the header has no name for, without which the row can be read; None if none is.

    It is the first one, if that numbers the rows; else one before the size, as far left as can be, or behind all, as far right.
    """
    size = columns.at["nbytes"][0]
    first = () if cells[0].isdigit() and not _numbers(cells[0], number) else (0,)
    return next((place for place in (*first, *range(1, size + 1), *range(len(cells) - 1, size, -1))
                 if _readable(cells[:place] + cells[place + 1:], columns)), None)


def _readable(cells: list[str], columns: Columns) -> bool:
    """Whether each of *cells* is what its column's name says."""
    try:
        for name, (at, scale) in columns.at.items():
            if name == "collective":
                collective_of(cells[at])
            elif name in _SAID:
                count_of(cells[at])
            elif name not in _OTHER.values() and value_of(cells[at], scale, columns.separator).value < 1 and name == "nbytes":
                return False
    except ValueError:
        return False
    return True


def _binary(cell: str) -> float:
    """Return the bytes of a size such as "1.0 GB" if that means powers of 1024; NaN where it cannot."""
    match = _DECIMAL.match(cell)
    return printed(match[1]).value * 1024.0 ** (1 + "KMGT".index(match[2].upper())) if match else BLANK.value


def value_of(cell: str, scale: float, separator: str = "") -> Printed:
    """Return the number in *cell*, with its own unit or its column's; a ValueError that shows the cell."""
    if separator != "," and _THOUSANDS.match(cell) and (separator != ";" or cell.count(",") > 1):
        cell = cell.replace(",", "")
    text = cell.replace(",", ".") if separator == ";" else cell
    if as_nccl := _AS_NCCL.match(text):
        return printed(as_nccl[1], scale * 1024.0 ** (1 + "KMGT".index(as_nccl[2])))
    if text.lower() in ("", "na", "n/a", "nan", "-"):
        return BLANK
    try:
        return printed(text, scale)
    except ValueError:
        match = _MEASURED.match(text)
        if match is None or match[2] not in _UNITS:
            raise ValueError(f"{text[:40]!r} is no number, or has a unit that is not known.") from None
        value = units.parse(text)
        half = printed(match[1]).half / max(float(match[1]), 1e-300)
        return Printed(value, value * half)


def count_of(text: str) -> int:
    """Return the ranks or nodes that *text* stands for, 8 or 8.0; a ValueError for what can be no such number."""
    digits = text.strip().removesuffix(".0")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 20 or not 1 <= int(digits) <= MAX_RANKS:
        raise ValueError(f"it must be a whole number from 1 to {MAX_RANKS}; got {text.strip()[:40]!r}.")
    return int(digits)


def spelt(name: str) -> str | None:
    """Return the collective *name* as fabriclib spells it; None for any other name."""
    found = name.strip().lower().replace("-", "_").replace(" ", "_").removesuffix("_perf")
    found = _SPELT.get(found, found)
    return found if found in COLLECTIVES else None


def collective_of(name: str) -> str:
    """Return *name* as fabriclib spells it; a ValueError suggests the nearest."""
    return spelt(name) or known("collective", name.strip(), COLLECTIVES)
