"""What PCIe leaves for data; a box of GPUs, NICs and SSDs below two CPUs, and who reaches whom in it."""

from __future__ import annotations

import functools
import json
import textwrap
from typing import NamedTuple

import numpy as np

from fabriclib import catalog, units
from fabriclib import pcie as model
from fabriclib.flows import Share, all_to_all, ring, share
from fabriclib.lanes import oversubscription
from fabriclib.peers import p2p
from fabriclib.switches import switch
from fabriclib.topology import Graph, Part, path_class, tree, trees
from fabriclib.topology.classes import classes

from ...stage import Control, charts, lab, tiers
from ...stage.words import span
from .tables import CHIP, CPU, LINKS, MEASURED_ON, MRRS, UNDER_WAY, box_lanes, chosen, measured, read_rate, settings

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
            "little after each full payload. Black diamonds: writes measured, white diamonds: reads measured, on PCIe 3 with "
            "eight lanes. White circles: the chosen size."))


@lab("pcie-payload", title="What is left for data", tier="server",
     controls=[Control("wire", list(LINKS), default=MEASURED_ON, label="link", as_="menu"),
               Control("payload", model.SIZES, default=settings.mps, label="largest payload", unit="B"),
               Control("nbytes", _STOPS, default=64, label="one transfer", unit="B"),
               Control("requests", [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 768], default=UNDER_WAY, label="reads under way")],
     chart=_chart,
     leaves_out="How fast a device can start its transfers: the measured one stays far below the model on small writes. Reads "
                "that do not begin at a round address, and hosts that cut their answers at every 64 bytes. A read comes back "
                "after the time measured on one host with the data in its cache; memory adds to it, and so do other hosts. One "
                "request asks for {{ MRRS }} bytes at most, or for one largest payload.",
     sources=["pcie-bench", "pcie-bench-data", "pcie-model", "mindshare-pcie", "intel-an855", "hpc-notes-pcie"])
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
    return table, (f"{wire}, {units.format(nbytes)} at a time: of {units.format(line, 'B/s')} writes get "
                   f"{units.format(write, 'B/s')} ({units.portion(write / line)}), reads {units.format(read, 'B/s')} "
                   f"({units.portion(read / line)}){held}.")


# ---- lab 2: eight GPUs, eight NICs and four SSDs below two CPUs ----

GPUS, SSDS = 8, 4
SWITCHES = [0, 2, 4, 8]
BESIDE, ON_CPUS, NONE = "beside the GPUs", "on the CPUs", "none"
UPLINKS = {"x8": (8, 1), "x16": (16, 1), "2 x16": (16, 2)}
TO_NEXT, TO_NIC = "every GPU to the next", "every GPU to its NIC"
TO_CPU, TO_ALL = "every GPU to its CPU", "every GPU to every other"
TRAFFIC = ["GPU 0 to GPU 1", "GPU 0 to GPU 7", TO_NEXT, TO_NIC, TO_CPU, TO_ALL]
_KINDS = {"gpu": "GPU", "nic": "NIC", "ssd": "SSD", "pcie-switch": "uplink"}
WORDS = {"PIX": "one switch", "PHB": "through a CPU", "SYS": "through both CPUs"}


def parts(switches: int, nics: str, uplink: str) -> list[Part]:
    """Return the list of parts: half of everything below each of two CPUs, as evenly below the switches as it goes."""
    row, chip, (lanes, links) = catalog.row("cpus", CPU), switch(CHIP), UPLINKS[uplink]
    found = [Part("cpu", "cpu0", has=box_lanes),
             Part("cpu", "cpu1", "cpu0", row["socket_link"], links=row["socket_links"], has=box_lanes)]
    above, most = ("sw", switches) if switches else ("cpu", 2)
    if switches:
        found.append(Part("pcie-switch", _names("sw", switches), _spread("cpu", 2, switches), row["link"], lanes, links,
                          chip.lanes, chip.latency))
    needs = {one["id"]: one["lanes"] for one in catalog.rows("lane_needs")}
    found.append(Part("gpu", _names("gpu", GPUS), _spread(above, most, GPUS), row["link"], needs["gpu"]))
    if nics != NONE:
        place = (above, most) if nics == BESIDE else ("cpu", 2)
        found.append(Part("nic", _names("nic", GPUS), _spread(*place, GPUS), row["link"], needs["nic"]))
    ssds = _spread(above, most, SSDS) if most <= SSDS else " ".join(f"{above}{2 * i}" for i in range(SSDS))
    return [*found, Part("ssd", _names("ssd", SSDS), ssds, row["link"], needs["ssd"])]


