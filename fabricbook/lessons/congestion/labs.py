"""Flows drawn over paths, how many dice are as good as a plan, and a queue in time."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import units
from fabriclib.congestion import dcqcn, incast, pause
from fabriclib.shown import counted, digits

from ...stage import Control, against, charts, lab, parts
from .stops import DRAW, ENTROPY, INCAST
from .tables import (
    ALPS,
    BUFFER,
    CHOSEN_UP_TO,
    DCQCN,
    DICE,
    FEEDBACK,
    HASHED,
    LLAMA,
    NEAR,
    NOBODY,
    PACKET,
    PFC,
    PFC_DCQCN,
    PORT,
    RAILS,
    SECONDS,
    SPRAY,
    THRESHOLDS,
    TIMES,
    TWO,
    WANTED,
    Figures,
    adaptive_published,
    averages,
    blocks,
    figures,
    full_after,
    hashing_published,
    headroom_ports,
    headrooms_published,
    needed,
    reached,
    steps,
    trace,
    used,
)

_COUNTS = [4, 8, 16, 32]
_THROWS = 40
_WAYS = [*HASHED, TWO, SPRAY, RAILS]
_TOP = 6.0  # of the chart: so many times the even load
_PATHS_END, _BARS, _BARS_END = 0.66, 0.73, 0.95  # of the chart's width: the paths, then the bars, whose full length is all throws


def _draw_chart():
    import altair as alt

    x = charts.x("left", (0, 1), title="path").axis(None)
    y = charts.y("bottom", (0, _TOP), title="load of a path (1 = evenly spread)").axis(format="d", values=list(range(7)))

    flow = parts.of("flow").mark_rect(stroke=charts.INK, strokeWidth=1).encode(
        x=x, x2="right:Q", y=y, y2="top:Q", color=alt.Color("state:N", legend=None, scale=alt.Scale(
            domain=["alone", "shared"], range=[charts.CLUSTER, charts.OTHER])))
    idle = parts.of("idle").mark_text(fontSize=14, color=charts.GREY, dy=-8).encode(x=x, y=y, text="label:N")
    number = parts.of("number").mark_text(fontSize=13, fontWeight="bold", color=charts.PAPER).encode(x=x, y=y, text="label:N")
    lines = alt.value(alt.ExprRef(f"{charts.NARROW} ? split(replace(datum.label, ' ', '|'), '|') : datum.label"))
    told = parts.of("figure").mark_text(fontSize=parts.scaled(16, 11, 700), fontWeight="bold").encode(x=x, y=y, text=lines)
    bar = parts.of("throws").mark_rect(stroke=charts.INK, opacity=1).encode(
        x=x, x2="right:Q", y=y, y2="top:Q",
        strokeWidth=alt.condition("datum.right > datum.left", alt.value(1), alt.value(0)),
        color=alt.condition("datum.state == 'now'", alt.value(charts.YELLOW), alt.value(charts.FILL)))
    many = parts.of("count").mark_text(fontSize=13, align="left", dx=5).encode(x=x, y=y, text="label:N")
    even = charts.fixed([{"bottom": 1.0}]).mark_rule(color=charts.LIMIT, strokeDash=charts.DASHED, strokeWidth=2.5).encode(y=y)
    return charts.stack(flow, number, even, idle, bar, many, told, height=360, description=(
        "One column a path. Blocks in it are the flows that this throw put there, green where a flow has its path to itself, "
        "pink where flows share. A dashed line marks the load that even spreading would give every path. Above: three "
        "figures, the share of busy paths, the mean throughput, and the throughput of a step that waits for its slowest flow. "
        "At the right a bar for each load: how many of the throws so far had a fullest path as high as this; yellow is the "
        "present throw."))


@lab("hash-draw", title="Dice for flows", tier="cluster",
     controls=[Control("senders", _COUNTS, default=8), Control("paths", _COUNTS, default=8),
               Control("way", _WAYS, default=DICE, as_="menu"),
               Control("draw", range(1, _THROWS + 1), default=1, label="throws", as_="steps", verb="throw")],
     chart=_draw_chart,
     leaves_out="A second stage of dice on the way down. Flows that begin and end at different times, and transports that slow "
                "down by more than their share. Spraying here is perfect: round robin, with nothing to put back in order.",
     hides=("bottom", "top"),
     sources=["raab-steger", "llama3", "azar-1994"], glides=("left", "right", "bottom", "top"), stops=DRAW)
def hash_draw(senders, paths, way, draw):
    """Dice leave a third of the paths idle and let the slowest flow wait for the fullest one."""
    placed = blocks(senders, paths, way, draw)
    now, ever = figures(placed, senders, paths), averages(senders, paths, way)
    rows = _columns_of_blocks(placed, senders, paths)
    rows += _bars_of_throws([_fullest_path(senders, paths, way, one) for one in range(1, draw + 1)])
    said = [f"{what} {share}" for what, share in _named(now)] + ["fullest path so far"]
    rows += [("figure", at, at, 5.7, 5.7, "", text) for at, text in zip((0.11, 0.33, 0.55, 0.84), said, strict=True)]
    table = dict(zip(("part", "left", "right", "bottom", "top", "state", "label"), zip(*rows, strict=True), strict=True))
    return table, (f"{senders} senders on {paths} paths, {way}, throw {draw}: {_said(now)}. "
                   f"{'Every throw is the same' if now == ever else f'On average: {_said(ever)}'}.")


def _columns_of_blocks(placed: np.ndarray, senders: int, paths: int) -> list[tuple]:
    """Return the rows of the picture: each flow a block on those below it, its sender's number if it is whole; idle paths."""
    split, even = len(placed) / senders, max(1.0, senders / paths)
    total, load, rows, numbers = np.bincount(placed[:, 1], minlength=paths) / split / even, np.zeros(paths), [], []
    for sender, path in placed.tolist():
        low, high = load[path], load[path] + 1 / split / even
        left, right = (_PATHS_END * (path + side) / paths for side in (0.06, 0.94))
        state = "shared" if total[path] > 1 + 1e-9 else "alone"
        rows.append(("flow", left, right, low, min(high, _TOP), state, ""))
        if split == 1 and paths <= 16:
            numbers.append(("number", (left + right) / 2, right, (low + high) / 2, high, state, f"{sender + 1}"))
        load[path] = high
    idle = [("idle", _PATHS_END * (path + 0.5) / paths, 0.0, 0.0, 0.0, "", "idle" if load[path] == 0 else "")
            for path in range(paths)]
    return rows + numbers + idle


