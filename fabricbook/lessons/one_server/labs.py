"""A server drawn with its traffic, the matrix of its pairs, and what an all-reduce costs on each server."""

from __future__ import annotations

import itertools

import numpy as np

from fabriclib import catalog, units
from fabriclib.shown import counted
from fabriclib.topology import path_class, server
from fabriclib.topology.trees import DEVICES

from ...stage import Control, against, charts, lab, tiers
from ...stage.words import joined, signed, span
from . import stops
from .tables import (
    BOX,
    CLASS,
    COPIES,
    ERROR,
    GPUS,
    HOST,
    KINDS,
    LINE,
    MEASURED,
    MOST_GPUS,
    NEAR,
    PATTERNS,
    PEER,
    REACHED,
    RUNS,
    SIZES,
    STAGED,
    cells,
    copies_beside,
    detours,
    measured,
    moved,
    ranked,
    ring_seconds,
    rings_beside,
    sent,
    way,
)

MOST_DEVICES = 24  # of a drawing that can be read


def _listed(shown) -> dict[str, str]:
    """Return {short name: id} of the servers of the catalogue of which shown(id, graph) holds."""
    return {row["short"]: row["id"] for row in catalog.rows("servers") if shown(row["id"], server(row["id"]))}


DRAWN = _listed(lambda _, graph: graph.beyond.any() and np.isin(graph.kinds, DEVICES).sum() <= MOST_DEVICES)
PAIRED = _listed(lambda _, graph: len(graph.gpus) <= MOST_GPUS)


_LOWEST = -0.3  # of what is drawn: the NVSwitches, and arcs below the GPUs


@lab("one-server", title="One server, drawn", tier="server",
     controls=[Control("machine", list(DRAWN), default=BOX, label="server", as_="menu"),
               Control("traffic", PATTERNS, default=NEAR, as_="menu", picks="traffic to here"),
               Control("peer", [PEER, STAGED], default=PEER, label="peer-to-peer", as_="menu")],
     chart=lambda: tiers.chart(
         "A server by tier: CPUs at the top, PCIe switches, network cards, GPUs, and NVSwitches as a bar at the bottom, or arcs "
         "where GPUs are joined directly. Each cable carries its GB/s in one direction. Idle cables are thin and grey, those in "
         "use thick and blue, the bottlenecks thickest, dashed, orange and marked with a triangle. A click on a GPU sends from "
         "GPU 0 to it, one on a CPU from host memory to every GPU.", lowest=_LOWEST),
     leaves_out="Packets smaller than 256 bytes, start-up times, what a copy reaches of the rate (the next lab has it), and the "
                "memory itself. A flow that goes through host memory is two flows at once. Several NVSwitch chips are one bar.",
     hides=("label",),
     sources=["besthub-a100-server", "nccl-1505", "vengineer-dgx-h100", "dgx-h100-guide-copy", "olcf-frontier",
              "rocm-single-node", "fusco-gh200", "gpu-micro"],
     stops=stops.ONE_SERVER)
def one_server(machine, traffic, peer):
    """Which links carry a copy, a ring or an all-to-all, and which of them is tight."""
    shared = moved(DRAWN[machine], traffic, peer)
    graph, staged = shared.graph, peer == STAGED and traffic != HOST
    edge = shared.bottleneck[int(shared.rates.argmin())]
    pairs = len(shared.rates) // (2 if staged else 1)
    each = span(shared.rates.min(), shared.rates.max(), "B/s")
    each += " each" if pairs > 1 and " to " not in each else ""
    how = ", each up to the host and down again" if staged else ""
    last = f"gpu{min(COPIES.get(traffic, GPUS), len(graph.gpus) - 1)}"
    flow = f"GPU 0 to GPU {last[3:]}" if traffic in COPIES else traffic
    sentence = (f"{machine}, {flow}: {counted(pairs, 'copy', 'copies')} at once{how}: {each}. The slowest is held up "
                f"from {tiers.said(graph, graph.src[edge])} to {tiers.said(graph, graph.dst[edge])}. "
                f"GPU 0 to GPU {last[3:]} is {path_class(graph, 'gpu0', last)}.")
    table = tiers.columns(tiers.drawn(graph, shared))
    picked = {"cpu": lambda _: HOST, "gpu": lambda node: f"GPU 0 to GPU {node[3:]}" if node != "gpu0" else ""}
    return table | {"traffic to here": [picked[part](node) if part in picked else ""
                                        for part, node in zip(table["part"], table["from"], strict=True)]}, sentence


