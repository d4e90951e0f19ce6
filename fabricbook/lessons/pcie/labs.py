"""What PCIe leaves for data; a box of GPUs, NICs and SSDs below two CPUs, and who reaches whom in it."""

from __future__ import annotations

import functools
import json

import numpy as np

from fabriclib import pcie as model
from fabriclib import units
from fabriclib.flows import Share, share
from fabriclib.lanes import oversubscription
from fabriclib.peers import p2p
from fabriclib.topology import Graph, path_class, tree
from fabriclib.topology.classes import classes

from ...stage import Control, against, charts, lab, tiers
from ...stage.words import part, span
from . import box, stops
from .tables import LINKS, MEASURED_ON, MRRS, UNDER_WAY, box_lanes, chosen, copies, measured, modelled, read_rate, settings

# ---- lab 1: what is left for data ----

_WRITE, _READ, _ABLE = "writes", "reads, so many under way", "reads, no limit"
_STYLES = {_WRITE: (charts.SERVER, charts.SOLID), _READ: (charts.CHIP, charts.DASHED), _ABLE: (charts.OTHER_2, charts.DOTTED)}
_SIZE, _SHARE = (16, 4096), (0, 100)
_EDGES = [128 * n + more for n in range(1, 33) for more in (0, 1)][:-1]  # where one more byte costs one more packet
_STOPS = sorted([*(2**k for k in range(4, 13)), *(n * settings.mps + 1 for n in (1, 2, 4))])  # some with the one byte more
_SIZES = np.unique([*np.geomspace(*_SIZE, 49).round().astype(int), *_EDGES])


def _chart():
    x = charts.x("bytes", _SIZE, title="one transfer", unit="B", log=2)

    def y(field):
        return charts.y(field, _SHARE, title="data, share of the line rate (%)", ticks=range(0, 101, 20))

    line = chosen(MEASURED_ON).line
    rows = {kind: [{"bytes": float(nbytes), "share": 100 * got / line, "label": ""} for nbytes, got in measured(kind).items()]
            for kind in ("write", "read")}
    rows["write"].append({"bytes": 100.0, "share": 22, "label": f"writes, measured on {MEASURED_ON}"})
    rows["read"].append({"bytes": 100.0, "share": 12, "label": f"reads, measured on {MEASURED_ON}"})
    marks = [charts.diamonds(charts.fixed(rows[kind]), x, y("share"), size=130, fill=fill, strokeWidth=2, stroke=charts.MEASURED)
             for kind, fill in (("write", charts.MEASURED), ("read", charts.PAPER))]
    size = charts.fitting("width * 0.62", 14)
    words = charts.fixed([rows["write"][-1], rows["read"][-1]]).mark_text(
        align="left", dx=14, fontSize=size, color=charts.INK).encode(x=x, y=y("share"), text="label:N")
    return charts.stack(
        charts.line(x, y("share"), colour=charts.SERVER, **charts.series("what", _STYLES)), *marks, words,
        charts.here(x, y("here"), colour=charts.PAPER), height=360, description=(
            "The share of the line rate that is data, against the bytes of one transfer from 16 to 4096. Solid: writes. Dashed: "
            "reads with the chosen number of requests under way. Dotted: reads without that limit. All three fall a "
            "little after each full payload. Full diamonds: writes measured, hollow diamonds: reads measured, on PCIe 3 with "
            "eight lanes. White circles: the chosen size."))


@lab("pcie-payload", title="What is left for data", tier="server",
     controls=[Control("wire", list(LINKS), default=MEASURED_ON, label="link", as_="menu"),
               Control("payload", model.SIZES, default=settings.mps, label="largest payload", unit="bytes"),
               Control("nbytes", _STOPS, default=64, label="one transfer", unit="bytes"),
               Control("requests", [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768], default=UNDER_WAY, label="reads under way")],
     chart=_chart,
     leaves_out="How fast a device can start its transfers: the measured one stays far below the model on small writes. Reads "
                "that do not begin at a round address, and hosts that cut their answers at every 64 bytes. A read comes back "
                "after the time measured on one host with the data in its cache; memory adds to it, and so do other hosts. One "
                "request asks for {{ MRRS }} bytes at most, or for one largest payload.",
     sources=["pcie-bench", "pcie-bench-data", "pcie-model", "mindshare-pcie", "intel-an855", "hpc-notes-pcie"],
     stops=stops.PAYLOAD)
