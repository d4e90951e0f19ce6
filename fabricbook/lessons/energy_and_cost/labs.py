"""A cluster's watts, copper against optics, a byte by its way, a step's joules, and wholes against what is published."""

from __future__ import annotations

import numpy as np

from fabriclib import units
from fabriclib.energy import ways

from ...stage import Control, against, charts, lab, parts
from .stops import CLUSTER, REACH, STEP, WAYS
from .tables import (
    H100,
    HALL,
    LEAVES,
    LIGHT,
    MACHINES,
    METRES,
    ONE_SWITCH,
    OPTICS_MENU,
    ORDERS,
    PARTS,
    SIZES,
    SPEEDS,
    SPENT,
    STEP_SIZES,
    TENSOR,
    THOUSAND,
    TRAINED,
    USES,
    USUAL,
    USUAL_GPUS,
    WATTS,
    at,
    byte,
    cables,
    per_token,
    power,
    published,
    reaching,
)

# ---- a cluster's watts

_LABELS = {size: f"{size:,}" for size in SIZES}
_COLOURS = dict(zip(PARTS, (charts.GREY, charts.PALE, charts.CHIP, charts.SERVER, charts.CLUSTER, charts.OTHER, charts.YELLOW),
                    strict=True))
_MOST, _MOST_WIRES = 2150.0, 290.0


def _cluster_chart():
    import altair as alt

    x = charts.names("cluster", list(_LABELS.values()), channel="X", title="GPUs of the cluster")
    upper = charts.y("from", (0, _MOST), title="W a GPU, all", ticks=[0, 500, 1000, 1500, 2000])
    lower = charts.y("wiring from", (0, _MOST_WIRES), title="W a GPU, wiring", ticks=[0, 100, 200])
    for axis, part in ((upper, ("height * 0.44", "0")), (lower, ("height", "height * 0.53"))):
        charts.within(axis, part, (11, 14))["axis"]["grid"] = False
    colour = alt.Color("kind:N", legend=charts.legend(list(PARTS), symbolSize=150, symbolType="square"),
                       scale=alt.Scale(domain=list(PARTS), range=list(_COLOURS.values())))
    layers = []
    for panel, y, top in (("all", upper, "to:Q"), ("wiring", lower, "wiring to:Q")):
        bars = parts.of(panel).mark_bar(width={"band": 0.72}, stroke=charts.EDGE, strokeWidth=0.6).encode(
            x=x, y=y, y2=top, color=colour)
        frame = parts.of(f"{panel} chosen").mark_bar(width={"band": 0.88}, filled=False, stroke=charts.INK, strokeWidth=3).encode(
            x=x, y=y, y2=top)
        said = parts.of(f"{panel} text").encode(x=x, y=y, text="text:N")
        layers.append(alt.layer(bars, frame, *charts.legible(said, dy=-10, fontSize=alt.ExprRef(f"{charts.NARROW} ? 11 : 13"))))
    return charts.stack(*layers, height=370, description=(
        "A bar for each size of a cluster, from 64 to 65,536 GPUs: the watts for each GPU, one part on top of another: GPUs, the "
        "rest of the servers, NVLink switches, NICs, switches, links to GPUs, links between switches. Below, the parts that move "
        "bytes once more, drawn larger. A frame marks one size.")).resolve_scale(y="independent")


@lab("watts-of-a-cluster", title="What a cluster draws, for each GPU", tier="cluster",
     controls=[Control("gpus", SIZES, default=THOUSAND, label="GPUs", as_="steps", picks="gpus"),
               Control("machine", list(MACHINES), default=H100, as_="menu"),
               Control("leaves", list(LEAVES), default=LIGHT, label="links to the leaves", as_="menu")],
     chart=_cluster_chart,
     leaves_out="Cooling of the hall, conversion before the rack, storage. Servers are at their nameplate, switches are boxes of "
                "one maker in proportion to their ports. Of a server without a nameplate the rest is that of its like.",
     hides=("gpus", "from", "to", "wiring from", "wiring to", "text"),
     sources=["dgx-h100-guide", "dgx-b200-guide", "nvidia-prs-faq", "ipinfusion-th5", "nvidia-mms4x00"], stops=CLUSTER)
