"""Published measurements, and a prediction set beside them with its error."""

from __future__ import annotations

import numpy as np

from . import catalog, units
from .checks import number

# An out-of-place time this many times the in-place one is a warm-up glitch, and the in-place time is used for it.
GLITCH = 1.4


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

    catalog.row("measurement_tables", table)
    cells = [r for r in catalog.rows("measurements") if r["table"] == table]
    out = np.array([float(r["out_of_place_us"]) for r in cells])
    inside = np.array([float(r["in_place_us"] or r["out_of_place_us"]) for r in cells])
    seconds = np.where(out > GLITCH * inside, inside, out) * units.us
    return pd.DataFrame({"nbytes": [float(r["nbytes"]) for r in cells], "seconds": seconds.round(12)})


def error(predicted, measured):
    """Return the relative error of *predicted* seconds against *measured* seconds: 0.1 is ten per cent too slow.

    >>> round(float(error(1.1, 1.0)), 3)
    0.1
    """
    return np.asarray(number("predicted", predicted)) / number("measured", measured) - 1