@functools.cache
def _fullest_path(senders: int, paths: int, way: str, draw: int) -> int:
    """The load of the fullest path in one throw, to the nearest whole multiple of the even load, at most the top of the chart."""
    return min(round(1 / figures(blocks(senders, paths, way, draw), senders, paths).slowest), int(_TOP) - 1)


def _bars_of_throws(fullest: list[int]) -> list[tuple]:
    """Return the rows of the histogram: lying bars, each at the height of the load it counts, and the counts beside them."""
    counts = [(load, fullest.count(load)) for load in range(1, int(_TOP))]
    ends = [(load, many, _BARS + (_BARS_END - _BARS) * many / _THROWS) for load, many in counts]
    return [("throws", _BARS, end, load - 0.4, load + 0.4, "now" if load == fullest[-1] else "", "") for load, _, end in ends] + [
        ("count", end, end, load, load, "", f"{many} x" if many else "") for load, many, end in ends]


def _named(shares: Figures) -> list[tuple[str, str]]:
    return [(what, f"{100 * share:.3g} %") for what, share in zip(("busy", "mean", "slowest"), shares, strict=True)]


def _said(shares: Figures) -> str:
    busy, mean, slowest = (share for _, share in _named(shares))
    return f"{busy} of the paths busy, mean throughput {mean}, slowest {slowest}"


# ---- lab 2: more dice ----

_PATHS = [4, 8, 16, 32]
_SPLITS = [2**k for k in range(11)]
_SIZES = 2.0 ** np.arange(16, 31)
_LINES = {"hash": (charts.CLUSTER, charts.SOLID), "two choices": (charts.OTHER, charts.DASHED),
          "spray": (charts.OTHER_2, charts.DASH_DOT)}


