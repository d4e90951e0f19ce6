"""Which algorithm is fastest at which size, and what a benchmark's bus bandwidth says about a wire."""

from __future__ import annotations

import itertools

import numpy as np

from fabriclib import units
from fabriclib.collectives import Algorithm, algbw, algorithms, best, busbw, collective_time, crossover, lower_bound
from fabriclib.measurements import error, percent, published

from ...stage import Control, against, charts, lab, pieces
from . import row, stops, tables
from .tables import ENTRIES, GPUS, LONGEST, PLAIN_TREE, RANKS, RATE, START, all_reduce_seconds, h100, nvls_rows

_RANKS = [2, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024]
_STARTS = [0.5e-6, 1e-6, 2e-6, 5e-6, 10e-6, 20e-6]
_RATES = [12.5e9, 25e9, 50e9, 100e9, 200e9, 450e9]
_SIZES = 2.0 ** np.arange(8, 33)
_GRID = 2.0 ** np.arange(8, 32.1, 0.5)
_SECONDS = (4e-7, LONGEST)

_BOUND = "lower bound"
# A colour is a family (ring, trees, doubling); the dash tells its members apart.
_STYLES = {
    "ring": (charts.CLUSTER, charts.SOLID),
    _BOUND: (charts.LIMIT, charts.DASHED),
    "recursive doubling": (charts.OTHER, charts.DASHED),
    "Rabenseifner": (charts.OTHER, charts.SOLID),
    PLAIN_TREE: (charts.OTHER_2, charts.DOTTED),
    "double tree": (charts.OTHER_2, charts.DASH_DOT),
}


def _time_chart(lines: dict, what: str, description: str, *, dot: bool):
    import altair as alt

    x = charts.x("size", (_GRID[0], _GRID[-1]), title="buffer (logarithmic)", unit="B", log=2)

    def y(field):
        return charts.y(field, _SECONDS, title=f"time of {what} (logarithmic)", unit="s", log=10)

    # Rows without a value would break the band: a line is drawn from point to point in the order of x.
    band = charts.live().transform_filter("isValid(datum.fastest)").mark_line(strokeWidth=15, color=charts.YELLOW, opacity=0.55)
    below = alt.ExprRef("scale('y', datum.named) > height - 30 ? -19 : 19")  # at the foot of the chart above the band
    name = charts.live().mark_text(align="left", dx=4, dy=below, fontSize=14, color=charts.YELLOW_INK, fontWeight="bold")
    return charts.stack(
        band.encode(x=x, y=y("fastest")), name.encode(x=x, y=y("named"), text="name:N"),
        charts.line(x, y("seconds"), colour=charts.CLUSTER, **lines),
        charts.here(x, y("here"), colour=charts.PAPER) if dot else (), height=400, description=description)


def _cost_chart():
    return _time_chart(charts.series("algorithm", _STYLES), "an all-reduce", (
        "The time of an all-reduce against the size of the buffer, one line for each of five algorithms. A broad yellow band "
        "follows the fastest; a dashed line below them all is the lower bound. A dot marks the chosen buffer."), dot=True)


@lab("cost-curves", title="Five ways to add up, and the best possible", tier="cluster",
     controls=[Control("ranks", _RANKS, default=RANKS, unit="ranks"), Control("latency", _STARTS, default=START, unit="s"),
               Control("bandwidth", _RATES, default=RATE, unit="B/s"),
               Control("nbytes", _SIZES, default=2.0**20, label="buffer", unit="B")],
     chart=_cost_chart,
     leaves_out="Distance and traffic jams: here every rank reaches every other one alike, at full rate. Also the time to add, "
                "and what software adds to each start. The double tree works in chunks, as many as are best; it is priced by a "
                "bound, a few messages above what its schedule takes, and with few ranks that shows.",
     hides=("named", "name"),
     sources=["patarasuk-yuan", "thakur-2005", "sanders-2009", "mpich-coll", "chan-2007"], stops=stops.CURVES)
