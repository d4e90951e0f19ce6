"""Eight GPUs in a full mesh and around a switch, and what one ring leaves idle."""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives import schedule
from fabriclib.flows import Share, all_to_all, one_pair, ring, share
from fabriclib.measurements import percent
from fabriclib.shown import counted
from fabriclib.topology import Graph, disjoint_rings, server

from ...stage import Control, against, charts, graphs, lab
from . import pictures, stops
from .tables import GPUS, GRADIENT, SERVERS, errors, line_against_measured, machine, rings_against_measured, summed

CHANNELS = range(1, GPUS)
_BOTH = "both, side by side"
RINGS = {"one ring": 1, "three rings": 3, "seven rings": 7}
PATTERNS = ["one pair", *RINGS, "all-to-all"]


def pairs(graph: Graph, pattern: str) -> np.ndarray:
    """Return the flows of *pattern*, as rows (from, to), all at once.

    Each of several rings goes its own way, sharing no link with the others, where the machine has such rings.
    """
    if pattern in RINGS:
        rings = disjoint_rings(graph, GPUS) or [list(range(GPUS))]
        return np.concatenate([ring(rings[i % len(rings)]) for i in range(RINGS[pattern])])
    return {"one pair": one_pair, "all-to-all": all_to_all}[pattern](GPUS)


class Got(NamedTuple):
    """What a pattern gets of a machine, bytes per second one way: a pair that talks, a GPU that sends, all together.

    `busy` is the share of all the machine's wires, both directions counted, that carries something.
    """

    pair: float
    gpu: float
    total: float
    busy: float
    shared: Share


@functools.cache
def got(name: str, pattern: str) -> Got:
    """Return what *pattern* gets of the machine *name*: every pair, and every GPU that sends, gets the same."""
    graph = machine(name)
    shared = share(graph, pairs(graph, pattern))
    nodes = len(graph.nodes)
    between = np.bincount(shared.src * nodes + shared.dst, shared.rates)
    leaving = np.bincount(shared.src, shared.rates)
    busy = shared.load.sum() / graph.capacity.sum()
    return Got(between[between > 0].min(), leaving[leaving > 0].min(), shared.total, float(busy), shared)


@lab("mesh-or-switch", title="Mesh or switch", tier="chip",
     controls=[Control("machines", [_BOTH, *SERVERS], default=_BOTH, as_="menu"),
               Control("pattern", PATTERNS, default="one pair", as_="menu")],
     chart=lambda: graphs.chart(
         "Eight GPUs on a circle and the cables between them, for one machine or for two side by side; in the switch box four "
         "switches stand in the middle. A cable in use is a thick solid line, the thicker the more it carries; an idle one is "
         "thin and dashed. Figures beside GPU 0 are the GB/s that leave it on each cable; all other GPUs in use are alike. Below "
         "each machine: the rate of a pair, of a GPU that sends, and of all together."),
     leaves_out="Packet headers, start-up times, and what the software reaches of the line rate: measured sums get {{ "
                "portion(reached('mi300x-eight-busbw')) }} of it on the mesh and {{ portion(reached('nvlink4-ring-busbw')) }} "
                "through the switches. Detours: a copy could send some of its bytes through a third GPU; here it takes the "
                "direct link only.",
     hides=("label", "state"),
     sources=["wheelers-2024-01", "stas-network", "lockwood-nvlink", "tillson"], stops=stops.MESH_OR_SWITCH)
def mesh_or_switch(machines, pattern):
    """Nearly equal sums, and for one pair of GPUs a factor of seven."""
    shown = list(SERVERS) if machines == _BOTH else [machines]
    places, wide = ((-1.3, 1.3), 1.0) if len(shown) > 1 else ((0.0,), 1.7)
    rows, told = [], []
    for name, centre in zip(shown, places, strict=True):
        found = got(name, pattern)
        rates = {"one pair": found.pair, "one GPU sends": found.gpu, "all together": found.total}
        captions = [(what, units.format(rate, "B/s")) for what, rate in rates.items()]
        rows += graphs.drawn(name, found.shared, captions, centre=centre, wide=wide)
        told.append(_told(name, pattern, found))
    return graphs.columns(rows), f"{pattern.capitalize()}. {' '.join(told)}"