# ---- lab 2: the matrix of pairs ----

COLOURS = (5, 900)  # GB/s, from the palest to the darkest cell
DETOUR = "↷"  # beside the rate of a pair that no link and no switch joins: the copy goes through other GPUs
PAIRS = {f"GPU {i} to GPU {j}": (i, j) for i in range(MOST_GPUS) for j in range(MOST_GPUS) if i != j}
CHOSEN, PASSED = "the pair", "on its way"


def _matrix_chart():
    import altair as alt

    numbers = [str(i) for i in range(MOST_GPUS)]
    place = {"x": charts.names("to", numbers, channel="X", title="to GPU"), "y": charts.names("from", numbers, title="from GPU")}
    scale = alt.Scale(type="log", domain=list(COLOURS), range=[charts.BLUE_TINT, charts.BLUE], interpolate="rgb", clamp=True)
    shade = alt.Color("shade:Q", title="GB/s", scale=scale, legend=alt.Legend(orient="right", gradientLength=200))
    # Beyond this shade paper is read better than ink, in the light and in the dark.
    dark = alt.condition("datum.shade > 400", alt.value(charts.PAPER), alt.value(charts.BLACK))
    boxes = charts.live().mark_rect(stroke=charts.FAINT).encode(**place, color=shade)
    lit = [charts.live().transform_filter(f"datum.lit == '{which}'").mark_rect(
        filled=False, stroke=charts.SERVER, strokeWidth=5, strokeDash=dash).encode(**place)
        for which, dash in ((PASSED, charts.DASHED), (CHOSEN, charts.SOLID))]
    # In a narrow cell the arrow stands below the rate.
    said = alt.value(alt.ExprRef(f"{charts.NARROW} ? split(replace(datum.cell, '{DETOUR}', '|{DETOUR}'), '|') : datum.cell"))
    text = charts.live().mark_text(fontSize=alt.ExprRef("clamp(width / 46, 11, 15)"), fontWeight="bold").encode(
        **place, text=said, color=dark)
    return charts.stack(boxes, *lit, text, height=400, description=(
        "A square of cells, a row for the GPU that sends and a column for the one that receives. Each cell holds the GB/s of "
        "that pair, how it is joined, or by how many per cent the model is off; the higher the rate, the darker the cell. A "
        "bent arrow marks a detour through other GPUs. The chosen pair has a thick edge; if it is a detour, the pairs that it "
        "passes have a dashed one."))


@lab("pair-matrix", title="Every pair of GPUs", tier="server",
     controls=[Control("machine", list(PAIRED), default="MI250X node", label="server", as_="menu"),
               Control("show", [LINE, REACHED, CLASS, MEASURED, ERROR], default=LINE, as_="menu"),
               Control("peer", [PEER, STAGED], default=PEER, label="peer-to-peer", as_="menu"),
               Control("pair", list(PAIRS), default="GPU 0 to GPU 1", as_="menu", picks="pair")],
     chart=_matrix_chart,
     leaves_out="One pair at a time, one direction, long copies. A copy's constant was set on one published figure or matrix for "
                "each kind of link; where no published figure says it, cells stay empty. The measured H100, A100 and PCIe 5 are "
                "such machines, not always these.",
     hides=("lit", "shade", "pair"),
     sources=["stas-network", "nccl-1264", "amd-lab-notes", "gpu-micro", "ik-llama-1022", "rtx6kpro-microchip"],
     stops=stops.PAIR_MATRIX)
