"""One ring through eight servers as a picture: which leaf, and which spine, it passes from server to server."""

from __future__ import annotations

import functools

from fabriclib.topology import rail_rings

from ...stage import charts, parts
from .tables import SERVERS, SIZE, eight_leaves

X, Y = (-0.02, 1.02), (-0.16, 1.12)
COLUMNS = {"part": "", "label": "", "ring": None, "state": "", "x": None, "y": None, "x2": None, "y2": None, "opacity": 1.0}
GLIDES = ("x", "y", "x2", "y2", "opacity")
LAST = 2 * SERVERS  # steps
_LEAF, _SPINE, _BOX = 0.5, 1.0, (-0.07, 0.07)  # how high they stand; a server's lower and upper edge


@functools.cache
def passes(cabling: str, ring: int) -> list[tuple[str, ...]]:
    """Return the way of each pass of ring number *ring* from a server to the next, by the names of its nodes."""
    graph = eight_leaves(cabling, SIZE)
    order = rail_rings(graph)[ring]
    pairs = [(a, b) for a, b in zip(order, [*order[1:], order[0]], strict=True) if a // SIZE != b // SIZE]
    return [graph.tree.paths(graph.nodes[a], graph.nodes[b])[0] for a, b in pairs]


def _place(node: str) -> tuple[float, float]:
    """Where a node stands: GPUs below in their servers, leaves above, and the spines, drawn as one, on top."""
    kind, number = node.rstrip("0123456789"), int(node[len(node.rstrip("0123456789")):])
    if kind == "gpu":
        server, at = divmod(number, SIZE)
        return (server + 0.5 + 0.1 * (at - (SIZE - 1) / 2)) / SERVERS, 0.0
    return ((number + 0.5) / SERVERS, _LEAF) if kind == "leaf" else (0.5, _SPINE)


def _line(part: str, a: str, b: str, **more) -> dict:
    (x, y), (x2, y2) = _place(a), _place(b)
    return {"part": part, "x": x, "y": y, "x2": x2, "y2": y2, **more}


def _halves(way: tuple[str, ...]) -> list[tuple[str, str, str]]:
    """Return a way's two halves, up and down, each by three nodes: a leaf stands twice where no spine is passed."""
    up = (*way[:2], way[len(way) // 2])
    down = (way[len(way) // 2], *way[-2:])
    return [up, down]


def drawn(cabling: str, ring: int, step: int) -> list[dict]:
    """Return the rows of the picture: as many in every step, in the same order. Two steps are a pass: up, and down."""
    graph, ways = eight_leaves(cabling, SIZE), passes(cabling, ring)
    halves = [half for way in ways for half in _halves(way)]
    leaves = [graph.nodes[at] for at in graph.of_kind("leaf")]
    home = {int(a): int(b) for a, b in zip(graph.src, graph.dst, strict=True) if graph.kinds[b] == "leaf" and a in graph.gpus}
    rows = [_line("cable", graph.nodes[gpu], graph.nodes[leaf]) for gpu, leaf in home.items()]
    rows += [_line("cable", leaf, "spine0") for leaf in leaves]
    for at, (a, b, c) in enumerate(halves):
        rows += [_line("way", *ends, opacity=float(at < step)) for ends in ((a, b), (b, c))]
    for server in range(SERVERS):
        left, right = ((server + side) / SERVERS for side in (0.06, 0.94))
        rows.append({"part": "server", "x": left, "x2": right, "y": _BOX[0], "y2": _BOX[1]})
        rows.append({"part": "name", "label": f"server {server}", "x": (left + right) / 2, "y": -0.115})
    for gpu in graph.gpus.tolist():
        x, y = _place(graph.nodes[gpu])
        rows.append({"part": "gpu", "x": x, "y": y, "ring": gpu % SIZE, "state": "passed" if gpu // SIZE <= step // 2 else ""})
    rows += [{"part": "switch", "x": x, "y": y} for x, y in map(_place, [*leaves, "spine0"])]
    rows.append({"part": "name", "label": "spines", "x": 0.5, "y": 1.085})
    x, y = _place(halves[step - 1][2] if step else halves[0][0])
    return [*rows, {"part": "ball", "x": x, "y": y}]


def picture():
    """Return the picture of `drawn`: servers, leaves and the spines, and the ring's ball on its way."""
    import altair as alt

    def place(field):
        return (charts.y(field, Y, title="place") if field.startswith("y") else charts.x(field, X, title="place")).axis(None)

    here, ends = {"x": place("x"), "y": place("y")}, {"x2": "x2:Q", "y2": "y2:Q"}
    edge = {"opacity": 1, "stroke": charts.EDGE, "strokeWidth": 1, "filled": True}
    # On a narrow page the first server says what all the numbers are of.
    short = f"{charts.NARROW} && datum.label != 'server 0' ? replace(datum.label, 'server ', '') : datum.label"
    return charts.stack(
        parts.of("server").mark_rect(fill=charts.ORANGE_TINT, stroke=charts.EDGE, opacity=1).encode(**here, **ends),
        parts.of("cable").mark_rule(color=charts.FAINT, strokeWidth=1).encode(**here, **ends),
        parts.of("way").mark_rule(color=charts.CLUSTER, strokeWidth=4).encode(
            **here, **ends, opacity=alt.Opacity("opacity:Q", scale=None, legend=None)),
        parts.of("gpu").mark_point(shape="circle", size=parts.scaled(70, 25), **edge).encode(**here, fill=alt.condition(
            "datum.state == 'passed'", alt.value(charts.CHIP), alt.value(charts.PAPER))),
        parts.of("switch").mark_point(shape="square", size=parts.scaled(600, 260), **edge).encode(
            **here, fill=alt.value(charts.GREEN_TINT)),
        parts.of("ball").mark_point(shape="circle", size=parts.scaled(260, 120), **edge).encode(
            **here, fill=alt.value(charts.YELLOW)),
        parts.of("name").mark_text(fontSize=parts.scaled(14, 11, 600), color=charts.INK).encode(
            **here, text=alt.value(alt.ExprRef(short))),
        height=380, description=(
            "Eight servers of eight GPUs below, eight leaves above them, and the spines, drawn as one, on top; thin lines are "
            "cables. A yellow ball is where the ring is; thick lines are cables that it has passed, filled dots the GPUs."))


def used(cabling: str, ring: int, step: int) -> tuple[int, int]:
    """Return (leaves, passes over a spine) of a ring so far, a pass counting when it is over."""
    over = passes(cabling, ring)[:step // 2]
    nodes = {node for way in over for node in way}
    return sum(node.startswith("leaf") for node in nodes), sum(any(n.startswith("spine") for n in way) for way in over)
