"""54 days thrown with dice, how often to save, a fabric with a part lost, the slowest of many, and other clusters' rates."""

from __future__ import annotations

import numpy as np

from fabriclib import units
from fabriclib.shown import counted

from ...stage import Control, against, charts, lab, parts
from . import broken
from .stops import DAYS, LOSING, SAVING, SLOWEST
from .tables import (
    GPUS,
    LOST,
    MINUTES,
    MOST_LOST,
    NOTHING,
    ONE,
    PARTS,
    PATTERNS,
    RANKS,
    RESTART,
    RESTARTS,
    RINGS,
    RUN,
    SAVES,
    SIZES,
    SLOWER,
    SPREADS,
    THROWS,
    WIRINGS,
    all_lost,
    elsewhere,
    expected,
    job,
    lost,
    of_run,
    quiet,
    slowest_thrown,
    thrown,
    waits,
)

DAY = units.parse("1 day")

# ---- 54 days

_LINES, _BARS = (0, "width * 0.57"), ("width * 0.74", "width")
QUIET = "longest quiet"
_ROWS = [*PARTS, QUIET]


def _days_chart():
    import altair as alt

    def axis(field, domain, ends, **options):
        found = charts.x(field, domain, **options)
        found["scale"]["range"] = [alt.ExprRef(end) if isinstance(end, str) else end for end in ends]
        found["axis"]["titleFontSize"] = alt.ExprRef(f"{charts.NARROW} ? 11 : 14")
        return found

    days = axis("day", (0, RUN / DAY), _LINES, title="day", ticks=range(0, 55, 6))
    share = axis("share (%)", (0, 80), _BARS, title="share (%); ◆ Llama 3", ticks=[0, 40, 80])
    share["axis"]["orient"], share["axis"]["titleAnchor"] = "bottom", "end"
    rows = charts.names("cause", _ROWS, title=" ")
    marks = parts.of("interruption").mark_tick(thickness=1.3, height={"band": 0.62}, color=charts.INK, opacity=0.8).encode(
        x=days, y=rows)
    calm = parts.of("quiet").mark_bar(color=charts.GREEN, height={"band": 0.4}).encode(x=days, x2="to:Q", y=rows)
    said = parts.of("how long").mark_text(align="left", dx=6, fontSize=13).encode(x=days, y=rows, text="label:N")
    bars = parts.of("count").mark_bar(color=charts.GREY, height={"band": 0.5}).encode(x=share, y=rows)
    run = charts.diamonds(parts.of("run"), share, rows, size=110)
    beside = {"align": "right", "x": alt.ExprRef("width * 0.74 - 6"), "fontSize": alt.ExprRef(f"{charts.NARROW} ? 11 : 13")}
    many = parts.of("count").mark_text(color=charts.INK, **beside).encode(y=rows, text="label:N")
    return charts.stack(alt.layer(marks, calm, said), alt.layer(bars, run, many), height=300, description=(
        "A row for each cause, and on it a tick for each interruption of a run of 54 days. In the last row a green bar: the "
        "longest stretch without any. Right, bars: the share of each cause in this throw, with the count; diamonds are "
        "Llama 3's run.")).resolve_scale(x="independent")


@lab("fifty-four-days", title="A run by dice", tier="all",
     controls=[Control("gpus", SIZES, default=GPUS, label="GPUs"),
               Control("throws", range(1, THROWS + 1), default=1, as_="steps", verb="throw")],
     chart=_days_chart,
     leaves_out="Failures that come together: a bad batch, a hot day, a power cut. Failures of the first weeks of a new machine. "
                "The {{ digits(figure('llama3-planned'), 3) }} interruptions that were planned. Nobody says how failures of "
                "software grow: here, with the GPUs.",
     hides=("label",),
     sources=["llama3", "lockwood-reliability"], stops=DAYS)
