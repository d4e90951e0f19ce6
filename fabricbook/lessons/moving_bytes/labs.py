"""Latency against bandwidth, and where an NVLink's rate comes from."""

from __future__ import annotations

import numpy as np

from fabriclib import catalog, units
from fabriclib.links import AlphaBeta, link
from fabriclib.shown import counted, digits

from ...stage import Control, against, charts, lab
from ...stage.words import part
from . import stops
from .tables import COPIES, a100, curve, fitted, h100, misses, nvlink, port, raw_gbps, small

_SIZES = np.array([2.0**k for k in range(3, 35)])
_RATES = sorted({12.5e9, 25e9, 100e9, 150e9, port.line, a100.line, h100.line, 2 * h100.line})
_STARTS = sorted({round(start, 12) for start in (0.1e-6, 0.2e-6, 1e-6, 2e-6, 5e-6, 10e-6, 20e-6, h100.latency / 2, h100.latency,
                                                 port.latency)})


def _rate_chart():
    x = charts.x("size", (_SIZES[0], _SIZES[-1]), title="message size (logarithmic)", unit="B", log=2)

    def y(field):
        return charts.y(field, (1e5, 2e12), title="rate reached, one way (logarithmic)", unit="B/s", log=10)

    import altair as alt

    at = charts.x("n half", (_SIZES[0], _SIZES[-1]), title="message size (logarithmic)", unit="B", log=2)
    half = charts.live().mark_rule(color=charts.LIMIT, strokeDash=charts.DASHED, strokeWidth=2.5).encode(x=at)
    place = charts.beside(at, 6, "n half label")
    name = charts.live().mark_text(color=charts.LIMIT, fontWeight="bold", **place).encode(
        x=at, y=alt.value(14), text=alt.Text("n half label:N"))
    own = AlphaBeta(h100.latency, 1 / h100.line)
    usual = charts.fixed([{"size": size, "rate": size / own.time(size)} for size in _SIZES.tolist()]).mark_line(
        color=charts.FAINT, strokeWidth=2).encode(x=x, y=y("rate"))
    usual_half = charts.fixed([{"n half": own.n_half}]).mark_rule(color=charts.FAINT, strokeDash=charts.DOTTED).encode(x=at)
    return charts.stack(usual, usual_half, half, name, charts.line(x, y("rate"), colour=charts.CHIP),
                        charts.here(x, y("here"), colour=charts.CHIP), *_parted(), description=
                        "The rate a message reaches against its size: it rises with the size and levels off at the link's "
                        "bandwidth; a dashed line marks the size that reaches half of it. Faint, the same of all NVLinks of an "
                        "H100. A bar at the lower right parts the "
                        "message's time into its start and its bytes.")


def _parted():
    """The message's time as a bar: the start's part and that of the bytes."""
    import altair as alt

    left, whole = "width * 0.56", "width * 0.42"
    parted = f"({left} + {whole} * datum['start (%)'] / 100)"
    box = {"y": alt.ExprRef("height - 44"), "y2": alt.ExprRef("height - 22"), "stroke": charts.EDGE, "strokeWidth": 1}
    only = charts.live().transform_filter("isValid(datum['start (%)'])")
    said = {"fontSize": alt.ExprRef("width < 420 ? 11 : 13")}
    above = alt.ExprRef("width < 420 ? height - 54 : height - 10")  # where both texts have no room in one line
    return (only.mark_rect(x=alt.ExprRef(left), x2=alt.ExprRef(parted), color=charts.FAINT, **box),
            only.mark_rect(x=alt.ExprRef(parted), x2=alt.ExprRef(f"{left} + {whole}"), color=charts.CHIP, **box),
            *charts.legible(only.encode(text="start said:N"), x=alt.ExprRef(left), y=above, align="left", **said),
            *charts.legible(only.encode(text="bytes said:N"), x=alt.ExprRef(f"{left} + {whole}"),
                            y=alt.ExprRef("height - 10"), align="right", **said))


@lab("alpha-beta", title="Latency and bandwidth", tier="chip",
     controls=[Control("nbytes", _SIZES, default=small, label="message", unit="B"),
               Control("latency", _STARTS, default=h100.latency, unit="s"),
               Control("bandwidth", _RATES, default=h100.line, unit="B/s")],
     chart=_rate_chart,
     leaves_out="A real library changes its protocol with the size: the {{ si(h100.latency, 's') }} of NVLink are NCCL's own "
                "assumption for its quickest one, which does not reach the full rate. So a measured curve has steps that this "
                "one line has not.",
     hides=("n half label", "start said", "bytes said"),
     sources=["stas-network", "nccl-tuning"], stops=stops.ALPHA_BETA)
