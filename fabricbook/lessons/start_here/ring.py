"""The ring all-reduce as a picture: GPUs in a circle, each with its buffer in pieces, and the pieces under way."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib.collectives import Schedule, schedule

from ...stage import charts, parts
from ...stage.parts import of, scaled

X, Y = (-2.3, 2.3), (-1.35, 1.35)  # what is seen of the plane
_WIDE, _HIGH = 1.62, 0.98  # half axes of the circle, as it looks on a wide page
_CELL, _TALL = 0.13, 0.26  # of a piece
COLUMNS = {"part": "", "GPU": None, "piece": None, "holds": None, "done": 0.0, "label": "", "x": 0.0, "y": 0.0, "x2": 0.0,
           "y2": 0.0, "middle x": 0.0, "middle y": 0.0}


@functools.cache
def plan(gpus: int) -> Schedule:
    """Return the ring's own list of moves, as the library has it."""
    return schedule("all_reduce", "ring", ranks=gpus)


@functools.cache
def held(gpus: int) -> np.ndarray:
    """Return how many GPUs' numbers each piece is the sum of, by (step, GPU, piece): the ring run on ones."""
    return np.stack([state[:, :, 0].copy() for state in plan(gpus).states([np.ones(gpus, dtype=int)] * gpus)])


def moving(gpus: int, step: int) -> list[tuple[int, int]]:
    """Return (piece, the GPU that has just received it) after *step*; before the first, the GPU that will send it."""
    moves = plan(gpus).moves
    now = moves.where(moves.step == max(step - 1, 0))
    at = now.dst if step else now.src
    return sorted(zip(now.chunk.tolist(), at.tolist(), strict=True))


def drawn(gpus: int, step: int, middle: tuple[str, str]) -> list[dict]:
    """Return the rows of the picture: as many in every step, in the same order.

    Args:
        gpus, step: where the ring stands.
        middle: two lines of text in the middle of the circle.
    """
    angle = 2 * np.pi * (np.arange(gpus) + 0.5) / gpus
    at = np.stack([_WIDE * np.sin(angle), _HIGH * np.cos(angle)], axis=1)
    now = held(gpus)[step]
    rows = [{"part": "wire", "x": at[g][0], "y": at[g][1], "x2": at[(g + 1) % gpus][0], "y2": at[(g + 1) % gpus][1]}
            for g in range(gpus)]
    rows += [{"part": "name", "GPU": g, "label": f"GPU {g}", "x": at[g][0], "y": at[g][1] + 0.27} for g in range(gpus)]
    for g in range(gpus):
        rows += [_piece("cell", at[g], gpus, g, piece, int(now[g, piece])) for piece in range(gpus)]
    rows += [_piece("under way", at[g], gpus, g, piece, int(now[g, piece])) for piece, g in moving(gpus, step)]
    return rows + [{"part": "middle", "label": text, "x": 0.0, "y": 0.12 - 0.3 * i} for i, text in enumerate(middle)]


def _piece(part: str, at: np.ndarray, gpus: int, gpu: int, piece: int, holds: int) -> dict:
    left, below = at[0] + _CELL * (piece - gpus / 2), at[1] - _TALL / 2
    return {"part": part, "GPU": gpu, "piece": piece, "holds": holds, "done": holds / gpus, "label": str(holds), "x": left,
            "y": below, "x2": left + _CELL, "y2": below + _TALL, "middle x": left + _CELL / 2, "middle y": at[1]}


def chart(description: str):
    """Return the picture of the rows in the live table."""
    import altair as alt

    def x(field="x"):
        return charts.x(field, X, title="place").axis(None)

    def y(field="y"):
        return charts.y(field, Y, title="place").axis(None)

    box = {"x": x(), "y": y(), "x2": "x2:Q", "y2": "y2:Q"}
    shade = alt.Color("done:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=["#ffffff", charts.CHIP], interpolate="rgb"))
    ink = alt.condition("datum.done > 0.6", alt.value("#ffffff"), alt.value(charts.INK))
    wires = of("wire").mark_rule(strokeWidth=5, color="#bbbbbb").encode(**box)
    cells = of("cell").mark_rect(stroke="#8a8a8a", strokeWidth=1, opacity=1).encode(**box, color=shade)
    under_way = of("under way").mark_rect(stroke=charts.BLACK, strokeWidth=3, opacity=1).encode(**box, color=shade)
    numbers = [of(part).mark_text(fontSize=scaled(14, 8), fontWeight=weight).encode(
        x=x("middle x"), y=y("middle y"), text="label:N", color=ink)
               for part, weight in (("cell", "normal"), ("under way", "bold"))]
    names = charts.legible(of("name").encode(x=x(), y=y(), text="label:N"), fontSize=scaled(15, 10), fontWeight="bold")
    middle = of("middle").mark_text(fontSize=scaled(19, 12), fontWeight="bold").encode(x=x(), y=y(), text="label:N")
    return charts.stack(wires, cells, numbers[0], under_way, numbers[1], *names, middle, height=400, description=description)


def columns(rows: list[dict]) -> dict[str, list]:
    """Return the live table of *rows*."""
    return parts.columns(rows, COLUMNS)
