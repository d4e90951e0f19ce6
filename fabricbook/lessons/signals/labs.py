"""A channel's loss part by part up to its budget, and the eye that is left of it."""

from __future__ import annotations

import numpy as np

from fabriclib import signals, units
from fabriclib.shown import counted

from ...stage import Control, against, charts, lab, parts
from . import path, stops
from .tables import (
    BOARDS,
    CHANNELS,
    FASTEST,
    GENERATIONS,
    INCHES,
    SLOWEST,
    START,
    inch_beside_published,
    power,
    seen,
    share_of_bits,
)

_RETIMER = "retimer"

# ---- lab 1: the channel, part by part ----

_DB = (-36, 62)
_WITHIN, _BEYOND = "within the budget", "beyond it"
_TOP = 1.14
_COLUMNS = {"part": "", "name": "", "from": None, "to": None, "high": None, "low": None, "middle": None, "state": "",
            "label": "", "bold": ""}


def _pieces(segments, plan: signals.Plan, frequency: float) -> list[tuple[str, float]]:
    """Return (name, dB) of what a signal meets: segments, boards cut in two where a retimer sits, and retimers by name."""
    cuts, at, found = list(plan.cuts), 0.0, []
    for one, db in zip(segments, signals.losses(segments, frequency).tolist(), strict=True):
        left = db
        while cuts and one.part.kind == "board" and cuts[0] <= at + left + 1e-9:
            before = cuts.pop(0) - at
            if before > 1e-6:
                found.append((_named(one, before / db), before))
            found.append((_RETIMER, 0.0))
            at, left = at + before, left - before
        if left > 1e-6:
            found.append((_named(one, left / db), left))
        at += left
    return found


def _named(one: signals.Segment, share: float) -> str:
    if one.part.kind == "board":
        return f"{one.part.name}, {one.amount * share / units.inch:.2g} inches"
    return f"{one.part.name}, {100 * one.amount:.0f} cm" if one.part.kind == "cable" else one.part.name


def _waterfall(pieces, package: float, usable: float) -> list[dict]:
    """Return the rows of the chart: bars that start where the one above ended, and at zero after each retimer."""
    rows, reached = [], 0.0
    for i, (name, db) in enumerate(pieces):
        spot = {"high": 1 - i / len(pieces), "low": 1 - (i + 0.82) / len(pieces), "middle": 1 - (i + 0.41) / len(pieces)}
        rows.append(spot | {"part": "name", "name": name, "label": name, "bold": "yes" if name == _RETIMER else ""})
        steps = [(reached, reached + package), (0.0, package)] if name == _RETIMER else [(reached, reached + db)]
        for start, end in steps:
            inside, outside = (min(start, usable), min(end, usable)), (max(start, usable), max(end, usable))
            rows += [spot | {"part": "bar", "name": name, "from": a, "to": b, "state": state}
                     for state, (a, b) in ((_WITHIN, inside), (_BEYOND, outside)) if b - a > 1e-9]
        last = i + 1 == len(pieces)
        said = f"{steps[0][1]:.1f} dB" if last or name == _RETIMER else f"+{db:.1f}"
        rows.append(spot | {"part": "value", "to": steps[0][1], "label": said, "bold": "yes" if said[0] != "+" else ""})
        reached = steps[-1][1]
    return rows


