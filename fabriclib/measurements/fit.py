"""The units in which a row's figures agree: what a log leaves open, or names wrongly, its own figures tell.

A size of "1 GB" is 10^9 bytes or 2^30, a column "time" has seconds or microseconds, a tool's "GB/s" are GiB/s: size over time
is algbw in one of them only. What was read stands wherever it agrees.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

from ..collectives.busbw import factor
from .agree import SHARED_OUT, own_problem
from .rows import BLANK, MISNAMED, Row, Units

SPEAKS = 50  # half units of the last digit: a rate with fewer fits too many units
NEARLY = 0.005  # of a rate beside a time, where a tool takes the means of both apart
_LOOSE_RATES, _LOOSE_TIMES = (1e9, 1e6), (1e-6, 1e-3)

AS_READ = Units()


def fitted(row: Row, collective: str | None, ranks: int | None, before: Units | None) -> Units | None:
    """Return the units in which the figures of *row* agree, those of the rows *before* first; None where they do in none."""
    judged = _with_algbw(row, collective, ranks)
    if before is not None and not own_problem(before.of(judged, ranks)):
        return before
    if not own_problem(judged):
        return AS_READ
    if not speaks(judged) and not row.loose:
        return None
    return next((one for one in _options(row, collective, ranks) if not own_problem(one.of(judged, ranks))), None)


def speaks(row: Row) -> bool:
    """Return whether the figures of *row* have digits enough to tell units apart."""
    rate, seconds = row.algbw, row.seconds
    return bool(rate.value > SPEAKS * rate.half and seconds.value > SPEAKS * seconds.half)


def _with_algbw(row: Row, collective: str | None, ranks: int | None) -> Row:
    """Return *row* with the algbw that its busbw stands for, where only that is printed."""
    if row.algbw is not BLANK or row.busbw is BLANK or not collective or not ranks or ranks < 2:
        return row
    rate = row.busbw.times(1 / float(factor(collective, ranks)))
    return row._replace(algbw=rate._replace(half=max(rate.half, NEARLY * rate.value)))


def _options(row: Row, collective: str | None, ranks: int | None) -> Iterator[Units]:
    binary = (False, *([True] if not math.isnan(row.binary) else []))
    part = (False, *([True] if collective in SHARED_OUT and ranks and ranks > 1 else []))
    times = (1.0, *(_LOOSE_TIMES if "time" in row.loose else ()))
    rates = (1.0, *(_LOOSE_RATES if "rate" in row.loose else ()), *MISNAMED)
    found = [Units(*one) for one in itertools.product(binary, part, times, rates)]
    return iter(sorted(found, key=lambda one: one.binary + one.part + (one.time != 1) + (one.rate != 1) + (one.rate in MISNAMED)))