def watts_of_a_cluster(gpus, machine, leaves):
    """Nearly all watts are the servers'; a third tier adds to what moves bytes."""
    found, rows = power(machine, leaves), []
    for size in SIZES:
        each = {part: watts / size for part, watts in at(found, size).items()}
        for panel, shown, bottom, top in (("all", PARTS, "from", "to"), ("wiring", PARTS[2:], "wiring from", "wiring to")):
            below = 0.0
            for part in shown:
                rows.append({"part": panel, "cluster": _LABELS[size], "gpus": size, "kind": part, "watts a GPU": each[part],
                             bottom: below, top: below + each[part]})
                below += each[part]
            rows.append({"part": f"{panel} text", "cluster": _LABELS[size], bottom: below, "text": f"{below:,.0f}"})
            if size == gpus:
                rows.append({"part": f"{panel} chosen", "cluster": _LABELS[size], bottom: 0.0, top: below})
    table = parts.columns(rows, {"part": "", "cluster": "", "gpus": np.nan, "kind": "", "watts a GPU": np.nan, "from": np.nan,
                                 "to": np.nan, "wiring from": np.nan, "wiring to": np.nan, "text": ""})
    return table, _drawn(found, gpus, machine, leaves)


def _drawn(found, gpus: int, machine: str, leaves: str) -> str:
    where = SIZES.index(gpus)
    whole, network = float(found.watts[where]), float(found.network[where])
    inside = float(found.parts["NVLink switches"][where])
    wiring = units.portion(float(found.wiring[where]))
    switches = f"with the NVLink switches {wiring}" if inside else "no switch joins the GPUs of a server"
    return (f"{gpus:,} GPUs, {machine}, {leaves} to the leaves: {units.format(whole, 'W')}, {whole / gpus:,.0f} W a GPU. The "
            f"network draws {units.format(network, 'W')}, {units.portion(network / whole)} of it; {switches}.")


# ---- copper and optics

KINDS = {"DAC": ("passive copper", charts.SERVER, charts.SOLID), "ACC": ("copper with amplifiers", charts.OTHER, charts.DASH_DOT),
         "AOC": ("cable with optics in its plugs", charts.OTHER_2, charts.DASHED),
         "pluggable": ("modules and fibre", charts.CLUSTER, charts.SOLID),
         "LPO": ("linear modules and fibre", charts.CHIP, charts.DOTTED)}
_NEAR, _LOW, _HIGH = 0.4, 0.05, 60.0


def _reach_chart():
    x = charts.x("metres", (_NEAR, 600), title="length of the link in metres (logarithmic)", log=10,
                 ticks=[0.5, 1, 2, 5, 10, 20, 50, 100, 500])
    y = charts.y("W", (_LOW, _HIGH), title="W, both ends (logarithmic)", log=10, ticks=[0.1, 0.3, 1, 3, 10, 30])
    styles = {label: (colour, dash) for label, colour, dash in KINDS.values()}
    lines = parts.of("cable").mark_line(strokeWidth=4).encode(x=x, y=y, detail="cable:N", **charts.series("kind", styles))
    ends = parts.of("end").mark_point(filled=True, opacity=1, size=70, color=charts.INK).encode(x=x, y=y)
    dot = parts.of("here").mark_point(filled=True, opacity=1, size=190, color=charts.GREY, stroke=charts.BLACK,
                                      strokeWidth=2).encode(x=x, y=y)
    length = parts.of("length").mark_rule(strokeDash=charts.DOTTED, strokeWidth=2, color=charts.INK).encode(x=x)
    said = parts.of("here").encode(x=x, y=y, text="text:N")
    text = charts.legible(said, **charts.beside(x, 14, "text"), dy=-16)
    return charts.stack(lines, ends, length, dot, *text, height=330, description=(
        "The watts of both ends of a link against its length, both logarithmic: a level line for each cable, as far as it "
        "reaches. Copper lies low and ends after a few metres, optics lie a hundred times as high and reach far. A dot marks "
        "the cable with the fewest watts that reaches the chosen length."))