def pair_matrix(machine, show, peer, pair):
    """The matrix that a benchmark prints, from the graph, and the way of one pair."""
    name = PAIRED[machine]
    found, rates = cells(name, show, peer), cells(name, LINE, peer)
    bent = detours(server(name)) & found.keys() if peer == PEER and show not in (CLASS, ERROR) else set()
    sides = range(len(server(name).gpus))
    where = [(i, j) for i in sides for j in sides]
    shades = found if show in (LINE, REACHED, MEASURED) else rates
    lit, passed = _lit(name, PAIRS[pair], peer) if PAIRS[pair] in where else ({}, "")
    table = {"from": [str(i) for i, _ in where], "to": [str(j) for _, j in where],
             "cell": ["–" if i == j else _cell(found.get((i, j), ""), show) + DETOUR * ((i, j) in bent) for i, j in where],
             "shade": [None if i == j else shades.get((i, j)) for i, j in where],
             "lit": [lit.get(cell, "") for cell in where],
             "pair": ["" if i == j else f"GPU {i} to GPU {j}" for i, j in where]}
    hostless = peer == STAGED and not len(server(name).of_kind("cpu"))
    unknown = "a board without a CPU has no host memory" if hostless else "no published figure that we know of tells it"
    told = f" {len(bent)} of them take a detour through other GPUs ({DETOUR})." if bent else ""
    chosen = found.get(PAIRS[pair], "")
    goes = "; a copy goes " if show == CLASS else ", "  # which need not be by what the word names
    chosen = f"{pair}: {_cell(chosen, show)}{_UNITS.get(show, ' GB/s')}{goes}{passed}. " if chosen != "" and passed else ""
    return table, f"{chosen}On {machine}, {show}, peer-to-peer {peer}: {_matrix_told(found, show, unknown)}{told}"


def _lit(name: str, pair: tuple[int, int], peer: str) -> tuple[dict[tuple[int, int], str], str]:
    """Return which cells the way of a pair lights up, and the way in words."""
    graph = server(name)
    if peer == STAGED and not len(graph.of_kind("cpu")):
        return {pair: CHOSEN}, ""
    passed, number = way(name, *pair, peer), {node: i for i, node in enumerate(graph.gpus.tolist())}
    hops = [(number[a], number[b]) for a, b in itertools.pairwise(passed) if a in number and b in number]
    between = [tiers.said(graph, node) for node in passed[1:-1]]
    return dict.fromkeys(hops, PASSED) | {pair: CHOSEN}, f"over {', '.join(between)}" if between else "directly"


_UNITS = {CLASS: "", ERROR: " %"}


def _cell(value: float | str, show: str) -> str:
    return value if isinstance(value, str) else signed(value) if show == ERROR else f"{value:.3g}"


def _matrix_told(found: dict, show: str, unknown: str) -> str:
    if not found:
        return f"0 pairs; {unknown}."
    if show == CLASS:
        words, counts = np.unique(list(found.values()), return_counts=True)
        return ", ".join(f"{counted(count, 'pair')} {word}" for word, count in zip(words, counts.tolist(), strict=True)) + "."
    low, high, pairs = min(found.values()), max(found.values()), counted(len(found), "pair")
    if show == ERROR:
        return f"{pairs}, {joined(signed(low), signed(high))} %."
    rates = span(low * units.GB, high * units.GB, "B/s")
    every = "both pairs" if len(found) == 2 else f"all {pairs}"
    alike = f"{pairs}, {rates}" if " to " in rates or len(found) == 1 else f"{every} {rates}"
    return f"{alike}." if high < 1.05 * low else f"{alike}; the fastest has {high / low:.1f} times the slowest."


# ---- lab 3: what an all-reduce costs ----