def payload_lab(wire, payload, nbytes, requests):
    """Small packets waste the wire; reads need many requests under way, and more of them on a faster link."""
    one, limits = chosen(wire), model.Settings(mps=payload, mrrs=max(MRRS, payload))
    line = one.line

    def rates(n):
        return [model.rate(one, "write", n, limits), read_rate(one, n, limits, requests), model.rate(one, "read", n, limits)]

    shares = np.concatenate([100 * rate / line for rate in rates(_SIZES)])
    sizes = np.tile(_SIZES, len(_STYLES))
    what = np.repeat(list(_STYLES), len(_SIZES))
    table = {"what": what, "bytes": sizes, "share": shares,
             "here": np.where((sizes == nbytes) & (what != _ABLE), shares, np.nan)}
    write, read, able = rates(nbytes)
    few = "1 under way is" if requests == 1 else f"{requests} under way are"
    held = f"; {few} all that holds them back" if read < able * (1 - 1e-9) else ""
    return table, (f"{wire}, {nbytes:,} bytes at a time: of {units.format(line, 'B/s')} writes get "
                   f"{units.format(write, 'B/s')} ({part(write / line)}), reads {units.format(read, 'B/s')} "
                   f"({part(read / line)}){held}.")


# ---- lab 2: eight GPUs, eight NICs and four SSDs below two CPUs ----

_LOWEST = -0.1  # no NVSwitches stand below these GPUs


def _controls(picks: str = "", carries: str = "") -> list[Control]:
    return [Control("switches", box.SWITCHES, default=4, label="switches"),
            Control("nics", [box.BESIDE, box.ON_CPUS, box.NONE, *box.MOVED], default=box.BESIDE, label="NICs", as_="menu",
                    picks=picks, carries=carries),
            Control("uplink", list(box.UPLINKS), default="x16", label="uplink")]


@lab("pcie-tree", title="Place eight GPUs, eight NICs, four SSDs", tier="server",
     controls=[*_controls(picks="NICs here", carries="card"),
               Control("traffic", box.TRAFFIC, default=box.TO_NIC, as_="menu", picks="traffic to here")],
     chart=lambda: tiers.chart(
         "Two CPUs at the top, joined by their own links; PCIe switches below them; then NICs and SSDs, then GPUs. Beside each "
         "cable its GB/s one way. Cables in use are thick; what limits the traffic is dashed and marked as bottleneck, and in "
         "a box that cannot be built every cable at a part that lacks lanes, with the lanes asked of that part above it. NIC 0 "
         "can be dragged to another switch; a click on a CPU hangs all NICs there; a click on a GPU sends from GPU 0 to it, one "
         "on a NIC from every GPU to its NIC.", lowest=_LOWEST),
     leaves_out="Traffic from GPU to GPU over NVLink, which most such servers have besides. Root complexes inside a CPU: on real "
                "ones traffic between two of them can be slower, or not allowed at all. Isolation (ACS), which sends traffic "
                "below a switch up to the CPU and back. The links between the CPUs are taken at a lower rate than this CPU's.",
     hides=("label",),
     sources=["hardwareluxx-6900p", "dedirock-xeon6", "pex89144-encyclopedia", "gera-pcie", "pcie-model", "wiki-upi"],
     stops=stops.TREE)
