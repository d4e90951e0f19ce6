"""A server as a picture: devices by tier, cables with their GB/s, what is in use and where it is tight.

CPUs stand at the top, PCIe switches below them, then NICs and SSDs, then GPUs, and at the bottom the NVSwitches as one bar.
`drawn` gives the rows, `columns` the live table, `chart` the picture.
"""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import units
from fabriclib.checks import known
from fabriclib.flows import Share
from fabriclib.topology import Graph
from fabriclib.topology.trees import DEVICES

from . import charts, parts
from .parts import of, scaled

IDLE, IN_USE, TIGHT = "idle", "in use", "▲ bottleneck"
X, Y = (-0.03, 1.03), (-0.28, 1.2)  # what is seen of the plane
HEIGHTS = {"cpu": 1.0, "root": 0.89, "pcie-switch": 0.66, "nic": 0.36, "ssd": 0.36, "gpu": 0.12}
LOWEST_SWITCH = 0.55  # below it cables end at devices
LEVEL = 0.14  # from one PCIe switch to the next below it
BARE_GPUS, BAR_BELOW = 0.8, 0.3  # the height of GPUs in a server without CPUs, and of switches below GPUs
NAMES = {"cpu": "CPU", "root": "root", "pcie-switch": "switch", "nic": "NIC", "ssd": "SSD", "gpu": "GPU", "retimer": "retimer"}
WRITTEN = {"gpu": 0.22, "nic": 0.4, "ssd": 0.4}  # how far up a device's cable its figure stands: a GPU's below the row of NICs
MOST_IN_A_ROW = 16  # devices that have a column each; of more, GPUs stand below the other devices
MOST_ARCS = 12  # that are labelled one by one; of more, the outermost stands for all
ALONG = np.linspace(0, 1, 13)
_COLUMNS = {"part": "", "from": "", "to": "", "link": "", "GB/s one way": None, "GB/s used": None, "state": "", "label": "",
            "edge": None, "order": None, "room": None, "x": None, "y": None, "x2": None, "y2": None, "px": None}


def places(graph: Graph) -> np.ndarray:
    """Return (x, y) of the nodes, x from 0 to 1: devices side by side, whatever is above them over their middle."""
    below = _below(graph)
    x, slot = np.full(len(graph.nodes), np.nan), 0.0
    two = np.isin(graph.kinds, DEVICES).sum() > MOST_IN_A_ROW  # rows of devices, each with columns of its own
    ends = {node: ([node] + below[node])[-1] for node, kind in enumerate(graph.kinds) if kind in (*DEVICES, "retimer")}
    ends = {node: device for node, device in ends.items() if graph.kinds[device] in DEVICES}

    def place(node: int) -> float:
        nonlocal slot
        inner = [place(child) for child in below[node] if child not in ends]
        own = [child for child in below[node] if child in ends]
        low = [child for child in own if two and graph.kinds[ends[child]] == "gpu"]
        wide = max(len(low), len(own) - len(low), not below[node])
        for row in (low, [child for child in own if child not in low]):
            for i, child in enumerate(row):
                x[[child, ends[child]]] = slot + (i + 0.5) * wide / len(row)
        x[node] = np.mean([*inner, *x[own]] if below[node] else slot + 0.5)
        slot += wide
        return x[node]

    cpus = graph.of_kind("cpu").tolist()
    for top in cpus:
        place(top)
        slot += 0.6
    if cpus:
        slot -= 0.6
    else:
        x[graph.gpus], slot = np.arange(len(graph.gpus)) + 0.5, len(graph.gpus)
    x[graph.of_kind("switch")] = slot / 2
    return np.stack([x / slot, _heights(graph, below)], axis=1)


def drawn(graph: Graph, shared: Share | None = None, captions: tuple[str, ...] = (), lowest: float = Y[0]) -> list[dict]:
    """Return the rows of a server, of what flows over it, and of lines of text below it.

    Args:
        graph: a server; more than 24 devices are too many to read.
        shared: what flows over it; every edge that limits a flow is marked as the bottleneck.
        captions: lines of text.
        lowest: as in `chart`: the lines stand there.
    """
    at, cables = places(graph), _cables(graph, shared)
    rows = [{"part": "caption", "label": text, "x": 0.0, "y": lowest + 0.05 + 0.08 * (len(captions) - 1 - i)}
            for i, text in enumerate(captions)]
    for number, (cable, written) in enumerate(zip(cables, _written(graph, at, cables), strict=True)):
        rows += _drawn_cable(graph, at, cable, number, written)
    return rows + _devices(graph, at)