@lab("copper-or-optics", title="Copper or optics", tier="cluster",
     controls=[Control("metres", METRES, default=2.0, unit="m", as_="steps", drags="x"),
               Control("speed", list(SPEEDS), default="800 Gb/s", label="link", as_="menu"),
               Control("optics", OPTICS_MENU, default=USUAL, as_="menu")],
     chart=_reach_chart,
     leaves_out="What a link costs, how often it fails, how thick it is. Cables with a retimer in each plug, for which no source "
                "gives watts. Those of a cable with optics in its plugs are an estimate: as a multimode module's. Of a module "
                "that ends two links each has half.",
     hides=("text",),
     sources=["nvidia-linkx-100g", "nvidia-mms4x00", "nvidia-mma4z00", "yd-aoc", "axiom-lpo"], stops=REACH)
def copper_or_optics(metres, speed, optics):
    """Copper costs next to nothing, and ends where the next rack begins."""
    rows = []
    for one in sorted(cables(speed, optics).itertuples(), key=lambda one: one.kind == "AOC"):  # its dashes over the solid lines
        line = {"part": "cable", "cable": one.id, "kind": KINDS[one.kind][0], "W": one.W, "name": one.name}
        rows += [line | {"metres": _NEAR}, line | {"metres": one[4]}, line | {"part": "end", "metres": one[4]}]
    chosen = reaching(metres, speed, optics)
    rows.append({"part": "length", "metres": metres})
    if chosen is not None:
        rows.append({"part": "here", "metres": metres, "W": chosen["W"], "text": f"{chosen['W']:.3g} W", "name": chosen["name"]})
    table = parts.columns(rows, {"part": "", "cable": "", "kind": "", "metres": np.nan, "W": np.nan, "text": "", "name": ""})
    if chosen is None:
        return table, f"No cable of those shown carries {speed} over {metres:g} m."
    return table, (f"{speed} over {metres:g} m: {chosen['name']}, {chosen['W']:.3g} W at both ends, {chosen['pJ a bit']:.3g} pJ "
                   f"a bit. A hall with {HALL:,} such links: {units.format(HALL * chosen['W'], 'W')}.")


# ---- a byte

NAMES = list(ways())
STATED, BY_CONVENTION = "stated by a maker or a paper", "a convention, not measured"
FROM_WATTS = "from watts and rates"
_LEAST_JOULES, _MOST_JOULES = 1e-12, 3e-7
_SIGNS = {FROM_WATTS: (charts.CLUSTER, "circle"), STATED: (charts.CHIP, "square"), BY_CONVENTION: (charts.LIMIT, "triangle-up")}


def _sort(kind: str) -> str:
    return FROM_WATTS if kind == WATTS else BY_CONVENTION if kind == "convention" else STATED


def _ways_chart():
    import altair as alt

    x, full, start = (charts.x(field, (_LEAST_JOULES, _MOST_JOULES), title="joules for each byte (logarithmic)", unit="J", log=10)
                      for field in ("J", "J when full", "from"))
    y = charts.names("way", NAMES, title=" ")
    colours, shapes = zip(*_SIGNS.values(), strict=True)
    key = charts.legend(list(_SIGNS), symbolSize=150)
    kind = {"field": "kind", "type": "nominal", "legend": key}
    row = parts.of("row").mark_rule(strokeWidth=20, opacity=0.22, color=charts.GREY).encode(x=start, x2="to:Q", y=y)
    faint = parts.of("way").mark_point(size=150, opacity=0.7, strokeWidth=1.5, color=charts.GREY).encode(x=full, y=y)
    dots = parts.of("way").mark_point(filled=True, opacity=1, size=170, stroke=charts.PAPER, strokeWidth=1).encode(
        x=x, y=y, color=alt.Color(**kind, scale=alt.Scale(domain=list(_SIGNS), range=list(colours))),
        shape=alt.Shape(**kind, scale=alt.Scale(domain=list(_SIGNS), range=list(shapes))))
    said = parts.of("way").encode(x=x, y=y, text="text:N")
    return charts.stack(row, faint, dots, *charts.legible(said, **charts.beside(x, 13, "text")), height=350, description=(
        "A row for each way of a byte from chip to chip, its joules on a logarithmic axis, from dies in one package at a few "
        "picojoules to a network with three switches beyond a nanojoule. Circles follow from watts and rates, and move to the "
        "right as less of the rate is used; squares are stated; triangles are conventions."))