def _loss_chart():
    import altair as alt

    def x(field):
        return charts.x(field, _DB, title="loss since the last fresh signal (dB)", ticks=range(0, 61, 10))

    def y(field):
        return charts.y(field, (0, _TOP), title="from the sender to the receiver").axis(None)

    small = alt.ExprRef("width < 480 ? 11 : 13")
    styles = {_WITHIN: (charts.SERVER, charts.SOLID), _BEYOND: (charts.LIMIT, charts.SOLID)}
    legend = charts.legend(list(styles), symbolSize=170, symbolType="square")
    fill = alt.Color("state:N", legend=legend, scale=alt.Scale(domain=list(styles), range=[c for c, _ in styles.values()]))
    bars = parts.of("bar").mark_rect(stroke=charts.EDGE, strokeWidth=1).encode(
        x=x("from"), x2="to:Q", y=y("high"), y2="low:Q", color=fill)
    weight = alt.condition("datum.bold == 'yes'", alt.value(charts.EDGE), alt.value(charts.GREY))
    narrow = f"{charts.PAGE} < 640"
    room = alt.ExprRef(f"{narrow} ? 11 : 13")
    lines = "split(replace(datum.label, ' or ', ' or, '), ', ')"
    said = alt.value(alt.ExprRef(f"{narrow} ? {lines} : datum.label"))
    up = alt.ExprRef(f"{narrow} && length({lines}) > 1 ? -6 : 0")  # of two lines the middle is between them
    names = parts.of("name").mark_text(align="right", fontSize=room, dx=-6, dy=up).encode(
        x=x("to"), y=y("middle"), text=said, color=weight)
    values = charts.legible(parts.of("value").encode(x=x("to"), y=y("middle"), text="label:N"),
                            align="left", fontSize=small, fontWeight="bold", dx=6)
    lines = parts.of("budget").mark_rule(strokeWidth=2.5, color=charts.LIMIT, strokeDash=charts.DASHED).encode(x=x("to"))
    heads = parts.of("budget").mark_text(fontSize=small, color=charts.LIMIT, fontWeight="bold", align="right", dx=-5).encode(
        x=x("to"), y=y("middle"), text="label:N")
    full = parts.of("full").mark_rule(strokeWidth=2, color=charts.GREY, strokeDash=charts.DOTTED).encode(x=x("to"))
    full_head = parts.of("full").mark_text(fontSize=small, color=charts.GREY, align="left", dx=5).encode(
        x=x("to"), y=y("middle"), text="label:N")
    return charts.stack(bars, lines, full, names, values, heads, full_head, height=430, description=(
        "The parts of a channel from top to bottom, from the sender to the receiver. Each has a bar as long as its loss, which "
        "starts where the bar above ended; after a retimer it starts at zero again. A dashed upright line marks what may be "
        "spent, a dotted one the full budget; what lies beyond the dashed line has another colour."))


@lab("channel-loss", title="From CPU to GPU, decibel by decibel", tier="server",
     controls=[Control("channel", list(CHANNELS), default="GPU baseboard", as_="menu"),
               Control("generation", list(GENERATIONS), default="PCIe 3"),
               Control("board", list(BOARDS), default="GETEK"),
               Control("retimers", range(3), default=0)],
     chart=_loss_chart,
     leaves_out="Crosstalk and reflections, heat (a warm board loses more) and the spread between boards: the margin must cover "
                "them. Lengths of boards and cables are assumed, since makers do not publish them. So are the losses of a GPU "
                "module, of board connectors and of a retimer's package, and all losses at "
                "{{ digits(pcie3.nyquist / units.GHz) }} and {{ digits(pcie4.nyquist / units.GHz) }} GHz of parts that were "
                "published at {{ digits(pcie5.nyquist / units.GHz) }} GHz only.",
     hides=("bold", "label"),
     sources=["ti-snla426", "nvidia-bf3-loss", "nvidia-cx8-loss", "astera-budget-copy", "pcisig-retimers", "lightelligence-cxl",
              "intel-pcie4-retimer", "ti-e2e-gen3", "csdn-retimers", "allaboutcircuits-retimers"],
     stops=stops.LOSS)
def channel_loss(channel, generation, board, retimers):
    """Every part takes its share; a retimer starts again from zero."""
    asked, segments = signals.standard(GENERATIONS[generation]), signals.channel(CHANNELS[channel], BOARDS[board])
    plan = signals.place(segments, asked.id, retimers)
    package = signals.part("device-package").loss(asked.nyquist)
    rows = _waterfall(_pieces(segments, plan, asked.nyquist), package, asked.usable)
    for row in rows:
        if row["part"] == "name":
            row["to"] = 0.0
    head = {"middle": 1.075}
    rows += [head | {"part": "budget", "to": asked.usable, "label": f"may be spent: {asked.usable:.3g} dB"},
             head | {"part": "full", "to": asked.budget, "label": f"budget: {asked.budget:.3g} dB"}]
    table = parts.columns(rows, _COLUMNS)
    return table, f"{channel}, {generation}, {board}: {_told(asked, segments, plan)}"