def fifty_four_days(gpus, throws):
    """Each part fails at random; together they keep time."""
    found, (start, end) = thrown(gpus, throws), quiet(gpus, throws)
    seen = sum(map(len, found.values()))
    rows = [{"part": "interruption", "cause": cause, "day": at / DAY} for cause, own in found.items() for at in own.tolist()]
    rows += [{"part": "quiet", "cause": QUIET, "day": start / DAY, "to": end / DAY},
             {"part": "how long", "cause": QUIET, "day": end / DAY, "label": units.format(end - start, "s")}]
    rows += [{"part": "count", "cause": cause, "share (%)": 100 * len(own) / max(seen, 1), "label": f"{len(own):,}"}
             for cause, own in found.items()]
    rows += [{"part": "run", "cause": cause, "share (%)": 100 * count / sum(of_run().values())}
             for cause, count in of_run().items()]
    table = parts.columns(rows, {"part": "", "cause": "", "day": np.nan, "to": np.nan, "share (%)": np.nan, "label": ""})
    each = units.format(job(gpus).between, "s")
    return table, (f"Throw {throws}, {gpus:,} GPUs: {counted(seen, 'interruption')} in {RUN / DAY:.0f} days. In the mean there "
                   f"are {expected(gpus):,.4g}, one every {each}. The longest stretch without: {units.format(end - start, 's')}.")


# ---- saves

ALL = "all that is lost"
_LOOK = {ALL: (charts.BLACK, charts.SOLID), "saves": (charts.SERVER, charts.DASHED),
         "work done again": (charts.CHIP, charts.DOTTED), "restarts": (charts.OTHER, charts.DASH_DOT)}


def _saves_chart():
    x = charts.x("minutes", (MINUTES[0], MINUTES[-1]), title="minutes of work between two saves (logarithmic)", log=10,
                 ticks=[0.25, 1, 4, 15, 60, 240])

    def y(field):
        return charts.y(field, (0, MOST_LOST), title="lost (% of the time)")

    look = charts.series("what", _LOOK)
    return charts.stack(charts.line(x, y("lost (%)"), colour="", **look), charts.here(x, y("here"), colour=charts.YELLOW),
                        height=330, description=(
        "The share of the time that is lost against the minutes between two saves, on a logarithmic axis: what saves take falls, "
        "what is done again after a failure rises, restarts are level, and all together are a U. A yellow dot is where you "
        "stand."))


@lab("how-often-to-save", title="How often to save", tier="all",
     controls=[Control("interval", MINUTES, default=61.0, label="work between saves", unit="minutes", drags="x"),
               Control("gpus", SIZES, default=GPUS, label="GPUs"),
               Control("save", SAVES, default=SAVES[1], label="a save stops the job for", unit="s"),
               Control("restart", RESTARTS, default=RESTART, label="a restart takes", unit="s")],
     chart=_saves_chart,
     leaves_out="Saves that go on while the job works again, spare copies in the memory of neighbours, saves that fail. There is "
                "always a server that stands by. Beyond {{ digits(MOST_LOST) }} % no line is drawn, and the dot stays on top.",
     sources=["llama3", "megascale"], stops=SAVING)
def how_often_to_save(interval, gpus, save, restart):
    """Too often, and saving takes the time; too seldom, and work is done again."""
    found = {ALL: all_lost(gpus, save, restart)} | lost(gpus, save, restart)
    at, steps = MINUTES.index(interval), len(MINUTES)
    here = np.full(steps * len(found), np.nan)  # on the first line, that of all
    here[at] = min(found[ALL][at], MOST_LOST)
    table = {"minutes": MINUTES * len(found), "what": np.repeat(list(found), steps),
             "lost (%)": [share if share <= MOST_LOST else np.nan for line in found.values() for share in line], "here": here}
    parted = ", ".join(f"{what} {line[at] if line[at] >= 0.01 else 0:.2g}" for what, line in found.items() if what != ALL)
    each = units.format(job(gpus).between, "s")
    return table, (f"{gpus:,} GPUs, an interruption every {each}, a save every {interval:g} minutes: "
                   f"{found[ALL][at]:.3g} % of the time is lost ({parted}).")


# ---- a part lost

@lab("lose-a-part", title="A fabric with a part lost", tier="cluster",
     controls=[Control("lost", LOST, default=NOTHING, as_="menu", picks="lost"),
               Control("wiring", list(WIRINGS), default=ONE, as_="menu"),
               Control("pattern", list(PATTERNS), default=RINGS, as_="menu")],
     chart=broken.picture,
     leaves_out="The seconds until everyone knows of the loss, in which packets go nowhere. Ways over a third GPU, by NVLink and "
                "its port: Alibaba built that and gave it up. What Alibaba measured is a whole step of training; how much of it "
                "went over the network is not said. Flows spread evenly over all shortest paths.",
     hides=("label",),
     sources=["hpn-sigcomm"], stops=LOSING)
def lose_a_part(lost, wiring, pattern):
    """What a lost part costs depends on how many ways there were around it."""
    return parts.columns(broken.drawn(wiring, lost, pattern), broken.COLUMNS), broken.told(wiring, lost, pattern)