@lab("joules-of-a-byte", title="What a byte costs, by its way", tier="all",
     controls=[Control("way", NAMES, default=ONE_SWITCH, as_="menu", picks="way"),
               Control("use", USES, default=1.0, label="share of the rate in use", as_="steps")],
     chart=_ways_chart, glides=("J",),
     leaves_out="What the sending and the receiving chip do with a byte besides. Ways that follow from watts are full both ways "
                "where the share is 1, and their parts draw the same with less. What is stated in joules a bit stays where it "
                "is.",
     hides=("from", "to", "text"),
     sources=["converge-ucie", "besthub-c2c", "oconnor-dram", "linley-pex", "faraday-nvswitch", "ipinfusion-th5", "mlsysim"],
     stops=WAYS)
def joules_of_a_byte(way, use):
    """Each step outwards costs more, and an idle way costs most."""
    rows = [{"part": "row", "way": way, "from": _LEAST_JOULES, "to": _MOST_JOULES}]
    for name, one in ways().items():
        now = byte(name, use)
        rows.append({"part": "way", "way": name, "J": now, "J when full": one.joules if one.kind == WATTS else np.nan,
                     "kind": _sort(one.kind), "text": units.format(now, "J")})
    table = parts.columns(rows, {"part": "", "way": "", "J": np.nan, "J when full": np.nan, "kind": "", "from": np.nan,
                                 "to": np.nan, "text": ""})
    found = ways()[way]
    less = use if found.kind == WATTS else 1.0
    made = ", ".join(f"{part} {units.format(joules / less, 'J')}" for part, joules in found.parts.items())
    return table, f"{way[:1].upper()}{way[1:]}: {units.format(byte(way, use), 'J')} a byte, {_sort(found.kind)}: {made}."


# ---- a step

_STEP_COLOURS = dict(zip(SPENT, (charts.GREY, charts.LIMIT, charts.YELLOW, charts.CHIP, charts.CLUSTER), strict=True))
_MOST_OF_A_STEP = 3.9


def _step_chart():
    import altair as alt

    x = charts.x("from", (0, _MOST_OF_A_STEP), title="joules for each token that is trained on", ticks=[0, 1, 2, 3])
    y = charts.names("machine", list(TRAINED), title=" ")
    colour = alt.Color("kind:N", legend=charts.legend(list(SPENT), symbolSize=150, symbolType="square"),
                       scale=alt.Scale(domain=list(SPENT), range=list(_STEP_COLOURS.values())))
    bars = parts.of("bar").mark_bar(height={"band": 0.62}, stroke=charts.EDGE, strokeWidth=0.6).encode(
        x=x, x2="to:Q", y=y, color=colour)
    chosen = parts.of("chosen").mark_bar(height={"band": 0.84}, filled=False, stroke=charts.INK, strokeWidth=3).encode(
        x=x, x2="to:Q", y=y)
    said = parts.of("text").encode(x=x, y=y, text="text:N")
    return charts.stack(bars, chosen, *charts.legible(said, **charts.beside(x, 8, "text")), height=280, description=(
        "A bar for each machine: the joules that training takes for each token, of GPUs and servers while they compute, wait for "
        "wires and wait for others, and of NVLink switches and the network. A frame marks one machine."))


