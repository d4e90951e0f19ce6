"""What made NVLink faster, what a switch buys, and what it means that the switch adds."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives import algbw, busbw, collective_time
from fabriclib.flows import Share, all_to_all, one_pair, ring, share
from fabriclib.links import Link, link
from fabriclib.measurements import error, percent
from fabriclib.switches import switch
from fabriclib.topology import Cables, Graph

from ...stage import Control, charts, graphs, lab

# ---- lab 1: where the rate comes from ----

_GENERATIONS = [1, 2, 3, 4, 5]
_STEPS = ["before", "lane rate", "line code", "lanes per link", "links per GPU", "after"]
_GROWS, _SHRINKS = "more", "less"


def growth(old: Link, new: Link) -> dict[str, float]:
    """Return what the rate of a GPU grew by from *old* links to *new* ones, factor by factor: together they are all of it."""
    return {"lane rate": new.lane_rate / old.lane_rate, "line code": new.code_rate / old.code_rate,
            "lanes per link": new.lanes / old.lanes, "links per GPU": new.per_device / old.per_device}


def _waterfall_chart():
    y = charts.names("step", _STEPS, title="what changed")

    def x(field):
        return charts.x(field, (40, 4500), title="rate of a GPU, one way (GB/s, logarithmic)", log=10,
                        ticks=[50, 100, 200, 400, 800, 1600])

    encoded = charts.series("change", {_GROWS: (charts.CHIP, charts.SOLID), _SHRINKS: (charts.OTHER, charts.DASHED)})
    bars = charts.live().mark_bar(stroke="#333333", strokeWidth=1.5, height=26).encode(
        x=x("from (GB/s)"), x2="to (GB/s)", y=y, color=encoded["color"], strokeDash=encoded["strokeDash"])
    rate = charts.live().mark_tick(thickness=5, size=34, opacity=1, color=charts.CHIP).encode(x=x("rate (GB/s)"), y=y)
    diamonds = charts.live().mark_point(shape="diamond", size=130, filled=True, opacity=1, color=charts.MEASURED).encode(
        x=x("vendor (GB/s)"), y=y)
    factors = charts.values(x("right end (GB/s)"), y, "text", dx=12)
    return charts.stack(bars, rate, diamonds, factors, height=300, description=(
        "A multiplicative waterfall from the rate of an older GPU to that of a newer one, on a logarithmic axis: a bar each for "
        "lane rate, line code, lanes per link and links per GPU, to the right where there is more of it and to the left where "
        "there is less. Upright marks are computed rates, black diamonds on them the vendor's."))


@lab("where-the-rate-comes-from", title="Where the rate comes from", tier="chip",
     controls=[Control("old", _GENERATIONS, default=1, label="from NVLink", as_="menu"),
               Control("new", _GENERATIONS, default=5, label="to NVLink", as_="menu")],
     chart=_waterfall_chart,
     leaves_out="What a lane's rate is made of: symbols a second, and bits a symbol. NVLink 6 is left out: its total is agreed, "
                "but sources do not agree on how many links make it up.",
     sources=["stas-network", "wikimili-nvlink", "network-switch-nvlink", "catalogone-nvlink"])
def where_the_rate_comes_from(old, new):
    """The wires of a GPU hardly grew in number; each became ten times as fast."""
    before, after = link(f"nvlink{old}"), link(f"nvlink{new}")
    factors = growth(before, after)
    rates = [one.bundle(one.per_device).bandwidth() / units.GB for one in (before, after)]
    steps = rates[0] * np.cumprod([1.0, *factors.values()])
    vendor = [catalog.figure(f"{one.id}-device-one-way").value for one in (before, after)]
    none = [np.nan] * len(factors)
    text = [f"{one.device}: {rate:.4g} GB/s" for one, rate in zip((before, after), rates, strict=True)]
    table = {
        "step": _STEPS, "factor": [None, *(float(f"{f:.4g}") for f in factors.values()), None],
        "from (GB/s)": [np.nan, *steps[:-1], np.nan], "to (GB/s)": [np.nan, *steps[1:], np.nan],
        "change": ["", *(_SHRINKS if f < 1 else _GROWS for f in factors.values()), ""],
        "right end (GB/s)": [rates[0], *np.maximum(steps[:-1], steps[1:]), rates[1]],
        "rate (GB/s)": [rates[0], *none, rates[1]], "vendor (GB/s)": [vendor[0], *none, vendor[1]],
        "text": [text[0], *map(_factor, factors.values()), text[1]],
    }
    lanes = [one.lanes * one.per_device for one in (before, after)]
    return table, (f"From {rates[0]:.4g} GB/s ({before.device}) to {rates[1]:.4g} GB/s ({after.device}), one way: "
                   f"{_factor(rates[1] / rates[0])}. The lane rate alone: {_factor(factors['lane rate'])}. "
                   f"Lanes of a whole GPU: {lanes[0]} before, {lanes[1]} after.")


def _factor(value: float) -> str:
    return f"× {value:.4g}" if value >= 1 else f"÷ {1 / value:.4g}"


# ---- lab 2: the same links, with and without switches ----

_NVLINK = link("nvlink4")
_PER_SWITCH = catalog.row("servers", "hgx-h100")["links_per_switch"]
_GPUS = range(2, 9)
_PATTERNS = {"one pair, neighbours": one_pair, "one pair, opposite": lambda gpus: [[0, gpus // 2]], "ring": ring,
             "all-to-all": all_to_all}


def direct(gpus: int, wire: Link = _NVLINK) -> Graph:
    """Return *gpus* GPUs wired to each other with all their links, split over the others as evenly as whole links allow."""
    whole, left = divmod(wire.per_device, gpus - 1)
    a, b = np.triu_indices(gpus, k=1)
    apart = np.minimum(b - a, gpus - b + a)  # places between two GPUs, the shorter way round
    # What is left over goes to the nearest, two at a time; a single one goes to the GPU opposite.
    extra = (apart <= left // 2) | ((left % 2 == 1) & (2 * apart == gpus))
    return Graph.wired("wired directly", _named(gpus), [Cables(a, b, wire, whole + extra)])


def switched(gpus: int, per_switch: list[int], wire: Link = _NVLINK, name: str = "through switches") -> Graph:
    """Return *gpus* GPUs, each with per_switch[i] links to switch i."""
    a, b = np.divmod(np.arange(gpus * len(per_switch)), len(per_switch))
    cables = Cables(a, gpus + b, wire, np.array(per_switch)[b], wire.latency / 2)
    return Graph.wired(name, _named(gpus) | {f"nvswitch{i}": "switch" for i in range(len(per_switch))}, [cables])


def _named(gpus: int) -> dict[str, str]:
    return {f"gpu{i}": "gpu" for i in range(gpus)}


@functools.cache
def compared(gpus: int, pattern: str, switches: int) -> dict[str, Share]:
    """Return what *pattern* gets of the same links wired directly and through the first *switches* NVSwitches."""
    pairs = _PATTERNS[pattern](gpus)
    many = f"Through {switches} NVSwitches" if switches > 1 else "Through 1 NVSwitch"
    return {"Wired directly": share(direct(gpus), pairs), many: share(switched(gpus, _PER_SWITCH[:switches]), pairs)}


def _said(rates: np.ndarray) -> str:
    low, high = (units.format(rate, "B/s") for rate in (rates.min(), rates.max()))
    return low if low == high else f"{low} to {high}"


@lab("switch-or-direct", title="Eighteen links: to the others, or to switches?", tier="chip",
     controls=[Control("gpus", _GPUS, default=8, label="GPUs"),
               Control("pattern", list(_PATTERNS), default="one pair, opposite", as_="menu"),
               Control("switches", range(1, len(_PER_SWITCH) + 1), default=len(_PER_SWITCH), label="switches")],
     chart=lambda: graphs.chart(
         "Up to eight GPUs on a circle, twice: on the left wired to each other, on the right through one to four switches in the "
         "middle. A cable in use is a thick solid line, the thicker the more it carries one way; an idle one is thin and dashed. "
         "Figures beside GPU 0 are the GB/s that leave it. Below: the rate of a pair, of a GPU that sends, and of all together."),
     leaves_out="Packet headers and software, which leave about five sixths of these rates. Software that cuts a transfer into "
                "several rings can use all direct links at once (lesson 03); a single copy goes the shortest way. A real server "
                "that loses a switch may stop instead of going on with fewer.",
     sources=["lockwood-nvlink", "stas-network", "wikimili-nvlink", "pcgamer-h100"])
def switch_or_direct(gpus, pattern, switches):
    """A switch lends all links of a GPU to whichever pair is talking."""
    table, told = [], []
    for centre, (name, shared) in zip((-1.3, 1.3), compared(gpus, pattern, switches).items(), strict=True):
        pair, sends = _said(shared.rates), np.bincount(shared.src, shared.rates)
        captions = [("one pair", pair), ("one GPU sends", _said(sends[sends > 0])),
                    ("all together", units.format(shared.total, "B/s"))]
        table += graphs.drawn(name, shared, captions, centre=centre)
        told.append(f"{name}: {pair} a pair, {units.format(shared.total, 'B/s')} together.")
    links = f"{_NVLINK.per_device} links each, directly {_NVLINK.per_device / (gpus - 1):.3g} a pair on average"
    return graphs.columns(table), f"{gpus} GPUs with {links}; {pattern}. {' '.join(told)}"


def nvl72() -> Graph:
    """Return the rack: one link of each GPU to each switch, so as many switches as a GPU has links, and GPUs as a switch ports.

    >>> nvl72()
    <NVL72: 72 gpu, 18 switch, 2592 directed edges>
    """
    chip = switch("nvswitch4")
    return switched(chip.ports, [1] * chip.port.per_device, chip.port, "NVL72")


# ---- lab 3: the switch adds ----

_PRINTED = {"busbw": lambda nbytes, seconds, gpus: busbw("all_reduce", nbytes, seconds, gpus),
            "algbw": lambda nbytes, seconds, gpus: algbw(nbytes, seconds)}
_WAYS = {"ring": "ring", "nvls": "NVLS: the switch adds"}
_PUBLISHED = {"ring": "ring all_reduce busbw", "nvls": "NVLS all_reduce busbw"}
_MARKS = {"ring": "measured: ring", "nvls": "measured: NVLS"}
_STYLES = dict(zip(_WAYS.values(), [(charts.OTHER, charts.DASH_DOT), (charts.CHIP, charts.SOLID)], strict=True))
_BUFFER = 8 * units.GiB  # what was measured; without start-up times it changes nothing
_PORTS = [10e9 * tens for tens in range(25, 46)]


def all_reduce_seconds(way: str, gpus: int, port: float, nbytes: float = _BUFFER) -> float:
    """Return the seconds of an all-reduce, "ring" or "nvls", if each GPU moves *port* bytes per second each way."""
    return collective_time("all_reduce", way, nbytes=nbytes, ranks=gpus, alpha=0.0, beta=1 / port)


def _measured(way: str) -> dict[int, float]:
    """Return {GPUs: seconds for the buffer} of the H200 server, from the busbw published for each number of GPUs."""
    found = {gpus: f.si for gpus in _GPUS for f in catalog.figures(f"h200x{gpus}", _PUBLISHED[way])}
    return {gpus: busbw("all_reduce", _BUFFER, 1.0, gpus) / printed for gpus, printed in found.items()}


def _sum_chart():
    import altair as alt

    right = 10.4
    x = charts.x("GPUs", (1.8, right), title="GPUs that add up", ticks=list(_GPUS))

    def y(field):
        return charts.y(field, (0, 800), title="GB/s that the benchmark prints", ticks=range(0, 801, 100))

    wire = _NVLINK.bundle(_NVLINK.per_device).bandwidth() / units.GB
    row = [{"GPUs": right, "rate": wire, "label": f"the wire: {wire:g} GB/s"}]
    rule = charts.fixed(row).mark_rule(color=charts.LIMIT, strokeDash=charts.DASHED, strokeWidth=2.5).encode(y=y("rate"))
    name = charts.fixed(row).mark_text(align="right", dx=-6, dy=14, fontSize=14, fontWeight="bold", color=charts.LIMIT).encode(
        x=x, y=y("rate"), text="label:N")
    lines = charts.line(x, y("printed (GB/s)"), colour=charts.CHIP, **charts.series("what", _STYLES))
    here = charts.here(x, y("here (GB/s)"), colour="white")
    shapes = alt.Scale(domain=list(_MARKS.values()), range=["circle", "diamond"])
    marks = charts.live().transform_filter("isValid(datum['measured (GB/s)'])").mark_point(
        size=150, filled=True, opacity=1, color=charts.MEASURED).encode(
            x=x, y=y("measured (GB/s)"), shape=alt.Shape("what:N", legend=None, scale=shapes))
    size = charts.fitting("width + 24 - scale('x', datum.GPUs)", 14, text="text")
    said = charts.live().mark_text(align="left", baseline="middle", dx=12, dy=-4, fontSize=size).encode(
        x=x, y=y("measured (GB/s)"), text="text:N")
    return charts.stack(rule, name, lines, here, marks, said, height=380, description=(
        "The bandwidth a benchmark prints for an all-reduce, against the number of GPUs: a line for the ring and one for NVLS, "
        "where the switch adds, both with the chosen rate of a port and a white dot at the chosen number of GPUs; black circles "
        "and diamonds for what was measured with each on a server of eight H200; a dashed line for the wire."))


@lab("in-switch-sum", title="When the switch adds", tier="chip",
     controls=[Control("shown", list(_PRINTED), default="busbw", as_="menu"),
               Control("gpus", _GPUS, default=8, label="GPUs"),
               Control("port", _PORTS, default=450e9, label="a port moves", unit="B/s")],
     chart=_sum_chart,
     leaves_out="Start-up times (the measured buffer is 8 GiB), and why a port moves less when the switch adds than in a ring. "
                "With 4 GPUs NCCL chose a ring by itself; for 2 and 3 the source gives nothing.",
     sources=["nccl-sym-kernels", "nccl-tests", "stas-network", "nccl-1455"])
def in_switch_sum(shown, gpus, port):
    """Fewer bytes through each port: the sum is ready sooner than any ring over the same wire could be."""
    def printed(seconds, ranks):
        return _PRINTED[shown](_BUFFER, seconds, ranks) / units.GB

    lines = [(_WAYS[way], p, printed(all_reduce_seconds(way, p, port), p)) for way in _WAYS for p in _GPUS]
    points = [(_MARKS[way], p, printed(seconds, p)) for way in _WAYS for p, seconds in _measured(way).items()]
    no_line, no_point = [np.nan] * len(points), [np.nan] * len(lines)
    table = {"what": [what for what, _, _ in lines + points], "GPUs": [p for _, p, _ in lines + points],
             "printed (GB/s)": [value for _, _, value in lines] + no_line,
             "here (GB/s)": [value if p == gpus else np.nan for _, p, value in lines] + no_line,
             "measured (GB/s)": no_point + [value for _, _, value in points],
             "text": [""] * len(lines) + [mark if p == _GPUS[-1] else "" for mark, p, _ in points]}
    sent = (f"{all_reduce_seconds(way, gpus, 1.0) / _BUFFER:.4g}" for way in _WAYS)
    ring, nvls = (f"{one} buffer{'s' * (one != '1')}, {shown} {value:.0f} GB/s"
                  for one, value in zip(sent, (value for _, p, value in lines if p == gpus), strict=True))
    return table, (f"{gpus} GPUs, {units.format(port, 'B/s')} through each port each way. In a ring a GPU sends {ring}. "
                   f"With NVLS it sends {nvls}.")


# ---- beside measurements ----

def port_rate(way: str, gpus: int) -> float:
    """Return the bytes per second, one way, that a port of the H200 server moved, by the bytes that *way* sends."""
    return all_reduce_seconds(way, gpus, 1.0) / _measured(way)[gpus]


def sums_beside_published():
    """Return the H200 server's all-reduce as text: NVLS at the port rate of its 5-GPU row, and what the ports moved."""
    import pandas as pd

    rows, rate = [], port_rate("nvls", 5)
    for gpus, seconds in _measured("nvls").items():
        model = all_reduce_seconds("nvls", gpus, rate)
        rows.append({"GPUs": gpus, "model busbw": units.format(busbw("all_reduce", _BUFFER, model, gpus), "B/s"),
                     "measured busbw": units.format(busbw("all_reduce", _BUFFER, seconds, gpus), "B/s"),
                     "error": "sets the rate" if gpus == 5 else percent(error(model, seconds)),
                     "a port moved, NVLS": units.format(port_rate("nvls", gpus), "B/s"),
                     "a port moved, ring": units.format(port_rate("ring", gpus), "B/s")})
    return pd.DataFrame(rows)


def pairs_beside_line_rate():
    """Return the copies of all pairs of a server, slowest and fastest, as text beside what flows over its links promise."""
    import pandas as pd

    rows = []
    for wire in ("nvlink3", "nvlink4"):
        promised = link(wire).bundle(link(wire).per_device).bandwidth()
        low, high = (catalog.figures(wire, f"{end} measured copy")[0].si for end in ("slowest", "fastest"))
        rows.append({"server": f"8 x {link(wire).device}", "any pair, at line rate": units.format(promised, "B/s"),
                     "slowest of 56": units.format(low, "B/s"), "fastest of 56": units.format(high, "B/s"),
                     "error": f"{percent(error(1 / promised, 1 / low))} to {percent(error(1 / promised, 1 / high))}"})
    return pd.DataFrame(rows)