def said(graph: Graph, node: int) -> str:
    """Return a node's name as a reader says it: "GPU 0", "PCIe switch 2", "the NVSwitches"."""
    kind = str(graph.kinds[node])
    if kind == "switch":
        return "the NVSwitches"
    what = {"pcie-switch": "PCIe switch", "root": "root complex"}.get(kind, NAMES[kind])
    return f"{what} {''.join(filter(str.isdigit, graph.nodes[node]))}"


def columns(rows: list[dict]) -> dict[str, list]:
    """Return the live table of all *rows*: cables first, idle ones before, so under, those in use."""
    rank = {IDLE: 0, IN_USE: 1, TIGHT: 2}
    ordered = sorted(rows, key=lambda row: (row["part"] == "arc", row["part"] != "cable", rank.get(row.get("state"), 3)))
    return parts.columns(ordered, _COLUMNS)


def _below(graph: Graph) -> list[list[int]]:
    """Return for each node the nodes below it in the PCIe tree: switches first, then devices, in the order of their numbers."""
    tier = [["cpu", "root", "pcie-switch", "retimer", "gpu", "nic", "ssd", "switch"].index(
        known("kind of node", str(kind), [*NAMES, "switch"])) for kind in graph.kinds]
    above = np.full(len(graph.nodes), -1)
    order = graph.of_kind("cpu").tolist()
    seen = set(order)
    for node in order:
        for onward in np.unique(graph.tree.dst[graph.tree.leaving.of(np.array([node]))[1]]).tolist():
            if onward not in seen and graph.kinds[onward] != "switch":
                above[onward] = node
                seen.add(onward)
                order.append(onward)
    found = [[] for _ in graph.nodes]
    for node in sorted(seen, key=lambda n: (tier[n], n)):
        if above[node] >= 0:
            found[above[node]].append(node)
    return found


def _bare(graph: Graph) -> bool:
    return not (graph.kinds == "cpu").any()


def _heights(graph: Graph, below: list[list[int]]) -> np.ndarray:
    bare = _bare(graph)
    y = np.array([BARE_GPUS if bare and kind == "gpu" else HEIGHTS.get(kind, 0.0) for kind in graph.kinds.tolist()])
    y[graph.kinds == "switch"] = (BARE_GPUS if bare else HEIGHTS["gpu"]) - BAR_BELOW
    for node, children in enumerate(below):
        for child in children:
            if graph.kinds[node] == graph.kinds[child] == "pcie-switch":
                y[child] = y[node] - LEVEL
    for node, children in enumerate(below):
        for child in children:
            if graph.kinds[child] == "retimer":
                y[child] = (y[node] + y[below[child][0]]) / 2
    return y


def _cables(graph: Graph, shared: Share | None) -> list[dict]:
    """Return one dict a cable: its ends (the switches of the GPUs' own links count as one), rates and state."""
    load = np.zeros(len(graph.src)) if shared is None else shared.load
    tight = np.zeros(len(graph.src), dtype=bool) if shared is None else _tight(shared)
    bar, found = graph.of_kind("switch")[:1], {}
    first = np.where(graph.kinds == "switch", bar[0] if len(bar) else 0, np.arange(len(graph.nodes)))
    for edge, (a, b) in enumerate(zip(first[graph.src].tolist(), first[graph.dst].tolist(), strict=True)):
        if a == b:
            continue
        one = found.setdefault((min(a, b), max(a, b)), {"ends": (min(a, b), max(a, b)), "link": str(graph.link[edge]),
                                                        "rate": 0.0, "loads": {True: 0.0, False: 0.0}, "tight": False})
        one["rate"] += graph.capacity[edge] / 2  # each direction is an edge
        one["loads"][a < b] += load[edge]
        one["tight"] |= bool(tight[edge])
    for one in found.values():
        one["state"] = TIGHT if one["tight"] else IN_USE if max(one["loads"].values()) > 1e-9 else IDLE
    return list(found.values())


def _tight(shared: Share) -> np.ndarray:
    """Which edges are the bottleneck: every full one, since in a fair share some flow gets no more because of it."""
    return (shared.load > 0) & (shared.load >= shared.graph.capacity * (1 - 1e-6))


