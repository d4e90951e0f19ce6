"""What the figures of a table say about the run, and where they contradict each other or what stands around them.

busbw over algbw is a function of the collective and the ranks alone, size over time is algbw, count times the size of an
element is the buffer: a log says many things twice. What it says twice must agree within the digits it prints.
"""

from __future__ import annotations

import math

import numpy as np

from .. import units
from ..checks import MAX_BYTES, MAX_RANKS
from ..collectives.busbw import factor
from .nccl import type_bytes
from .rows import BLANK, LONGEST, SHORTEST, Printed, Row, Table, is_wrong

SLACK = 1.05  # of half a unit in the last printed digit: tests round in their own way
SAFE = 1e-9  # relative: beyond that, two ways to compute a number differ
_SUMS = {"sum", "prod", "max", "min", "avg", "mulsum", "all"}
SHARED_OUT = ("all_gather", "reduce_scatter", "all_to_all", "gather", "scatter")  # a rank's part is n / ranks


def own_problem(row: Row) -> str:
    """Return what is wrong with a row by its own figures, as `fault_of` finds it, or an empty text."""
    if (fault := fault_of(row)) is None:
        return ""
    what, *cells = fault
    size = units.format(row.nbytes) if row.nbytes > 0 else ""
    if what == "size":
        return f"line {row.line}: a buffer of {row.nbytes:g} bytes is printed"
    if what == "blank":
        return f"line {row.line}: {size} without a time or a rate"
    if what.endswith("algbw"):
        seconds, rate = cells
        said, own = units.format(rate.value, "B/s", 4), units.format(row.nbytes / seconds.value, "B/s", 4)
        return f"line {row.line}: {size} in {units.format(seconds.value, 's', 4)} is an {what} of {own}, but {said} is printed"
    return f"line {row.line}: the {what} of {size} is {cells[0].value:g} {'s' if what.endswith('time') else 'B/s'}"


def fault_of(row: Row) -> tuple | None:
    """Return (what, the cells it is in) of the first fault of a row by its own figures; None where there is none.

    A size, a time and a rate must be such that can be, and size over time must be the printed algbw, for the out-of-place and
    for the in-place half.
    """
    nbytes = row.nbytes
    if not 0 < nbytes <= MAX_BYTES:
        return ("size",)
    halves = ((row.seconds, row.algbw, row.busbw, ""), (row.in_place, row.in_place_algbw, row.in_place_busbw, "in-place "))
    if math.isnan(row.seconds.value) and math.isnan(row.algbw.value) and math.isnan(row.busbw.value):
        return ("blank",)
    for seconds, rate, bus, which in halves:
        if seconds is not BLANK and not (SHORTEST <= seconds.value <= LONGEST or math.isnan(seconds.value)):
            return f"{which}time", seconds
        for cell in (rate, bus):
            value = cell.value
            if not (cell is BLANK or value > 0 and SHORTEST <= nbytes / value <= LONGEST or math.isnan(value)
                    or _rounded_away(cell, seconds)):
                return f"{which}rate", cell
        if seconds is BLANK or rate is BLANK or math.isnan(seconds.value) or math.isnan(rate.value):
            continue
        (short, long), (slow, fast) = _within(seconds), _within(rate)
        if fast < nbytes / long or short > 0 and slow > nbytes / short:
            return f"{which}algbw", seconds, rate
    return None


def _rounded_away(rate: Printed, seconds: Printed) -> bool:
    """Whether a rate is printed as 0 because its digits do not reach so far down, beside a time that says more."""
    return 0 <= rate.value < rate.half and seconds.value > 0


def ranks_interval(collective: str, rows: list[Row]) -> tuple[float, float]:
    """Return (least, most) whole ranks for which busbw / algbw comes out as printed in every row.

    (1, inf) if none says anything; the least is above the most if they contradict each other.
    """
    least, most = 1.0, math.inf
    for row in rows:
        for rate, bus in ((row.algbw, row.busbw), (row.in_place_algbw, row.in_place_busbw)):
            if rate.value > 20 * rate.half and bus.value > 20 * bus.half:
                (low, high), (slow, fast) = _within(bus), _within(rate)
                fewest, largest = _ranks(collective, low / fast, high / slow)
                least, most = max(least, fewest), min(most, largest)
    return float(math.ceil(least - 1e-9)) if least < math.inf else least, math.floor(most + 1e-9) if most < math.inf else most