def _told(name: str, pattern: str, found: Got) -> str:
    time = ""
    if pattern in RINGS:
        seconds = summed(machine(name), RINGS[pattern])
        time = f", so {units.format(GRADIENT)} are summed in {units.format(seconds, 's')}"
    return (f"{name}: {units.format(found.pair, 'B/s')} from one GPU to another, {units.format(found.total, 'B/s')} together, "
            f"{percent(found.busy).lstrip('+')} of the wires at work{time}.")


# ---- lab 2: how many rings, and how many GPUs ----

_GROUPS = list(range(2, GPUS + 1))
_SIZES = [2.0**k for k in range(16, 35)]
_RINGS, _ALL, _SWITCH = "mesh, this many rings", "mesh, all links of the group", "switch box"


@functools.cache
def _line(name: str, gpus: int, channels: int) -> tuple[float, float, float]:
    """Return (seconds to start, seconds a byte, times the buffer that a GPU sends) of a ring all-reduce over the first GPUs."""
    graph, plan = machine(name), schedule("all_reduce", "ring", ranks=gpus)
    start, per_byte = plan.line_on(graph, channels=min(channels, max(ring_count(name, gpus), 1)))
    return start, per_byte, float(plan.counts().sent)


def reached(name: str, gpus: int, channels: int, nbytes: float) -> float:
    """Return the bytes a GPU sends in a ring all-reduce over the first *gpus* GPUs, by the seconds it takes."""
    start, per_byte, sent = _line(name, gpus, channels)
    return sent * nbytes / (start + per_byte * nbytes)


@functools.cache
def ring_count(name: str, gpus: int) -> int:
    """Return how many rings over the first *gpus* GPUs share no link."""
    return len(disjoint_rings(machine(name), gpus))


@functools.cache
def within(name: str, gpus: int) -> float:
    """Return the rate at which each of the first *gpus* GPUs can send to the others of them over all links at once."""
    return share(machine(name), all_to_all(gpus)).total / gpus


def _ring_chart():
    x = charts.x("GPUs", (1.7, 8.6), title="GPUs that add up, out of eight", ticks=_GROUPS)
    y = charts.y("rate (GB/s)", (0, 500), title="rate at which each GPU sends (GB/s)", ticks=range(0, 501, 50))
    styles = {_RINGS: (charts.CHIP, charts.SOLID), _ALL: (charts.LIMIT, charts.DOTTED), _SWITCH: (charts.OTHER, charts.DASHED)}
    told_apart = charts.series("what", styles)
    lines = charts.live().mark_line(strokeWidth=3.5).encode(x=x, y=y, **told_apart)
    points = charts.live().mark_point(size=90, filled=True, opacity=1).encode(x=x, y=y, color=told_apart["color"])
    rows = [{"GPUs": gpus, "rate (GB/s)": catalog.figure(f"mi300x-{name}-busbw").value, "label": "mesh, measured"}
            for gpus, name in ((2, "pair"), (8, "eight"))]
    left, right = (charts.fixed([row]).encode(x=x, y=y, text="label:N") for row in rows)
    names = [*charts.legible(left, align="left", dx=12, dy=12, color=charts.MEASURED),
             *charts.legible(right, align="right", dx=-12, dy=12, color=charts.MEASURED)]
    return charts.stack(lines, points, charts.diamonds(charts.fixed(rows), x, y, size=170), *names, height=360, description=(
        "The rate at which each GPU sends in an all-reduce, against the number of GPUs that take part. Solid: the mesh with the "
        "chosen number of rings. Dotted: all links between the GPUs of the group. Dashed: the switch box, level. Diamonds: "
        "measured on two and on eight MI300X."))


