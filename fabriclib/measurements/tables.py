"""Published measurements, and a prediction set beside them with its error."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from .. import catalog, units
from ..checks import MOST, number, short, single, together
from ..collectives.busbw import busbw, factor
from .about import About

GLITCH = 1.4


def settled(out_of_place, in_place) -> np.ndarray:
    """Return the times *out_of_place*, but where one is more than GLITCH times that *in_place*: a warm-up, so the latter is used.

    Raises:
        ValueError: times that are no numbers, or whose shapes do not fit.

    >>> settled([10.0, 30.0, 10.0], [9.0, 10.0, np.nan]).tolist()
    [10.0, 10.0, 10.0]
    """
    out, inside = _times("out_of_place", out_of_place), _times("in_place", in_place)
    together(out_of_place=out, in_place=inside)
    return np.where(out > GLITCH * inside, inside, out)


def _times(name: str, times) -> np.ndarray:
    """Return *times* as an array; NaN stands where there is none."""
    try:
        return np.asarray(times, dtype=float)
    except Exception:  # anything may be passed
        raise ValueError(f"{name} must be times in seconds, NaN where there is none; got {short(times)}.") from None


def published(table: str):
    """Return a published benchmark table as a DataFrame with columns nbytes and seconds, smallest message first.

    Args:
        table: an id of measurement_tables.csv, such as "a100x8-nvswitch-ar".

    Raises:
        ValueError: no such table; the message suggests the nearest.

    >>> published("a100x8-nvswitch-ar").iloc[-1].tolist()
    [17179869184.0, 0.127997]
    """
    import pandas as pd

    nbytes, out_of_place, in_place = _columns(table)
    return pd.DataFrame({"nbytes": nbytes, "seconds": settled(out_of_place, in_place)})


class Measured(NamedTuple):
    """One row of a published table: its ranks, bytes and seconds, and its busbw in bytes per second."""

    ranks: int
    nbytes: float
    seconds: float
    busbw: float


def largest(table: str) -> Measured:
    """Return the row of the largest message of a published benchmark table.

    Raises:
        ValueError: no such table; the message suggests the nearest.

    >>> largest("h200x8-8gib-ar").ranks
    8
    """
    last, about = published(table).iloc[-1], catalog.row("measurement_tables", table)
    nbytes, seconds, ranks = float(last["nbytes"]), float(last["seconds"]), about["ranks"]
    return Measured(ranks, nbytes, seconds, float(busbw(about["collective"], nbytes, seconds, ranks)))


def as_read(table: str):
    """Return a published benchmark table in the form that `read_measurements` gives a log, glitches and all.

    Raises:
        ValueError: no such table; the message suggests the nearest.

    >>> as_read("h200x8-16gib-nvls-off-ar").ranks.tolist()
    [8]
    """
    import pandas as pd

    about = catalog.row("measurement_tables", table)
    nbytes, seconds, inside = _columns(table)
    rate, ranks = nbytes / seconds, about["ranks"]
    frame = pd.DataFrame({
        "collective": about["collective"], "ranks": ranks, "nodes": about["nodes"], "nbytes": nbytes,
        "seconds": seconds, "algbw": rate, "busbw": rate * factor(about["collective"], ranks),
        "in_place": inside, "table": 0})
    known_of = About(about["memory"] == "gpu", about["tool"] == "osu_bw", about["harness"] or "mpi")
    frame.attrs = {"problems": [], "notes": [], "hints": [], "tables": (known_of,)}
    return frame


def _columns(table: str) -> tuple[np.ndarray, ...]:
    """Return the bytes of each row, its seconds out of place, and those in place: NaN where there are none."""
    cells = _by_table()[catalog.row("measurement_tables", table)["id"]]
    return tuple(np.array([float(row[name]) for row in cells]) for name in ("nbytes", "out_of_place_s", "in_place_s"))


@functools.cache
def _by_table() -> dict[str, list[catalog.Row]]:
    found: dict[str, list] = {}
    for row in catalog.rows("measurements"):
        found.setdefault(row["table"], []).append(row)
    return found


def error(predicted, measured):
    """Return the relative error of *predicted* seconds against *measured* seconds: 0.1 is ten per cent too slow.

    Raises:
        ValueError: seconds that are not positive.

    >>> round(float(error(1.1, 1.0)), 3)
    0.1
    """
    predicted, measured = number("predicted", predicted), number("measured", measured)
    together(predicted=predicted, measured=measured)
    return np.asarray(predicted) / measured - 1


def beside(measured, predicted):
    """Return a DataFrame of text for a reader: each message's size, the model's time, the measured time, the error.

    Args:
        measured: a DataFrame as `published` returns it.
        predicted: the model's seconds, one for each of its rows.

    Raises:
        ValueError: no such DataFrame, or not one positive number of seconds for each row.

    >>> import pandas as pd
    >>> beside(pd.DataFrame({"nbytes": [2**20], "seconds": [1e-4]}), 1.1e-4).iloc[0].tolist()
    ['1 MiB', '110 µs', '100 µs', '+10 %']
    """
    import pandas as pd

    if not isinstance(measured, pd.DataFrame) or not {"nbytes", "seconds"} <= set(measured):
        raise ValueError(f"measured must be a DataFrame with columns nbytes and seconds; got {short(measured)}.")
    predicted = number("predicted", predicted)
    if np.shape(predicted) not in ((), (len(measured),)):
        raise ValueError(f"predicted must be one number of seconds, or one for each of the {len(measured)} rows; "
                         f"got shape {np.shape(predicted)}.")
    predicted = np.broadcast_to(predicted, len(measured))
    errors = error(predicted, measured["seconds"])
    return pd.DataFrame({
        "message": [units.format(n) for n in measured["nbytes"]],
        "model": [units.format(t, "s") for t in predicted],
        "measured": [units.format(t, "s") for t in measured["seconds"]],
        "error": [percent(e) for e in errors],
    })


def percent(fraction: float) -> str:
    """Return a signed percentage.

    Raises:
        ValueError: no finite number.

    >>> percent(-0.217)
    '-22 %'
    """
    return f"{round(100 * single('fraction', number('fraction', fraction, low=-MOST))):+d} %"
