"""nccl-tests and rccl-tests: their tables, and the lines around them that say what was run.

A row is recognised by its columns, counted from the right, so that whatever a launcher writes before a line does no harm:
"[1,0]<stdout>:", "0:", the name of a pod, a time. The columns are those of the header, where there is one; the tests have
printed four layouts over the years, and people cut columns out of what they publish.
"""

from __future__ import annotations

import functools
import itertools
import re

from .rows import BLANK, Heading, Printed, Row, printed, whole_number

US, GBPS = 1e-6, 1e9
NAMES = {"all_reduce": "all_reduce", "all_gather": "all_gather", "reduce_scatter": "reduce_scatter", "alltoall": "all_to_all",
         "broadcast": "broadcast", "reduce": "reduce", "gather": "gather", "scatter": "scatter", "sendrecv": "send_recv"}
SIGNS = ("_perf", "Rank", "nThread", "Avg bus", "Out of bounds")
DEBUG = " NCCL INFO "  # what each line of the library's own output has
_HALF = ("time", "algbw", "busbw", "wrong")
_LEFT = ("size", "count", "type", "redop")
LAYOUTS = tuple(left + right for right in (_HALF * 2, _HALF) for left in ((*_LEFT, "root"), _LEFT, _LEFT[:3]))
# NCCL 1 had other names, and milliseconds below "time".
_RENAMED = {"#wrong": "wrong", "error": "wrong", "errors": "wrong", "bytes": "size", "N": "count", "op": "redop", "res": "wrong"}
_WORD = re.compile(r"[A-Za-z][\w-]*\Z")
_MS = "time (ms)"
_TIMED = {"time", _MS, "algbw", "busbw"}

_BINARY = re.compile(rf"(?<![a-z_])({'|'.join(NAMES)})(?:_test)?_perf(?:_mpi)?(?![a-z_])")
_OTHER = re.compile(r"(?<![a-z_])(hypercube|alltoallv)_perf(?![a-z_])")
_RANK = re.compile(r"\bRank\s+(\d{1,9})\b")
_PLACE = re.compile(r"\bon\s+(\S+)\s+device\b(?:\s+\d{1,9}\s+\[[^\[\]]{0,40}\]\s+([\w .-]{1,40}))?")
_RUN = re.compile(r"\bnThread\s+\d{1,9}\s+nGpus\s+(\d{1,6})\s+minBytes\s+\d{1,18}\s+maxBytes\s+(\d{1,18})")
_MEAN = re.compile(r"Avg bus bandwidth\s*:\s*([0-9]{1,12}(?:\.[0-9]{0,12})?)\s*\Z")
_BOUNDS = re.compile(r"Out of bounds values\s*:\s*(\d{1,18})\s+(?!OK)\S")
_REMARK = re.compile(r"\s(?:<-|//).*\Z")
_WHOLE = re.compile(r"[0-9][0-9_,]*\Z")
_DIGITS = re.compile(r"\d+")
_ALPHA = re.compile(r"[a-z][a-z0-9_]*\Z")
_TYPES = {"int8": 1, "uint8": 1, "char": 1, "int32": 4, "uint32": 4, "int": 4, "int64": 8, "uint64": 8, "half": 2, "float": 4,
          "double": 8, "bfloat16": 2, "f8e4m3": 1, "f8e5m2": 1, "fp8_e4m3": 1, "fp8_e5m2": 1}


def type_bytes(name: str) -> int | None:
    """Return the bytes of an element of a type as the tests name it; None for one we do not know."""
    return _TYPES.get(name)


def columns_of(line: str) -> tuple[str, ...] | None:
    """Return the columns that a header line announces; None for any other line.

    >>> columns_of("0: #       size    time   algbw   busbw")
    ('size', 'time', 'algbw', 'busbw')
    """
    return _announced(line) if "busbw" in line or "algbw" in line else None


@functools.lru_cache(64)
def _announced(line: str) -> tuple[str, ...] | None:
    tokens = line.lstrip("# ").split()
    names = [_RENAMED.get(token, token) for token in tokens]
    if "size" not in names:
        return None
    # What else a library prints, RCCL its algorithm and protocol, are columns too; a remark in brackets is none.
    found = tuple(itertools.takewhile(_WORD.match, names[names.index("size"):]))
    if "bytes" in tokens and "N" in tokens:
        found = tuple(_MS if name == "time" else name for name in found)
    return found if _TIMED & set(found) else None


def row_of(number: int, line: str, columns: tuple[str, ...] | None) -> Row | None:
    """Return the row of the table that *line* is, under *columns* or, without a header, under one of LAYOUTS; or None."""
    tokens = (_REMARK.sub("", line) if "<-" in line or "//" in line else line).split()
    for layout in _layouts(columns):
        first = len(tokens) - len(layout)
        if first < 0 or not _WHOLE.match(tokens[first]) or any(token.isdigit() for token in tokens[:first]):
            continue
        try:
            return _row(number, layout, tokens[first:])
        except ValueError:
            continue
    return None


