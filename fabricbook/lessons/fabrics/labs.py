"""A fabric drawn and counted, what growing costs, and rails beside a leaf a server."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import units
from fabriclib.links import link
from fabriclib.shown import counted
from fabriclib.topology import Design, Graph, fabric, fabric_counts
from fabriclib.topology.fabrics import estimate

from ...stage import Control, against, charts, lab, parts
from . import ring as ringed
from .stops import CABLINGS, DESIGN, GROWTH, RING
from .tables import (
    BELOW,
    BY_RAIL,
    BY_SERVER,
    CABLING,
    GPUS,
    ONE_LEAF,
    ONLY,
    PLANES,
    PLANS,
    RAILS,
    SIZE,
    SMALLEST,
    SPEED,
    seconds,
    sums_published,
)

WIRINGS = {RAILS: ("rail-optimised", {}), ONE_LEAF: ("rail-optimised", {"rails": 1}), ONLY: ("rail-only", {}),
           PLANES: ("dual-plane", {"speed": "eth200"})}
SIZES = [2**k for k in range(4, 15)]
RADIX = [16, 32, 64, 128]
MOST = 12  # nodes of a tier that are drawn
HEIGHT = {"switch": 0.0, "leaf": 0.4, "spine": 0.72, "core": 1.04}
WORDS = {"switch": ("server", "servers"), "leaf": ("leaf", "leaves"), "spine": ("spine", "spines"), "core": ("core", "cores")}
X, Y = (-0.27, 1.03), (-0.47, 1.15)


def asked(wiring: str, gpus: int, radix: int, oversubscription: float) -> tuple[str, dict]:
    """Return (kind, options) for what the learner chose: two planes split each port, so the same boxes have twice as many."""
    kind, options = WIRINGS[wiring]
    ports = 2 * radix if wiring == PLANES else radix
    return kind, {"gpus": gpus, "radix": ports, "oversubscription": oversubscription, "speed": SPEED} | options


@functools.cache
def _built(wiring: str, gpus: int, radix: int, oversubscription: float) -> tuple[Design, list[dict]]:
    """Return the counts of the fabric and the rows of its picture; the graph itself is large and not kept."""
    kind, options = asked(wiring, gpus, radix, oversubscription)
    return fabric_counts(kind, **options), drawn(fabric(kind, **options))


def _shown(graph: Graph, kind: str) -> np.ndarray:
    """Return the nodes of a tier that are drawn: all, or the first ones and the last."""
    nodes = graph.of_kind(kind)
    return nodes if len(nodes) <= MOST else np.append(nodes[: MOST - 1], nodes[-1])


def drawn(graph: Graph) -> list[dict]:
    """Return the rows of the picture: servers below, tiers of switches above, and the cables between those that are drawn."""
    at, rows = {}, []
    for kind, height in HEIGHT.items():
        shown, there = _shown(graph, kind), len(graph.of_kind(kind))
        wide = np.linspace(0, 1, len(shown)) if len(shown) != 1 else np.array([0.5])
        if there > MOST:  # room for the dots before the last
            wide[:-1] *= 0.955
        at |= dict(zip(shown.tolist(), wide, strict=True))
        rows += [{"part": "server" if kind == "switch" else "switch", "from": graph.nodes[node], "x": x, "y": height}
                 for node, x in zip(shown.tolist(), wide, strict=True)]
        if there:
            rows.append({"part": "tier", "label": counted(there, *WORDS[kind]), "x": X[0] + 0.01, "y": height})
        if there > MOST:
            rows.append({"part": "more", "label": "...", "x": float(wide[-2] + wide[-1]) / 2, "y": height})
    return rows + _cables(graph, at)


def _cables(graph: Graph, at: dict[int, float]) -> list[dict]:
    """Return a row a cable that is drawn; those of the first GPU of every server stand out."""
    server, place = graph.of_kind("switch"), np.full(len(graph.nodes), -1)
    size = len(graph.gpus) // len(server)
    home = np.arange(len(graph.nodes))
    home[graph.gpus], place[graph.gpus] = np.repeat(server, size), np.tile(np.arange(size), len(server))
    found = {}
    up = np.flatnonzero(graph.beyond & (graph.src < graph.dst))
    known = np.isin(home[graph.src[up]], list(at)) & np.isin(graph.dst[up], list(at))
    for edge in up[known].tolist():
        a, b = int(home[graph.src[edge]]), int(graph.dst[edge])
        found[a, b] = found.get((a, b), False) or place[graph.src[edge]] == 0
    height = {node: HEIGHT[str(graph.kinds[node])] for node in at}
    return [{"part": "cable", "from": graph.nodes[a], "to": graph.nodes[b], "state": FIRST if first else CABLE,
             "px": 3.0 if first else 0.9, "x": at[a], "y": height[a], "x2": at[b], "y2": height[b]}
            for (a, b), first in sorted(found.items(), key=lambda item: item[1])]


FIRST, CABLE = "GPU 0 of every server", "all other cables"
_COLUMNS = {"part": "", "from": "", "to": "", "state": "", "label": "", "px": None, "x": None, "y": None, "x2": None, "y2": None}


def _captions(lines, top: float = -0.19) -> list[dict]:
    return [{"part": "caption", "label": text, "x": X[0] + 0.01, "y": top - 0.11 * i} for i, text in enumerate(lines)]


def _picture():
    import altair as alt

    def place(field):
        axis = charts.y(field, Y, title="place") if field.startswith("y") else charts.x(field, X, title="place")
        return axis.axis(None)

    here = {"x": place("x"), "y": place("y")}
    look = charts.series("state", {FIRST: (charts.SERVER, charts.SOLID), CABLE: (charts.FAINT, charts.SOLID)})
    look["strokeWidth"] = alt.StrokeWidth("px:Q", scale=None, legend=None)
    edge = {"size": parts.scaled(700, 260), "opacity": 1, "stroke": charts.BLACK, "strokeWidth": 1.5, "filled": True}
    text = {"baseline": "middle", "color": charts.INK}
    return charts.stack(
        parts.of("cable").mark_rule().encode(**here, x2="x2:Q", y2="y2:Q", **look),
        parts.of("switch").mark_point(shape="square", **edge).encode(**here, fill=alt.value(charts.GREEN_TINT)),
        parts.of("server").mark_point(shape="circle", **edge).encode(**here, fill=alt.value(charts.ORANGE_TINT)),
        parts.of("lost").mark_point(shape="circle", **edge | {"stroke": charts.LIMIT}).encode(
            **here, fill=alt.value(charts.LIMIT)),
        parts.of("too many").mark_text(fontSize=parts.scaled(15, 11), align="left", fontWeight="bold", **text | {
            "color": charts.LIMIT}).encode(**here, text="label:N"),
        parts.of("more").mark_text(fontSize=22, fontWeight="bold", **text).encode(**here, text="label:N"),
        parts.of("tier").mark_text(fontSize=parts.scaled(15, 11), align="left", fontWeight="bold", **text).encode(
            **here, text="label:N"),
        parts.of("caption").mark_text(fontSize=charts.fitting("width", 17), align="left", **text).encode(**here, text="label:N"),
        height=470, description=(
            "A fabric as a drawing: servers of eight GPUs as circles at the bottom, leaf switches above them, then spine and "
            "core switches as squares; of a long row the first ones and the last. Lines are cables; those of GPU 0 of every "
            "server are thick. Below it the counts: switches, cables, watts, money. One that cannot be made is drawn as large as "
            "it can be, with the servers that find no port in red."))


@lab("design-a-fabric", title="Design a fabric", tier="cluster",
     controls=[Control("gpus", SIZES, default=64, label="GPUs"),
               Control("radix", RADIX, default=16, label="switch ports (400G)"),
               Control("oversubscription", [1, 2, 3, 7], default=1, label="ports down for each port up"),
               Control("wiring", list(WIRINGS), default=RAILS, as_="menu")],
     chart=_picture,
     leaves_out="Storage and management networks, spare ports, racks and lengths of cable. Watts: one maker's box without "
                "modules, scaled by the rate of its ports, modules, and NICs; optics everywhere but where a server has one leaf: "
                "that may stand in its rack, in reach of copper. Money: two prices of one spreadsheet of 2024, taken for any "
                "maker's parts, copper or optics, without NICs.",
     hides=("label",),
     sources=["al-fares", "nvidia-superpod-b200", "cheah-h100", "ipinfusion-th5", "nvidia-linkx-100g", "nvidia-mms4x00",
              "rail-only"], stops=DESIGN)
def design_a_fabric(gpus, radix, oversubscription, wiring):
    """Radix, tiers, oversubscription and rails: what they cost, and what they carry from half to half."""
    try:
        design, picture = _built(wiring, gpus, radix, oversubscription)
    except ValueError as error:
        drawn_so_far = _too_many(wiring, gpus, radix, oversubscription)
        return parts.columns(drawn_so_far, _COLUMNS), f"This does not fit: {error}"
    power, dollars = estimate(design, below=BELOW[wiring == ONE_LEAF])
    nic = link(SPEED).bandwidth()
    full = units.portion(design.assured / nic)
    tiers = 1 + (design.spines > 0) + (design.cores > 0)
    boxes = counted(design.switches, "switch", "switches")
    lines = [f"{boxes}, {counted(tiers, 'tier')}, {counted(design.cable_count, 'cable')}, ways of at most {design.hops} links",
             f"about {units.format(power, 'W')} with NICs, {_millions(dollars)} US$ without (estimates)"]
    sentence = (f"{gpus:,} GPUs, {wiring}, switches of {radix} ports: {design.leaves:,} leaf, {design.spines:,} spine and "
                f"{design.cores:,} core switches. In the worst half each GPU still sends {units.format(design.assured, 'B/s')}, "
                f"{full} of its NIC's rate.")
    return parts.columns(picture + _captions(lines), _COLUMNS), sentence


def _too_many(wiring: str, gpus: int, radix: int, oversubscription: float) -> list[dict]:
    """Return the rows of the largest fabric that can be made of these switches, and in red the servers that find no port."""
    fits = max(size for size in SIZES if size < gpus and ports_per_gpu(wiring, size, radix, oversubscription) is not None)
    without = (gpus - fits) // SIZE
    lost = [{"part": "lost", "x": x, "y": -0.2} for x in np.linspace(0, 1, min(without, MOST))]
    said = {"part": "too many", "label": f"{without:,} too many", "x": X[0] + 0.01, "y": -0.2}
    return _built(wiring, fits, radix, oversubscription)[1] + lost + [said] + _captions(
        [f"Drawn is a fabric of {fits:,} GPUs, which can be made.", "The servers in red find no port."], top=-0.31)


def _millions(dollars: float) -> str:
    return f"{dollars / 1e6:,.{0 if dollars > 1e7 else 2}f} million"


# ---- lab 2: what a fabric costs each GPU as it grows ----

_GROWN = [2**k for k in range(4, 17)]
_POINTS = {"superpod-b200-4su": "SuperPOD B200", "superpod-b200-64su": "SuperPOD B200", "alibaba-hpn": "Alibaba HPN"}
_LINES = {RAILS: (charts.CLUSTER, charts.SOLID), PLANES: (charts.OTHER, charts.DASHED)}


@functools.cache
def ports_per_gpu(wiring: str, gpus: int, radix: int, oversubscription: float) -> float | None:
    """Return how many 400G switch ports the fabric has in use for each GPU; None where these switches cannot make it."""
    kind, options = asked(wiring, gpus, radix, oversubscription)
    try:
        design = fabric_counts(kind, **options)
    except ValueError:
        return None
    return design.ports / gpus / (2 if wiring == PLANES else 1)


_PORTS = "ports for each GPU"


def published_points() -> list[dict]:
    """Return the named designs of 400G switch ports: GPUs, and the 400G switch ports in use for each."""
    rows = []
    unit = link(SPEED).line
    for name, label in _POINTS.items():
        design = fabric_counts(name)
        ends = sum(run.count * run.link.line * (1 if i == 0 else 2) for i, run in enumerate(design.cables))
        rows.append({"GPUs": design.gpus, _PORTS: round(ends / unit / design.gpus, 3), "label": label})
    return rows


def _growth_chart():
    import altair as alt

    x = charts.x("GPUs", (14, 80_000), title="GPUs", log=2, ticks=_GROWN[::2])
    y = charts.y(_PORTS, (0, 6), title="400G switch ports in use for each GPU", ticks=range(0, 7)).axis(
        format="d", values=list(range(7)))
    lines = charts.live().mark_line(strokeWidth=3.5, interpolate="step-before").encode(
        x=x, y=y, **charts.series("wiring", _LINES))
    points = charts.fixed(published_points())
    beside = charts.beside(x, 10, "label") | {"dy": alt.ExprRef(f"datum['{_PORTS}'] % 1 ? 15 : -13")}  # clear of the lines
    names = charts.legible(points.encode(x=x, y=y, text="label:N"), **beside, color=charts.MEASURED)
    return charts.stack(lines, charts.diamonds(points, x, y), *names, height=340, description=(
        "Switch ports in use for each GPU against the number of GPUs, on a logarithmic axis: solid for rails, dashed for rails "
        "in two planes. The lines climb in steps where a tier is added, and end where three tiers are full, or "
        "with the picture. Diamonds: published designs."))


@lab("fabric-growth", title="What a fabric costs each GPU as it grows", tier="cluster",
     controls=[Control("radix", RADIX, default=64, label="switch ports (400G)"),
               Control("oversubscription", [1, 2, 3, 7], default=1, label="ports down for each port up")],
     chart=_growth_chart,
     leaves_out="Sizes between the powers of two, where the last leaves are not full. The published designs stay where they are, "
                "whatever the switches.",
     sources=["al-fares", "nvidia-superpod-b200", "simai-topo"], stops=GROWTH)
def fabric_growth(radix, oversubscription):
    """A fabric grows in steps: each tier more costs every GPU two switch ports more."""
    found = [(wiring, gpus, ports_per_gpu(wiring, gpus, radix, oversubscription)) for wiring in _LINES for gpus in _GROWN]
    table = {"wiring": [w for w, _, _ in found], "GPUs": [g for _, g, _ in found],
             _PORTS: [None if p is None else round(p, 3) for _, _, p in found]}
    last = {wiring: max((g for w, g, p in found if w == wiring and p is not None), default=0) for wiring in _LINES}
    small, large = (ports_per_gpu(RAILS, size, radix, oversubscription) for size in (_GROWN[2], last[RAILS]))
    rails, planes = (_end(wiring, last[wiring], radix, oversubscription) for wiring in _LINES)
    return table, (f"Switches of {radix} ports: {_GROWN[2]} GPUs on rails take {small:.2g} switch ports each, {last[RAILS]:,} "
                   f"take {large:.2g}. The line of rails {rails}, that of two planes {planes}.")


def _end(wiring: str, last: int, radix: int, oversubscription: float) -> str:
    """Say whether a line ends where three tiers are full, or only because the picture does."""
    more = last == _GROWN[-1] and ports_per_gpu(wiring, 2 * last, radix, oversubscription) is not None
    return "goes on beyond the picture" if more else f"ends at {last:,} GPUs"


# ---- lab 3: the same eight servers and eight leaves, cabled by rail or by server ----

THIN = [1, 2, 4, 8]  # a leaf's ports down for each one up
_NBYTES = [SMALLEST * 2.0**k for k in range(19)]


def _cabling_chart():
    import altair as alt

    def x(field):
        return charts.x(field, (1e-5, 10), title="time, on the fabric as cabled", unit="s", log=10)

    y = charts.names("what", list(PLANS), title=" ")
    styles = {BY_RAIL: ("circle", charts.CLUSTER), BY_SERVER: ("square", charts.OTHER)}
    shapes, colours = zip(*styles.values(), strict=True)
    legend = charts.legend(list(styles), symbolSize=260)
    shape = alt.Shape("cabling:N", scale=alt.Scale(domain=list(styles), range=list(shapes)), legend=legend)
    colour = alt.Color("cabling:N", scale=alt.Scale(domain=list(styles), range=list(colours)), legend=legend)
    between = charts.live().mark_rule(strokeWidth=3, color=charts.FAINT).encode(y=y, x=x("low"), x2="high:Q")
    marks = charts.live().mark_point(size=260, filled=True, opacity=1, stroke=charts.BLACK, strokeWidth=1.5).encode(
        x=x("seconds"), y=y, shape=shape, color=colour)
    once = charts.live().transform_filter(f"datum.cabling == '{BY_SERVER}'")
    ratio = once.mark_text(align="left", dx=16, fontSize=15, baseline="middle").encode(x=x("high"), y=y, text="ratio:N")
    return charts.stack(between, marks, ratio, height=330, description=(
        "Four ways to move data between 64 GPUs, one below the other, and the time each takes, on a logarithmic axis: a circle "
        "where each leaf takes the same GPU of every server, a square where it takes all GPUs of one server. Beside each pair: "
        "how many times as long the second takes."))


@lab("rails-or-servers", title="A leaf a rail, or a leaf a server", tier="cluster",
     controls=[Control("thin", THIN, default=4, label="a leaf's ports down for each port up"),
               Control("rings", range(1, SIZE + 1), default=8, label="rings at once (flat ring)"),
               Control("nbytes", _NBYTES, default=2.0**30, label="buffer", unit="B")],
     chart=_cabling_chart,
     leaves_out="Congestion: flows spread evenly over all shortest paths, so no two collide. Switches that reduce. What passing "
                "a switch costs in time: every way over the network takes the same. Steps of a plan do not overlap.",
     hides=("low", "high"),
     sources=["nvidia-pxn", "nccl-tuning", "patarasuk-yuan"], stops=CABLINGS)
def rails_or_servers(thin, rings, nbytes):
    """The same switches and cables; only which NIC goes to which leaf differs."""
    up = SIZE // thin
    rows = {column: [] for column in ("what", "cabling", "seconds", "low", "high", "ratio")}
    ratios = {}
    for plan in PLANS:
        times = {cabling: seconds(plan, cabling, up, rings, nbytes) for cabling in CABLING}
        ratios[plan] = times[BY_SERVER] / times[BY_RAIL]
        for cabling, time in times.items():
            for column, value in (("what", plan), ("cabling", cabling), ("seconds", time), ("low", min(times.values())),
                                  ("high", max(times.values())), ("ratio", f"× {ratios[plan]:.2g}")):
                rows[column].append(value)
    ring, _, flat, pxn = (units.format(seconds(plan, BY_RAIL, up, rings, nbytes), "s") for plan in PLANS)
    slower = ratios[next(iter(PLANS))]
    other = f"{slower:.2g} times as long" if slower >= 1.05 else "as long"
    takes = f"{counted(rings, 'ring')} take{'s' * (rings == 1)}"
    return rows, (f"{units.format(nbytes)} over {GPUS} GPUs, {counted(up, 'port')} up for {SIZE} down: {takes} {ring} with a "
                  f"leaf a rail and {other} with a leaf a server. With a leaf a rail an all-to-all takes {flat} pair by pair and "
                  f"{pxn} by rail.")


# ---- lab 4: one ring, from server to server ----

@lab("ring-over-rails", title="One ring over the fabric", tier="cluster",
     controls=[Control("step", range(ringed.LAST + 1), default=0, as_="steps"),
               Control("cabling", list(CABLING), default=BY_RAIL, as_="menu"),
               Control("ring", range(SIZE), default=0, label="ring number", picks="ring")],
     chart=ringed.picture,
     leaves_out="The way inside a server, over NVLink, and all other rings. The spines are drawn as one, and one link of "
                "each leaf to them.",
     hides=("label",),
     sources=["patarasuk-yuan", "nccl-tuning"], glides=ringed.GLIDES, stops=RING)
def ring_over_rails(step, cabling, ring):
    """On rails a ring goes from server to server under one leaf; with a leaf a server it climbs to a spine each time."""
    leaves, spines = ringed.used(cabling, ring, step)
    done = f"{step // 2} of {ringed.LAST // 2} passes"
    over = {0: "never", 1: "once"}.get(spines, f"{spines} times")
    so_far = f"{counted(leaves, 'leaf', 'leaves')} used, {over} over a spine"
    return (parts.columns(ringed.drawn(cabling, ring, step), ringed.COLUMNS),
            f"Ring {ring}, {cabling}: {done} from server to server, {so_far}.")


# ---- the model against what was measured ----

_LIMITS = {"rings": (charts.CLUSTER, charts.SOLID), "two levels": (charts.OTHER, charts.DASHED)}


def _sums_chart():
    return against.chart(
        charts.names("what", list(sums_published()), channel="X", title=" "),
        lambda field: charts.y(field, (0, 550e9), title="bus rate", unit="B/s"), _LIMITS, errors=(-50, 50), description=(
            "For four published all-reduces two limits of the fabric as short bars, of rings over all NICs and of two levels, "
            "and what was reached as diamonds; below, by how much either limit is more."))


@lab("sums-against-fabric", title="Sums over servers against the fabric's limits", tier="cluster", controls=(), chart=_sums_chart,
     leaves_out="Adapters and software. That the MI325X's adapters run at {{ si(8 * port, 'b/s') }} is not stated. Switches that "
                "add (SHARP): neither limit covers them.",
     sources=["hisohara-rccl", "dstack-nebius", "coreweave-nccl"])
def sums_against_fabric():
    """A limit is a limit of the algorithm it was computed for."""
    found = sums_published()
    measured = [got for _, got in found.values()]
    table = against.table("what", {plan: (list(found), [limits[plan] for limits, _ in found.values()], measured)
                                   for plan in _LIMITS})
    rings = table[against.ERROR][:len(found)]
    above = " and ".join(dict.fromkeys(f"{error:.0f}" for error in rings[:2]))
    return table, (f"The limit of rings lies {above} % above what rings reached, and "
                   f"{-rings[2]:.0f} % below a sum that cannot have run them.")