def alpha_beta(nbytes, latency, bandwidth):
    """Below n-half the start decides, above it the bandwidth."""
    model = AlphaBeta(latency, 1 / bandwidth)
    reached, seconds = _SIZES / model.time(_SIZES), model.time(nbytes)
    only = np.arange(len(_SIZES)) == 0
    table = {"size": _SIZES, "rate": reached, "here": np.where(np.equal(_SIZES, nbytes), reached, np.nan),
             "n half": np.where(only, model.n_half, np.nan), "n half label": ["half the rate" if o else "" for o in only],
             "start (%)": np.where(only, 100 * latency / seconds, np.nan),
             "start said": [f"start {units.format(latency, 's')}" if o else "" for o in only],
             "bytes said": [f"bytes {units.format(seconds - latency, 's')}" if o else "" for o in only]}
    share = 100 * nbytes / seconds / bandwidth
    reached_of_it = "less than 0.01" if share < 0.01 else "more than 99" if share > 99.5 else digits(share)
    return table, (f"{units.format(nbytes)} takes {units.format(seconds, 's')}, {part(latency / seconds)} of it the start: "
                   f"{units.format(nbytes / seconds, 'B/s')}, or {reached_of_it} % of the bandwidth. "
                   f"Half of it needs {units.format(model.n_half)}.")


_GENERATIONS = [1, 2, 3, 4, 5]
_STAGES = ["raw, one way", "line, one way", "copy, one way", "line, both ways", "vendor, both ways"]
_EACH = "line, of each generation"
_PUBLISHED = {("measured copy", "one way"): "copy, one way", ("headline rate", "both"): "vendor, both ways"}


def _published(generation: int) -> list[tuple[str, float, str]]:
    """The figures published for a whole GPU: the chart's row, the value, and beside a row's largest the text of them all."""
    found = []
    for (quantity, direction), stage in _PUBLISHED.items():
        printed = [f for f in catalog.figures(f"nvlink{generation}", quantity) if (f.scope, f.direction) == ("device", direction)]
        values = sorted(f.si / units.GB for f in printed if not f.note.startswith("differs:"))
        text = " and ".join(f"{value:,.4g}" for value in values)
        found += [(stage, value, text if value == values[-1] else "") for value in values]
    return found


def _ladder_chart():
    import altair as alt

    ticks = range(0, 2001, 250)
    y = charts.names("stage", [*_STAGES, _EACH], title="rate of the links")

    def x(field):
        return charts.x(field, (0, 2100), title="GB/s", ticks=ticks)

    all_links = charts.fixed([{"stage": _EACH, "of": one.line / units.GB, "n": str(n)} for n, one in nvlink.items()
                              if n in _GENERATIONS])
    marks = all_links.mark_tick(thickness=3, size=14, color=charts.GREY, orient="vertical").encode(x=x("of"), y=y)
    # Above and below the marks in turn: the first two stand close together.
    apart = alt.ExprRef("datum.n % 2 ? -14 : 14")
    numbers = all_links.mark_text(dy=apart, fontSize=14, color=charts.GREY).encode(x=x("of"), y=y, text="n:N")
    return charts.stack(
        charts.bars(x("rate (GB/s)"), y, colour=charts.CHIP), marks, numbers,
        charts.values(x("rate (GB/s)"), y, "text"),
        charts.diamonds(charts.live(), x("published (GB/s)"), y), charts.values(x("published (GB/s)"), y, "published", dx=10),
        height=290,
        description="Bars for the chosen generation and number of links: raw rate, line rate one way, line rate both ways. "
                    "Diamonds are figures published for the whole GPU: measured copies and the vendor's headline. Marks "
                    "in the last row are the line rates of all generations, one way.")


@lab("nvlink-ladder", title="NVLink ladder", tier="chip",
     controls=[Control("generation", _GENERATIONS, default=4, as_="menu"),
               Control("links", range(1, 19), default=18, unit="links")],
     chart=_ladder_chart,
     leaves_out="Packet headers: we found no public format for NVLink 3 to 5. Diamonds are published, always with all "
                "links of the GPU: what a copy between two GPUs was measured to reach, and what the vendor prints.",
     hides=("text", "published"),
     sources=["stas-network", "wikimili-nvlink", "catalogone-nvlink", "nvidia-nvlink", "network-switch-nvlink"],
     stops=stops.LADDER)