def _entropy_chart():
    x = charts.x("flows", (1, 1024), title="flows that each transfer is cut into (logarithmic)", log=2)

    def y(field="share"):
        return charts.y(field, (0, 105), title="throughput of a step (%)", ticks=range(0, 101, 10))

    named = charts.fixed([{"flows": 1, "share": 90, "label": units.portion(WANTED)},
                          {"flows": LLAMA, "share": 6, "label": f"Llama 3: {LLAMA}"}])
    return charts.stack(
        charts.limit([{"share": 100 * WANTED, "label": ""}], y=y()), charts.limit([{"flows": LLAMA, "label": ""}], x=x),
        named.mark_text(align="left", dx=6, fontSize=14, fontWeight="bold", color=charts.LIMIT).encode(
            x=x, y=y(), text="label:N"),
        charts.line(x, y(), colour=charts.CLUSTER, **charts.series("way", _LINES)),
        charts.here(x, y("here"), colour=charts.CLUSTER), height=360, description=(
            "The throughput of a step against the number of flows that each transfer is cut into: hashing rises slowly, two "
            f"choices quickly, spraying is level at one hundred per cent. A dashed level line marks {units.portion(WANTED)}, an "
            f"upright one the {LLAMA} flows that Llama 3 was trained with. A dot marks the chosen number of flows."))


@lab("hash-entropy", title="More dice", tier="cluster",
     controls=[Control("paths", _PATHS, default=8, label="senders and paths"),
               Control("split", _SPLITS, default=16, label="flows each", unit="flows", drags="x"),
               Control("nbytes", _SIZES, default=2.0**20, label="a transfer", unit="B")],
     chart=_entropy_chart,
     leaves_out="What a flow costs: a connection in the network card's memory, a header in every packet, an answer for every "
                "message. Two choices are drawn ({{ CHOSEN_TRIALS }} times), and stop at {{ CHOSEN_UP_TO }} flows. Only one "
                "stage of switches throws dice.",
     sources=["llama3", "raab-steger", "azar-1994"], stops=ENTROPY)
def hash_entropy(paths, split, nbytes):
    """Hashing approaches an even spread only with the square root of the number of flows."""
    shares = {"hash": [reached(paths, q) for q in _SPLITS],
              "two choices": [reached(paths, q, 2) if q <= CHOSEN_UP_TO else np.nan for q in _SPLITS],
              "spray": [1.0] * len(_SPLITS)}
    now, want = reached(paths, split), needed(paths)
    here = [100 * now if q == split else np.nan for q in _SPLITS] + [np.nan] * 2 * len(_SPLITS)
    table = {"flows": _SPLITS * 3, "way": np.repeat(list(shares), len(_SPLITS)),
             "share": 100 * np.concatenate(list(shares.values())), "here": here}
    each = nbytes / want
    whole = f"about {digits(each / PACKET)} packets" if each >= PACKET else "less than one packet"
    packets = f"{whole} of {PACKET:,} bytes"
    return table, (f"{paths} senders on {paths} paths, {counted(split, 'flow')} each: a step reaches {100 * now:.3g} % of an "
                   f"even spread. For {units.portion(WANTED)} it takes {want:,} flows each, so {want:,} to a path; a transfer "
                   f"of {units.format(nbytes)} then leaves {units.format(each)} to a flow, {packets}.")


# ---- lab 3: many to one ----

_SENDERS = [2, 4, 8, 16, 32]
_NEAR, _FAR = (NEAR / units.us, 2), (SECONDS / units.ms, 14)  # of the two panels: microseconds and MB, milliseconds and MB
_DRAWN = np.concatenate([np.arange(0, 100, 2), np.arange(100, 400, 10), np.arange(400, len(TIMES), 10)])
_STYLES = {NOBODY: (charts.LIMIT, charts.DOTTED), PFC: (charts.OTHER, charts.DASHED),
           DCQCN: (charts.OTHER_2, charts.DASH_DOT), PFC_DCQCN: (charts.CLUSTER, charts.SOLID)}


def _panel(x: str, y: str, ends, title: str, place: tuple[str, str], side: str):
    """The two axes of a panel: a part of the chart's width, and a scale of bytes of its own."""
    import altair as alt

    return (charts.panel(x, (0, ends[0]), place, title=title, small=12),
            charts.y(y, (0, ends[1]), title="waiting (MB)").axis(alt.Axis(orient=side, grid=False, tickCount=7)))


