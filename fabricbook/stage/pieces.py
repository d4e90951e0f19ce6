"""Buffers cut into pieces, as a picture: who holds which piece, how much is in it, and what is under way.

A lab says where each row stands, as many rows in every step and in the same order; `GLIDES` is what moves between two steps.

    pieces.cell("cell", 0.0, 0.0, 1.0, 0.5, holds=3, of=8)      a piece at its place
    pieces.cell("under way", ...)                               one that has just moved: on top, with a thick border
    {"part": "wire", "x": ..., "y": ..., "x2": ..., "y2": ...}  "box" for a device; "name" and "said" for text at x, y
"""

from __future__ import annotations

from collections.abc import Sequence

from . import charts, parts
from .parts import of, scaled

GLIDES = ("x", "y", "x2", "y2", "middle x", "middle y", "done")
_COLUMNS = {"part": "", "GPU": None, "piece": None, "holds": None, "done": 0.0, "label": ""} | dict.fromkeys(GLIDES[:-1], 0.0)


def cell(part: str, left: float, below: float, wide: float, high: float, *, holds: int, of: int, **named) -> dict:
    """Return the row of a piece that holds *holds* of *of* contributions, and is darker the more of them it has."""
    return {"part": part, "holds": holds, "done": holds / of, "label": str(holds) if holds else "", "x": left, "y": below,
            "x2": left + wide, "y2": below + high, "middle x": left + wide / 2, "middle y": below + high / 2, **named}


def columns(rows: Sequence[dict]) -> dict[str, list]:
    """Return the live table of *rows*."""
    return parts.columns(rows, _COLUMNS)


def chart(across: tuple[float, float], up: tuple[float, float], description: str, *, height: int = 400):
    """Return the picture of the rows in the live table; *across* and *up* are what is seen of the plane."""
    import altair as alt

    def x(field="x"):
        return charts.x(field, across, title="place").axis(None)

    def y(field="y"):
        return charts.y(field, up, title="place").axis(None)

    ends = {"x": x(), "y": y(), "x2": "x2:Q", "y2": "y2:Q"}
    shade = alt.Color("done:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[charts.PAPER, charts.CHIP], interpolate="rgb"))
    wide, high = (f"abs(scale('{axis}', datum.{axis}2) - scale('{axis}', datum.{axis}))" for axis in "xy")
    size = alt.ExprRef(f"clamp(min(0.6 * {high}, {wide} / max(1, length(datum.label))), 11, 22)")
    ink = alt.condition("datum.done > 0.6", alt.value(charts.PAPER), alt.value(charts.INK))
    layers = [of("wire").mark_rule(strokeWidth=4, color=charts.PALE).encode(**ends),
              of("box").mark_rect(color=charts.FILL, stroke=charts.BLACK, strokeWidth=1.5, opacity=1).encode(**ends)]
    for part, edge, stroke, weight in (("cell", 1, charts.FAINT, "normal"), ("under way", 3, charts.BLACK, "bold")):
        layers += [of(part).mark_rect(stroke=stroke, strokeWidth=edge, opacity=1).encode(**ends, color=shade),
                   of(part).mark_text(fontSize=size, fontWeight=weight).encode(
                       x=x("middle x"), y=y("middle y"), text="label:N", color=ink)]
    for part, wide, narrow in (("name", 15, 11), ("said", 19, 12)):
        layers += charts.legible(of(part).encode(x=x(), y=y(), text="label:N"), fontWeight="bold",
                                 fontSize=scaled(wide, narrow, 600))
    return charts.stack(*layers, height=height, description=description)