def _cost_chart():
    import altair as alt

    title = "time (circle: model at line rate; diamond: measured)"
    x, seen = (charts.x(field, (1e-6, 100.0), title=title, unit="s", log=10) for field in ("seconds", "measured"))
    order = ranked()
    y = charts.names("server", order, title=" ")
    # The rate only where there is room for it.
    said = alt.value(alt.ExprRef(f"{charts.PAGE} < 600 ? split(datum.label, ',')[0] : datum.label"))
    ink = {"align": "right", "dx": -4, "fontSize": alt.ExprRef(f"{charts.NARROW} ? 11 : 13")}
    label = charts.live().mark_text(**ink).encode(x=alt.value(alt.ExprRef("width")), y=y, text=said)
    above = alt.value(alt.ExprRef(f"{charts.PAGE} < 600 ? 'time' : 'time, and rate at which each GPU sends'"))
    heading = charts.live().transform_filter(f"datum.server == '{order[0]}'").mark_text(**ink, fontWeight="bold").encode(
        x=alt.value(alt.ExprRef("width")), y=alt.value(-9), text=above)
    seen = charts.diamonds(charts.live(), seen, y, size=130)
    upright = charts.live().mark_rule(color=charts.GREY, strokeWidth=2, strokeDash=charts.DASHED).encode(
        x=charts.x("chosen", (1e-6, 100.0), title=title, unit="s", log=10))
    # As wide as the plot, so that a click anywhere in its row chooses a server.
    row = charts.live().mark_bar(opacity=0).encode(x=alt.value(0), x2=alt.value(alt.ExprRef("width")), y=y)
    return charts.stack(row, upright, charts.here(x, y, colour=charts.SERVER), seen, label, heading, height=450, description=(
        "A row a server, the fastest first: a circle at the time of a ring all-reduce of the buffer, on a logarithmic axis, "
        "with the time and the rate at which each GPU sends at the right. Diamonds: measured. A dashed line stands at the "
        "time of the chosen server."))


@lab("server-all-reduce", title="What an all-reduce costs on each server", tier="server",
     controls=[Control("nbytes", SIZES, default=2.0**30, label="buffer", unit="B"),
               Control("beside", list(RUNS), default="DGX A100", label="compared with", as_="menu", picks="server")],
     chart=_cost_chart,
     leaves_out="What software reaches of the line rate, other algorithms than the ring (NVSwitches of H100 and B200 can add by "
                "themselves), smaller pieces for small buffers. Servers of four GPUs send {{ digits(sent('gb200-tray'), 3) }} "
                "times the buffer, those of eight {{ digits(sent('dgx-h100'), 3) }}, a rack of {{ rack.gpus.size }} twice. Of "
                "the measured runs only A100 and the four H100 are known to be rings.",
     hides=("chosen", "label"),
     sources=["patarasuk-yuan", "stas-network", "odissei", "hisohara-rccl", "alcf-nccl-tests", "nccl-tuning", "rccl-tuning"],
     stops=stops.SERVER_ALL_REDUCE, glides=("seconds",))
def server_all_reduce(nbytes, beside):
    """The link that carries the ring sets the price: a factor of a hundred from the first server to the last."""
    times = {label: ring_seconds(RUNS[label], nbytes) for label in ranked()}
    shown = [measured(RUNS[label]).get(nbytes) for label in times]
    rates = [sent(RUNS[label]) * nbytes / t for label, t in times.items()]
    here = times[beside]
    table = {"server": list(times), "seconds": list(times.values()), "measured": shown,
             "chosen": [here if label == beside else None for label in times],
             "label": [f"{units.format(t, 's')}, {units.format(r, 'B/s')}" for t, r in zip(times.values(), rates, strict=True)]}
    fast, slow = min(times, key=times.get), max(times, key=times.get)
    seen = dict(zip(times, shown, strict=True))[beside]
    first = "the least of all" if beside == fast else f"{here / times[fast]:.1f} times as long as {fast}"
    told = f"; the model takes {here / seen:.2f} of the time measured there" if seen else ""
    last = "No other takes as long" if beside == slow else (
        f"The slowest, {slow}, takes {times[slow] / here:.1f} times as long as {beside}")
    return table, f"Adding up {units.format(nbytes)}: {beside} takes {units.format(here, 's')}, {first}{told}. {last}."