def pcie_tree(switches, nics, uplink, traffic):
    """Below one switch traffic never meets the CPU; above it everybody shares the uplink."""
    if box.overbooked(switches, nics, uplink):
        return _clickable(_refused(switches, nics, uplink)), box.too_many(switches, nics, uplink)
    graph, lanes = box.built(switches, nics, uplink), box.load(switches, nics, uplink)
    of_cpu = f"Of each CPU's {box_lanes} PCIe lanes {lanes.of_cpu} are taken."
    ratio = f"Below {lanes.where}, {lanes.below} lanes share an uplink of {lanes.uplink}: " + (
        f"{oversubscription(lanes.below, lanes.uplink):.3g} to 1.") if switches else ""
    idle = traffic == box.TO_NIC and nics == box.NONE
    shared = None if idle else share(graph, box.pairs(traffic))
    table = _clickable(tiers.drawn(graph, shared, (of_cpu,) if switches else (), _LOWEST))
    if shared is None:
        return table, (f"This can be built, but it has no NICs for its {box.GPUS} GPUs to send to: choose other traffic. "
                       f"{ratio or of_cpu}")
    return table, f"{_told(graph, shared, traffic)} {ratio or of_cpu}"


def _clickable(rows: list[dict]) -> dict[str, list]:
    """Return the live table of *rows*, with the NICs' place and the traffic that a click on a device picks."""
    table = tiers.columns(rows)
    place = {"cpu0": box.ON_CPUS, "cpu1": box.ON_CPUS, "sw0": box.BESIDE} | {f"sw{n}": name for name, n in box.MOVED.items()}
    traffic = box.PAIRS | {f"nic{i}": box.TO_NIC for i in range(box.GPUS)}
    devices = [end if part != "cable" else "" for part, end in zip(table["part"], table["from"], strict=True)]
    return table | {"NICs here": [place.get(device, "") for device in devices],
                    "traffic to here": [traffic.get(device, "") for device in devices],
                    "card": ["N0" if device == "nic0" else "" for device in devices]}


def _told(graph: Graph, shared: Share, traffic: str) -> str:
    each = span(shared.rates.min(), shared.rates.max(), "B/s")
    many = "" if len(shared.rates) == 1 else f" each, {units.format(shared.total, 'B/s')} together"
    a, b = (graph.nodes[ends[0]] for ends in (shared.src, shared.dst))
    way = " – ".join(tiers.said(graph, graph.node(name)).removeprefix("PCIe ") for name in graph.paths(a, b)[0])
    word = "The way" if b.startswith("cpu") else f"By {path_class(graph, a, b)}"
    return f"{traffic[0].upper()}{traffic[1:]}: {each}{many}. {word}: {way}."


def _refused(switches: int, nics: str, uplink: str) -> list[dict]:
    """What is drawn of a box that cannot be built: its tree, what asks for too many lanes marked, and how many those are."""
    over = box.overbooked(switches, nics, uplink)
    graph = tree("the box", box.without_limits(switches, nics, uplink))
    rows = [row for row in tiers.drawn(graph) if row["part"] != "rate"]
    for row in rows:
        ends = {row.get("from"), row.get("to")}
        # The link between the CPUs takes none of their PCIe lanes.
        if row["part"] == "cable" and not ends.isdisjoint(over) and ends != {"cpu0", "cpu1"}:
            row |= {"state": tiers.TIGHT, "px": 7}
    sums = [{"part": "rate", "state": tiers.TIGHT, "x": row["x"], "y": row["y"] + 0.12,
             "label": f"{sum(one.asked.values())} lanes asked of {one.has}"}
            for row in rows for one in [over.get(row.get("from"))] if one and row["part"] in ("cpu", "pcie-switch")]
    return rows + sums


# ---- lab 3: who reaches whom, and by which way ----

_DEVICES = [f"{kind}{i}" for kind in ("gpu", "nic") for i in range(box.GPUS)]
_FROM = _DEVICES[:box.GPUS]
WAY, ALONE, TOGETHER = "the way", "GB/s, one pair alone", "GB/s, all GPUs at once"
_TINTS = {"PIX": charts.BLUE_TINT, "PHB": charts.ORANGE_TINT, "SYS": charts.VERMILION_TINT, "": charts.PAPER}


