"""Tables on their way to the browser: what JSON cannot hold becomes null."""

from __future__ import annotations

import math

JSON_TYPES = (str, int, float, bool, type(None))


def plain_columns(columns: dict[str, list]) -> dict[str, list]:
    """Return *columns* with NaN and infinities as None and anything JSON does not know as text.

    >>> plain_columns({"rate": [1.5, float("nan"), float("inf")]})
    {'rate': [1.5, None, None]}
    """
    return {name: [_plain(value) for value in column] for name, column in columns.items()}


def rows(columns: dict[str, list]) -> list[dict]:
    """Return the table row by row, as Vega reads it.

    >>> rows({"x": [1, 2], "y": [3, 4]})
    [{'x': 1, 'y': 3}, {'x': 2, 'y': 4}]
    """
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _plain(value):
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if isinstance(value, JSON_TYPES) else str(value)