def _written(graph: Graph, at: np.ndarray, cables: list[dict]) -> list[bool]:
    """Return which cables have their rate beside them: of devices alike below one part only one's, of many idle arcs one."""
    arcs, found, seen = [_is_arc(graph, at, cable) for cable in cables], [], set()
    few, ends = sum(arcs) <= MOST_ARCS, (graph.gpus[0], graph.gpus[-1])
    for cable, arc in zip(cables, arcs, strict=True):
        low, high = sorted(cable["ends"], key=lambda node: at[node][1])
        alike = graph.kinds[low] in DEVICES and not arc
        key = (high, graph.kinds[low], round(cable["rate"]), cable["state"]) if alike else cable["ends"]
        found.append(key not in seen and (not arc or few or cable["state"] != IDLE or cable["ends"] == ends))
        seen.add(key)
    return found


def _is_arc(graph: Graph, at: np.ndarray, cable: dict) -> bool:
    """Whether both ends stand in one row with something between them, or are GPUs."""
    a, b = cable["ends"]
    level = at[a][1] == at[b][1]
    between = (at[:, 1] == at[a][1]) & (at[:, 0] > min(at[a][0], at[b][0])) & (at[:, 0] < max(at[a][0], at[b][0]))
    return bool(level and (graph.kinds[a] == "gpu" or between.any()))