def nvlink_ladder(generation, links):
    """Raw rate, line rate, headline: one link three ways, and a GPU's worth of links."""
    one = link(f"nvlink{generation}")
    bundle = one.bundle(links)
    raw, line = (stage.rate / units.GB for stage in bundle.waterfall())
    computed = [("raw, one way", raw), ("line, one way", line), ("line, both ways", 2 * line)]
    published = _published(generation)
    none = [np.nan] * len(computed), [np.nan] * len(published)
    table = {"stage": [row[0] for row in computed + published], "rate (GB/s)": [rate for _, rate in computed] + none[1],
             "published (GB/s)": none[0] + [value for _, value, _ in published],
             "text": [f"{rate:,.4g}" for _, rate in computed] + [""] * len(published),
             "published": [""] * len(computed) + [text for _, _, text in published]}
    has = f"{'an' if one.device[0] in 'AH' else 'a'} {one.device} has {one.per_device}"
    both = f"{2 * line:,.4g} GB/s " + ("as vendors print it" if links == one.per_device else f"both ways ({has})")
    return table, (f"{counted(links, 'link')} of {one.name}, {one.lanes} lanes of {raw_gbps(one):.4g} Gb/s each: {line:.4g} GB/s "
                   f"each way (line rate), {both}; 1 GiB takes at least {units.format(bundle.time(units.GiB), 's')}.")


_FIT = "two numbers"


def _fit_chart():
    x = charts.x("message", (2.0**15, 2.0**34), title="message size (logarithmic)", unit="B", log=2)

    def time(field):
        return charts.y(field, (1e-5, 1.0), title="time (logarithmic)", unit="s", log=10)

    return against.chart(x, time, {_FIT: (charts.SERVER, charts.SOLID)}, errors=(-50, 50),
                         description="Above, time against message size: the straight line of two numbers, and a published "
                                     "all-reduce as diamonds. Below, the error of the line at each size.")


@lab("two-numbers", title="Two numbers against a measured curve", tier="server", controls=(), chart=_fit_chart,
     leaves_out="A real library changes its protocol with the size and fills a pipeline; two numbers know nothing of it.",
     sources=["stas-network"])
def two_numbers():
    """Two numbers follow five decades, and miss a curve's bends."""
    run, line = curve(), fitted()
    table = against.table("message", {_FIT: (run.nbytes, line.time(run.nbytes), run.seconds)})
    return table, (f"{units.format(line.alpha, 's')} to start, then {units.format(1 / line.beta, 'B/s')}: off by "
                   f"{units.portion(misses()[-1])} for the largest message, by up to {units.portion(misses().max())} elsewhere.")


_BUNDLES = {n: f"{nvlink[n].count} x {nvlink[n].name}" for n in COPIES}


def _copies_chart():
    def rate(field):
        return charts.y(field, (0, 1e12), title="rate, one way", unit="B/s")

    return against.chart(charts.names("links", list(_BUNDLES.values()), channel="X", title="all links of a GPU"), rate,
                         {"line rate": (charts.CHIP, charts.SOLID)}, errors=(-30, 30),
                         description="For NVLink 3, 4 and 5: a short bar for the line rate of all links of a GPU, diamonds "
                                     "below it for what copies were measured to reach; under both, by how much the line rate "
                                     "is more.")


@lab("copies-against-line", title="The line rate against copies", tier="chip", controls=(), chart=_copies_chart,
     leaves_out="Headers of packets, and how a receiver tells a sender that it has room: we found no public packet format for "
                "NVLink 3 to 5, so the model stops at the line rate.",
     sources=["stas-network"])
def copies_against_line():
    """A copy gets a little less than the line rate, in every generation."""
    found = [(_BUNDLES[n], nvlink[n].line, figure.si)
             for n in COPIES for figure in catalog.figures(f"nvlink{n}", "measured copy")]
    table = against.table("links", {"line rate": tuple(zip(*found, strict=True))})
    least, most = table[against.ERROR].min(), table[against.ERROR].max()
    return table, f"The line rate promises {least:.0f} to {most:.0f} % more than copies between two GPUs were measured to reach."