@functools.cache
def box(switches: int, nics: str, uplink: str) -> Graph:
    """Return the tree of the learner's box.

    Raises:
        ValueError: a CPU or a switch has fewer lanes than are asked of it.
    """
    return tree("the box", parts(switches, nics, uplink))


def pairs(traffic: str) -> list[tuple[str, str]]:
    """Return the flows of *traffic* as (from, to), by name."""
    gpus = [f"gpu{i}" for i in range(GPUS)]
    if traffic in (TO_NEXT, TO_ALL):
        return [(gpus[a], gpus[b]) for a, b in (ring(GPUS) if traffic == TO_NEXT else all_to_all(GPUS)).tolist()]
    if traffic in (TO_NIC, TO_CPU):
        return [(gpu, f"nic{i}" if traffic == TO_NIC else f"cpu{2 * i // GPUS}") for i, gpu in enumerate(gpus)]
    a, b = traffic.removeprefix("GPU ").split(" to GPU ")
    return [(f"gpu{a}", f"gpu{b}")]


class Load(NamedTuple):
    """The lanes below a switch and of its uplink (both zero without switches), and those in use of a CPU's."""

    below: int
    uplink: int
    of_cpu: int


class Budget(NamedTuple):
    """The lanes that a part `has`, and those `asked` of it, by what asks for them ("4 GPUs")."""

    has: int
    asked: dict[str, int]

    @property
    def over(self) -> int:
        """How many lanes are asked for that are not there."""
        return max(sum(self.asked.values()) - self.has, 0)


def budgets(switches: int, nics: str, uplink: str) -> dict[str, Budget]:
    """Return {name: budget} of every CPU and switch of the learner's box, built or not."""
    listed = trees.listed("the box", _without_limits(switches, nics, uplink))
    has = {name: part.has for part in parts(switches, nics, uplink) if part.has is not None for name in part.names.split()}
    found = {}
    for name, most in has.items():
        asked = {}
        for kind in ("gpu", "nic", "ssd", "pcie-switch"):
            below = [one.uses for one in listed.values() if one.at == name and one.kind == kind]
            if below:
                asked[f"{len(below)} {_KINDS[kind]}{'s' if len(below) > 1 else ''}"] = sum(below)
        if listed[name].uses and listed[name].kind != "cpu":
            asked["its uplink"] = listed[name].uses
        found[name] = Budget(most, asked)
    return found


def load(switches: int, nics: str, uplink: str) -> Load:
    """Return the lanes that the first switch and the first CPU have in use."""
    found = budgets(switches, nics, uplink)
    of_cpu = sum(found["cpu0"].asked.values())
    if not switches:
        return Load(0, 0, of_cpu)
    up = found["sw0"].asked["its uplink"]
    return Load(sum(found["sw0"].asked.values()) - up, up, of_cpu)


def _without_limits(switches: int, nics: str, uplink: str) -> list[Part]:
    return [part._replace(has=None) for part in parts(switches, nics, uplink)]


def _names(kind: str, many: int) -> str:
    return " ".join(f"{kind}{i}" for i in range(many))


def _spread(above: str, places: int, many: int) -> str:
    return " ".join(f"{above}{i * places // many}" for i in range(many))


def _controls() -> list[Control]:
    return [Control("switches", SWITCHES, default=4, label="PCIe switches"),
            Control("nics", [BESIDE, ON_CPUS, NONE], default=BESIDE, label="NICs", as_="menu"),
            Control("uplink", list(UPLINKS), default="x16", label="uplink of a switch")]


