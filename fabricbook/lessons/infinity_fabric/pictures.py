"""Two pictures of meshes: seven rings, a colour each, and the dies of an MI250X with their uneven cables."""

from __future__ import annotations

import numpy as np

from fabriclib import units
from fabriclib.shown import counted
from fabriclib.topology import Graph

from ...stage import charts, graphs, parts
from ...stage.parts import of, scaled

ACROSS, UP = (-2.6, 2.6), (-1.25, 1.25)  # what is seen of the plane
_PLACE = {"part": "", "from": "", "to": "", "x": 0.0, "y": 0.0, "x2": 0.0, "y2": 0.0, "label": ""}

# ---- rings that share no cable in the same direction ----

_COLOURS = [charts.BLUE, charts.ORANGE, charts.GREEN, charts.VERMILION, charts.PURPLE, charts.SKY, charts.BLACK]
_DASHES = [charts.SOLID, charts.DASHED, charts.DASH_DOT]
RINGS = {f"ring {i + 1}": (colour, _DASHES[i % len(_DASHES)]) for i, colour in enumerate(_COLOURS)}
RING_GLIDES = ("x2", "y2", "head x", "head y")
_ASIDE = 0.03  # of a cable's middle: the ring that uses its one direction


def rings_drawn(graph: Graph, rings: list[list[int]], shown: int) -> dict[str, list]:
    """Return the live table: all cables of *graph*, thin, and on them the first *shown* of *rings*; the rest waits, unseen."""
    at = graphs.places(graph, wide=1.9)
    rows = [_line("cable", graph, at, a, b) for a, b in zip(graph.src.tolist(), graph.dst.tolist(), strict=True) if a < b]
    for number, (name, order) in enumerate(zip(RINGS, rings, strict=True)):
        rows += [_step(name, graph, at, a, b, number < shown, number == shown - 1)
                 for a, b in zip(order, [*order[1:], order[0]], strict=True)]
    rows += _named(graph, at, "GPU")
    return parts.columns(rows, _PLACE | {"ring": "", "px": 0.0, "turn": 0.0, "head x": 0.0, "head y": 0.0, "size": 0.0})


def _line(part: str, graph: Graph, at: np.ndarray, a: int, b: int) -> dict:
    return {"part": part, "from": graph.nodes[a], "to": graph.nodes[b], "x": at[a][0], "y": at[a][1], "x2": at[b][0],
            "y2": at[b][1]}


def _step(name: str, graph: Graph, at: np.ndarray, a: int, b: int, there: bool, newest: bool) -> dict:
    """The row of one step of a ring: beside the middle of its cable, so that the other direction has room too."""
    away = at[b] - at[a]
    aside = _ASIDE * np.array([away[1], -away[0]]) / np.hypot(*away)
    start, end = at[a] + aside, (at[b] if there else at[a]) + aside
    head = start + (end - start) * 0.7
    return {"part": "ring", "ring": name, "from": graph.nodes[a], "to": graph.nodes[b], "x": start[0], "y": start[1],
            "x2": end[0], "y2": end[1], "px": 5.0 if newest else 2.5, "head x": head[0], "head y": head[1],
            "turn": float(np.degrees(np.arctan2(away[0], away[1]))), "size": (220.0 if newest else 90.0) if there else 0.0}


def _named(graph: Graph, at: np.ndarray, kind: str) -> list[dict]:
    return [{"part": "device", "from": graph.nodes[i], "x": at[i][0], "y": at[i][1], "label": f"{kind} {i}"}
            for i in range(len(graph.gpus))]


def rings_chart(description: str):
    """Return the picture of `rings_drawn`."""
    import altair as alt

    encoded = charts.series("ring", RINGS)
    thick = alt.StrokeWidth("px:Q", scale=None, legend=None)
    cables = of("cable").mark_rule(color=charts.PALE).encode(**_ends())
    steps = of("ring").mark_rule().encode(**_ends(), **encoded, strokeWidth=thick)
    heads = of("ring").mark_point(shape="triangle", filled=True, opacity=1).encode(
        x=_x("head x"), y=_y("head y"), color=encoded["color"], size=alt.Size("size:Q", scale=None, legend=None),
        angle=alt.Angle("turn:Q", scale=None))
    return charts.stack(cables, steps, heads, *_devices(), height=470, description=description)