def _told(asked: signals.Standard, segments, plan: signals.Plan) -> str:
    total = signals.losses(segments, asked.nyquist).sum()
    worst, n = max(plan.stretches), len(plan.cuts)
    may = f"{asked.usable:.3g} dB may be spent at {asked.nyquist / units.GHz:.0f} GHz"
    cut = f"; with {counted(n, 'retimer')} the worst stretch has {worst:.1f}" if n else ""
    state = f"{total:.1f} dB{cut}, and {may}: "
    if not plan.fits:
        over = worst - asked.usable
        return state + f"{over:.{1 if over > 0.05 else 2}f} dB too much. " + _advice(signals.needed(segments, asked.id))
    cost = "no retimer, no nanosecond lost." if n == 0 else (
        f"an answer comes {units.format(2 * n * FASTEST, 's')} to {units.format(2 * n * SLOWEST, 's')} later, there and back.")
    return state + "it fits; " + cost


def _advice(count: int | None) -> str:
    few = "Two retimers, the most a link may have, are not enough."
    return few if count is None else f"It needs {counted(count, 'retimer')}."


# ---- lab 2: one retimer, along the channel ----

_WAY = "GPU baseboard"
_SPOTS = path.spots(signals.channel(CHANNELS[_WAY], BOARDS["FR4"]))
_BANDS = (-7.0, -2.5)  # dB: where boards and cables are drawn, below the axis' zero
_PLACES = ["board", "cable", "baseboard"]
_CHIP = 4  # inches that a chip is drawn wide, beside the channel
_ALONG = {"part": "", "label": "", "x": None, "x2": None, "dB": None, "dB2": None, "stretch": "", "order": None, "state": ""}


def _along_chart():
    import altair as alt

    x = charts.x("x", (-_CHIP - 0.5, 41.5), title="distance from the CPU (inches)", ticks=range(0, 41, 5))

    def y(field):
        return charts.y(field, (-8, 62), title="loss since the last fresh signal (dB)", ticks=range(0, 61, 10))

    size = alt.ExprRef(f"{charts.NARROW} ? 11 : 14")
    colour = alt.condition(f"datum.state == '{_BEYOND}'", alt.value(charts.LIMIT), alt.value(charts.INK))
    bands = [parts.of(part).mark_rect(fill=fill, stroke=charts.EDGE).encode(x=x, x2="x2:Q", y=y("dB"), y2="dB2:Q")
             for part, fill in (("band", charts.FILL), ("chip", charts.BLUE_TINT))]
    called = parts.of("band", "chip").mark_text(
        fontSize=charts.fitting("scale('x', datum.x2) - scale('x', datum.x) + 6", 13, least=10), align="left",
        dx=alt.ExprRef(f"{charts.NARROW} ? 1 : 4"), baseline="top", dy=4).encode(x=x, y=y("dB"), text="label:N")
    way = {"x": x, "y": y("dB"), "detail": "stretch:N", "order": "order:Q"}
    lines = parts.of("way").mark_line(strokeWidth=3, color=charts.SERVER).encode(**way)
    over = parts.of("over").mark_line(strokeWidth=6, color=charts.LIMIT).encode(**way)
    budget = parts.of("budget").mark_rule(strokeWidth=2.5, color=charts.LIMIT, strokeDash=charts.DASHED).encode(y=y("dB"))
    head = charts.legible(parts.of("budget").encode(x=x, y=y("dB"), text="label:N"), align="left", dy=-12, fontSize=size,
                          color=charts.LIMIT, fontWeight="bold")
    chip = parts.of("retimer").mark_rule(strokeWidth=3, color=charts.CHIP).encode(x=x, y=y("dB"), y2="dB2:Q")
    named = charts.legible(parts.of("retimer").encode(x=x, y=y("dB2"), text="label:N"), dy=-10, fontSize=size,
                           color=charts.CHIP, fontWeight="bold")
    # At the left of the line, but where it has room at the right alone.
    left = f"datum.stretch == 'before' ? !({charts.NARROW} && datum.x < 9) : {charts.PAGE} < 640"
    ends = charts.legible(parts.of("end").encode(x=x, y=y("dB"), text="label:N", color=colour), fontSize=size, fontWeight="bold",
                          align=alt.ExprRef(f"({left}) ? 'right' : 'left'"), dx=alt.ExprRef(f"({left}) ? -9 : 9"))
    return charts.stack(*bands, called, budget, chip, lines, over, *head, *named, *ends, height=400, description=(
        "The loss along a channel, from the CPU at the left over its board, a cable and the baseboard to a GPU at the right. The "
        "line rises along boards and the cable, and jumps at packages and connectors. At the retimer, an upright line that can "
        "be dragged along the boards, it starts again near zero. What lies above the dashed line, which is what may be "
        "spent, is drawn thick in another colour; at the end of each stretch its loss is written."))