# ---- the slowest

_CHANCE, _ONE_SLOW = "chance alone", "one slow GPU"


def _slowest_chart():
    x = charts.x("ranks", (RANKS[0], RANKS[-1]), title="GPUs that wait for each other (logarithmic)", log=2)

    def y(field):
        return charts.y(field, (0, 25), title="a step takes longer by (%)")

    look = charts.series("what", {_CHANCE: (charts.CLUSTER, charts.SOLID), _ONE_SLOW: (charts.LIMIT, charts.DASHED)})
    dice = charts.live().mark_point(size=30, opacity=0.7, color=charts.GREY, filled=True).encode(x=x, y=y("thrown"))
    return charts.stack(dice, charts.line(x, y("longer (%)"), colour="", **look),
                        charts.here(x, y("here"), colour=charts.YELLOW), height=330, description=(
        "How much longer a step takes than the mean of one GPU, against the number of GPUs that wait for each other: a line that "
        "rises ever more slowly, the mean of the slowest by chance; grey dots are throws of dice around it. A dashed level line "
        "is one GPU that is always slow. A yellow dot is where you stand."))


@lab("waiting-for-the-slowest", title="Waiting for the slowest", tier="all",
     controls=[Control("ranks", RANKS, default=8, label="GPUs", drags="x"),
               Control("spread", SPREADS, default=2.0, label="spread of one GPU's time", unit="%"),
               Control("slower", SLOWER, default=10, label="one GPU is slower by", unit="%")],
     chart=_slowest_chart,
     leaves_out="GPUs that are slow together, because they share a rack, a switch or a hot afternoon. Times are drawn from a "
                "normal distribution, each for itself, and the slow GPU has no spread; {{ DICE }} throws are drawn for some "
                "numbers of GPUs.",
     sources=["megascale"], stops=SLOWEST)
def waiting_for_the_slowest(ranks, spread, slower):
    """The slowest of many is slower than the mean, and one that is always slow decides alone."""
    chance, at, points = waits(RANKS, spread), RANKS.index(ranks), len(RANKS)
    where, found = slowest_thrown()
    longer = max(chance[at], slower)
    table = {"ranks": RANKS * 2 + where, "what": [_CHANCE] * points + [_ONE_SLOW] * points + [""] * len(where),
             "longer (%)": [*chance, *[float(slower)] * points, *[np.nan] * len(where)],
             "here": [longer if place == at else np.nan for place in range(points)] + [np.nan] * (points + len(where)),
             "thrown": [np.nan] * 2 * points + [max(spread * one, 0.0) for one in found]}
    alone = (f"one GPU that is slower by {slower} % makes it {slower} % longer. "
             f"{'Chance' if chance[at] > slower else 'The slow GPU'} decides") if slower else "and no GPU is always slow"
    return table, (f"{ranks:,} GPUs, a spread of {spread:g} %: waiting for the slowest by chance makes a step {chance[at]:.2g} % "
                   f"longer, {alone}.")


# ---- other clusters

_BY_RATES = "by the rates of another cluster"


def _elsewhere_chart():
    return against.chart(
        charts.names("what", list(elsewhere()), channel="X", title=" "),
        lambda field: charts.y(field, (10, 1000), title="interruptions", log=10),
        {_BY_RATES: (charts.CLUSTER, charts.SOLID)}, errors=(-100, 100), description=(
            "Interruptions of Llama 3's 54 days as diamonds: of the network, and twice all of them. Short bars are what "
            "the rates of other clusters promise, half to one and three quarters of it; below, the error."))


@lab("rates-elsewhere", title="Llama 3's run by the rates of others", tier="all", controls=(), chart=_elsewhere_chart,
     leaves_out="Alibaba counts links between NICs and leaves, and leaves that crash; that links between switches fail as well "
                "is not in its rates. Meta's two clusters have A100, and their rates were read as others quote them.",
     sources=["hpn-sigcomm", "rsc-reliability", "lockwood-reliability"])
def rates_elsewhere():
    """A rate of failures is a rate of one place and one year."""
    found = elsewhere()
    table = against.named("what", _BY_RATES, found)
    low, high = min(table[against.ERROR]), max(table[against.ERROR])
    return table, (f"Rates of other clusters miss Llama 3's run by {low:+.0f} to {high:+.0f} %: a factor of two is what one may "
                   "expect of a rate that was counted elsewhere.")