@lab("pcie-tree", title="Place eight GPUs, eight NICs, four SSDs", tier="server",
     controls=[*_controls(), Control("traffic", TRAFFIC, default=TO_NIC, as_="menu")],
     chart=lambda: tiers.chart(
         "Two CPUs at the top, joined by their own links; PCIe switches below them; then NICs and SSDs, then GPUs. Beside each "
         "cable its GB/s one way. Cables in use are thick; what limits the traffic is dashed and marked as bottleneck, and in "
         "a box that cannot be built every cable at a part that lacks lanes. Below: how many lanes share an uplink, and how many "
         "lanes of a CPU are taken."),
     leaves_out="Traffic from GPU to GPU over NVLink, which most such servers have besides. Root complexes inside a CPU: on real "
                "ones traffic between two of them can be slower, or not allowed at all. Isolation (ACS), which sends traffic "
                "below a switch up to the CPU and back. The links between the CPUs are taken at a lower rate than this CPU's.",
     sources=["hardwareluxx-6900p", "dedirock-xeon6", "pex89144-encyclopedia", "gera-pcie", "pcie-model", "wiki-upi"])
def pcie_tree(switches, nics, uplink, traffic):
    """Below one switch traffic never meets the CPU; above it everybody shares the uplink."""
    if _overbooked(switches, nics, uplink):
        return _refused(switches, nics, uplink)
    graph, lanes = box(switches, nics, uplink), load(switches, nics, uplink)
    captions = [f"Of each CPU's {box_lanes} PCIe lanes {lanes.of_cpu} are taken."]
    if switches:
        ratio = oversubscription(lanes.below, lanes.uplink)
        captions.insert(0, f"Below each switch {lanes.below} lanes share an uplink of {lanes.uplink}: {ratio:.3g} to 1.")
    if traffic == TO_NIC and nics == NONE:
        return (tiers.columns(tiers.drawn(graph, None, tuple(captions))),
                f"This can be built, but it has no NICs for its {GPUS} GPUs to send to: choose other traffic. {captions[0]}")
    shared = share(graph, pairs(traffic))
    return tiers.columns(tiers.drawn(graph, shared, tuple(captions))), _told(graph, shared, traffic, captions[0])


def _told(graph: Graph, shared: Share, traffic: str, caption: str) -> str:
    each = span(shared.rates.min(), shared.rates.max(), "B/s")
    many = "" if len(shared.rates) == 1 else f" each, {units.format(shared.total, 'B/s')} together"
    a, b = (graph.nodes[ends[0]] for ends in (shared.src, shared.dst))
    way = graph.paths(a, b)[0]
    word = f"{path_class(graph, a, b)}, " if not b.startswith("cpu") else ""
    return f"{traffic[0].upper()}{traffic[1:]}: {each}{many}. {a} reaches {b} by {word}{' – '.join(way)}. {caption}"


def _refused(switches: int, nics: str, uplink: str) -> tuple[dict, str]:
    """What is shown of a box that cannot be built: its tree, with what asks for too many lanes marked, and the sum."""
    sentence, over = _too_many(switches, nics, uplink), _overbooked(switches, nics, uplink)
    graph = tree("the box", _without_limits(switches, nics, uplink))
    rows = [row for row in tiers.drawn(graph, None, tuple(textwrap.wrap(sentence, 84))) if row["part"] != "rate"]
    for row in rows:
        ends = {row.get("from"), row.get("to")}
        # The link between the CPUs takes none of their PCIe lanes.
        if row["part"] == "cable" and not ends.isdisjoint(over) and ends != {"cpu0", "cpu1"}:
            row |= {"state": tiers.TIGHT, "px": 7}
    return tiers.columns(rows), sentence


def _overbooked(switches: int, nics: str, uplink: str) -> dict[str, Budget]:
    return {name: one for name, one in budgets(switches, nics, uplink).items() if one.over}