def cost_curves(ranks, latency, bandwidth, nbytes):
    """Few starts win for small buffers, few bytes for large ones."""
    wire = {"ranks": ranks, "alpha": latency, "beta": 1 / bandwidth}
    times = all_reduce_seconds(nbytes=_GRID, **wire)
    bound = lower_bound("all_reduce", nbytes=_GRID, **wire)
    labels, all_times = list(times), np.array(list(times.values()))
    winner, fastest = all_times.argmin(axis=0), all_times.min(axis=0)
    at, blank = int(np.flatnonzero(np.isclose(_GRID, nbytes))[0]), np.full(_GRID.size * len(times), np.nan)
    first, dot = np.arange(_GRID.size) == 0, np.arange(_GRID.size) == at
    table = {"size": np.tile(_GRID, len(_STYLES)), "algorithm": np.repeat([*labels, _BOUND], _GRID.size),
             "seconds": np.concatenate([*times.values(), bound]), "fastest": np.concatenate([fastest, blank]),
             "here": np.concatenate([np.where(dot, fastest, np.nan), blank]),
             "named": np.concatenate([np.where(first, fastest, np.nan), blank]),
             "name": ["fastest"] + [""] * (_GRID.size * len(_STYLES) - 1)}
    chosen = labels[winner[at]]
    return table, (f"{ranks:,} ranks, {units.format(nbytes)}: {_said(chosen)} is the fastest, {units.format(fastest[at], 's')}, "
                   f"{_above(fastest[at] / bound[at])}. {_next(chosen, labels, winner[at:], wire)}")


def _above(times: float) -> str:
    """How far the fastest is from the lower bound."""
    return "the lower bound itself" if f"{times:.3g}" == "1" else f"{times:.3g} times the lower bound"


def _said(label: str) -> str:
    return f"the {label}" if label.endswith(("ring", "tree")) else label


def _next(now: str, labels: list[str], winners: np.ndarray, wire: dict) -> str:
    later = np.flatnonzero(winners != winners[0])
    if not later.size:
        return "No larger buffer changes that."
    other = labels[winners[later[0]]]
    size = crossover("all_reduce", ENTRIES[now], ENTRIES[other], **wire)
    return f"From {units.format(size)} on it is {_said(other)}."


_FAR = 2.0  # times the fastest: where the second view ends
_NEAR = 1.1


def _best_chart():
    import altair as alt

    x = charts.x("size", (_GRID[0], _GRID[-1]), title="buffer (logarithmic)", unit="B", log=2)
    y = charts.y("times the fastest", (1, _FAR), title="times the fastest", ticks=[1 + k / 10 for k in range(11)])
    styles = {name: style for name, style in _STYLES.items() if name != _BOUND}
    lines = charts.live().mark_line(strokeWidth=3.5).encode(x=x, y=y, **charts.series("algorithm", styles))
    here = charts.live().mark_rule(color=charts.GREY, strokeWidth=2).encode(x=x.copy(), opacity=alt.condition(
        "isValid(datum.here)", alt.value(1), alt.value(0)))
    return charts.stack(here, lines, description=(
        "How many times as long as the fastest each of five algorithms takes, against the size of the buffer, from one to two "
        "times. The fastest lies on the lower edge; where a line ends it takes more than twice as long. A grey line "
        "marks the chosen buffer."))


@lab("times-the-best", title="How far behind the fastest?", tier="cluster",
     controls=[Control("ranks", _RANKS, default=RANKS, unit="ranks"), Control("latency", _STARTS, default=START, unit="s"),
               Control("bandwidth", _RATES, default=RATE, unit="B/s"),
               Control("nbytes", _SIZES, default=2.0**20, label="buffer", unit="B", drags="x")],
     chart=_best_chart,
     leaves_out="A line ends where it takes more than twice as long. "
                "As above: distance and traffic jams, the time to add, and what software adds to each start.",
     hides=("here",),
     sources=["patarasuk-yuan", "thakur-2005", "sanders-2009", "mpich-coll"], stops=stops.BEST)
def times_the_best(ranks, latency, bandwidth, nbytes):
    """What seven powers of ten hide: who is nearly as fast as the fastest."""
    times = all_reduce_seconds(nbytes=_GRID, ranks=ranks, alpha=latency, beta=1 / bandwidth)
    behind = np.array(list(times.values())) / np.min(list(times.values()), axis=0)
    at = np.isclose(_GRID, nbytes)
    here = dict(zip(times, behind[:, at].ravel(), strict=True))
    winner = min(here, key=here.get)
    near = [_said(name) for name, ratio in here.items() if name != winner and ratio <= _NEAR]
    table = {"size": np.tile(_GRID, len(times)), "algorithm": np.repeat(list(times), _GRID.size),
             "times the fastest": np.where(behind > _FAR, np.nan, behind).ravel(),
             "here": np.tile(np.where(at, nbytes, np.nan), len(times))}
    return table, (f"{ranks:,} ranks, {units.format(nbytes)}: {_said(winner)} is the fastest. Within a tenth of it: "
                   f"{' and '.join(near) or 'none of the others'}.")