@lab("retimer-place", title="Move the retimer along the channel", tier="server",
     controls=[Control("generation", list(GENERATIONS), default="PCIe 5"),
               Control("board", list(BOARDS), default="GETEK"),
               Control("retimer", _SPOTS, default=3, label="retimer", unit="inches", drags="x")],
     chart=_along_chart,
     leaves_out="As above: lengths and some losses are assumed. A retimer sits on a board: beside a cable there is no place for "
                "it. Vias, connectors and packages are points without a length.",
     hides=("x2", "dB2", "label"),
     sources=["ti-snla426", "nvidia-bf3-loss", "astera-budget-copy", "pcisig-retimers", "lightelligence-cxl"],
     stops=stops.PLACE)
def retimer_place(generation, board, retimer):
    """The best place is half-way in decibels, not in inches."""
    asked, segments = signals.standard(GENERATIONS[generation]), signals.channel(CHANNELS[_WAY], BOARDS[board])
    ways = dict(zip(("before", "after"), path.walk(segments, asked.nyquist, retimer), strict=True))
    rows = [{"part": "budget", "dB": asked.usable, "x": 8.0, "label": f"may be spent: {asked.usable:.3g} dB"},
            {"part": "retimer", "x": retimer, "dB": 0.0, "dB2": 55.0, "label": _RETIMER}]
    whole = [one for one in path.laid(segments) if one.start < one.end]
    rows += [{"part": "band", "x": one.start, "x2": one.end, "dB": _BANDS[1], "dB2": _BANDS[0], "label": label}
             for one, label in zip(whole, _PLACES, strict=True)]
    for stretch, way in ways.items():
        for part, points in (("way", way), ("over", path.beyond(way, asked.usable))):
            rows += [{"part": part, "stretch": stretch, "order": i, "x": x, "dB": db} for i, (x, db) in enumerate(points)]
        (x, lost), state = way[-1], _BEYOND if way[-1][1] > asked.usable else _WITHIN
        rows.append({"part": "end", "stretch": stretch, "x": x, "dB": lost, "state": state, "label": f"{lost:.1f} dB"})
    rows += [{"part": "chip", "x": x, "x2": x + _CHIP, "dB": _BANDS[1], "dB2": _BANDS[0], "label": label}
             for x, label in ((-float(_CHIP), "CPU"), (whole[-1].end, "GPU"))]
    return parts.columns(rows, _ALONG), (f"{generation}, {board}, retimer {counted(retimer, 'inch', 'inches')} from "
                                         "the CPU: " + _stretches(asked, *(way[-1][1] for way in ways.values())))


def _stretches(asked: signals.Standard, before: float, after: float) -> str:
    over = [f"{db - asked.usable:.1f} dB too much {side} it" for side, db in (("before", before), ("after", after))
            if db > asked.usable]
    return (f"{before:.1f} dB before it, {after:.1f} after it. {asked.usable:.3g} may be spent: "
            f"{' and '.join(over) or 'it fits'}.")


# ---- lab 3: the eye ----

_DEVICES = ["nothing", "a redriver", "a retimer"]
_EQUALISERS = ["on", "off"]
_PIECES = 12  # straight ones that draw a rounded edge, from one symbol to the next
_VOLTS, _EDGE = (-0.8, 0.8), 0.79
_SEEN = {"part": "", "trace": None, "before": None, "at": None, "after": None, "blur": None, "ink": None, "t": None, "mid": None,
         "low": None, "high": None, "label": "", "open": ""}