@functools.lru_cache(64)
def _layouts(columns: tuple[str, ...] | None) -> tuple[tuple[str, ...], ...]:
    """Return the layouts that a row may have below *columns*; of two halves a test may leave one blank."""
    if not columns:
        return LAYOUTS
    second = next((i for i, name in enumerate(columns) if name in columns[:i]), len(columns))
    return (columns, columns[:second]) if second < len(columns) and _TIMED & set(columns[:second]) else (columns,)


def prefix_of(line: str) -> str:
    """Return what a launcher wrote before the row that *line* is, its numbers as 0: the next row has the same before it.

    >>> prefix_of("worker-3 | 8 2 float sum -1 9.1 0 0 0")
    'worker-0 |'
    """
    before = itertools.takewhile(lambda token: not _WHOLE.match(token), line.split())
    return _DIGITS.sub("0", " ".join(before))


def nearly_a_row(line: str, columns: tuple[str, ...] | None, prefix: str = "") -> bool:
    """Return whether *line* begins as a row below *prefix* does and is none: cut off, or another process wrote into it.

    >>> nearly_a_row("   8388608   2097152   float   sum   -1   15", None)
    True
    """
    if not prefix and not line.lstrip()[:1].isdigit():
        return False
    tokens, before = line.split(), len(prefix.split())
    if prefix and _DIGITS.sub("0", " ".join(tokens[:before])) != prefix:
        return False
    tokens, layout = tokens[before:], columns or LAYOUTS[0]
    numbers = 2 if "count" in layout else 1
    if len(tokens) <= numbers or not all(map(_WHOLE.match, tokens[:numbers])):
        return len(tokens) in (1, 2) and len(tokens[0]) > 2 and all(map(str.isdigit, tokens))
    if "type" not in layout:
        return True
    place = layout.index("type")
    return place < len(tokens) and tokens[place] in _TYPES


def _row(number: int, layout: tuple[str, ...], tokens: list[str]) -> Row:
    cells: dict[str, list[str]] = {}
    for name, token in zip(layout, tokens, strict=True):
        cells.setdefault(name, []).append(token)
    if not all(_ALPHA.match(cells[name][0]) for name in ("type", "redop") if name in cells):
        raise ValueError("no row")
    if "root" in cells:
        int(cells["root"][0])
    outs = [_numbers(cells, place) for place in range(max(len(cells.get(name, ())) for name in _TIMED))]
    nbytes = whole_number(cells["size"][0])
    wrong = [*cells.get("wrong", []), "", ""]
    inside = outs[1] if len(outs) > 1 else (BLANK, BLANK, BLANK)
    return Row(number, float(nbytes), *outs[0], *inside, elements=float(whole_number(cells["count"][0])) if "count" in cells
               else BLANK.value, type=cells.get("type", [""])[0], redop=cells.get("redop", [""])[0],
               root=cells.get("root", [""])[0], wrong=wrong[0], in_place_wrong=wrong[1])


def _numbers(cells: dict[str, list[str]], place: int) -> tuple[Printed, Printed, Printed]:
    time = _number(cells, _MS, place, 1e3 * US) if _MS in cells else _number(cells, "time", place, US)
    return time, _number(cells, "algbw", place, GBPS), _number(cells, "busbw", place, GBPS)


def _number(cells: dict[str, list[str]], name: str, place: int, scale: float) -> Printed:
    return printed(cells[name][place], scale) if len(cells.get(name, ())) > place else BLANK


def heading_of(line: str, heading: Heading) -> bool:
    """Take what *line* says about the run into *heading*; return whether it said anything."""
    if "Rank" in line and (rank := _RANK.search(line)) and (place := _PLACE.search(line, rank.end())):
        heading.rank(int(rank[1]), place[1])
        heading.gpu = heading.gpu or (place[2] or "").strip()
        return True
    if "nThread" in line and (match := _RUN.search(line)):
        heading.gpus_per_process = int(match[1])
        heading.largest = float(match[2])
        return True
    return False


def binary_of(line: str) -> str | None:
    """Return the collective whose program *line* names, where it names exactly one.

    >>> binary_of("$ mpirun -np 16 ./build/alltoall_perf -b 8 -e 1G")
    'all_to_all'
    """
    if "_perf" not in line:
        return None
    found = {NAMES[name] for name in _BINARY.findall(line)}
    return found.pop() if len(found) == 1 else None


def unknown_binary(line: str) -> str:
    """Return the test that *line* names and that is of no collective of the model; an empty text for any other line.

    >>> unknown_binary("# Collective test starting: hypercube_perf")
    'hypercube'
    """
    match = _OTHER.search(line) if "_perf" in line else None
    return match[1] if match else ""


def starts_a_run(line: str) -> bool:
    """Return whether *line* is the first that a test prints about a run."""
    return "nThread" in line and _RUN.search(line) is not None


def mean_of(line: str):
    """Return the average bus bandwidth, as printed below a table in bytes per second; None for any other line."""
    match = "Avg bus" in line and _MEAN.search(line)
    return printed(match[1], GBPS) if match else None


def out_of_bounds(line: str) -> int:
    """Return how many wrong values the line below a table counts."""
    match = "Out of bounds" in line and _BOUNDS.search(line)
    return int(match[1]) if match else 0