@lab("ring-channels", title="How many rings, how many GPUs", tier="chip",
     controls=[Control("channels", CHANNELS, default=1, label="rings at once"),
               Control("nbytes", _SIZES, default=2.0**30, label="buffer", unit="B")],
     chart=_ring_chart,
     leaves_out="Rings that share links. In groups of 4 and 6, rings that share none leave one link of each GPU idle; all six "
                "rings of four GPUs, two to a link, would use every one, and so does sending to everybody directly. The "
                "measured points are sums of one large size; which algorithm and how many channels the library used is not "
                "stated.",
     sources=["patarasuk-yuan", "tillson", "wheelers-2024-01", "stas-network", "lockwood-nvlink", "rccl-tuning"],
     stops=stops.RING_CHANNELS)
def ring_channels(channels, nbytes):
    """One ring uses one of a GPU's seven links; and a small group cannot use the links that lead out of it."""
    mesh, box = SERVERS
    rates = {_RINGS: [reached(mesh, p, channels, nbytes) for p in _GROUPS], _ALL: [within(mesh, p) for p in _GROUPS],
             _SWITCH: [reached(box, p, 1, nbytes) for p in _GROUPS]}
    rings = [min(channels, ring_count(mesh, p)) for p in _GROUPS]
    table = {"what": np.repeat(list(rates), len(_GROUPS)), "GPUs": _GROUPS * len(rates),
             "rings": rings + [None] * (2 * len(_GROUPS)),
             "rate (GB/s)": [round(rate / units.GB, 1) for column in rates.values() for rate in column]}
    two, four, eight = (units.format(rates[_RINGS][_GROUPS.index(p)], "B/s") for p in (2, 4, 8))
    idle, held = GPUS - 1 - channels, rings[_GROUPS.index(4)]
    left = "none of a GPU's seven links" if idle == 0 else f"{idle} of a GPU's seven links"
    return table, (f"Summing {units.format(nbytes)}: with {counted(channels, 'ring')} eight MI300X send {eight} each and leave "
                   f"{left} idle. Four of them ({counted(held, 'ring')}) reach {four}, two {two}. Over the switch eight H100 "
                   f"reach {units.format(rates[_SWITCH][-1], 'B/s')}.")


# ---- lab 3: the rings one by one ----

@lab("seven-rings", title="Seven rings, one by one", tier="chip",
     controls=[Control("rings", CHANNELS, default=1, as_="steps", label="rings at once")],
     chart=lambda: pictures.rings_chart(
         "Eight GPUs on a circle, a thin line for every cable of the mesh. Each ring goes round in its own colour and dash, with "
         "arrows; the newest is drawn thick. Each cable carries two rings, one in each direction."),
     leaves_out="Other sets of seven rings: there are many. Which of them AMD's library takes is not stated. Start-up times are "
                "counted, software and headers are not.",
     hides=("label",),
     sources=["patarasuk-yuan", "wheelers-2024-01"], glides=pictures.RING_GLIDES, stops=stops.SEVEN_RINGS)
def seven_rings(rings):
    """Seven orders that share no cable in the same direction use all of the mesh."""
    graph = machine(next(iter(SERVERS)))
    orders = disjoint_rings(graph, GPUS)
    shared = share(graph, np.concatenate([ring(order) for order in orders[:rings]]))
    used, both = int((shared.load > 0).sum()), len(graph.src)
    order = " → ".join(map(str, [*orders[rings - 1], orders[rings - 1][0]]))
    return pictures.rings_drawn(graph, orders, rings), (
        f"Ring {rings} goes {order}. Of the {both} ways, two to a cable, {used} are at work; each GPU sends "
        f"{units.format(shared.total / GPUS, 'B/s')}, and {units.format(GRADIENT)} are summed in "
        f"{units.format(summed(graph, rings), 's')}.")


# ---- lab 4: where GPUs are not all neighbours ----

_WAYS = {stops.ONE_WAY: "widest", stops.ALL_WAYS: "all widest"}
_DIES = range(GPUS)