def _drawn_cable(graph: Graph, at: np.ndarray, cable: dict, number: int, written: bool) -> list[dict]:
    (a, b), used, state = cable["ends"], max(cable["loads"].values()), cable["state"]
    name = {"from": graph.nodes[a], "to": "NVSwitches" if graph.kinds[b] == "switch" else graph.nodes[b]}
    row = {"part": "cable", **name, "link": cable["link"], "GB/s one way": round(cable["rate"] / units.GB, 1),
           "GB/s used": round(used / units.GB, 1), "state": state, "edge": number}
    px = {IDLE: 1.5, IN_USE: 5, TIGHT: 7}[state]
    low, high = sorted((at[a], at[b]), key=lambda end: end[1])
    label = ("▲ " if state == TIGHT else "") + f"{cable['rate'] / units.GB:.3g}"
    if not _is_arc(graph, at, cable):
        if graph.kinds[b] == "switch":  # straight down to the bar
            low = np.array([high[0], low[1]])
        level = low[1] == high[1] or graph.kinds[b] == "switch"
        lower = str(graph.kinds[a if at[a][1] < at[b][1] else b])
        spot = low + (high - low) * (0.5 if level else WRITTEN.get(lower, 0.5))
        mark = [{"part": "rate", "label": label, "state": state, "x": spot[0], "y": spot[1]}]
        mark = mark if written and cable["link"] != "inside" else []
        return [row | {"x": low[0], "y": low[1], "x2": high[0], "y2": high[1], "px": px}, *mark]
    base, more = (0.05, 0.1) if graph.kinds[a] == "cpu" else (-0.06, -0.9 if _bare(graph) else -0.34)
    depth = base + more * abs(at[a][0] - at[b][0])
    arc = np.stack([at[a][0] + (at[b][0] - at[a][0]) * ALONG, at[a][1] + 4 * depth * ALONG * (1 - ALONG)], axis=1)
    spot = arc[len(arc) // 2]
    rows = [row, *({"part": "arc", "edge": number, "order": i, "state": state, "px": px, "x": x, "y": y}
                   for i, (x, y) in enumerate(arc.tolist()))]
    if written:
        rows.append({"part": "rate", "label": label, "state": state, "x": spot[0], "y": spot[1]})
    return rows


def _devices(graph: Graph, at: np.ndarray) -> list[dict]:
    rows, gaps = [], _gaps(at[np.isin(graph.kinds, DEVICES)])
    for node, kind in zip(graph.nodes, graph.kinds.tolist(), strict=True):
        if kind != "switch":
            x, y = at[graph.node(node)].tolist()
            number = "" if kind in ("root", "retimer") else "".join(filter(str.isdigit, node))
            label = f"{NAMES[kind][0]}{number}" if kind in DEVICES else f"{NAMES[kind]}\n{number}".strip()
            room = gaps.get(y) if kind in DEVICES else None
            rows.append({"part": kind, "from": node, "label": label, "x": x, "y": y, "room": room})
    if len(bar := graph.of_kind("switch")):
        x, y = at[bar[0]].tolist()
        rows.append({"part": "bar", "from": "NVSwitches", "label": f"{len(bar)} NVSwitch chips", "x": 0.02, "x2": 0.98, "y": y})
    return rows


def _gaps(at: np.ndarray) -> dict[float, float]:
    """Return by the height of a row how far its devices stand apart; 1 where there is one alone."""
    return {y: float(np.diff(np.sort(at[at[:, 1] == y, 0]), append=9.0).clip(max=1.0).min()) for y in set(at[:, 1].tolist())}


SHAPES = {  # of a device: its sign, its size on a wide page and on a narrow one, its filling
    "cpu": ("square", 2300, 1100, charts.PAPER), "pcie-switch": ("square", 1700, 1300, charts.FILL),
    "root": ("circle", 90, 60, charts.INK), "retimer": ("triangle-right", 500, 260, charts.PAPER),
    "nic": ("diamond", 1500, 700, charts.PAPER), "ssd": ("square", 1000, 480, charts.PAPER),
    "gpu": ("circle", 1300, 620, charts.BLUE_TINT),
}
_size = functools.partial(scaled, high=330)
PLAIN = {"baseline": "middle", "lineBreak": "\n", "color": charts.INK}


def chart(description: str, *, height: int = 470, lowest: float = Y[0]):
    """Return the picture of the server in the live table; *lowest* is what is seen of the plane where nothing is below."""
    here = {"x": charts.x("x", X, title="place").axis(None), "y": charts.y("y", (lowest, Y[1]), title="place").axis(None)}
    return charts.stack(*_cable_layers(here), *_device_layers(here), *_rate_layers(here), height=height, description=description)


def _cable_layers(here: dict) -> list:
    import altair as alt

    look = charts.series("state", {IDLE: (charts.FAINT, charts.SOLID), IN_USE: (charts.CHIP, charts.SOLID),
                                   TIGHT: (charts.LIMIT, charts.DASHED)})
    look["strokeWidth"] = alt.value(alt.ExprRef("datum.px * clamp(width / 600, 0.5, 1)"))
    return [of("cable").mark_rule().encode(**here, x2="x2:Q", y2="y2:Q", **look),
            of("arc").mark_line(interpolate="monotone").encode(**here, detail="edge:N", order="order:Q", **look),
            of("bar").mark_rule(strokeWidth=26, color=charts.FILL, strokeCap="round").encode(**here, x2="x2:Q")]


def _device_layers(here: dict) -> list:
    """Return the devices and their names; the lines under the drawing too."""
    import altair as alt

    device = {"opacity": 1, "stroke": charts.BLACK, "strokeWidth": 1.5, "filled": True}
    # As large as the next one in the row leaves it; the corners of neighbouring diamonds may meet, their names need it.
    free = f"pow(width * (datum.room || 1) / {X[1] - X[0]} + (datum.part == 'nic' ? 4 : -2), 2)"
    layers = [of(kind).mark_point(shape=shape, size=alt.ExprRef(f"min({_size(wide, narrow).expr}, {free})"), **device).encode(
        **here, fill=alt.value(fill)) for kind, (shape, wide, narrow, fill) in SHAPES.items()]
    up = alt.ExprRef(f"-{_size(13 / 2, 11 / 2).expr}")  # of two lines the middle is between them
    for kinds, size, mark in ((("cpu", "pcie-switch"), _size(13, 11), {"dy": up}), (DEVICES, _size(17, 10.5), {}),
                              (("root", "retimer"), _size(13, 11), {"align": "left", "dx": 8, "dy": 11}),
                              (("caption",), charts.fitting("width", 16), {"align": "left"})):
        layers.append(of(*kinds).mark_text(fontSize=size, **mark, **PLAIN).encode(**here, text="label:N"))
    middle = here | {"x": alt.value(alt.ExprRef("width / 2"))}
    return [*layers, of("bar").mark_text(fontSize=15, fontWeight="bold", **PLAIN).encode(**middle, text="label:N")]


def _rate_layers(here: dict) -> list:
    """Return the rates on the cables, on a white edge, so that they can be read over a line."""
    import altair as alt

    ink = alt.condition(f"datum.state == '{TIGHT}'", alt.value(charts.LIMIT), alt.value(charts.BLACK))
    text = of("rate").encode(**here, text="label:N", color=ink)
    # Those of idle devices stand close together, and only where the page is wide.
    fits = alt.ExprRef(f"{charts.PAGE} < 900 && datum.state == '{IDLE}' && datum.y < {LOWEST_SWITCH} ? 0 : 1")
    return list(charts.legible(text, fontSize=_size(14, 11), fontWeight="bold", opacity=fits))
