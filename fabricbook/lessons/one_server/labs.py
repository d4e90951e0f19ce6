"""A server drawn with its traffic, the matrix of its pairs, and what an all-reduce costs on each server."""

from __future__ import annotations

import numpy as np

from fabriclib import catalog, units
from fabriclib.topology import path_class, server
from fabriclib.topology.trees import DEVICES

from ...stage import Control, charts, lab, tiers
from ...stage.words import span
from .tables import (
    BOX,
    CLASS,
    HOST,
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
    detours,
    measured,
    moved,
    ranked,
    ring_seconds,
    sent,
)

MOST_DEVICES = 24  # of a drawing that can be read


def _listed(shown) -> dict[str, str]:
    """Return {short name: id} of the servers of the catalogue of which shown(id, graph) holds."""
    return {row["short"]: row["id"] for row in catalog.rows("servers") if shown(row["id"], server(row["id"]))}


DRAWN = _listed(lambda _, graph: graph.beyond.any() and np.isin(graph.kinds, DEVICES).sum() <= MOST_DEVICES)
PAIRED = _listed(lambda _, graph: len(graph.gpus) <= MOST_GPUS)


@lab("one-server", title="One server, drawn", tier="server",
     controls=[Control("machine", list(DRAWN), default=BOX, label="server", as_="menu"),
               Control("traffic", PATTERNS, default=NEAR, as_="menu"),
               Control("peer", [PEER, STAGED], default=PEER, label="peer-to-peer", as_="menu")],
     chart=lambda: tiers.chart(
         "A server by tier: CPUs at the top, PCIe switches, network cards, GPUs, and NVSwitches as a bar at the bottom, or arcs "
         "where GPUs are joined directly. Each cable carries its GB/s in one direction. Idle cables are thin and grey, those in "
         "use thick and blue, the bottlenecks thickest, dashed, orange and marked with a triangle."),
     leaves_out="Packets smaller than 256 bytes, start-up times, what a copy reaches of the rate (the next lab has it), and the "
                "memory itself. A flow that goes through host memory is two flows at once. Several NVSwitch chips are one bar.",
     sources=["besthub-a100-server", "nccl-1505", "vengineer-dgx-h100", "dgx-h100-guide-copy", "olcf-frontier",
              "rocm-single-node", "fusco-gh200", "gpu-micro"])
def one_server(machine, traffic, peer):
    """Which links carry a copy, a ring or an all-to-all, and which of them is tight."""
    shared = moved(DRAWN[machine], traffic, peer)
    graph, staged = shared.graph, peer == STAGED and traffic != HOST
    slowest = int(shared.rates.argmin())
    edge = shared.bottleneck[slowest]
    tight = f"{tiers.said(graph, graph.src[edge])} to {tiers.said(graph, graph.dst[edge])}"
    pairs = len(shared.rates) // (2 if staged else 1)
    each = span(shared.rates.min(), shared.rates.max(), "B/s")
    each += " each" if pairs > 1 and " to " not in each else ""
    how = ", each up to the host and down again" if staged else ""
    got = f"{pairs} {'copy' if pairs == 1 else 'copies'} at once{how}: {each}"
    last = f"gpu{len(graph.gpus) - 1}"
    sentence = (f"{machine}, {traffic}: {got}. The slowest is held up from {tight}. GPU 0 to GPU 1 is "
                f"{path_class(graph, 'gpu0', 'gpu1')}, to GPU {last[3:]} {path_class(graph, 'gpu0', last)}.")
    return tiers.columns(tiers.drawn(graph, shared)), sentence


# ---- lab 2: the matrix of pairs ----

COLOURS = (5, 900)  # GB/s, from the palest to the darkest cell
DETOUR = "↷"  # beside the rate of a pair that no link and no switch joins: the copy goes through other GPUs


def _matrix_chart():
    import altair as alt

    numbers = [str(i) for i in range(MOST_GPUS)]
    place = {"x": charts.names("to", numbers, channel="X", title="to GPU"), "y": charts.names("from", numbers, title="from GPU")}
    scale = alt.Scale(type="log", domain=list(COLOURS), range=[charts.BLUE_TINT, charts.BLUE], interpolate="rgb", clamp=True)
    shade = alt.Color("shade:Q", title="GB/s", scale=scale, legend=alt.Legend(orient="right", gradientLength=200))
    dark = alt.condition("datum.shade > 70", alt.value(charts.PAPER), alt.value(charts.BLACK))
    boxes = charts.live().mark_rect(stroke=charts.FAINT).encode(**place, color=shade)
    text = charts.live().mark_text(fontSize=alt.ExprRef("clamp(width / 46, 10, 15)"), fontWeight="bold").encode(
        **place, text="cell:N", color=dark)
    return charts.stack(boxes, text, height=400, description=(
        "A square of cells, a row for the GPU that sends and a column for the one that receives. Each cell holds the GB/s of "
        "that pair, or how it is joined; the higher the rate, the darker the cell. A bent arrow marks a detour through other "
        "GPUs."))


@lab("pair-matrix", title="Every pair of GPUs", tier="server",
     controls=[Control("machine", list(PAIRED), default="MI250X node", label="server", as_="menu"),
               Control("show", [LINE, REACHED, CLASS, MEASURED], default=LINE, as_="menu"),
               Control("peer", [PEER, STAGED], default=PEER, label="peer-to-peer", as_="menu")],
     chart=_matrix_chart,
     leaves_out="One pair at a time, one direction, long copies. A copy's constant was set on one published figure or matrix for "
                "each kind of link; where no published figure says it, cells stay empty. The measured H100, A100 and PCIe 5 are "
                "such machines, not always these.",
     sources=["stas-network", "nccl-1264", "amd-lab-notes", "gpu-micro", "ik-llama-1022", "rtx6kpro-microchip"])
