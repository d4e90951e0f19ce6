"""What made NVLink faster, what a switch buys, and what it means that the switch adds."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives import algbw, busbw, schedule
from fabriclib.flows import Share, all_to_all, one_pair, ring, share
from fabriclib.links import link
from fabriclib.shown import counted

from ...stage import Control, against, charts, graphs, lab, pieces
from ...stage.words import span
from . import adds, stops
from .tables import (
    A100,
    BUFFER,
    GPUS,
    H100,
    PER_SWITCH,
    all_reduce_seconds,
    copies,
    direct,
    growth,
    measured,
    port_rate,
    switched,
    whole,
    worst_sum,
)

# ---- lab 1: where the rate comes from ----

_GENERATIONS = [1, 2, 3, 4, 5]
_STEPS = ["before", "lane rate", "line code", "lanes per link", "links per GPU", "after"]
_GROWS, _SHRINKS = "more", "less"


def _waterfall_chart():
    y = charts.names("step", _STEPS, title="what changed")

    def x(field):
        return charts.x(field, (40, 4500), title="rate of a GPU, one way (GB/s, logarithmic)", log=10,
                        ticks=[50, 100, 200, 400, 800, 1600])

    encoded = charts.series("change", {_GROWS: (charts.CHIP, charts.SOLID), _SHRINKS: (charts.OTHER, charts.DASHED)})
    bars = charts.live().mark_bar(stroke=charts.EDGE, strokeWidth=1.5, height=26).encode(
        x=x("from (GB/s)"), x2="to (GB/s)", y=y, color=encoded["color"], strokeDash=encoded["strokeDash"])
    rate = charts.live().mark_tick(thickness=5, size=34, opacity=1, color=charts.CHIP).encode(x=x("rate (GB/s)"), y=y)
    diamonds = charts.diamonds(charts.live(), x("vendor (GB/s)"), y, size=130)
    factors = charts.values(x("right end (GB/s)"), y, "text", dx=12)
    return charts.stack(bars, rate, diamonds, factors, height=300, description=(
        "A multiplicative waterfall from the rate of an older GPU to that of a newer one, on a logarithmic axis: a bar each for "
        "lane rate, line code, lanes per link and links per GPU, to the right where there is more of it and to the left where "
        "there is less. Upright marks are computed rates, diamonds on them the vendor's."))


@lab("where-the-rate-comes-from", title="Where the rate comes from", tier="chip",
     controls=[Control("old", _GENERATIONS, default=1, label="from NVLink", as_="menu"),
               Control("new", _GENERATIONS, default=5, label="to NVLink", as_="menu")],
     chart=_waterfall_chart,
     leaves_out="What a lane's rate is made of: symbols a second, and bits a symbol. NVLink 6 is left out: its total is agreed, "
                "but sources do not agree on how many links make it up.",
     hides=("right end (GB/s)", "rate (GB/s)", "text"),
     sources=["stas-network", "wikimili-nvlink", "network-switch-nvlink", "catalogone-nvlink"],
     stops=stops.WATERFALL)
def where_the_rate_comes_from(old, new):
    """The wires of a GPU hardly grew in number; each became ten times as fast."""
    before, after = link(f"nvlink{old}"), link(f"nvlink{new}")
    factors = growth(before, after)
    rates = [whole(one) / units.GB for one in (before, after)]
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

_PATTERNS = {"one pair, neighbours": one_pair, "one pair, opposite": lambda gpus: [[0, gpus // 2]], "ring": ring,
             "all-to-all": all_to_all}


@functools.cache
def compared(gpus: int, pattern: str, switches: int) -> dict[str, Share]:
    """Return what *pattern* gets of the same links wired directly and through the first *switches* NVSwitches."""
    pairs = _PATTERNS[pattern](gpus)
    through = f"Through {counted(switches, 'NVSwitch', 'NVSwitches')}"
    return {"Wired directly": share(direct(gpus), pairs), through: share(switched(gpus, PER_SWITCH[:switches]), pairs)}


_GPUS = range(2, GPUS + 1)


@lab("switch-or-direct", title="Eighteen links: to the others, or to switches?", tier="chip",
     controls=[Control("gpus", _GPUS, default=GPUS, label="GPUs"),
               Control("pattern", list(_PATTERNS), default="one pair, opposite", as_="menu"),
               Control("switches", range(1, len(PER_SWITCH) + 1), default=len(PER_SWITCH), label="switches")],
     chart=lambda: graphs.chart(
         "Up to eight GPUs on a circle, twice: on the left wired to each other, on the right through one to four switches in the "
         "middle. A cable in use is a thick solid line, the thicker the more it carries one way; an idle one is thin and dashed. "
         "Figures beside GPU 0 are the GB/s that leave it. Below: the rate of a pair, of a GPU that sends, and of all together."),
     leaves_out="Packet headers and software, which leave about {{ portion(copies(H100)[0] / whole(H100)) }} of these rates. "
                "Software that cuts a transfer into several rings can use all direct links at once (lesson "
                "{{ number('infinity_fabric') }}); a single copy goes the shortest way. A real server that loses a switch may "
                "stop instead of going on with fewer.",
     hides=("label", "state"),
     sources=["lockwood-nvlink", "stas-network", "wikimili-nvlink", "pcgamer-h100"], stops=stops.EIGHTEEN)
def switch_or_direct(gpus, pattern, switches):
    """A switch lends all links of a GPU to whichever pair is talking."""
    table, told = [], []
    for centre, (name, shared) in zip((-1.3, 1.3), compared(gpus, pattern, switches).items(), strict=True):
        pair, sends = span(min(shared.rates), max(shared.rates), "B/s"), np.bincount(shared.src, shared.rates)
        captions = [("one pair", pair), ("one GPU sends", span(min(sends[sends > 0]), max(sends), "B/s")),
                    ("all together", units.format(shared.total, "B/s"))]
        table += graphs.drawn(name, shared, captions, centre=centre)
        told.append(f"{name}: {pair} a pair, {units.format(shared.total, 'B/s')} together.")
    links = f"{H100.per_device} links each, directly {H100.per_device / (gpus - 1):.3g} a pair on average"
    return graphs.columns(table), f"{gpus} GPUs with {links}; {pattern}. {' '.join(told)}"


# ---- lab 3: the switch adds ----

_PRINTED = {"busbw": lambda nbytes, seconds, gpus: busbw("all_reduce", nbytes, seconds, gpus),
            "algbw": lambda nbytes, seconds, gpus: algbw(nbytes, seconds)}
_WAYS = {"ring": "ring", "nvls": "NVLS: the switch adds"}
_MARKS = {"ring": "measured: ring", "nvls": "measured: NVLS"}
_STYLES = dict(zip(_WAYS.values(), [(charts.OTHER, charts.DASH_DOT), (charts.CHIP, charts.SOLID)], strict=True))
_PORTS = [*(10e9 * tens for tens in range(25, 100) if 10e9 * tens < whole(H100)), whole(H100)]


def _sum_chart():
    import altair as alt

    right = 11.0
    x = charts.x("GPUs", (1.8, right), title="GPUs that add up", ticks=list(_GPUS))

    def y(field):
        return charts.y(field, (0, 800), title="GB/s that the benchmark prints", ticks=range(0, 801, 100))

    wire = whole(H100) / units.GB
    row = [{"GPUs": right, "rate": wire, "label": f"the wire: {wire:g} GB/s"}]
    rule = charts.fixed(row).mark_rule(color=charts.LIMIT, strokeDash=charts.DASHED, strokeWidth=2.5).encode(y=y("rate"))
    name = charts.fixed(row).mark_text(align="right", dx=-6, dy=14, fontWeight="bold", color=charts.LIMIT,
                                       fontSize=alt.ExprRef(f"{charts.NARROW} ? 11 : 14")).encode(
        x=x, y=y("rate"), text="label:N")
    lines = charts.line(x, y("printed (GB/s)"), colour=charts.CHIP, **charts.series("what", _STYLES))
    here = charts.here(x, y("here (GB/s)"), colour=charts.PAPER)
    shapes = alt.Scale(domain=list(_MARKS.values()), range=["circle", "diamond"])
    marks = charts.live().transform_filter("isValid(datum['measured (GB/s)'])").mark_point(
        size=150, filled=True, opacity=1, color=charts.MEASURED).encode(
            x=x, y=y("measured (GB/s)"), shape=alt.Shape("what:N", legend=None, scale=shapes))
    size = charts.fitting("width + 24 - scale('x', datum.GPUs)", 14, text="text")
    said = charts.live().mark_text(align="left", baseline="middle", dx=12, dy=-4, fontSize=size).encode(
        x=x, y=y("measured (GB/s)"), text="text:N")
    return charts.stack(rule, name, lines, here, marks, said, height=380, description=(
        "The bandwidth a benchmark prints for an all-reduce, against the number of GPUs: a line for the ring and one for NVLS, "
        "where the switch adds, both with the chosen rate of a port and a dot at the chosen number of GPUs; black circles "
        "and diamonds for what was measured with each on a server of eight H200; a dashed line for the wire."))


@lab("in-switch-sum", title="When the switch adds", tier="chip",
     controls=[Control("shown", list(_PRINTED), default="busbw", as_="menu"),
               Control("gpus", _GPUS, default=GPUS, label="GPUs"),
               Control("port", _PORTS, default=whole(H100), label="a port moves", unit="B/s")],
     chart=_sum_chart,
     leaves_out="Start-up times (the measured buffer is 8 GiB), and why a port moves less when the switch adds than in a ring. "
                "With 4 GPUs NCCL chose a ring by itself; for 2 and 3 the source gives nothing.",
     hides=("text",),
     sources=["nccl-sym-kernels", "nccl-tests", "stas-network", "nccl-1455"], stops=stops.SUM)
def in_switch_sum(shown, gpus, port):
    """Fewer bytes through each port: the sum is ready sooner than any ring over the same wire could be."""
    def printed(seconds, ranks):
        return _PRINTED[shown](BUFFER, seconds, ranks) / units.GB

    lines = [(_WAYS[way], p, printed(all_reduce_seconds(way, p, port), p)) for way in _WAYS for p in _GPUS]
    points = [(_MARKS[way], p, printed(seconds, p)) for way in _WAYS for p, seconds in measured(way).items()]
    no_line, no_point = [np.nan] * len(points), [np.nan] * len(lines)
    table = {"what": [what for what, _, _ in lines + points], "GPUs": [p for _, p, _ in lines + points],
             "printed (GB/s)": [value for _, _, value in lines] + no_line,
             "here (GB/s)": [value if p == gpus else np.nan for _, p, value in lines] + no_line,
             "measured (GB/s)": no_point + [value for _, _, value in points],
             "text": [""] * len(lines) + [mark if p == _GPUS[-1] else "" for mark, p, _ in points]}
    sent = (all_reduce_seconds(way, gpus, 1.0) / BUFFER for way in _WAYS)
    here = (value for _, p, value in lines if p == gpus)
    ring, nvls = (f"{_buffers(one)}, {shown} {value:.0f} GB/s" for one, value in zip(sent, here, strict=True))
    return table, (f"{gpus} GPUs, {units.format(port, 'B/s')} through each port each way. In a ring a GPU sends {ring}. "
                   f"With NVLS it sends {nvls}.")


# ---- lab 4: how it adds ----

@lab("switch-adds", title="How a switch adds", tier="chip",
     controls=[Control("step", range(len(adds.STEPS)), default=0, as_="steps"),
               Control("gpus", _GPUS, default=4, label="GPUs")],
     chart=lambda: pieces.chart(adds.ACROSS, adds.UP, (
         "Buffers of GPUs, each cut into pieces, and the switch above them. The number in a piece, and its shade, is how many "
         "GPUs' numbers it is the sum of; a thick border marks what moves: up to the switch, where pieces are added, and down.")),
     leaves_out="Time: in the hardware the moves overlap, piece by piece. The switches of a server are drawn as one; each has a "
                "part of every piece.",
     hides=("label",),
     sources=["nccl-sym-kernels", "nvidia-dgxc"], glides=pieces.GLIDES, stops=stops.ADDS)
def switch_adds(step, gpus):
    """Each GPU sends its buffer once, and its finished part once more: the switch does the rest."""
    sent, received = adds.through_port(gpus, step)
    last = len(adds.STEPS) - 1
    ring = schedule("all_reduce", "ring", ranks=gpus).counts().sent
    end = f" A ring would have sent {ring:.4g}." if step == last else ""
    return pieces.columns(adds.drawn(gpus, step)), (
        f"Step {step} of {last}: {adds.STEPS[step]}. By now each of the {gpus} GPUs has sent {_buffers(sent)} and received "
        f"{_buffers(received)}.{end}")


def _buffers(sent: float) -> str:
    return counted(float(f"{sent:.4g}"), "buffer")


# ---- the model against what was measured ----

_PAIRS, _SUMS = "line rate of all links", "NVLS, the port as with five GPUs"


def _measured_chart(field: str, values, title: str, highest: float, run: str, errors: tuple[float, float], description: str):
    names = charts.names(field, list(values), channel="X", title=field)
    return against.chart(names, lambda column: charts.y(column, (0, highest), title=title, unit="B/s"),
                         {run: (charts.CHIP, charts.SOLID)}, errors=errors, description=description)


def _pairs() -> dict[str, tuple[float, float]]:
    """The line rate and the measured copy, for the slowest and for the fastest pair of a server."""
    return {f"{wire.device}, {which}": (whole(wire), copy) for wire in (A100, H100)
            for which, copy in zip(("slowest pair", "fastest pair"), copies(wire), strict=True)}


@lab("pairs-against-line", title="Are all pairs alike?", tier="chip", controls=(),
     chart=lambda: _measured_chart("pair", _pairs(), "a copy, one way", 5e11, _PAIRS, (-40, 40),
                                   "For the slowest and the fastest pair of eight A100 and of eight H100 the line rate as a "
                                   "short bar, the measured copy as a diamond; below, by how much the line rate is more."),
     leaves_out="Packet headers, flow control and memory. The error is larger on the H100 than on the A100; the source does not "
                "say why.",
     sources=["stas-network"])
def pairs_against_line():
    """Through switches no pair is worse off than another."""
    table = against.named("pair", _PAIRS, _pairs())
    apart = [units.portion(fast / slow - 1) for slow, fast in (copies(A100), copies(H100))]
    return table, (f"All {GPUS * (GPUS - 1)} pairs of a server, one at a time: the fastest is {apart[0]} ahead of the slowest on "
                   f"the A100, {apart[1]} on the H100.")


def _sums() -> dict[str, tuple[float, float]]:
    """The busbw that NVLS comes to with the port rate of five GPUs, and the measured one."""
    port = port_rate("nvls", 5)
    return {f"{gpus} GPUs": tuple(busbw("all_reduce", BUFFER, time, gpus)
                                  for time in (all_reduce_seconds("nvls", gpus, port), seconds))
            for gpus, seconds in measured("nvls").items()}


@lab("sums-against-published", title="A benchmark that prints more than the wire", tier="chip", controls=(),
     chart=lambda: _measured_chart("who adds", _sums(), "busbw", 6e11, _SUMS, (-5, 5),
                                   "For sums over five to eight H200 the busbw of the model as a short bar, the measured one "
                                   "as a diamond; below, by how much the model is off."),
     leaves_out="Start-up times (the buffer is 8 GiB). One number is taken from the measurement of five GPUs: what a port moves.",
     sources=["stas-network", "nccl-sym-kernels"])
def sums_against_published():
    """One port rate explains the busbw of every number of GPUs."""
    table = against.named("who adds", _SUMS, _sums())
    moved, printed = (units.format(most, "B/s") for most in (max(port_rate("nvls", p) for p in measured("nvls")),
                                                             max(table["measured"])))
    return table, (f"Set by five GPUs, the others follow within {units.portion(worst_sum())}. No port moved more than "
                   f"{moved}, while the benchmark printed up to {printed}.")