def _queue_chart():
    import altair as alt

    x, y = _panel("near (µs)", "near (MB)", _NEAR, "time (µs)", ("0", "width * 0.44"), "left")
    near = charts.line(x, y, colour=charts.CLUSTER, **charts.series("case", _STYLES))
    x, y = _panel("far (ms)", "far (MB)", _FAR, "time (ms)", ("width * 0.52", "width"), "right")
    far = charts.line(x, y, colour=charts.CLUSTER, **charts.series("case", _STYLES))
    full = charts.fixed([{"far (ms)": _FAR[0], "from": 0, "far (MB)": BUFFER / units.MB, "label": "a switch's memory"}])
    bound = full.mark_rule(color=charts.LIMIT, strokeDash=charts.DASHED, strokeWidth=2.5).encode(x=x, x2="from:Q", y=y)
    named = charts.legible(full.encode(x=x, y=y, text="label:N"), align="right", dx=-4, dy=-11, fontWeight="bold",
                           color=charts.LIMIT, fontSize=charts.fitting("width * 0.48", 14))
    return charts.stack(near, alt.layer(bound, *named, far), height=340, description=(
        "The bytes that wait before the receiver's port against time. On the left the first 100 microseconds up to 2 MB, on the "
        f"right 10 milliseconds up to 14 MB, with the memory of a switch, {units.format(BUFFER)}, as a dashed line. Dotted: "
        "nobody slows down, and the queue passes that memory. Dashed: with pauses alone it stays at the threshold. Dash-dotted: "
        "with DCQCN alone it grows until the senders have cut their rates a few times, then falls. Solid: with both it is capped "
        "first, falls later."
    )).resolve_scale(x="independent", y="independent")


@lab("incast-queue", title="Many to one", tier="cluster",
     controls=[Control("senders", _SENDERS, default=8),
               Control("feedback", FEEDBACK, default=4e-6, label="news takes", unit="s"),
               Control("threshold", THRESHOLDS, default=500e3, label="pause above", unit="B")],
     chart=_queue_chart,
     leaves_out="Packets: rates and queue are smooth averages, but for the first cut of every sender, which comes at once. The "
                "headroom above the threshold, pauses that take time to arrive, and other flows. The settings are those of 2015, "
                "for {{ si(8 * PORT, 'b/s') }}; later network cards have others, which their makers hardly publish.",
     sources=["zhu-2015", "zhu-2016"], stops=INCAST)
def incast_queue(senders, feedback, threshold):
    """A pause acts within microseconds and on everybody; congestion control acts within milliseconds, on the guilty."""
    alone, both = trace(senders, feedback), trace(senders, feedback, threshold)
    time, grown = TIMES[_DRAWN], incast.queue_growth(senders, PORT) * TIMES[_DRAWN]
    lines = {NOBODY: grown, PFC: np.minimum(grown, threshold), DCQCN: alone.queue[_DRAWN], PFC_DCQCN: both.queue[_DRAWN]}
    table = {"case": np.repeat(list(lines), time.size)}
    both_axes = np.tile(time, len(lines)), np.concatenate(list(lines.values())) / units.MB
    for name, unit, in_unit, (last, top) in (("near", "µs", units.us, _NEAR), ("far", "ms", units.ms, _FAR)):
        x, y = both_axes[0] / in_unit, both_axes[1]
        shown = (x <= last * (1 + 1e-9)) & (y <= top)
        table |= {f"{name} ({unit})": np.where(shown, x, np.nan), f"{name} (MB)": np.where(shown, y, np.nan)}
    full, peak = full_after(senders, threshold), alone.queue.max()
    bystander = units.format(8 * pause.victim_rate(PORT, senders, 1, paused=True), "b/s")
    return table, (f"{senders} senders at {units.format(8 * PORT, 'b/s')}: {units.format(threshold)} wait after "
                   f"{units.format(full, 's', 2)}. With PFC alone the queue stays there, and a bystander behind "
                   f"the paused port gets {bystander}. DCQCN alone lets it rise to {units.format(peak, digits=2)}, "
                   f"{units.portion(peak / BUFFER)} of a switch's memory. With both, {_paused(both)}.")


def _paused(seen: dcqcn.Trace) -> str:
    stopped = float(steps() @ seen.paused)
    return "nobody is paused" if not stopped else (
        f"pauses hold the senders back for {units.format(stopped, 's', 2)} of the first {units.format(SECONDS, 's')}, and "
        f"{units.portion(used(seen))} of the port is used")


# ---- the model against what was published ----

_SLOWEST, _MEAN = "slowest flow", "mean flow"


def _hashing_chart():
    return against.chart(
        charts.names("who", list(hashing_published()), channel="X", title="who published it"),
        lambda field: charts.y(field, (0, 105), title="of a spread load (%)"),
        {_SLOWEST: (charts.CLUSTER, charts.SOLID), _MEAN: (charts.OTHER, charts.DASHED)}, errors=(-60, 60), description=(
            "For five published figures what hashing reaches of an evenly spread load: two short bars for the model's slowest "
            "and mean flow, a diamond for what was published; below, by how much either is off."))