def _within(number: Printed) -> tuple[float, float]:
    """What was printed as *number*: within half a unit of its last digit, or of the last that a float holds safely."""
    half = SLACK * number.half + SAFE * number.value
    return number.value - half, number.value + half


def _ranks(collective: str, low: float, high: float) -> tuple[float, float]:
    """The fewest and the most ranks, not rounded, whose busbw / algbw is from *low* to *high*."""
    if factor(collective, 3) == 1:  # and for any other number of ranks
        return (1.0, math.inf) if low <= 1 <= high else (math.inf, 0.0)
    whole = 2 if collective == "all_reduce" else 1
    fewest, most = (math.inf if ratio >= whole else max(1.0, 1 / (1 - ratio / whole)) for ratio in (low, high))
    return fewest, most


def _ranks_by_count(collective: str, row: Row) -> int | None:
    """The ranks that share the buffer out among them, if one part's elements are printed and fit."""
    size = type_bytes(row.type)
    if collective not in SHARED_OUT or not size or not row.elements > 0 or row.nbytes % (row.elements * size):
        return None
    ranks = int(row.nbytes // (row.elements * size))
    return ranks if 1 < ranks <= MAX_RANKS else None


def settle(table: Table, collective: str | None, ranks: int | None, nodes: int | None) -> tuple[str, int | None, int | None]:
    """Return (collective, ranks, nodes) of a table; what the reader was told goes first, then what the log says.

    Ranks or nodes that nothing tells are None. Contradictions go to the table's problems, inferences to its notes.

    Raises:
        ValueError: nothing tells the collective.
    """
    heading = table.heading
    collective = collective or heading.collective or _inferred(table)
    least, most = ranks_interval(collective, table.rows)
    told = ranks or heading.ranks_told
    if told is None and (told := _ranks_by_count(collective, table.rows[-1])):
        table.notes.append(f"{told} ranks, because the buffer is {told} times the elements of one")
    if told is None and least == most <= MAX_RANKS:
        told = int(least)
        table.notes.append(f"{told} ranks, because busbw / algbw is {factor(collective, told):.4g}")
    if told is None and least + 1 == most <= MAX_RANKS:
        told = int(least + least % 2)
        table.notes.append(f"{told} ranks, the even one of the two numbers that busbw / algbw allows")
    if told is None and least < most < math.inf:
        table.notes.append(f"the number of ranks is not printed; the figures allow {least:.0f} to {most:.0f}")
    _rank_problems(table, collective, told, (least, most))
    return collective, told, nodes or (heading.nodes_listed if heading.all_listed else heading.nodes)


def _rank_problems(table: Table, collective: str, told: int | None, interval: tuple[float, float]) -> None:
    least, most = interval
    line, heading = table.rows[0].line, table.heading
    if least > most or least == math.inf:
        table.problems.append(f"line {line}: no number of ranks explains busbw / algbw of every row as that of one {collective}")
        return
    if told is not None and not least <= told <= most:
        shown = f"{least:.0f}" if least == most else f"at least {least:.0f}" if told < least else f"at most {most:.0f}"
        table.problems.append(f"line {line}: {told} ranks are stated, but busbw / algbw of the rows below is that of {shown} "
                              f"ranks in {collective}")
    elif told is not None and told <= heading.highest:
        table.problems.append(f"line {line}: rank {heading.highest} is listed above, but the figures are those of {told} ranks")


def _inferred(table: Table) -> str:
    """The collective, from what distinguishes their rows; a note says that it was inferred."""
    first, line = table.rows[-1], table.rows[0].line
    if table.heading.other:
        raise ValueError(f"line {line}: the test is {table.heading.other}, which is none of the collectives that the model has; "
                         "name the one that it shall count as: collective=\"all_gather\".")
    ratios = [row.busbw.value / row.algbw.value for row in table.rows if row.algbw.value > 20 * row.algbw.half]
    ratio = float(np.median(ratios)) if ratios else math.nan
    rooted = first.root not in ("", "-1")
    no_in_place = all(row.in_place_wrong == "N/A" != row.wrong for row in table.rows)
    if first.redop in _SUMS:
        # Between two ranks the busbw of an all-reduce is algbw too, as that of a transfer always is.
        even = "send_recv" if no_in_place else "all_reduce"
        found = "reduce" if rooted else "all_reduce" if ratio > 1.004 else "reduce_scatter" if ratio < 0.996 else even
    elif first.redop == "none":
        found = ("broadcast" if not ratio < 0.996 else "gather") if rooted else "all_to_all" if no_in_place else "all_gather"
    elif ratio > 1.004:
        found = "all_reduce"
    else:
        raise ValueError(f"line {line}: nothing in the log says which collective this is; name it: collective=\"all_reduce\".")
    table.notes.append(f"the log names no collective; {found} from its columns")
    return found


def check(table: Table, collective: str, ranks: int | None) -> None:
    """Add to the table's problems what its rows, its header and what is printed below it contradict each other in."""
    rows, line = table.rows, table.rows[0].line
    wrong = [row for row in rows if any(map(is_wrong, (row.wrong, row.in_place_wrong)))]
    if wrong:
        table.problems.append(f"line {wrong[0].line}: the test found wrong results at {units.format(wrong[0].nbytes)}"
                              + (f" and {len(wrong) - 1} other sizes" if len(wrong) > 1 else ""))
    largest = table.heading.largest
    if largest and rows[-1].nbytes > largest:
        table.problems.append(f"line {rows[-1].line}: the header announces sizes up to {units.format(largest)}, this row has "
                              f"{units.format(rows[-1].nbytes)}: the header belongs to another run")
    elif largest and rows[-1].nbytes < largest / 2:
        table.notes.append(f"the header announces sizes up to {units.format(largest)}; the rows end at "
                           f"{units.format(rows[-1].nbytes)}")
    last = rows[-1]
    size = type_bytes(last.type)
    if ranks and size and last.elements > 0:
        parts = ranks if collective in SHARED_OUT else 1
        if last.elements * size * parts != last.nbytes and not _rounded(last, size, parts):
            table.problems.append(f"line {last.line}: {last.elements:.0f} elements of {last.type} for each of {parts} parts are "
                                  f"not {units.format(last.nbytes)}: the ranks or the collective are others")
    _check_mean(table, line)
    _check_twice(table, line)


def _check_twice(table: Table, line: int) -> None:
    """Say that sizes stand there twice, or that this is no table of one run."""
    if table.jobs > 1:
        table.problems.append(f"line {line}: {table.jobs} separate runs wrote this table at once, and none knew of the others: "
                              "the test was built without MPI; build it with MPI=1. The first row of each size is used")
    elif table.doubled:
        table.notes.append("its lines stand there more than once, alike to the digit: they were copied, and count once")
    else:
        table.problems += [f"line {row.line}: {units.format(row.nbytes)} stands there twice; the first is used"
                           for row in table.twice]


def _rounded(row: Row, size: int, parts: int) -> bool:
    """Whether the count is the size over the parts, rounded down as some tests do."""
    return 0 <= row.nbytes - row.elements * size * parts < size * parts


def _check_mean(table: Table, line: int) -> None:
    mean: Printed = table.mean_busbw
    rates = np.concatenate([table.column("busbw"), table.column("in_place_busbw")])
    rates = rates[np.isfinite(rates)]
    if mean is BLANK or not rates.size:
        return
    empty = table.empty_rows * (2 if np.isfinite(table.column("in_place")).any() else 1)
    own = rates.sum() / (rates.size + empty)
    if abs(own - mean.value) > 0.01 * own + 0.01e9:
        table.notes.append(f"the average bus bandwidth printed below is {units.format(mean.value, 'B/s', 4)}, that of the rows "
                           f"{units.format(own, 'B/s', 4)}: rows are missing")