# ---- the model beside what was measured ----

_STYLES = dict(zip(dict.fromkeys(KINDS.values()), ((charts.CHIP, charts.SOLID), (charts.OTHER, charts.DASHED),
                                                   (charts.SERVER, charts.DOTTED), (charts.LIMIT, charts.DASH_DOT)), strict=True))


def _copies_chart():
    def rate(field):
        return charts.y(field, (5e9, 1e12), title="a copy", unit="B/s", log=10)

    return against.chart(charts.x("predicted", (5e9, 1e12), title="a copy, predicted", unit="B/s", log=10), rate, _STYLES,
                         errors=(-10, 30), description=(
        "Copies from GPU to GPU, what the model says along both axes as a rising line, in four kinds of lines for four kinds of "
        "copy; what was measured as diamonds, near it. Below, the error: small for NVLink, up to a third for PCIe and "
        "copies through host memory."))


@lab("copies-measured", title="Copies of all servers, beside what was published", tier="server", controls=(), chart=_copies_chart,
     leaves_out="How CPUs pass on what devices write to each other, and requests and flow control in the other direction. Of "
                "the pairs of a matrix that the model takes for alike the slowest and the fastest are drawn; none of them sets "
                "a constant.",
     sources=["stas-network", "nvbandwidth-readme", "nccl-1264", "amd-lab-notes", "gpu-micro", "ik-llama-1022", "nvbandwidth-50",
              "nccl-tests-287", "cuda-samples-392", "rocm-xgmi-blog"])
def copies_measured():
    """One constant a kind of link says nearly all pairs; two groups are slower than it says."""
    table = against.table("predicted", copies_beside())
    off, kind = table[against.ERROR], table[against.RUN]
    nvlink = abs(off[kind == KINDS["nvlink"]]).max()
    return table, (f"Over NVLink the model is at most {nvlink:.0f} % off; the largest error is {off.max():.0f} % "
                   f"({kind[off.argmax()]}).")


_AS = {"at line rate": (charts.CHIP, charts.SOLID), "as fast as a copy": (charts.OTHER, charts.DASHED)}


def _rings_chart():
    def time(field):
        return charts.y(field, (1e-4, 1.0), title="time (logarithmic)", unit="s", log=10)

    listed = [label for label, *_ in rings_beside()]
    return against.chart(charts.names("server", listed, channel="X", title=""), time, _AS, errors=(-40, 10), description=(
        "The time of an all-reduce of the largest buffer that was measured, on four servers: short bars for a ring at line rate "
        "and one as fast as a copy, diamonds for what was measured. Below, the error: about a quarter at line rate, about "
        "a tenth as a copy."))


@lab("rings-measured", title="Rings of four servers, beside what was measured", tier="server", controls=(), chart=_rings_chart,
     leaves_out="What a reduction on the GPU's cores costs, and smaller packets. On the GH200 node and the MI300X the library "
                "chose the algorithm; it need not be a ring.",
     sources=["stas-network", "odissei", "hisohara-rccl", "boeschf-alps"])
def rings_measured():
    """At line rate a quarter too fast, with the copy's constant about a tenth."""
    labels, line, copied, seen = zip(*rings_beside(), strict=True)
    table = against.table("server", dict(zip(_AS, ((labels, line, seen), (labels, copied, seen)), strict=True)))
    told = [_errors(table[against.ERROR][table[against.RUN] == run]) for run in _AS]
    return table, f"At line rate the model is off by {told[0]}, as fast as a copy by {told[1]}."


def _errors(errors: np.ndarray) -> str:
    return f"{errors.min():+.0f} to {errors.max():+.0f} %"
