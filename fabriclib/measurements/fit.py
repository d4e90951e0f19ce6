"""The units in which a row's figures agree: what a log leaves open, or names wrongly, its own figures tell.

A size of "1 GB" is 10^9 bytes or 2^30, a column "time" has seconds or microseconds, a tool's "GB/s" are GiB/s: size over time
is algbw in one of them only. What was read stands wherever it agrees.
"""

from __future__ import annotations

import functools
import itertools
import math

from ..collectives.busbw import factor
from .agree import SHARED_OUT, fault_of
from .rows import AS_READ, BLANK, MISNAMED, Row, Units

SPEAKS = 50  # half units of the last digit: a rate with fewer fits too many units
NEARLY = 0.005  # of a rate beside a time, where a tool takes the means of both apart
_LOOSE_RATES, _LOOSE_TIMES = (1e9, 1e6), (1e-6, 1e-3)


def fitted(row: Row, collective: str | None, ranks: int | None, before: Units | None) -> Units | None:
    """Return the units in which the figures of *row* agree, those of the rows *before* first; None where they do in none."""
    judged = _with_algbw(row, collective, ranks)
    if before is not None and fault_of(before.of(judged, ranks)) is None:
        return before
    if fault_of(judged) is None:
        return AS_READ
    if not speaks(judged) and not row.loose:
        return None
    part = collective in SHARED_OUT and (ranks or 1) > 1
    options = _options(not math.isnan(row.binary), part, row.loose)
    return next((one for one in options if fault_of(one.of(judged, ranks)) is None), None)


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


@functools.cache
def _options(binary: bool, part: bool, loose: tuple[str, ...]) -> tuple[Units, ...]:
    """Return the units that a row may be in: those with the fewest changes first."""
    times = (1.0, *(_LOOSE_TIMES if "time" in loose else ()))
    rates = (1.0, *(_LOOSE_RATES if "rate" in loose else ()), *MISNAMED)
    found = itertools.starmap(Units, itertools.product(sorted({False, binary}), sorted({False, part}), times, rates))
    return tuple(sorted(found, key=lambda one: one.binary + one.part + (one.time != 1) + (one.rate != 1)
                        + (one.rate in MISNAMED)))