@functools.cache
def matrix(switches: int, nics: str, uplink: str, shown: str) -> dict[tuple[str, str], tuple[str, float]]:
    """Return {(from, to): (path class, bytes per second)} of all GPUs to all GPUs and NICs; NaN where nothing is sent."""
    graph = box.built(switches, nics, uplink)
    there = [name for name in _DEVICES if name in graph.nodes]
    ends = [(a, b) for a in _FROM for b in there if a != b]
    if shown == TOGETHER:
        among = [(a, b) for a, b in ends if b in _FROM]
        rates = dict(zip(among, share(graph, among).rates.tolist(), strict=True))
    else:
        alone = p2p(graph, there)
        rates = {(a, b): alone.rates[i, j] for i, a in enumerate(there) for j, b in enumerate(there)}
    ways = classes(graph, *(np.array([graph.node(pair[end]) for pair in ends]) for end in (0, 1)))
    return {pair: (way, rates.get(pair, np.nan)) for pair, way in zip(ends, ways, strict=True)}


def _matrix_chart():
    import altair as alt

    axis = alt.Axis(title="to", orient="top", labelAngle=0, labelOverlap=False,
                    labelFontSize=alt.ExprRef(f"{charts.NARROW} ? 10.5 : 13"))
    x = charts.names("to", [_short(name) for name in _DEVICES], channel="X").axis(axis)
    y = charts.names("from", [_short(name) for name in _FROM])
    said = {word: f"{word}: {meant}" for word, meant in box.WORDS.items()}
    legend = charts.legend(list(said.values()), symbolSize=400, orient="bottom", values=list(said),
                           labelExpr=f"({json.dumps(said)})[datum.label]")
    colour = alt.Color("way:N", legend=legend, scale=alt.Scale(domain=list(_TINTS), range=list(_TINTS.values())))
    cells = charts.live().mark_rect(stroke=charts.FAINT, strokeWidth=1).encode(x=x, y=y, color=colour)
    size = alt.ExprRef("clamp(width / 44, 11, 15)")
    upright = alt.ExprRef("width < 420 ? -90 : 0")  # where a square is narrower than its word
    words = charts.live().mark_text(fontSize=size, angle=upright, color=charts.INK).encode(x=x, y=y, text="cell:N")
    return charts.stack(cells, words, height=330, description=(
        "A square for each GPU, as the sender, and each GPU and NIC, as the receiver. Its colour and its text are the way "
        "between them in the words of nvidia-smi, or its text the GB/s one way."))


@lab("pcie-matrix", title="Who reaches whom, and how fast", tier="server",
     controls=[*_controls(), Control("shown", [WAY, ALONE, TOGETHER], default=WAY, label="in the squares", as_="menu")],
     chart=_matrix_chart,
     leaves_out="Root complexes inside a CPU, which nvidia-smi tells apart (NODE) and this box does not. Reads, whose requests "
                "and answers share the links of the other direction. What the copies' software adds.",
     hides=("cell",),
     sources=["hardwareluxx-6900p", "dedirock-xeon6", "pex89144-encyclopedia", "gera-pcie", "pcie-model", "wiki-upi"],
     stops=stops.MATRIX)
def pcie_matrix(switches, nics, uplink, shown):
    """One pair alone sees little of the tree; all together see where it is narrow."""
    if box.overbooked(switches, nics, uplink):
        blank = [(a, b, "", "") for a in _FROM for b in _DEVICES]
        return _columns(blank), box.too_many(switches, nics, uplink)
    found, rows = matrix(switches, nics, uplink, shown), []
    for a in _FROM:
        for b in _DEVICES:
            way, rate = found.get((a, b), ("", np.nan))
            cell = way if shown == WAY else "" if np.isnan(rate) else f"{rate / units.GB:.3g}"
            rows.append((a, b, way, cell))
    return _columns(rows), _counted(found, shown)


