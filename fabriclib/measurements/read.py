"""`read_measurements`: the output of a benchmark as a DataFrame, with what the log gets wrong beside it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..checks import count, known
from ..collectives.buffers import COLLECTIVES
from ..collectives.busbw import factor
from .about import About
from .agree import check, settle
from .gather import Gatherer
from .lines import numbered
from .rows import MOST_PROBLEMS, Table

COLUMNS = ("collective", "ranks", "nodes", "nbytes", "seconds", "algbw", "busbw", "in_place", "table")


def read_measurements(path_or_text, *, collective: str | None = None, ranks: int | None = None, nodes: int | None = None):
    """Return what a log of a benchmark measured, or a plain table, as a DataFrame in SI base units.

    Read are nccl-tests and rccl-tests (their JSON too), OSU, IMB, nccom-test, hccl_test, ds_bench, all_reduce_bench, perftest,
    CSV and Markdown; whatever a launcher or a collector of logs writes before each line.

    Its columns are collective, ranks, nodes, nbytes (the total buffer, as nccl-tests counts it), seconds (out of place, as
    printed), algbw and busbw (bytes per second, computed from the time), in_place (seconds, NaN where none is printed) and
    table (0, 1, ... for the tables of one log). Ranks and nodes that nothing tells are <NA>.

    `attrs["problems"]` lists, one sentence each, where the log contradicts itself or cannot be read, with the number of the
    line; rows that contradict themselves are left out. `attrs["notes"]` lists what was inferred, and `attrs["hints"]` what
    the library's own output gives away. `attrs["tables"]` has for each table what is known of that one: see `about.About`.

    Args:
        path_or_text: a path, the text of a log (with line breaks), or its bytes. It may be of any size: lines are read one
            at a time.
        collective, ranks, nodes: what the log does not say, or says wrongly.

    Raises:
        ValueError: no file, no text, no table, a table whose collective nothing tells: one sentence with the line's number.

    >>> frame = read_measurements('''# all_reduce_perf
    ... #  size  count  type  redop  root  time  algbw  busbw  #wrong  time  algbw  busbw  #wrong
    ...  1048576  262144  float  sum  -1  104.9  10.00  17.50  0  104.9  10.00  17.50  0
    ... ''')
    >>> print(frame[["collective", "ranks", "nbytes", "seconds"]].to_string(index=False))
    collective  ranks    nbytes  seconds
    all_reduce      8 1048576.0 0.000105
    """
    if collective is not None:
        known("collective", collective, [name for name in COLLECTIVES if name != "barrier"])
    ranks, nodes = (value if value is None else count(name, value) for name, value in (("ranks", ranks), ("nodes", nodes)))
    parts, attrs = gathered(path_or_text, collective, ranks, nodes)
    frame = _joined(parts)
    frame.attrs = attrs
    return frame


def gathered(path_or_text, collective: str | None = None, ranks: int | None = None,
             nodes: int | None = None) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Return what `read_measurements` makes a frame of: (the columns of each table, the frame's attributes)."""
    found = Gatherer(collective, ranks, nodes)
    for number, line in numbered(path_or_text):
        found.take(number, line)
    problems, parts, known_of = list(found.problems), [], []
    notes: dict[str, None] = {}
    for table in (table for table in found.tables if table.rows):
        try:
            parts.append(_columns(table, collective, ranks, nodes))
            known_of.append(About.of(table))
        except ValueError as problem:
            told = str(problem)
            problems.append(told if told.startswith("line ") else f"line {table.rows[0].line}: {told}")
        problems += table.problems
        notes |= dict.fromkeys(table.notes)
    if not parts:
        raise ValueError(problems[0] if problems else found.matrix or _nothing(found))
    more = found.unlisted() + len(problems[MOST_PROBLEMS:])
    problems[MOST_PROBLEMS:] = [f"{more} more problems of this kind are not listed"] if more else []
    return parts, {"problems": problems, "notes": list(notes)[:MOST_PROBLEMS], "hints": list(found.hints),
                   "tables": tuple(known_of)}


def _nothing(found: Gatherer) -> str:
    if not found.lines:
        return "line 1: the log is empty."
    if found.tables or found.heading.listed or found.columns:
        return f"line {found.lines}: the log ends before the first row of its table: it was cut off, or the run failed."
    return (f"line {found.lines}: the log ends and no table was found; expected is the output of nccl-tests, rccl-tests or OSU, "
            f"or of another benchmark that is known, or columns such as nbytes,seconds.")


def _columns(table: Table, collective, ranks, nodes) -> dict[str, Any]:
    """Return all of COLUMNS but the last, of one table; its problems and notes grow on the way."""
    table.rows, table.twice = ([row.timed() for row in rows] for rows in (table.rows, table.twice))
    collective, ranks, nodes = settle(table, collective, ranks, nodes)
    check(table, collective, ranks)
    nbytes, seconds, printed_bus = table.column("nbytes"), table.column("seconds"), table.column("busbw")
    timeless = np.isnan(seconds) & (printed_bus > 0)
    if ranks and timeless.any():
        seconds[timeless] = nbytes[timeless] * factor(collective, ranks) / printed_bus[timeless]
    if not (seconds > 0).all():
        line = table.rows[int(np.flatnonzero(~(seconds > 0))[0])].line
        raise ValueError(f"line {line}: only busbw is printed, and nothing says how many ranks there were; name them: ranks=8.")
    if table.windowed or table.heading.windowed:
        table.notes.append("the test keeps many messages on their way at once: the times are size over rate, and no latency")
    algbw = nbytes / seconds
    busbw = algbw * factor(collective, ranks) if ranks else printed_bus
    return {"collective": collective, "ranks": ranks, "nodes": nodes, "nbytes": nbytes, "seconds": seconds, "algbw": algbw,
            "busbw": busbw, "in_place": table.column("in_place")}


def _joined(parts: list):
    import pandas as pd

    parts = [part | {"table": at} for at, part in enumerate(parts)]
    sizes = [len(part["nbytes"]) for part in parts]
    whole = {name: np.repeat([part[name] or 0 for part in parts], sizes) for name in ("ranks", "nodes")}
    blank = {name: np.repeat([part[name] is None for part in parts], sizes) for name in whole}
    counts = {name: pd.arrays.IntegerArray(values.astype("int64"), blank[name]) for name, values in whole.items()}
    return pd.DataFrame({name: counts[name] if name in counts else np.concatenate(
        [np.broadcast_to(part[name], part["nbytes"].shape) for part in parts]) for name in COLUMNS})
