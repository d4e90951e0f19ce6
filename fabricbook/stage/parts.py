"""A picture of many parts: every row of the live table says in its column `part` what it is, and a layer draws one sort.

    parts.columns(rows, {"part": "", "x": None, "label": ""})     the live table
    parts.of("cable").mark_rule()                                 its layer
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from . import charts


def columns(rows: Sequence[Mapping], blanks: Mapping) -> dict[str, list]:
    """Return the live table of *rows*, which need not have every column: *blanks* names all and what stands where a row has none.

    >>> columns([{"part": "dot", "x": 1.0}, {"part": "text"}], {"part": "", "x": None})
    {'part': ['dot', 'text'], 'x': [1.0, None]}
    """
    return {column: [row.get(column, blank) for row in rows] for column, blank in blanks.items()}


def of(*sorts: str):
    """The layer of the rows whose part is one of *sorts*."""
    return charts.live().transform_filter({"field": "part", "oneOf": list(sorts)})


def scaled(wide: float, narrow: float, full: int = 900, high: int = 1):
    """A size of *wide* where the chart is *full* pixels wide and *high* pixels high or more, less on a smaller page, and never
    below *narrow*."""
    import altair as alt

    return alt.ExprRef(f"clamp({wide} * min(width / {full}, height / {high}), {narrow}, {wide})")


def of_row(rows: int, share: float, most: float):
    """*share* of the height of one of so many *rows*, at most *most* pixels: for what is written in a row of a grid."""
    import altair as alt

    return alt.ExprRef(f"clamp({share} * height / {rows}, {min(most, -most)}, {max(most, -most)})")