@lab("mi250x-dies", title="Eight dies, uneven cables", tier="chip",
     controls=[Control("source", _DIES, default=0, label="from die", as_="menu"),
               Control("target", _DIES, default=3, label="to die", as_="menu", picks="die"),
               Control("ways", list(_WAYS), default=stops.ONE_WAY, label="a copy takes", as_="menu")],
     chart=lambda: pictures.dies_chart(
         "The eight dies of an MI250X server, two in each of four packages. A line for each pair of dies that cables join, as "
         "thick as their number; what the chosen copy uses is blue, with its GB/s one way, all else is grey."),
     leaves_out="Which of several equally good ways the hardware takes: a single copy was measured to take one. Headers, and the "
                "copy engines, which drive one link only.",
     hides=("label",),
     sources=["olcf-frontier", "rocm-mi250", "rocm-single-node"], stops=stops.MI250X_DIES)
def mi250x_dies(source, target, ways):
    """Which two dies talk decides: four links, two, one, or a detour."""
    graph = replace(server("mi250x"), routes=_WAYS[ways])
    if source == target:
        return (pictures.dies_drawn(graph, np.zeros(len(graph.src)), {source}),
                f"Die {source} reads its own memory: no link carries anything.")
    shared = share(graph, [(source, target)])
    links = {(a, b): n for a, b, n in zip(graph.src.tolist(), graph.dst.tolist(), graph.count.tolist(), strict=True)}
    direct = links.get((source, target), 0)
    how = f"{counted(direct, 'link')} join{'s' * (direct == 1)} them" if direct else "no link joins them, the data takes a detour"
    table = pictures.dies_drawn(graph, shared.load, {source, target})
    return table, (f"Die {source} to die {target}: {how}. A copy gets "
                   f"{units.format(shared.total, 'B/s')} one way.")


# ---- labs 5 and 6: what was measured ----

_LINE, _CURVES = {"line rate": (charts.CHIP, charts.SOLID)}, {"eight MI300X": (charts.CHIP, charts.SOLID),
                                                             "eight MI325X": (charts.OTHER, charts.DASHED)}


@lab("line-against-measured", title="The line rate against what was measured", tier="chip", controls=(),
     chart=lambda: against.chart(
         charts.names("what", list(line_against_measured()), channel="X", title="what was measured"),
         lambda field: charts.y(field, (0, 5e11), title="rate, one way", unit="B/s"), _LINE, errors=(-50, 50),
         description="For links of MI250X, MI300X and NVLink 4 a short bar for the line rate and a diamond for what was "
                     "measured over them; below, by how much the line rate is more."),
     leaves_out="Headers of packets, which are not published, flow control, and memory. Where the switch adds, each GPU sends "
                "its buffer once, so the rate as it is counted may lie above the line.",
     sources=["amd-lab-notes", "stas-network"])
def against_line():
    """A link of the mesh gives about as much alone as all seven together."""
    found = line_against_measured()
    table = against.named("what", "line rate", found)
    alone, together = (units.portion(found[what][1] / found[what][0]) for what in ("MI300X, 1 link", "MI300X, 7 links"))
    return table, f"One link of an MI300X reaches {alone} of its line rate, all seven together {together}."


@lab("rings-against-measured", title="Seven rings against a measured all-reduce", tier="chip", controls=(),
     chart=lambda: against.chart(
         charts.x("message", (2**10, 2**35), title="buffer (logarithmic)", unit="B", log=2),
         lambda field: charts.y(field, (1e-6, 1), title="time (logarithmic)", unit="s", log=10), _CURVES, errors=(-75, 75),
         description="Above, the time of an all-reduce against the buffer: lines for seven rings at line rate, diamonds "
                     "for what was measured on eight MI300X and on eight MI325X. Below, the error of the model at each size."),
     leaves_out="Headers, memory, the filling of pipelines, and the library's changes of protocol. How many channels it opened "
                "is not stated.",
     sources=["hisohara-rccl", "rccl-tuning"])
def against_rings():
    """Seven rings at line rate follow a measured curve, always too fast."""
    worst, best = min(errors().values()), max(errors().values())
    return against.table("message", rings_against_measured()), (
        f"The model is too fast everywhere: by {units.portion(-best)} to {units.portion(-worst)}, most of all in the middle, "
        f"and by {units.portion(-errors()[units.GiB])} for large buffers.")
