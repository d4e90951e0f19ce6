"""A mix of memories, who owns a line after each access, and what a flit leaves for cache lines."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, framing, units
from fabriclib import cxl as model
from fabriclib.framing import line_share
from fabriclib.links import link
from fabriclib.memory import Tier, memory_mix, tier
from fabriclib.shown import counted

from ...stage import Control, against, charts, lab
from . import stops, trace
from .tables import direct, flit_fields, gain_against_measured, ladder_against_measured
from .trace import STEPS

# ---- lab 1: the latency ladder, and a mix of its steps ----

_LADDER = {stops.LOCAL: "local-dram", stops.DIRECT: "cxl-direct", stops.POOLED: "cxl-pooled"}
_RESTS_ON = {stops.DIRECT: "four cards", stops.POOLED: "one switch"}
_LEFT, _RIGHT = ("0", "width * 0.54"), ("width * 0.61", "width")  # the two panels of one chart
_NS, _GBPS = (0, 1000), (0, 1000)


def _mix_chart():
    import altair as alt

    listed = [*_LADDER, stops.MIX]
    y = charts.names("memory", listed, title=" ").scale(alt.Scale(domain=listed, padding=0.3))

    def ns(field):
        return charts.panel(field, _NS, _LEFT, title="one load (ns)")

    def gbps(field):
        return charts.panel(field, _GBPS, _RIGHT, title="rate (GB/s)")

    def text(x, field, **mark):
        return charts.legible(charts.live().encode(x=x, y=y, text=f"{field}:N"), **mark)

    fits = alt.ExprRef(f"{charts.PAGE} < 640 ? 0 : 1")  # what does not fit is in the table and in the sentence

    row = charts.live()
    spread = row.mark_rule(strokeWidth=9, color=charts.OTHER_2, opacity=0.55).encode(x=ns("lowest (ns)"), x2="highest (ns)", y=y)
    place = row.mark_rule(strokeWidth=1.5, strokeDash=charts.DOTTED, color=charts.CHIP).encode(x=ns("mix (ns)"))
    usual = row.mark_point(size=110, filled=True, fill=charts.PAPER, opacity=1, stroke=charts.CHIP, strokeWidth=3)
    measured = [{"ends": f.value, "memory": name} for name, id in _LADDER.items() for f in catalog.figures(id, "load latency")]
    left = alt.layer(spread, place, usual.encode(x=ns("usual (ns)"), y=y), charts.diamonds(charts.fixed(measured), ns("ends"), y),
                     charts.here(ns("mix (ns)"), y, colour=charts.CHIP), *text(ns("written at (ns)"), "load", dy=-17),
                     *text(ns("ends at (ns)"), "rests on", align="left", dx=11, opacity=fits))
    able = row.mark_bar(color=charts.PAPER, stroke=charts.EDGE, strokeWidth=1.5).encode(x=gbps("able (GB/s)"), y=y)
    right = alt.layer(able, charts.bars(gbps("used (GB/s)"), y, colour=charts.CHIP),
                      *text(gbps("able (GB/s)"), "rate", align="left", dx=8, opacity=fits))
    return charts.stack(left, right, height=300, description=(
        "Two panels over the same rows: local DRAM, CXL memory on a CPU port, a pool behind one switch, the mix. "
        "Left: the time of one load, a light bar for the published range, diamonds where measured, a dot for the mix. "
        "Right: a frame for what each memory can deliver, filled with what the mix takes.")).resolve_scale(x="independent")


@lab("memory-mix", title="Local DRAM, CXL, pool: a mix of memories", tier="all",
     controls=[Control("cxl", range(51), default=20, label="to CXL", unit="%"),
               Control("pooled", range(0, 51, 5), default=0, label="to the pool", unit="%"),
               Control("ports", range(1, 5), default=1, label="x16 ports"),
               Control("latency", [direct.low, direct.latency, direct.high], default=direct.latency,
                       label="a CXL load", unit="s")],
     chart=_mix_chart,
     leaves_out="Queues: a memory that is nearly full answers later than an idle one. Local DRAM is taken at its datasheet "
                "rate, CXL at the payload of its link in one direction, whatever memory sits behind it. The pool's step is what "
                "was measured through the one switch that sells; for the same switch others print about {{ "
                "si(catalog.figure('cxl-pool-polardb').si, 's') }}.",
     hides=("written at (ns)", "load", "ends at (ns)", "rate"),
     sources=["melody-pdf", "toms-genoa", "beluga", "polarcxlmem-notes"], stops=stops.MEMORY_MIX)
def mix(cxl, pooled, ports, latency):
    """A little CXL memory adds rate and costs latency; more of it costs both."""
    ladder = {name: tier(id) for name, id in _LADDER.items()}
    ladder[stops.DIRECT] = direct._replace(latency=latency, bandwidth=ports * direct.bandwidth)
    shares = dict(zip(_LADDER, ((100 - cxl - pooled) / 100, cxl / 100, pooled / 100), strict=True))
    got = memory_mix(list(shares.values()), list(ladder.values()))
    full = [name for name, s in shares.items() if s and np.isclose(s * got.bandwidth, ladder[name].bandwidth)]
    rows = [_mix_row(name, one, shares.get(name, 0.0) * got.bandwidth, full) for name, one in ladder.items()]
    rows.append(_mix_row(stops.MIX, Tier("", stops.MIX, *[got.latency] * 3, got.bandwidth), got.bandwidth, full))
    local = ladder[stops.LOCAL]
    sent = ", ".join(f"{units.portion(s)} to {name}"
                      for name, s in zip(("local DRAM", "CXL", "the pool"), shares.values(), strict=True))
    return {field: [one[field] for one in rows] for field in rows[0]}, (
        f"{sent}: a load takes {units.format(got.latency, 's')} on average{_times(got.latency / local.latency, 'local DRAM')}; "
        f"they deliver at most {units.format(got.bandwidth, 'B/s')}{_times(got.bandwidth / local.bandwidth, 'its rate')}.")


def _times(ratio: float, of: str) -> str:
    return "" if (many := f"{ratio:.3g}") == "1" else f", {many} times {of}"


def _mix_row(name: str, one: Tier, used: float, full: list[str]) -> dict:
    """One step of the ladder, or the mix, in the units of the chart."""
    spread, mixed = one.high > one.low, name == stops.MIX
    ns, able, used = one.latency / units.ns, one.bandwidth / units.GB, used / units.GB
    said = f"{able:.3g}" if mixed else f"{able:.3g}, full" if name in full else f"{used:.3g} of {able:.3g}"
    return {"memory": name, "usual (ns)": np.nan if mixed else ns, "lowest (ns)": one.low / units.ns if spread else np.nan,
            "highest (ns)": one.high / units.ns if spread else np.nan, "mix (ns)": ns if mixed else np.nan,
            "written at (ns)": ns, "load": f"{ns:.3g} ns", "ends at (ns)": max(one.high / units.ns, ns),
            "rests on": _RESTS_ON.get(name, ""), "able (GB/s)": able, "used (GB/s)": used, "rate": said}


# ---- lab 2: who owns the line ----

# What the learner picks: the device's type, where the line lives (H or D) and under which bias.
_DEVICES = {
    stops.ONE: (1, "H", "host"),
    "type 2: own memory, host bias": (2, "D", "host"),
    "type 2: own memory, device bias": (2, "D", "device"),
    stops.THREE: (3, "D", "host"),
}
SCENARIOS = {
    stops.CONSUMER: ["device write 0", "host read 0"] * 4,
    stops.PING_PONG: ["device write 0", "host write 0"] * 4,
    stops.READ: ["device write 0", *["host read 0", "device read 0"] * 3, "host read 0"],
    "host caches it first": ["host read 0", "host write 0", "host write 0", "device read 0", "host evict 0", "device write 0",
                             "device write 0", "host read 0"],
    "four lines, then handed over": [f"{access} {n}" for access in ("device write", "host read") for n in range(4)],
}


@functools.cache
def played(device: str, scenario: str) -> tuple[model.Step, ...]:
    """Return the steps of a scenario on a device. A type 3 device never acts: a second core of the host takes its part."""
    kind, home, bias = _DEVICES[device]
    words = [access.split() for access in SCENARIOS[scenario]]
    return model.trace(kind, [f"{'host' if kind == 3 else who} {does} {home}{n}" for who, does, n in words], bias)


@lab("coherence-trace", title="Who owns the line?", tier="chip",
     controls=[Control("device", list(_DEVICES), default=stops.ONE, as_="menu"),
               Control("scenario", list(SCENARIOS), default=stops.CONSUMER, as_="menu"),
               Control("step", range(STEPS + 1), default=0, label="after access", as_="steps", picks="access")],
     chart=trace.chart,
     leaves_out="Time, hints, conflicts between requests under way, and more than one device. Each side has one cache. Sequences "
                "of messages are shortened to what decides who owns the line; what passes inside the host, or inside the "
                "device, is not counted.",
     hides=("from", "to", "middle", "left", "right", "column", "now", "done"),
     sources=["kernel-cxl", "mahar-cxl"], glides=["shade"], stops=stops.COHERENCE_TRACE)
def coherence_trace(device, scenario, step):
    """Reading together is free after the first time; writing in turn pays for every write."""
    steps, kind = played(device, scenario), _DEVICES[device][0]
    cells = []
    for number, one in enumerate(steps, start=1):
        states = {"host": one.host, "device": "–" if kind == 3 else one.device,
                  "memory": "✗" if "M" in (one.host, one.device) else "✓", "messages": str(len(one.messages))}
        cells += [trace.cell(number, column, state if number <= step else "", number == step) for column, state in states.items()]
        cells[-4] |= {"does": _does(scenario, number, kind), "sent": _sent(one) if number <= step else ""}
    return {field: [cell[field] for cell in cells] for field in cells[0]}, _told(steps, scenario, step, kind)


def _does(scenario: str, number: int, kind: int) -> str:
    """The access in words, with the line named where there are several."""
    who, does, line = SCENARIOS[scenario][number - 1].split()
    agent = "host's 2nd core" if (kind, who) == (3, "device") else who
    several = len({access.split()[2] for access in SCENARIOS[scenario]}) > 1
    return f"{agent} {does}s" + (f" line {line}" if several else "")


def _sent(step: model.Step) -> str:
    arrows = {"H2D": "→", "M2S": "→", "D2H": "←", "S2M": "←"}
    sent = (message.split(" ", 1) for message in step.messages)
    return ", ".join(f"{arrows[channel]} {name}" for channel, name in sent) or "nothing crosses the link"


def _told(steps: tuple[model.Step, ...], scenario: str, step: int, kind: int) -> str:
    total = sum(len(one.messages) for one in steps)
    if step == 0:
        return f"Before the first of {STEPS} accesses: no cache holds a copy of the line; nothing has crossed the link."
    one, so_far = steps[step - 1], sum(len(each.messages) for each in steps[:step])
    end = f"in all {total} for {STEPS} accesses" if step == STEPS else f"{so_far} so far"
    sent = counted(len(one.messages), "message") if one.messages else "no message"
    return (f"Access {step} of {STEPS}: the {_does(scenario, step, kind)}, {sent}. Now {_held(one)}. "
            f"Messages over the link: {end}.")


def _held(step: model.Step) -> str:
    """Who holds the line, in words."""
    state = {"M": "has the only copy, newer than the memory", "E": "has the only copy", "S": "has a shared copy"}
    if step.host == step.device == "S":
        return "both caches share it"
    held = [f"the {who} {state[s]}" for who, s in (("host", step.host), ("device", step.device)) if s != "I"]
    return held[0] if held else "only the memory holds it"


# ---- lab 3: lines in flits ----

_LINES = np.arange(1, 25)
_FLITS = {stops.SMALL: ("cxl-68", "cxl2", charts.CHIP, charts.SOLID),
          stops.LARGE: ("cxl-256", "cxl3", charts.OTHER, charts.DASHED)}


def _flit_chart():
    def x(field="lines"):
        return charts.x(field, (0, 25), title="cache lines sent together", ticks=range(0, 25, 2))

    def y(field):
        return charts.y(field, (0, 100), title="share of the bytes that are cache lines (%)", ticks=range(0, 101, 20))

    label = "all slots full, either flit"  # 94.1 % and 93.8 %: one line for both
    ceiling = [{"share": 100 * framing.share("cxl-68"), "label": label}]
    styles = charts.series("flit", {name: (colour, dash) for name, (_, _, colour, dash) in _FLITS.items()})
    dots = charts.live().mark_circle(size=22, opacity=1, color=charts.INK).encode(x=x(), y=y("share"))
    return charts.stack(
        charts.limit(ceiling, y=y("share")), charts.line(x(), y("share"), colour=charts.CHIP, **styles), dots,
        charts.here(x(), y("here"), colour=charts.PAPER), description=(
            "The share of the bytes on the wire that are cache lines, against the number of lines sent together, for flits of "
            "68 and of 256 bytes. A dashed line above both is the share of all slots. Circles mark the chosen number of lines."))


@lab("flit-share", title="Cache lines in flits", tier="chip",
     controls=[Control("lines", _LINES, default=1, label="lines together"),
               Control("covers", [1, 2, 3], default=1, label="lines per message")],
     chart=_flit_chart,
     leaves_out="Other traffic that would fill a half-empty flit, acknowledgements and requests of the other direction, and "
                "errors that are sent again. On a link with nothing else to do an empty slot costs nothing.",
     sources=["hawk90-flit", "csdn-cxl68", "csdn-cxl256"], stops=stops.FLIT_SHARE)
def flit_share(lines, covers):
    """A larger flit is worse for a lone line, and about equal for a long run."""
    messages = np.ceil(_LINES / covers).astype(int)
    shares = {name: 100 * line_share(flit, _LINES, messages) for name, (flit, *_) in _FLITS.items()}
    at = int(np.flatnonzero(np.equal(_LINES, lines))[0])
    every = np.tile(_LINES, len(_FLITS))
    table = {"flit": np.repeat(list(_FLITS), len(_LINES)), "lines": every, "share": np.concatenate(list(shares.values())),
             "here": np.where(every == lines, np.concatenate(list(shares.values())), np.nan)}
    small, large = stops.SMALL, stops.LARGE
    rates = {name: shares[name][at] / 100 * link(_FLITS[name][1]).line for name in (small, large)}
    run = "1 line alone" if lines == 1 else f"{lines} lines together"
    return table, (f"{run}: {shares[small][at]:.0f} % of the bytes in {small}s, {shares[large][at]:.0f} % in {large}s. If all "
                   f"traffic came like this, x16 would carry {units.format(rates[small], 'B/s')} one way with CXL 2.0 and "
                   f"{units.format(rates[large], 'B/s')} with CXL 3. {_LINES[-1]} lines, {messages[-1]} messages: "
                   f"{shares[small][-1]:.0f} % and {shares[large][-1]:.0f} %.")


# ---- lab 4: the fields of a flit ----

_KINDS = {"slots": ("slots: lines and messages", charts.CHIP), "header slot": ("header slot: messages only", charts.SKY),
          "payload": ("credit return", charts.PAPER), "overhead": ("header, CRC, FEC", charts.FAINT)}


def _layout_chart():
    import altair as alt

    def x(field):
        return charts.x(field, (0, 260), title="bytes")

    y = charts.names("flit", list(_FLITS), title=" ")
    said, colours = zip(*_KINDS.values(), strict=True)
    colour = alt.Color("carries:N", scale=alt.Scale(domain=list(said), range=list(colours)), legend=charts.legend(
        list(said), symbolSize=170, symbolType="square", symbolStrokeColor=charts.EDGE))
    fields = charts.live().mark_bar(stroke=charts.EDGE, strokeWidth=1, height={"band": 0.5}).encode(
        x=x("from"), x2="to:Q", y=y, color=colour)
    said_inside = "scale('x', datum.to) - scale('x', datum.from) > 7.5 * length(datum.field) ? datum.field : ''"
    names = charts.live().mark_text(color=charts.PAPER, fontWeight="bold", fontSize=15).encode(
        x=x("middle"), y=y, text=alt.value(alt.ExprRef(said_inside)))
    return charts.stack(fields, names, height=240, description=(
        "Both flits to scale, a box for each field: a header and its slots, credit return, checksum and error correction."))


@lab("flit-layout", title="What is in a flit, to scale", tier="chip", controls=(), chart=_layout_chart,
     leaves_out="Where in the flit a field stands: here the fields follow each other as the table lists them. How the large "
                "flit's credit return is split from its slots is not verified.",
     hides=("middle",),
     sources=["hawk90-flit", "csdn-cxl68", "csdn-cxl256"])
def flit_layout():
    """Slots are most of either flit."""
    rows = flit_fields({id: name for name, (id, *_) in _FLITS.items()})
    table = {column: np.array([row[column] for row in rows]) for column in rows[0]}
    table |= {"carries": [_KINDS[sort][0] for sort in table["carries"]], "middle": (table["from"] + table["to"]) / 2}
    shares = [units.portion(framing.share(id)) for id, *_ in _FLITS.values()]
    return table, (f"Everything but header, CRC and FEC is the most that any traffic can get: {shares[0]} of the small flit, "
                   f"{shares[1]} of the large.")


# ---- labs 5 and 6: what was measured ----

_MODEL = {"model": (charts.CHIP, charts.SOLID)}


def _beside(found: dict, highest: float, title: str, errors: tuple[float, float], description: str):
    """The picture of a few ratios against measured ones."""
    return against.chart(charts.names("what", list(found), channel="X", title="what was measured"),
                         lambda field: charts.y(field, (0, highest), title=title), _MODEL, errors=errors, description=description)


@lab("memory-against-measured", title="A load, against measured ones", tier="chip", controls=(),
     chart=lambda: _beside(ladder_against_measured(), 8, "times local DRAM", (-75, 75),
                           "For cards with CXL memory and for one pool a short bar for the model's latency over that of local "
                           "DRAM, and a diamond for the measured one; below, the error of the model."),
     leaves_out="A queue: all of these loads found an idle link. The model's step is the middle of the first two, and the pool's "
                "is the fifth, so these three test nothing.",
     sources=["melody-pdf", "digest-cxl-cards", "beluga", "polarcxlmem-notes"])
def against_ladder():
    """One number for the latency of CXL does not exist."""
    table = against.named("what", "model", ladder_against_measured())
    off = table[against.ERROR]
    return table, f"The model's two steps stand inside what was measured: off by {min(off):.0f} % to {max(off):+.0f} %."


@lab("gain-against-measured", title="More rate from CXL modules, against measured ones", tier="chip", controls=(),
     chart=lambda: _beside(gain_against_measured(), 2, "times local DRAM", (-25, 25),
                           "For two servers with CXL modules a short bar for the best rate of both memories over local DRAM "
                           "alone, and a diamond for the measured one; below, the error of the model."),
     leaves_out="A module's own memory chips, which may be slower than its link. A CXL link carries reads and writes at the same "
                "time, a DRAM channel in turn: the model knows neither, and the two errors are of opposite sign. Both sources "
                "come from a maker of the modules.",
     sources=["micron-cz120", "micron-xeon6"])
def against_gain():
    """Reads alone gain less than both links promise."""
    table = against.named("what", "model", gain_against_measured())
    off = dict(zip(table["what"], table[against.ERROR] / 100, strict=True))
    reads = next(what for what in off if what.endswith("reads only"))
    others = max(abs(error) for what, error in off.items() if what != reads)
    return table, (f"With reads alone the best split promises {units.portion(off[reads])} too much; with writes among them the "
                   f"model fits within {units.portion(others)}.")