_COLLECTIVES = ["all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "reduce", "scatter", "gather"]
# As above: green passes on to a neighbour, pink doubles or halves, light blue is a tree; blue is any other family.
_FAMILIES = {"ring": charts.CLUSTER, "chain": charts.CLUSTER, "neighbour": charts.CLUSTER, "recursive": charts.OTHER,
             "rabenseifner": charts.OTHER, "bruck": charts.OTHER, "binomial": charts.OTHER_2, "double_tree": charts.OTHER_2}
_COLOURS = [charts.CHIP, charts.CLUSTER, charts.OTHER, charts.OTHER_2, charts.SERVER]
_DASHES = [charts.SOLID, charts.DASHED, charts.DOTTED, charts.DASH_DOT]


def _plain(collective: str) -> list:
    """The algorithms that ask for nothing special: one message at a time, no switch that adds, no grid of ranks."""
    return sorted((entry for entry in algorithms(collective)
                   if entry.ports == 1 and entry.reduction == "endpoint" and "dims" not in entry.options),
                  key=lambda entry: (entry.name != "ring", entry.name))


def every_style() -> dict[str, tuple]:
    """Return {algorithm: (colour, dash)}: the colour of its family, and the dash that its collectives use least.

    An algorithm looks as in the first lab, and no two of one collective look alike.
    """
    found = {_BOUND: _STYLES[_BOUND]} | {name: _STYLES[label] for label, name in ENTRIES.items()}
    listed = [{entry.name: entry for entry in _plain(collective)} for collective in _COLLECTIVES]
    for name, entry in itertools.chain.from_iterable(entries.items() for entries in listed):
        if name not in found:
            beside = [found[other] for entries in listed if name in entries for other in entries if other in found]
            own, used = _FAMILIES.get(_family(entry), charts.CHIP), list(found.values())
            found[name] = min(itertools.product([own, *_COLOURS], _DASHES),
                              key=lambda style: (style in beside, style[0] != own, used.count(style)))
    return found


def _family(entry: Algorithm) -> str:
    """The module of `families/` that an entry stands in."""
    return entry.counts.__module__.rpartition(".")[2]


def _every_chart():
    import altair as alt

    lines = charts.series("algorithm", every_style())
    listed = f"data('{charts.LIVE}')"
    for encoding in lines.values():
        # Only the lines of this collective are listed, and below, where a longer or shorter list moves nothing.
        encoding["legend"]["values"] = alt.ExprRef(f"length({listed}) ? split({listed}[0].listed, ' | ') : []")
        encoding["legend"]["orient"] = "bottom"
        encoding["legend"]["columns"] = alt.ExprRef(f"clamp(floor({charts.PAGE} / 225), 1, 3)")  # the longest names are rare
    return _time_chart(lines, "the collective", (
        "The time of the chosen collective against the size of the buffer, one line for each of its algorithms. A broad yellow "
        "band follows the fastest; a dashed orange line is the lower bound."), dot=False)


@lab("every-algorithm", title="Every collective, every algorithm", tier="cluster",
     controls=[Control("collective", _COLLECTIVES, default="broadcast", as_="menu"),
               Control("ranks", _RANKS, default=RANKS, unit="ranks"), Control("latency", _STARTS, default=START, unit="s"),
               Control("bandwidth", _RATES, default=RATE, unit="B/s")],
     chart=_every_chart,
     leaves_out="Algorithms that need more than ranks which send one message at a time: several ports at once, switches that "
                "add, ranks in a grid or in servers. As above distance, the time to add and to rearrange memory cost nothing. "
                "A line ends where it takes more than {{ si(LONGEST, 's') }}.",
     hides=("named", "name", "listed"),
     sources=["thakur-2005", "bruck-1997", "sanders-2009", "chan-2007", "mpich-coll", "ompi-coll"], stops=stops.EVERY)
def every_algorithm(collective, ranks, latency, bandwidth):
    """Which algorithms take turns differs from collective to collective."""
    wire = {"ranks": ranks, "alpha": latency, "beta": 1 / bandwidth}
    refused = [entry.name for entry in _plain(collective) if entry.refuses(ranks)]
    times = {_BOUND: lower_bound(collective, nbytes=_GRID, **wire)} | {
        entry.name: np.full(_GRID.size, np.nan) if entry.name in refused
        else collective_time(collective, entry.name, nbytes=_GRID, **wire) for entry in _plain(collective)}
    fastest = best(collective, nbytes=_GRID, **wire)
    seconds = np.concatenate(list(times.values()))
    blank = np.full(seconds.size - _GRID.size, np.nan)
    table = {"size": np.tile(_GRID, len(times)), "algorithm": np.repeat(list(times), _GRID.size),
             "seconds": np.where(seconds > _SECONDS[1], np.nan, seconds), "fastest": np.concatenate([fastest.seconds, blank]),
             "named": np.concatenate([fastest.seconds[:1], np.full(seconds.size - 1, np.nan)]),
             "name": ["fastest"] + [""] * (seconds.size - 1), "listed": [" | ".join(times)] + [""] * (seconds.size - 1)}
    missing = f" Not drawn: {' and '.join(refused)}, which cannot serve {ranks:,} ranks." if refused else ""
    return table, f"{collective} on {ranks:,} ranks: {_turns(collective, fastest.algorithm, wire)}.{missing}"


def _turns(collective: str, winners: np.ndarray, wire: dict) -> str:
    """Which algorithm is the fastest, and up to which size."""
    changes = np.flatnonzero(winners[1:] != winners[:-1]) + 1
    if not changes.size:
        return f"{winners[0]} is the fastest at every size"
    sizes = [units.format(crossover(collective, winners[at - 1], winners[at], **wire)) for at in changes]
    first, *between = (f"up to {size}" for size in sizes)
    later = [f"then {winners[at]} {until}".rstrip() for at, until in zip(changes, [*between, ""], strict=True)]
    return f"{winners[0]} is the fastest {first}, {', '.join(later)}"


_SWEEP = 2.0 ** np.arange(10, 34.1, 0.5)
_SHOWN = {"busbw": busbw, "algbw": lambda collective, nbytes, seconds, ranks: algbw(nbytes, seconds)}
_BENCHED = {"ring": "ring", "double tree": "double_tree", "NVLS": "nvls"}
_LINES = {"ring": (charts.SERVER, charts.SOLID), "double tree": (charts.OTHER_2, charts.DASH_DOT),
          "NVLS": (charts.OTHER, charts.DASHED)}
_WIRE = h100.bandwidth()
_PORTS = sorted([250e9, 280e9, 310e9, 340e9, 370e9, 400e9, _WIRE])
_RATE = (0.0, 800.0)


def _measured(gpus: int) -> list[tuple[float, float, str]]:
    """Return (size, seconds, text) of what was published for so many of a server's eight H100, the switch adding."""
    points = []
    if gpus == GPUS:
        run = published("h100x8-dgx-nvls-ar")
        points = [(n, t, "measured with NVLS" if n == _SWEEP[-1] else "")
                  for n, t in zip(run["nbytes"], run["seconds"], strict=True) if n >= _SWEEP[0]]
    return points + [(n, t, "" if gpus == GPUS else "measured with NVLS") for n, t in nvls_rows(gpus)]


def _busbw_chart():
    import altair as alt

    x = charts.x("size", (_SWEEP[0], _SWEEP[-1]), title="buffer (logarithmic)", unit="B", log=2)

    def y(field):
        return charts.y(field, _RATE, title="GB/s that the benchmark prints", ticks=range(0, 801, 100))

    wire = [{"rate": _WIRE / units.GB, "label": f"the wire, {units.format(_WIRE, 'B/s')} one way"}]
    measured = y("measured (GB/s)")
    text = charts.live().encode(x=x, y=measured, text=alt.Text("text:N"))
    line_rate, *named = charts.limit(wire, y=y("rate"))
    return charts.stack(
        line_rate, charts.line(x, y("printed (GB/s)"), colour=charts.SERVER, **charts.series("algorithm", _LINES)), *named,
        charts.legible(text, align="right", dx=6, dy=-26, color=charts.MEASURED),
        charts.diamonds(charts.live(), x, measured, size=110), height=360,
        description="The bandwidth a benchmark prints for an all-reduce against the size of the buffer: one line each for ring, "
                    "double tree and NVLS, diamonds for what was measured with NVLS, and the line rate of an H100's "
                    "NVLinks as a dashed line. The busbw of NVLS passes the line rate.")


@lab("busbw", title="Faster than the wire?", tier="server",
     controls=[Control("shown", list(_SHOWN), default="busbw", as_="menu"),
               Control("gpus", range(2, GPUS + 1), default=GPUS, label="GPUs"),
               Control("rate", _PORTS, default=_WIRE, label="a port moves", unit="B/s"),
               Control("latency", _STARTS, default=START, unit="s")],
     chart=_busbw_chart,
     leaves_out="Changes of protocol between small and large buffers, and packet headers: a port that moves "
                "{{ si(h100.bandwidth(), 'B/s') }} is a promise of the datasheet. The log of the measured points does not name "
                "the algorithm: from 128 MiB on they pass a ring and so are NVLS, below 2 MiB it was most likely a ring. There "
                "are none for 2 to 4 GPUs. The double tree is priced by a bound, a few messages above what its schedule takes.",
     hides=("text",),
     sources=["nccl-tests", "nccl-sym-kernels", "nvidia-dgxc", "nccl-1455", "sanders-2009", "stas-network"],
     stops=stops.BUSBW)
def busbw_lab(shown, gpus, rate, latency):
    """busbw is the rate of a wire only for an algorithm that moves what busbw counts."""
    seconds = {label: collective_time("all_reduce", name, nbytes=_SWEEP, ranks=gpus, alpha=latency, beta=1 / rate)
               for label, name in _BENCHED.items()}
    printed = {label: _SHOWN[shown]("all_reduce", _SWEEP, t, gpus) / units.GB for label, t in seconds.items()}
    points = _measured(gpus)
    measured = [_SHOWN[shown]("all_reduce", n, t, gpus) / units.GB for n, t, _ in points]
    rows, found = _SWEEP.size * len(seconds), len(points)
    table = {"size": np.concatenate([np.tile(_SWEEP, len(seconds)), [n for n, _, _ in points]]),
             "algorithm": np.repeat([*seconds, "measured"], [_SWEEP.size] * len(seconds) + [found]),
             "printed (GB/s)": np.concatenate([*printed.values(), [np.nan] * found]),
             "measured (GB/s)": np.concatenate([[np.nan] * rows, measured]), "text": [""] * rows + [t for _, _, t in points]}
    nvls = printed["NVLS"]
    return table, (f"{gpus} GPUs, every port moving {units.format(rate, 'B/s')}: with NVLS the {shown} of "
                   f"{units.format(_SWEEP[-1])} is {units.format(nvls[-1] * units.GB, 'B/s')}; it {_against_wire(nvls)}.")


def _against_wire(printed: np.ndarray) -> str:
    line_rate = _WIRE / units.GB
    if printed[-1] <= line_rate:
        return f"stays below the {line_rate:g} GB/s of the wire"
    size = np.exp2(np.interp(line_rate, printed, np.log2(_SWEEP)))
    return f"passes the {line_rate:g} GB/s of the wire at {units.format(size, digits=2)}"


_CUTS = [1, 2, 4, 8, 16]


@lab("pipeline", title="A pipeline fills", tier="cluster",
     controls=[Control("step", range(row.plan(_CUTS[-1]).moves.steps + 1), default=0, as_="steps",
                       until=lambda chunks, nbytes: row.plan(chunks).moves.steps),
               Control("chunks", _CUTS, default=4), Control("nbytes", _SIZES, default=2.0**20, label="buffer", unit="B")],
     chart=lambda: pieces.chart(row.ACROSS, row.UP, (
         "Eight ranks in a row, each with room for the chunks of a buffer. The first rank has them all; a chunk that a rank "
         "holds is dark, and a thick border marks how far each has come. In each step every chunk under way goes one rank on."),
         height=380),
     leaves_out="Everything but start and rate of one wire: {{ si(START, 's') }} for every message and {{ si(RATE, 'B/s') }}. "
                "All messages of a step start and end together.",
     hides=("label",),
     sources=["sanders-2009"], glides=pieces.GLIDES, stops=stops.PIPELINE)
def pipeline(step, chunks, nbytes):
    """Cut finer, the wires work at the same time; cut too fine, the starts add up."""
    plan = row.plan(chunks)
    last, seconds = plan.moves.steps, row.seconds(chunks, nbytes)
    busy = row.busy(chunks, step) if step else 0
    at_work = f"{busy} of {GPUS - 1} wires {'is' if busy == 1 else 'are'} at work" if step else f"all {GPUS - 1} wires wait"
    cut = "one piece" if chunks == 1 else f"{chunks} chunks"
    return pieces.columns(row.drawn(chunks, step)), (
        f"Step {step} of {last}: {at_work}. {units.format(nbytes)} in {cut}: {last} steps of "
        f"{units.format(seconds / last, 's')}, in all {units.format(seconds, 's')}.")


_ENVELOPE, _NVLS = "eight A100: the fastest algorithm", "eight H100: NVLS"
_CURVES = {_ENVELOPE: (charts.SERVER, charts.SOLID), _NVLS: (charts.OTHER, charts.DASHED)}
_BY_GPUS = {"NVLS": (charts.OTHER, charts.SOLID)}


def _by_gpus_chart():
    def rate(field):
        return charts.y(field, (240e9, 290e9), title="algbw", unit="B/s", ticks=[k * 10e9 for k in range(24, 30)])

    listed, _, _ = tables.nvls_by_gpus()
    return against.chart(charts.names("GPUs", listed, channel="X"), rate, _BY_GPUS, errors=(-5, 5), description=(
        "The algbw of an all-reduce in which the switch adds, by the number of GPUs: the model as short bars, what was "
        "published as diamonds, and the errors below."))


@lab("nvls-by-gpus", title="One row sets the rate, three are foretold", tier="server", controls=(), chart=_by_gpus_chart,
     leaves_out="The start, which no longer counts for buffers of gigabytes. The row of 5 GPUs sets the rate of a port.",
     sources=["nccl-1455", "nccl-sym-kernels"])
def nvls_by_gpus():
    """NVLS sends (p + 1)/p of the buffer, so its algbw grows with the number of GPUs."""
    gpus, model, measured = tables.nvls_by_gpus()
    worst = max(abs(error(np.array(model[1:]), np.array(measured[1:]))))
    return against.table("GPUs", {"NVLS": (gpus, model, measured)}), (
        f"The row of {gpus[0]} GPUs sets a port's rate, {units.format(tables.nvls_port_rate(), 'B/s')}; the other "
        f"{len(gpus) - 1} come out within {units.portion(worst)}.")


def _curves_chart():
    def time(field):
        return charts.y(field, (1e-6, 1), title="time (logarithmic)", unit="s", log=10)

    x = charts.x("buffer", (8, 2**34), title="buffer (logarithmic)", unit="B", log=2)
    return against.chart(x, time, _CURVES, errors=(-100, 50), description=(
        "Two measured all-reduces against their models, time by buffer: lines for the models, diamonds for what was "
        "measured, and the error below. Both models are too quick in the middle; one is right at its ends."))


@lab("whole-curves", title="Two whole curves", tier="server", controls=(), chart=_curves_chart,
     leaves_out="What software adds to each start, packet headers, changes of protocol and of algorithm, and how a pipeline "
                "fills. The start of the NVLS line comes from its own smallest buffer, its rate from another machine.",
     sources=["stas-network", "nvidia-dgxc", "nccl-1455"])
def whole_curves():
    """What wires allow is no forecast of a library; two fitted ends do not give the middle."""
    curves = {_ENVELOPE: tables.envelope_beside_a100(), _NVLS: tables.nvls_beside_h100()}
    ends = [percent(tables.missed(curve, 2.0**34)) for curve in curves.values()]
    worst = [percent(min(error(np.asarray(model), np.asarray(seconds)))) for _, model, seconds in curves.values()]
    return against.table("buffer", curves), (
        f"For {units.format(2.0**34)} the models are off by {' and '.join(ends)}; at their worst, for smaller buffers, by "
        f"{' and '.join(worst)}.")