def pair_matrix(machine, show, peer):
    """The matrix that a benchmark prints, from the graph."""
    name = PAIRED[machine]
    found, rates = cells(name, show, peer), cells(name, LINE, peer)
    bent = detours(server(name)) & found.keys() if peer == PEER and show != CLASS else set()
    sides = range(len(server(name).gpus))
    where = [(i, j) for i in sides for j in sides]
    shades = found if show in (LINE, REACHED, MEASURED) else rates
    table = {"from": [str(i) for i, _ in where], "to": [str(j) for _, j in where],
             "cell": ["–" if i == j else _cell(found.get((i, j), "")) + DETOUR * ((i, j) in bent) for i, j in where],
             "shade": [None if i == j else shades.get((i, j)) for i, j in where]}
    hostless = peer == STAGED and not len(server(name).of_kind("cpu"))
    unknown = "a board without a CPU has no host memory" if hostless else "no published figure that we know of tells it"
    told = f" {len(bent)} of them take a detour through other GPUs ({DETOUR})." if bent else ""
    return table, f"{machine}, {show}, peer-to-peer {peer}: {_matrix_told(found, show, unknown)}{told}"


def _cell(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def _matrix_told(found: dict, show: str, unknown: str) -> str:
    if not found:
        return f"0 pairs; {unknown}."
    if show == CLASS:
        words, many = np.unique(list(found.values()), return_counts=True)
        return ", ".join(f"{m} pairs {word}" for word, m in zip(words, many, strict=True)) + "."
    low, high = min(found.values()), max(found.values())
    rates = span(low * units.GB, high * units.GB, "B/s")
    alike = f"{len(found)} pairs, {rates}" if " to " in rates else f"all {len(found)} pairs {rates}"
    return f"{alike}." if high < 1.05 * low else f"{alike}; the fastest has {high / low:.1f} times the slowest."


# ---- lab 3: what an all-reduce costs ----

def _cost_chart():
    import altair as alt

    title = "time (circle: model at line rate; diamond: measured)"
    x, seen = (charts.x(field, (1e-6, 100.0), title=title, unit="s", log=10) for field in ("seconds", "measured"))
    order = ranked()
    y = charts.names("server", order, title=" ")
    # The rate only where there is room for it.
    said = alt.value(alt.ExprRef(f"{charts.PAGE} < 520 ? split(datum.label, ',')[0] : datum.label"))
    ink = {"align": "right", "dx": -4, "fontSize": alt.ExprRef(f"{charts.NARROW} ? 11 : 13")}
    label = charts.live().mark_text(**ink).encode(x=alt.value(alt.ExprRef("width")), y=y, text=said)
    above = alt.value(alt.ExprRef(f"{charts.PAGE} < 520 ? 'time' : 'time, and rate at which each GPU sends'"))
    heading = charts.live().transform_filter(f"datum.server == '{order[0]}'").mark_text(**ink, fontWeight="bold").encode(
        x=alt.value(alt.ExprRef("width")), y=alt.value(-9), text=above)
    seen = charts.diamonds(charts.live(), seen, y, size=130)
    return charts.stack(charts.here(x, y, colour=charts.SERVER), seen, label, heading, height=450, description=(
        "A row a server, the fastest first: a circle at the time of a ring all-reduce of the buffer, on a logarithmic axis, "
        "with the time and the rate at which each GPU sends at the right. Black diamonds: measured."))


@lab("server-all-reduce", title="What an all-reduce costs on each server", tier="server",
     controls=[Control("nbytes", SIZES, default=2.0**30, label="buffer", unit="B")],
     chart=_cost_chart,
     leaves_out="What software reaches of the line rate, other algorithms than the ring (NVSwitches of H100 and B200 can add by "
                "themselves), smaller pieces for small buffers. Servers of four GPUs send {{ digits(sent('gb200-tray'), 3) }} "
                "times the buffer, those of eight {{ digits(sent('dgx-h100'), 3) }}, a rack of {{ rack.gpus.size }} twice. Of "
                "the measured runs only A100 and the four H100 are known to be rings.",
     sources=["patarasuk-yuan", "stas-network", "odissei", "hisohara-rccl", "alcf-nccl-tests", "nccl-tuning", "rccl-tuning"])
def server_all_reduce(nbytes):
    """The link that carries the ring sets the price: a factor of a hundred from the first server to the last."""
    times = {label: ring_seconds(RUNS[label], nbytes) for label in ranked()}
    shown = [measured(RUNS[label]).get(nbytes) for label in times]
    rates = [sent(RUNS[label]) * nbytes / t for label, t in times.items()]
    table = {"server": list(times), "seconds": list(times.values()), "measured": shown,
             "label": [f"{units.format(t, 's')}, {units.format(r, 'B/s')}" for t, r in zip(times.values(), rates, strict=True)]}
    fast, slow = min(times, key=times.get), max(times, key=times.get)
    seen = dict(zip(times, shown, strict=True))["DGX A100"]
    told = f" On DGX A100 the model takes {times['DGX A100'] / seen:.2f} of the measured time." if seen else ""
    least, most = (units.format(times[label], "s") for label in (fast, slow))
    return table, (f"Adding up {units.format(nbytes)}: {least} on {fast}, {most} on {slow}, "
                   f"{times[slow] / times[fast]:.0f} times as long.{told}")
