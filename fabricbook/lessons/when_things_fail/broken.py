"""A fabric of four servers with a part lost, as a drawing: what each cable carries, beside what it carried before."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib.flows import route
from fabriclib.topology import Graph

from ...stage import charts, parts
from .tables import A_LEAF, CABLE, NOTHING, SERVERS, SIZE, SPINE, UPLINK, gone, graph, what_is_left

HEIGHT = {"gpu": 0.0, "leaf": 0.5, "spine": 1.0}
AS_BEFORE, MORE, LESS, IDLE, OUT = STATES = ["as before", "more than before", "less than before", "idle", "lost"]
_LOOK = {AS_BEFORE: (charts.CLUSTER, charts.SOLID), MORE: (charts.CHIP, charts.SOLID), LESS: (charts.SERVER, charts.DASHED),
         IDLE: (charts.PALE, charts.SOLID), OUT: (charts.LIMIT, charts.DOTTED)}
COLUMNS = {"part": "", "lost": "", "state": "", "label": "", "px": None, "x": None, "y": None, "x2": None, "y2": None}
_PICKED = {"leaf0": A_LEAF, "spine0": SPINE, ("gpu0", "leaf0"): CABLE, ("leaf0", "spine0"): UPLINK}
X, Y = (-0.03, 1.03), (-0.2, 1.17)
_SAME = 0.01  # of a load: less is the same


@functools.cache
def _places(wiring: str) -> np.ndarray:
    """Return (x, y) of every node but the NVSwitches: servers side by side, leaves and spines over them."""
    whole, at = graph(wiring), np.full((len(graph(wiring).nodes), 2), np.nan)
    for kind, height in HEIGHT.items():
        nodes = whole.of_kind(kind)
        wide = np.linspace(0, 1, len(nodes)) if kind == "gpu" else (np.arange(len(nodes)) + 0.5) / max(len(nodes), 1)
        if kind == "gpu":  # a gap between servers
            wide = (np.arange(len(nodes)) + 1.5 * (np.arange(len(nodes)) // SIZE)) / (len(nodes) - 1 + 1.5 * (SERVERS - 1))
        at[nodes, 0], at[nodes, 1] = wide, height
    return at


@functools.cache
def _loaded(wiring: str, lost: str, pattern: str) -> dict[tuple[str, str], float]:
    """Return {ends of a cable: bytes per second in its busier direction}, each ring as fast as its slowest flow."""
    found = what_is_left(wiring, lost, pattern)
    slowest = np.full(found.ring.max() + 1, np.inf)
    np.minimum.at(slowest, found.ring, found.rates)
    going, loads = slowest[found.ring] > 0, {}
    if going.any():
        here = found.graph
        routing = route(here, found.src[going], found.dst[going])
        rates = slowest[found.ring[going]][routing.flow] * routing.fraction
        load = np.bincount(routing.edge, rates, minlength=len(here.src))
        for a, b, one_way in zip(here.src.tolist(), here.dst.tolist(), load.tolist(), strict=True):
            ends = (here.nodes[min(a, b)], here.nodes[max(a, b)])
            loads[ends] = max(loads.get(ends, 0.0), one_way)
    return loads


def _state(now: float | None, before: float) -> str:
    if now is None:
        return OUT
    if now <= _SAME * max(before, 1.0):
        return IDLE
    times = now / before if before else np.inf
    return AS_BEFORE if abs(times - 1) < _SAME else MORE if times > 1 else LESS


@functools.cache
def drawn(wiring: str, lost: str, pattern: str) -> list[dict]:
    """Return the rows of the picture: cables by state, those that are lost last, then the nodes and what is written."""
    whole, found, at = graph(wiring), what_is_left(wiring, lost, pattern), _places(wiring)
    left = set(zip(found.graph.src.tolist(), found.graph.dst.tolist(), strict=True))
    before, now = _loaded(wiring, NOTHING, pattern), _loaded(wiring, lost, pattern)
    off, rows = {part for part in gone(wiring, lost) if isinstance(part, str)}, []
    widest = max(before.values(), default=1.0)
    for edge in np.flatnonzero(whole.beyond & (whole.src < whole.dst)).tolist():
        a, b = int(whole.src[edge]), int(whole.dst[edge])
        ends = (whole.nodes[a], whole.nodes[b])
        load = now.get(ends, 0.0) if (a, b) in left else None
        rows.append({"part": "cable", "lost": _PICKED.get(ends, ""), "state": _state(load, before.get(ends, 0.0)),
                     "px": 0.8 + 2.4 * (load or 0.0) / widest if load is not None else 2.5,
                     "x": at[a, 0], "y": at[a, 1], "x2": at[b, 0], "y2": at[b, 1]})
    rows.sort(key=lambda row: STATES.index(row["state"]) if row["state"] != IDLE else -1)
    going = found.rates > 0
    cut = {whole.nodes[node] for node in set(found.src.tolist()) - {*found.src[going].tolist(), *found.dst[going].tolist()}}
    for node, name in enumerate(whole.nodes):
        if np.isnan(at[node, 0]):
            continue
        sort = "gpu" if whole.kinds[node] == "gpu" else "switch"
        sort += " lost" if name in off else " cut off" if sort == "gpu" and name in cut else ""
        rows.append({"part": sort, "lost": _PICKED.get(name, ""), "x": at[node, 0], "y": at[node, 1]})
    return rows + _written(whole, at)


def _written(whole: Graph, at: np.ndarray) -> list[dict]:
    """Return what is written: names of servers, and beside the first of each part that a click loses."""
    said = [{"part": "text", "x": float(at[whole.gpus[server * SIZE:(server + 1) * SIZE], 0].mean()), "y": -0.13,
             "label": f"server {server}"} for server in range(SERVERS)]
    for name, place in (("gpu0", -0.075), ("leaf0", 0.09), ("spine0", 0.09)):
        if name in whole.nodes:
            node = whole.node(name)
            said.append({"part": "text", "x": at[node, 0], "y": at[node, 1] + place, "label": name.replace("gpu", "GPU ").replace(
                "leaf", "leaf ").replace("spine", "spine ")})
    return said


def told(wiring: str, lost: str, pattern: str) -> str:
    """Return what the loss means, in a sentence."""
    found = what_is_left(wiring, lost, pattern)
    where = f"{wiring[:1].upper()}{wiring[1:]}, {pattern}"
    if lost == NOTHING:
        all_well = f"all {len(graph(wiring).gpus)} GPUs have their full rate"
        apart = f"yet {found.cut_off} of {len(found.rates)} flows have no way: nothing joins these rails"
        return f"{where}: nothing is lost, and {apart if found.cut_off else all_well}."
    what = f"{where}, lost: {lost}"
    if not gone(wiring, lost):
        return f"{what}. These rails have no spine, so nothing is missing."
    if found.cut_off:
        return f"{what}. {found.cut_off} of {len(found.rates)} flows have no way left: a job that needs them stops."
    whole, dealt = (f"{100 * share:.3g} %" for share in (found.slowest, found.dealt))
    if dealt == whole:  # all rings alike, or none: what all send to all is for whom it is for
        return f"{what}. Nothing is cut off; {whole} of the rate is left."
    return (f"{what}. Nothing is cut off; {whole} of the rate is left if all rings carry equal pieces, {dealt} if rings that are "
            "faster take more.")


def picture():
    """Return the chart of `drawn`."""
    import altair as alt

    def place(field):
        axis = charts.y(field, Y, title="place") if field.startswith("y") else charts.x(field, X, title="place")
        return axis.axis(None)

    here = {"x": place("x"), "y": place("y")}
    look = charts.series("state", _LOOK)
    width = alt.StrokeWidth("px:Q", scale=None, legend=None)
    edge = {"opacity": 1, "stroke": charts.BLACK, "strokeWidth": 1.2, "filled": True}

    thick = parts.of("cable").transform_filter("datum.lost != ''").mark_rule(strokeWidth=12, stroke="transparent").encode(
        **here, x2="x2:Q", y2="y2:Q")
    switch, gpu = ({"size": parts.scaled(wide, least)} | edge for wide, least in ((420, 130), (150, 45)))
    return charts.stack(
        parts.of("cable").mark_rule().encode(**here, x2="x2:Q", y2="y2:Q", strokeWidth=width, **look), thick,
        *(parts.of(sort).mark_point(shape=shape, color=colour, **size).encode(**here) for sort, shape, size, colour in (
            ("switch", "square", switch, charts.GREEN_TINT), ("switch lost", "square", switch, charts.LIMIT),
            ("gpu", "circle", gpu, charts.ORANGE_TINT), ("gpu cut off", "circle", gpu, charts.LIMIT))),
        *charts.legible(parts.of("text").encode(**here, text="label:N"), fontSize=parts.scaled(14, 11)),
        height=360, description=(
            "Four servers of eight GPUs as circles at the bottom, leaf switches above them, spines on top as squares, cables as "
            "lines. A line's colour and dash say whether it carries as much as before the loss, more, less, nothing, or is lost; "
            "its width how much. GPUs that are cut off, and lost switches, are red."))