def _too_many(switches: int, nics: str, uplink: str) -> str:
    """Say which part lacks how many lanes, and what asks for them, as a sum."""
    (first, one), *others = _overbooked(switches, nics, uplink).items()
    asked = " + ".join(f"{lanes} ({by})" for by, lanes in one.asked.items())
    total = f" = {sum(one.asked.values())}" if len(one.asked) > 1 else ""
    more = f" {' and '.join(_called(name) for name, _ in others)} lacks as many." if others else ""
    return (f"This does not work: {one.over} lanes too many at {_called(first)}. It has {one.has} PCIe lanes, and asked of it "
            f"are {asked}{total}.{more}")


def _called(name: str) -> str:
    return f"{'CPU' if name.startswith('cpu') else 'PCIe switch'} {''.join(filter(str.isdigit, name))}"


# ---- lab 3: who reaches whom, and by which way ----

_DEVICES = [f"{kind}{i}" for kind in ("gpu", "nic") for i in range(GPUS)]
_FROM = _DEVICES[:GPUS]
WAY, ALONE, TOGETHER = "the way", "GB/s, one pair alone", "GB/s, all GPUs at once"
_TINTS = {"PIX": charts.BLUE_TINT, "PHB": charts.ORANGE_TINT, "SYS": charts.VERMILION_TINT, "": charts.PAPER}


@functools.cache
def matrix(switches: int, nics: str, uplink: str, shown: str) -> dict[tuple[str, str], tuple[str, float]]:
    """Return {(from, to): (path class, bytes per second)} of all GPUs to all GPUs and NICs; NaN where nothing is sent."""
    graph = box(switches, nics, uplink)
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

    axis = alt.Axis(title="to", orient="top", labelAngle=0, labelFontSize=13)
    x = charts.names("to", [_short(name) for name in _DEVICES], channel="X").axis(axis)
    y = charts.names("from", [_short(name) for name in _FROM])
    said = {word: f"{word}: {meant}" for word, meant in WORDS.items()}
    legend = charts.legend(list(said.values()), symbolSize=400, orient="bottom", values=list(said),
                           labelExpr=f"({json.dumps(said)})[datum.label]")
    colour = alt.Color("way:N", legend=legend, scale=alt.Scale(domain=list(_TINTS), range=list(_TINTS.values())))
    cells = charts.live().mark_rect(stroke=charts.FAINT, strokeWidth=1).encode(x=x, y=y, color=colour)
    size = alt.ExprRef("clamp(width / 48, 8, 15)")
    words = charts.live().mark_text(fontSize=size, color=charts.INK).encode(x=x, y=y, text="cell:N")
    return charts.stack(cells, words, height=330, description=(
        "A square for each GPU, as the sender, and each GPU and NIC, as the receiver. Its colour and its text are the way "
        "between them in the words of nvidia-smi, or its text the GB/s one way."))


@lab("pcie-matrix", title="Who reaches whom, and how fast", tier="server",
     controls=[*_controls(), Control("shown", [WAY, ALONE, TOGETHER], default=WAY, label="in the squares", as_="menu")],
     chart=_matrix_chart,
     leaves_out="Root complexes inside a CPU, which nvidia-smi tells apart (NODE) and this box does not. Reads, whose requests "
                "and answers share the links of the other direction. What the copies' software adds.",
     sources=["hardwareluxx-6900p", "dedirock-xeon6", "pex89144-encyclopedia", "gera-pcie", "pcie-model", "wiki-upi"])
def pcie_matrix(switches, nics, uplink, shown):
    """One pair alone sees little of the tree; all together see where it is narrow."""
    if _overbooked(switches, nics, uplink):
        blank = [(a, b, "", "") for a in _FROM for b in _DEVICES]
        return _columns(blank), _too_many(switches, nics, uplink)
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
    for word, said in WORDS.items():
        rates = [rate for way, rate in found.values() if way == word and not np.isnan(rate)]
        if not rates:
            continue
        told.append(f"{len(rates)} by {word} ({said}), {span(min(rates), max(rates), 'B/s')}")
    return f"{'All GPUs to all at once' if shown == TOGETHER else 'One pair at a time'}, one way: {'; '.join(told)} each."


def _short(name: str) -> str:
    return name.replace("gpu", "G").replace("nic", "N")