_PERIOD = {2: 6, 4: 3}  # symbols of a repeating pattern, by levels: 64 patterns, few enough to follow the slider


def _traces(levels: int, memory: float) -> np.ndarray:
    """Return the distinct (symbol before, at, after the sampling instant) of every pattern of `_PERIOD` that repeats for ever.

    A repeating pattern has been there at every instant what it is at any other, so the picture is the same at both edges.
    """
    period = _PERIOD[levels]
    patterns = np.linspace(-0.5, 0.5, levels)[np.indices((levels,) * period).reshape(period, -1)]
    # The steady state: each round of the pattern counts memory^period less than the one after it.
    weights = (1 - memory) * memory ** np.arange(period) / (1 - memory**period)
    arrived = [sum(w * patterns[(i - k) % period] for k, w in enumerate(weights)) for i in range(3)]
    return np.unique(np.round(arrived, 3), axis=1).T


def _eye_chart():
    import altair as alt

    x = charts.x("t", (-1.02, 1.02), title="time (symbols before and after the moment of decision)", ticks=[-1, 0, 1])

    def y(field):
        return charts.y(field, _VOLTS, title="voltage (as a part of the swing)", ticks=[-0.5, 0, 0.5])

    # A trace goes from state to state with the rounded edges of real signals, as thick as the noise on it.
    trace = parts.of("trace").transform_calculate(piece=f"sequence({-_PIECES}, {_PIECES + 1})").transform_flatten(
        ["piece"]).transform_calculate(
            t=f"datum.piece / {_PIECES}", edge="(1 - cos(PI * (datum.t < 0 ? datum.t + 1 : datum.t))) / 2",
            mid="datum.t < 0 ? datum.before + (datum.at - datum.before) * datum.edge"
                " : datum.at + (datum.after - datum.at) * datum.edge",
            low=f"clamp(datum.mid - datum.blur, {-_EDGE}, {_EDGE})", high=f"clamp(datum.mid + datum.blur, {-_EDGE}, {_EDGE})")
    ink = alt.Opacity("ink:Q", scale=None, legend=None)
    blur = trace.mark_area(color=charts.CHIP).encode(x=x, y=y("low"), y2="high:Q", detail="trace:N", opacity=ink)
    centre = trace.mark_line(color=charts.CHIP, strokeWidth=1, opacity=0.35).encode(x=x, y=y("mid"), detail="trace:N")
    colour = alt.condition("datum.open == 'yes'", alt.value(charts.INK), alt.value(charts.LIMIT))
    opening = parts.of("opening").mark_bar(width=9, fill=charts.PAPER, stroke=charts.BLACK, strokeWidth=2).encode(
        x=x, y=y("low"), y2="high:Q")
    said = charts.legible(parts.of("said").encode(x=x, y=y("mid"), text="label:N", color=colour),
                          edge=5, align="left", fontSize=17, fontWeight="bold", dx=8)
    return charts.stack(blur, centre, opening, said, height=380, description=(
        "An eye diagram: the voltages of all short patterns of symbols drawn over each other, two symbols wide, each as thick as "
        "the noise on it. In the middle, at the moment of decision, a bar stands in each opening that is left between "
        "neighbouring levels; where there is none the eye is closed and the text says so."))


@lab("eye", title="What the receiver sees", tier="server",
     controls=[Control("generation", list(GENERATIONS), default="PCIe 3"),
               Control("inches", INCHES, default=START, label="board (FR4)", unit="inches", as_="steps"),
               Control("equaliser", _EQUALISERS, default="on", label="equaliser", as_="menu"),
               Control("helper", _DEVICES, default="nothing", label="on the board", as_="menu")],
     chart=_eye_chart,
     leaves_out="Time: the model has an eye height and no eye width, so no jitter. Reflections and crosstalk count as noise. The "
                "equaliser is ideal up to the generation's budget. The noise is derived, not measured: it just leaves PCIe 6 an "
                "eye at its full budget. Edges are drawn round for the picture only. Volts are at the receiver's pins; it then "
                "amplifies, which the picture shows by always filling the frame.",
     hides=("blur", "t", "mid", "open"),
     sources=["ti-snla426", "astera-margin", "astera-budget-copy", "nvidia-cx8-loss", "pcisig-retimers", "eeworld-pcie6",
              "ti-ds320pr822"],
     stops=stops.EYE)