def _columns(rows: list[tuple[str, str, str, str]]) -> dict[str, list]:
    return {"from": [_short(row[0]) for row in rows], "to": [_short(row[1]) for row in rows],
            "way": [row[2] for row in rows], "cell": [row[3] for row in rows]}


def _counted(found: dict, shown: str) -> str:
    told = []
    for word, said in box.WORDS.items():
        rates = [rate for way, rate in found.values() if way == word and not np.isnan(rate)]
        if not rates:
            continue
        told.append(f"{len(rates)} by {word} ({said}), {span(min(rates), max(rates), 'B/s')}")
    return f"{'All GPUs to all at once' if shown == TOGETHER else 'One pair at a time'}, one way: {'; '.join(told)} each."


def _short(name: str) -> str:
    return name.replace("gpu", "G").replace("nic", "N")


# ---- the model beside what was measured ----

_RUNS = {"write": (charts.SERVER, charts.SOLID), "read": (charts.CHIP, charts.DASHED),
         "read and write": (charts.OTHER, charts.DOTTED)}


def _transfers_chart():
    def rate(field):
        return charts.y(field, (0, 8e9), title="data, one way", unit="B/s")

    return against.chart(charts.x("transfer", (60, 2200), title="one transfer", unit="B", log=2), rate, _RUNS, errors=(-25, 100),
                         description="Above, the data a second against the bytes of one transfer over PCIe 3 with eight lanes: "
                                     "the model as lines, for writing, reading and both at once, and what was measured as "
                                     "diamonds below them. Below, the error: large for small transfers, a few per cent for "
                                     "large ones.")


@lab("pcie-transfers", title="Transfers over PCIe 3 x8, beside a measurement", tier="server", controls=(),
     chart=_transfers_chart,
     leaves_out="How fast the measured NIC can start its transfers. The number of reads under way is fitted to these "
                "measurements: {{ UNDER_WAY }}.",
     sources=["pcie-bench", "pcie-bench-data", "pcie-model"])
def pcie_transfers():
    """Large transfers come near the model; small ones wait for the device to start them."""
    table = against.table("transfer", {kind: (list(measured(kind)), list(modelled(kind).values()), list(measured(kind).values()))
                                       for kind in _RUNS})
    smallest, largest = (table[against.ERROR][table["transfer"] == end(table["transfer"])] for end in (min, max))
    return table, (f"The model is {largest.min():.0f} to {largest.max():.0f} % above the largest transfers, and up to "
                   f"{smallest.max():.0f} % above the smallest.")


_KINDS = {"one copy": (charts.SERVER, charts.SOLID), "two copies": (charts.CHIP, charts.DASHED),
          "both ways": (charts.OTHER, charts.DOTTED)}


def _copies_chart():
    def rate(field):
        return charts.y(field, (0, 130e9), title="together", unit="B/s")

    listed = [one.shown for one in copies()]
    return against.chart(charts.names("copy", listed, channel="X", title=""), rate, _KINDS, errors=(-20, 20),
                         description="Copies between GPUs over PCIe 5, below no switch, one or two: short bars for what the tree "
                                     "predicts, diamonds for what was measured. Below, the error: a few per cent, more "
                                     "where copies go both ways below a switch.")


@lab("pcie-copies", title="Copies between GPUs, beside measurements", tier="server", controls=(), chart=_copies_chart,
     leaves_out="What the copies' software adds. Nothing is fitted; {{ settings.mps }} bytes of data a packet are assumed.",
     sources=["rtx6kpro-direct", "rtx6kpro-microchip", "rtx6kpro-broadcom"])
def pcie_copies():
    """The tree says what matters: what shares an uplink gets half."""
    found = copies()
    table = against.table("copy", {kind: tuple(zip(*[(one.shown, one.model, one.measured) for one in found if one.kind == kind],
                                                   strict=True)) for kind in _KINDS})
    error, both = table[against.ERROR], table[against.RUN] == "both ways"
    return table, (f"One copy, or two at once: the tree promises at most {error[~both].max():.0f} % more than was measured. Both "
                   f"ways at once: up to {error[both].max():.0f} %.")
