"""Graphs of devices and links as a picture: GPUs in a circle, switches in a row in its middle, cables as thick as their load.

A lab draws one graph or several side by side: `drawn` gives the rows of each, `columns` the live table, `chart` the picture.
"""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import units
from fabriclib.flows import Share
from fabriclib.topology import Graph

from . import charts, parts
from .parts import of, scaled

X, Y = (-2.6, 2.6), (-1.95, 1.5)  # what is seen of the plane; the circle has radius 1
IDLE, IN_USE = "idle", "in use (GB/s one way)"
_size = functools.partial(scaled, full=600, high=330)
_TITLE, _CAPTIONS = 1.36, -1.36  # heights
_COLUMNS = {"graph": "", "part": "", "from": "", "to": "", "links": None, "GB/s": None, "state": "", "label": "", "px": None,
            "x": None, "y": None, "x2": None, "y2": None, "label x": None, "label y": None}


def places(graph: Graph, centre: float = 0.0, wide: float = 1.0) -> np.ndarray:
    """Return (x, y) of the nodes: GPUs clockwise from the top, none of them level with the row of switches."""
    gpus, switches = len(graph.gpus), len(graph.of_kind("switch"))
    angle = 2 * np.pi * (np.arange(gpus) + (0 if gpus % 4 == 2 else 0.5)) / gpus
    row = np.stack([0.45 * (np.arange(switches) - (switches - 1) / 2), np.zeros(switches)], axis=1)
    return np.concatenate([np.stack([np.sin(angle), np.cos(angle)], axis=1), row]) * [wide, 1] + [centre, 0]


def drawn(title: str, shared: Share, captions: list[tuple[str, str]], *, centre: float = 0.0, wide: float = 1.0) -> list[dict]:
    """Return the rows of one graph and of what flows over it.

    Args:
        title: what stands above it.
        shared: the flows and what each of them gets; its graph has its GPUs first, then its switches.
        captions: (what, text), one line each below it.
        centre, wide: where the circle stands, and how many times as wide as high it is.
    """
    at = places(shared.graph, centre, wide)
    said = [{"graph": title, "part": "title", "x": centre, "y": _TITLE, "label": title}]
    said += [{"graph": title, "part": "caption", "from": what, "x": centre, "y": _CAPTIONS - 0.21 * i, "label": f"{what}: {text}"}
             for i, (what, text) in enumerate(captions)]
    return [*said, *_cables(title, shared, at), *_devices(title, shared, at)]


def _cables(title: str, shared: Share, at: np.ndarray) -> list[dict]:
    """Return a row a cable: the load of its busier direction, and what leaves GPU 0 on it as a label."""
    graph, found = shared.graph, []
    edges = zip(graph.src.tolist(), graph.dst.tolist(), strict=True)
    by_ends = dict(zip(edges, zip((shared.load / units.GB).tolist(), graph.count.tolist(), strict=True), strict=True))
    for (a, b), (one_way, count) in by_ends.items():
        if a > b:
            continue
        most, away = max(one_way, by_ends[b, a][0]), at[b] - at[a]
        # Cables to switches run side by side: the figures of neighbours stand at two heights.
        along = (0.42, 0.7)[b % 2] if graph.kinds[b] == "switch" else min(0.6, 0.62 / np.hypot(*away))
        label = at[a] + away * along
        found.append({
            "graph": title, "part": "cable", "from": graph.nodes[a], "to": graph.nodes[b], "links": count,
            "GB/s": round(most, 1), "state": IN_USE if most > 1e-9 else IDLE, "px": 3 + most / 25 if most > 1e-9 else 1,
            "x": at[a][0], "y": at[a][1], "x2": at[b][0], "y2": at[b][1], "label x": label[0], "label y": label[1],
            "label": f"{one_way:.3g}" if a == graph.gpus[0] and one_way > 1e-9 else "",
        })
    return found


def _devices(title: str, shared: Share, at: np.ndarray) -> list[dict]:
    graph, talking = shared.graph, {*shared.src.tolist(), *shared.dst.tolist()}
    return [{
        "graph": title, "part": "GPU" if kind == "gpu" else "switch", "from": node, "x": x, "y": y,
        "state": IN_USE if i in talking else IDLE, "label": f"GPU {i}" if kind == "gpu" else f"S{i - len(graph.gpus)}",
    } for i, (node, kind, (x, y)) in enumerate(zip(graph.nodes, graph.kinds.tolist(), at.tolist(), strict=True))]


def columns(rows: list[dict]) -> dict[str, list]:
    """Return the live table of all *rows*: what is said below the graphs first; idle cables before, so under, those in use."""
    ordered = sorted(rows, key=lambda row: (row["part"] != "caption", row.get("state") == IN_USE))
    return parts.columns(ordered, _COLUMNS)


def chart(description: str, *, height: int = 470):
    """Return the picture of the graphs in the live table."""
    import altair as alt

    def x(field):
        return charts.x(field, X, title="place").axis(None)

    def y(field):
        return charts.y(field, Y, title="place").axis(None)

    here = {"x": x("x"), "y": y("y")}
    used = f"datum.state == '{IN_USE}'"
    fill, ink = (alt.condition(used, alt.value(a), alt.value(b))
                 for a, b in ((charts.CHIP, charts.PAPER), (charts.PAPER, charts.INK)))
    cables = of("cable").mark_rule().encode(
        **here, x2="x2:Q", y2="y2:Q", strokeWidth=alt.StrokeWidth("px:Q", scale=None, legend=None),
        **charts.series("state", {IN_USE: (charts.CHIP, charts.SOLID), IDLE: (charts.PALE, [3, 3])}))
    device = {"opacity": 1, "stroke": charts.BLACK, "strokeWidth": 1.5, "filled": True}
    gpus = of("GPU").mark_point(size=_size(1900, 1250), **device).encode(**here, fill=fill)
    switches = of("switch").mark_point(size=_size(850, 380), shape="square", **device).encode(
        **here, fill=alt.value(charts.FILL))
    names = [of(part).mark_text(fontSize=_size(size, least), **mark).encode(**here, text="label:N", **extra)
             for part, size, least, mark, extra in (
                 ("GPU", 13, 10.5, {"fontWeight": "bold"}, {"color": ink}), ("switch", 13, 11, {}, {}),
                 ("title", 17, 12, {"fontWeight": "bold"}, {}), ("caption", 16, 11, {}, {}))]
    clear = alt.ExprRef(f"{charts.NARROW} && slice(datum.to, 0, 3) != 'gpu' ? 10 : 0")  # of the GPU beside the last switch
    loads = charts.legible(of("cable").encode(x=x("label x"), y=y("label y"), text="label:N"), edge=5, color=charts.BLACK,
                           dy=clear, fontSize=_size(15, 11), fontWeight="bold")
    return charts.stack(cables, *loads, switches, gpus, *names, height=height, description=description)