def eye(generation, inches, equaliser, helper):
    """Loss makes the signal small, and what stays of the last symbols blurs the next; four levels leave a third."""
    asked = signals.standard(GENERATIONS[generation])
    loss, found = seen(asked.id, inches, equaliser, helper)
    opening = found.swing * ((1 - found.memory) / (asked.levels - 1) - found.memory)
    blur, height = (opening - found.height) / 2 / found.swing, found.height / found.swing
    traces = _traces(asked.levels, found.memory).tolist()
    ink = 1 - 0.45 ** (asked.levels**2 / len(traces))
    rows = [{"part": "trace", "trace": i, "before": before, "at": at, "after": after, "blur": blur, "ink": ink}
            for i, (before, at, after) in enumerate(traces)]
    rows += [{"part": "said", "t": -1.0, "mid": 0.7, "label": f"{_volts(found.height)} open" if height > 0 else "closed",
              "open": "yes" if height > 0 else "no"}]
    if height > 0:
        middles = (1 - found.memory) * ((np.arange(asked.levels - 1) + 0.5) / (asked.levels - 1) - 0.5)
        rows += [{"part": "opening", "t": 0.0, "low": m - height / 2, "high": m + height / 2, "mid": m} for m in middles]
    board = f"{counted(inches, 'inch', 'inches')} of FR4"
    said = f"{generation} over {board}: {loss:.1f} dB{_where(helper, inches)}, {asked.levels} levels. "
    return parts.columns(rows, _SEEN), said + _judged(asked, loss, found)


def _where(helper: str, inches: float) -> str:
    if helper == "nothing" or not inches:
        return ""
    return " on the worse side of the retimer" if helper == "a retimer" else " as the redriver leaves it"


def _judged(asked: signals.Standard, loss: float, found: signals.Eye) -> str:
    arrives = asked.swing * 10 ** (-loss / 20)
    eyes = "the eye is" if asked.levels == 2 else "the three eyes are"
    state = f"{eyes} {_volts(found.height)} high" if found.height > 0 else f"{eyes} closed"
    random, worst = share_of_bits(found.error_rate), share_of_bits(found.worst_rate)
    apart = f"; after the worst pattern, a long run, {worst}" if worst != random else ""
    return (f"Of {_volts(asked.swing)} a fast pattern keeps {_volts(arrives)}; {state}, if one bit in "
            f"{power(asked.error_rate)} may be wrong. Of random bits {random} are wrong{apart}.")


def _volts(volts: float) -> str:
    return f"{1e3 * volts:.3g} mV"


# ---- the model beside what was published ----

_INCH = {"model": (charts.SERVER, charts.SOLID)}


def _inch_chart():
    def loss(field):
        return charts.y(field, (0, 1.5), title="loss of an inch (dB)")

    x = charts.names("board", [one.board for one in inch_beside_published()], channel="X", title="")
    return against.chart(x, loss, _INCH,
                         errors=(-60, 20), fact=against.PUBLISHED, description=(
                             "For FR4 at four frequencies and for Megtron 6: a short bar for the loss of an inch that the model "
                             "takes from a maker's sheet, a diamond for another published figure. Below, the error."))


@lab("inch-against-published", title="An inch of board, beside other figures", tier="server", controls=(), chart=_inch_chart,
     leaves_out="Rough copper and heat, which make boards as built lose more than a maker calculates.",
     sources=["ti-snla426", "rfessentials-pcb", "microchip-xcvr-loss", "ti-e2e-proximity", "ti-e2e-gen4"])
def inch_against_published():
    """Rules of thumb agree; one engineer, and boards as built, lose more."""
    table = against.table("board", {"model": tuple(zip(*inch_beside_published(), strict=True))}, against.PUBLISHED)
    error = table[against.ERROR]
    far = -error[np.abs(error) > 10]
    return table, (f"{len(error) - len(far)} of {len(error)} published figures are within a tenth of the model; of the others it "
                   f"says {min(far):.0f} to {max(far):.0f} % less.")