def _x(field: str = "x"):
    return charts.x(field, ACROSS, title="place").axis(None)


def _y(field: str = "y"):
    return charts.y(field, UP, title="place").axis(None)


def _ends() -> dict:
    return {"x": _x(), "y": _y(), "x2": "x2:Q", "y2": "y2:Q"}


def _devices(fill=charts.CHIP) -> list:
    import altair as alt

    dots = of("device").mark_point(size=scaled(1900, 1250, 600), filled=True, opacity=1, stroke=charts.BLACK, strokeWidth=1.5)
    names = of("device").mark_text(fontSize=scaled(13, 10.5, 600), fontWeight="bold", color=charts.PAPER)
    return [dots.encode(x=_x(), y=_y(), fill=alt.value(fill)), names.encode(x=_x(), y=_y(), text="label:N")]


# ---- dies in packages ----

_DIES = {0: (-1.9, 0.8), 1: (-0.75, 0.35), 2: (1.9, 0.8), 3: (0.75, 0.35), 4: (1.9, -0.8), 5: (0.75, -0.35), 6: (-1.9, -0.8),
         7: (-0.75, -0.35)}
_IDLE, _USED = "idle", "in use"


def dies_drawn(graph: Graph, carried: np.ndarray, talking: set[int]) -> dict[str, list]:
    """Return the live table: the packages, every cable with its number of links, and what it carries, and the dies.

    Args:
        graph: the eight dies and their links.
        carried: bytes per second on each edge.
        talking: the dies at the ends of a flow.
    """
    at = np.array([_DIES[die] for die in sorted(_DIES)])
    load = dict(zip(zip(graph.src.tolist(), graph.dst.tolist(), strict=True), (carried / units.GB).tolist(), strict=True))
    count = dict(zip(zip(graph.src.tolist(), graph.dst.tolist(), strict=True), graph.count.tolist(), strict=True))
    rows = [_line("package", graph, at, die, die + 1) for die in range(0, len(_DIES), 2)]
    for (a, b), links in count.items():
        if a < b < len(_DIES):
            most = max(load[a, b], load[b, a])
            middle = (at[a] + at[b]) / 2 if (a, b) not in ((1, 5), (3, 7)) else at[a] + (at[b] - at[a]) * 0.3
            state = _USED if most > 1e-9 else _IDLE
            rows.append(_line("cable", graph, at, a, b) | {
                "links": links, "GB/s": round(most, 1), "state": state, "px": 2.0 + 2.5 * links, "label x": middle[0],
                "label y": middle[1], "label": f"{most:.3g} GB/s" if state == _USED else counted(links, "link")})
    rows += [row | {"die": die, "state": _USED if die in talking else _IDLE}
             for die, row in enumerate(_named(graph, at, "die"))]
    blank = {"die": None, "links": None, "GB/s": None, "state": "", "px": 0.0, "label x": 0.0, "label y": 0.0}
    return parts.columns(rows, _PLACE | blank)


def dies_chart(description: str):
    """Return the picture of `dies_drawn`."""
    import altair as alt

    look = charts.series("state", {_USED: (charts.CHIP, charts.SOLID), _IDLE: (charts.FAINT, charts.SOLID)})
    packages = of("package").mark_rule(strokeWidth=scaled(76, 50, 600), strokeCap="round", color=charts.FILL).encode(**_ends())
    cables = of("cable").mark_rule().encode(**_ends(), **look, strokeWidth=alt.StrokeWidth("px:Q", scale=None, legend=None))
    said = charts.legible(of("cable").encode(x=_x("label x"), y=_y("label y"), text="label:N"), edge=9,
                          fontSize=scaled(14, 11, 600), fontWeight="bold")
    used = f"datum.state == '{_USED}'"
    dots, names = _devices()
    dots = dots.encode(fill=alt.condition(used, alt.value(charts.CHIP), alt.value(charts.PAPER)))
    names = names.encode(color=alt.condition(used, alt.value(charts.PAPER), alt.value(charts.INK)))
    return charts.stack(packages, cables, dots, names, *said, height=470, description=description)