@lab("joules-of-a-step", title="What a token costs in training", tier="all",
     controls=[Control("near", list(ORDERS), default=TENSOR, label="sit together", as_="menu"),
               Control("gpus", STEP_SIZES, default=USUAL_GPUS, label="GPUs", as_="steps"),
               Control("machine", list(TRAINED), default=H100, as_="menu", picks="machine")],
     chart=_step_chart,
     leaves_out="That a GPU which waits draws a little less: all draw {{ portion(load) }} of their most, which was measured "
                "over whole runs of H100 and is taken for all. That a busy switch draws more than an idle one. The hall's "
                "cooling. Failures, and what is trained again after them.",
     hides=("from", "to", "text"),
     sources=["newkirk-h100", "latif-h100", "nvidia-nvos-power"], stops=STEP)
def joules_of_a_step(near, gpus, machine):
    """Wires cost most where GPUs wait for them."""
    rows = []
    for name in TRAINED:
        before, each = 0.0, per_token(name, near, gpus)
        for part in SPENT:
            rows.append({"part": "bar", "machine": name, "kind": part, "joules": each[part], "from": before,
                         "to": before + each[part]})
            before += each[part]
        rows.append({"part": "text", "machine": name, "from": before, "text": units.format(before, "J")})
        if name == machine:
            rows.append({"part": "chosen", "machine": name, "from": 0.0, "to": before})
    table = parts.columns(rows, {"part": "", "machine": "", "kind": "", "joules": np.nan, "from": np.nan, "to": np.nan,
                                 "text": ""})
    each = per_token(machine, near, gpus)
    whole = sum(each.values())
    wires = each["NVLink switches"] + each["network"]
    return table, (f"{gpus:,} GPUs, {machine}, {near} together: {units.format(whole, 'J')} a token. Of it "
                   f"{units.portion(each['computing'] / whole)} is computing, {units.portion(each['waiting for wires'] / whole)} "
                   f"GPUs that wait for wires, and {units.portion(wires / whole)} the wires themselves.")


# ---- against what is published

MODEL = "parts added up"
WHOLES = {"DGX A100": "DGX A100, nameplate", "DGX H100": "DGX H100, nameplate", "DGX B200": "DGX B200, nameplate",
          "DGX B300": "DGX B300, nameplate", "NVL72 rack": "GB200 NVL72, nameplate of the rack",
          "NVL72, liquid": "GB200 NVL72: what goes into its liquid", "SN5600 box": "Spectrum-4 (SN5600), a box",
          "QM9700 box": "Quantum-2 (QM9700), a box"}


def _wholes_chart():
    def watts(field):
        return charts.y(field, (300, 300_000), title="watts (logarithmic)", unit="W", log=10, ticks=[1e3, 1e4, 1e5])

    return against.chart(charts.names("whole", list(WHOLES), channel="X", title=" "), watts,
                         {MODEL: (charts.OTHER, charts.SOLID)}, errors=(-50, 50), fact=against.PUBLISHED, description=(
                             "For eight machines, racks and boxes the watts that the model finds, as short bars, and what is "
                             "printed, as diamonds, on a logarithmic axis; below, by how much the model is off."))


@lab("wholes-against-published", title="Wholes against what is printed of them", tier="all", controls=(), chart=_wholes_chart,
     leaves_out="The nameplate of a DGX is not known to the model when it finds that DGX: the rest of the server is the mean of "
                "the others'. The two boxes on the right are from general knowledge: their maker's pages could not be read.",
     sources=["dgx-a100-guide", "dgx-h100-guide", "dgx-b200-guide", "nvidia-prs-faq", "hpe-nvl72", "nvidia-dps-devices"])
def wholes_against_published():
    """Machines come out within a tenth; one box does not."""
    found = {name: (published[what].model, published[what].published) for name, what in WHOLES.items()}
    off = {name: 100 * published[what].gap for name, what in WHOLES.items()}
    machines = [gap for name, gap in off.items() if not name.endswith("box")]
    return against.named("whole", MODEL, found, against.PUBLISHED), (
        f"Machines and racks: off by {min(machines):+.0f} to {max(machines):+.0f} %. A box of another maker: "
        f"{off['SN5600 box']:+.0f} %, and of a generation before {off['QM9700 box']:+.0f} %: one box does not stand for all.")