@lab("hashing-against-published", title="Hashing against published figures", tier="cluster", controls=(), chart=_hashing_chart,
     leaves_out="How many flows there were: no source says it, so the model has {{ PATHS }} senders on {{ PATHS }} paths, one "
                "flow each, and {{ LLAMA }} where queue pairs were hashed (QPs). Pipelines, and flows that meet no die because "
                "both ends hang on one switch.",
     sources=["fierce-colossus", "besthub-baidu", "asterfusion-ars", "tolly-225112"])
def hashing_against_published():
    """What was published lies between the flow that is waited for and the one that never waits, or near the second."""
    found = {who: tuple(100 * share for share in shares) for who, shares in hashing_published().items()}
    slowest, mean, measured = zip(*found.values(), strict=True)
    table = against.table("who", {_SLOWEST: (list(found), slowest, measured), _MEAN: (list(found), mean, measured)})
    off = {run: [error for name, error in zip(table[against.RUN], table[against.ERROR], strict=True) if name == run]
           for run in (_SLOWEST, _MEAN)}
    return table, (f"The slowest flow is {-max(off[_SLOWEST]):.0f} to {-min(off[_SLOWEST]):.0f} % too dark a picture; the mean "
                   f"is off by {min(off[_MEAN]):.0f} to {max(off[_MEAN]):+.0f} %.")


_PORTS = "four ports at line rate"


def _adaptive_chart():
    return against.chart(
        charts.names("nodes", [f"{nodes} nodes" for nodes in ALPS], channel="X", title=" "),
        lambda field: charts.y(field, (0, 110e9), title="bus rate", unit="B/s"),
        {_PORTS: (charts.CLUSTER, charts.SOLID)}, errors=(-20, 120), description=(
            "For 8, 16 and 512 nodes four ports at line rate as a short bar, the same for all, and as diamonds the bus "
            "rates that all-reduces of three sizes reached; below, by how much the bar is more."))


@lab("adaptive-against-measured", title="Routing by load, measured", tier="cluster", controls=(), chart=_adaptive_chart,
     leaves_out="Headers, software, and whoever else was computing on the machine.", sources=["boeschf-alps"])
def adaptive_against_measured():
    """A network that routes by load is nearly as good as its ports, until it is large and shared."""
    found = [(f"{nodes} nodes", *rates) for runs in adaptive_published().values() for nodes, rates in runs.items()]
    table = against.table("nodes", {_PORTS: tuple(zip(*found, strict=True))})
    few, many = ([error for where, error in zip(table["nodes"], table[against.ERROR], strict=True)
                  if (where == f"{max(ALPS)} nodes") == large] for large in (False, True))
    return table, (f"Four ports a node at line rate: {min(few):.0f} to {max(few):.0f} % more than was measured on few nodes, "
                   f"{min(many):.0f} to {max(many):.0f} % on {max(ALPS)}.")


def _headroom_chart():
    return against.chart(
        charts.names("port", headroom_ports(), channel="X", title=" "),
        lambda field: charts.y(field, (0, 120), title="headroom (kB)"),
        dict(zip(headrooms_published(), ((charts.OTHER, charts.DASHED), (charts.CLUSTER, charts.SOLID)), strict=True)),
        errors=(-50, 50), fact=against.PUBLISHED, description=(
            "The headroom of two ports: short bars for the model's worst case, counted as bytes sent and in cells of buffer, "
            "diamonds for what was published; below, by how much the model is off."))


@lab("headroom-against-published", title="Headroom against published values", tier="cluster", controls=(), chart=_headroom_chart,
     leaves_out="The first source does not state its MTU and the second not its cable: {{ thousands(LONGEST) }} bytes and "
                "{{ CABLE }} m are assumed.",
     sources=["linux-mlxsw", "zhu-2015"])
def headroom_against_published():
    """A pause comes late, and what still arrives fills cells badly."""
    table = against.table("port", {counted: (headroom_ports(), *(np.array(each) / units.kB for each in zip(*pairs, strict=True)))
                                   for counted, pairs in headrooms_published().items()}, against.PUBLISHED)
    sent, cells = (table[against.ERROR][2 * at:2 * at + 2] for at in range(2))
    return table, (f"Counted as sent the model is {-max(sent):.0f} to {-min(sent):.0f} % too low; in cells of buffer it is off "
                   f"by {min(cells):.0f} and {max(cells):+.0f} %.")
