"""A machine broken on purpose, published runs beside what they may have been, and collectives on one computer."""

from __future__ import annotations

import json

import numpy as np

from fabriclib import catalog, measure, units
from fabriclib.accuracy import LARGE, REGIMES, SMALL, regimes_of
from fabriclib.collectives import collective_time
from fabriclib.collectives.busbw import busbw
from fabriclib.diagnosis import Comparison
from fabriclib.diagnosis.broken import Case, Variant, variants
from fabriclib.links import AlphaBeta
from fabriclib.machines import system
from fabriclib.measurements import percent
from fabriclib.shown import counted, digits

from ...stage import Control, against, charts, lab
from . import stops
from .examples import RUNS
from .tables import CAUSES, GRID, ILL, WELL, compared, run_of

_MACHINES = ["dgx-a100", "dgx-h100", "dgx-b200", "aws-p5", "mi300x-roce", "alps-gh200"]
_COLLECTIVES = ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"]
_RATE, _TIMES = (1e6, 1e12), (0.25, 64.0)
HEALTHY, BROKEN = "healthy", "broken"
_LINES = {HEALTHY: (charts.CLUSTER, charts.SOLID), BROKEN: (charts.OTHER, charts.DASHED)}


def _break_chart():
    x = charts.x("size", (GRID[0], GRID[-1]), title="buffer (logarithmic)", unit="B", log=2)
    y = charts.y("busbw (B/s)", _RATE, title="busbw (logarithmic)", unit="B/s", log=10)
    return charts.stack(charts.line(x, y, colour=charts.CLUSTER, **charts.series("machine", _LINES)), height=360, description=(
        "The bus bandwidth of a collective against the size of the buffer, both logarithmic: a solid line for the healthy "
        "machine, a dashed one for the same machine with something wrong."))


@lab("break-a-machine", title="Break a machine", tier="cluster",
     controls=[Control("cause", list(CAUSES), default="NICs missing", as_="menu"),
               Control("machine", [system(id).name for id in _MACHINES], default="DGX H100", as_="menu"),
               Control("nodes", [1, 2, 4, 8, 16, 32, 64], default=4),
               Control("collective", _COLLECTIVES, default="all_reduce", as_="menu")],
     chart=_break_chart, glides=("busbw (B/s)",), stops=stops.BREAK,
     leaves_out="Two faults at once, and faults of one node among many: the slowest node sets the pace of all. The strength of "
                "each fault is its usual one; without GPUDirect the loss depends on the server, and congestion has only a shape. "
                "What is slower than the chart is low is drawn at its edge.",
     sources=["alcf-nccl-tests", "boeschf-alps", "nccl-465", "stas-network"])
def break_a_machine(cause, machine, nodes, collective):
    """Each cause has a fingerprint: what it does to small messages, and what to large ones."""
    id = next(id for id in _MACHINES if system(id).name == machine)
    run = run_of(id, collective, GRID, nodes)
    healthy, found = run.seconds(), variants(CAUSES[cause], run)
    slow = found[0].seconds if found else np.full(GRID.size, np.nan)
    ranks = run.nodes * run.gpus
    rates = np.concatenate([busbw(collective, GRID, t, ranks) if np.isfinite(t).all() else t for t in (healthy, slow)])
    table = {"size": np.tile(GRID, 2), "machine": np.repeat(list(_LINES), GRID.size),
             "busbw (B/s)": np.clip(rates, *_RATE),
             "times as long": np.concatenate([np.ones(GRID.size), slow / healthy])}
    return table, f"{machine}, {counted(nodes, 'node')}{_told(cause, collective, found, healthy, rates)}"


def _told(cause: str, collective: str, found: list[Variant], healthy: np.ndarray, rates: np.ndarray) -> str:
    if not found:
        return f": {cause} cannot happen here, or makes no difference to this {collective}."
    small, large = found[0].seconds[0] / healthy[0], found[0].seconds[-1] / healthy[-1]
    best, left = (units.format(part.max(), "B/s") for part in np.split(rates, 2))
    return (f", {found[0].label}: {units.format(GRID[0])} take {_longer(small)}, {units.format(GRID[-1])} {_longer(large)}; the "
            f"best busbw falls from {best} to {left}.")


def _longer(times: float) -> str:
    return "as long as before" if f"{times:.3g}" == "1" else f"{times:.3g} times as long"


# ---- published runs ----

_AS_PREDICTED, _SUSPECT = "as predicted", "the suspect"
_SUSPECTS = {_AS_PREDICTED: (charts.CLUSTER, charts.SOLID), _SUSPECT: (charts.OTHER, charts.DASHED)}
_SIZES = (2.0**2, 2.0**35)


def fingerprint_chart(description: str):
    """Return the chart of measured times as multiples of the prediction, and a suspect's beside them."""
    x = charts.x("size", _SIZES, title="buffer (logarithmic)", unit="B", log=2)

    def y(field):
        return charts.y(field, _TIMES, title="times as long as predicted (logarithmic)", log=2)

    # Rows of the suspect between them, which have no band, would break it at every size.
    band = charts.live().transform_filter(f"datum.line === '{_AS_PREDICTED}'").mark_area(
        color=charts.CLUSTER, opacity=0.2).encode(x=x, y=y("low"), y2="high:Q")
    return charts.stack(band, charts.line(x, y("expected"), colour=charts.CLUSTER, **charts.series("line", _SUSPECTS)),
                        charts.diamonds(charts.live(), x, y("measured"), size=90), height=360, description=description)


def fingerprint(found: Comparison, suspect: str) -> tuple[dict, str]:
    """Return (table, sentence): a measured run as multiples of the prediction, beside a suspect, by its name, or "nothing"."""
    run, measured, healthy = found.run, found.table["measured"].to_numpy(), found.table["predicted"].to_numpy()
    suspected = variants(CAUSES[suspect], run) if suspect in CAUSES else []
    nearest = min(suspected, key=lambda one: np.abs(np.log(measured / one.seconds)).mean()) if suspected else None
    slow = nearest.seconds / healthy if nearest else np.full(healthy.size, np.nan)
    none = np.full(healthy.size, np.nan)
    halves = {"expected": (np.ones(healthy.size), slow)} | {
        name: (found.table[name].to_numpy() / healthy, none) for name in ("measured", "low", "high")}
    table = {"size": np.tile(run.nbytes, 2), "line": np.repeat(list(_SUSPECTS), healthy.size)} | {
        name: np.clip(np.concatenate(both), *_TIMES) for name, both in halves.items()}
    said = f"Measured against predicted: {_by_regime(run, measured / healthy)}."
    if nearest:
        return table, f"{said} Against a machine {nearest.label}: {_by_regime(run, measured / nearest.seconds)}."
    return table, said if suspect not in CAUSES else f"{said} {suspect[0].upper()}{suspect[1:]} cannot happen in such a run."


def nothing_drawn() -> tuple[dict, str]:
    """Return (table, sentence) of an empty chart: no run was read."""
    empty = {"line": [_AS_PREDICTED]} | {name: [np.nan] for name in ("size", "expected", "measured", "low", "high")}
    return empty, "No run is drawn: none was read."


def _by_regime(run: Case, times: np.ndarray) -> str:
    """The median of *times* in each regime that has rows, as text."""
    return ", ".join(f"{digits(float(np.median(times[rows])))} times {name}" for name, rows in regimes_of(run.nbytes).items()
                     if name != REGIMES[0] and rows.any())


@lab("read-a-log", title="What is wrong with this run?", tier="cluster",
     controls=[Control("run", list(RUNS), default=next(iter(RUNS)), as_="menu"),
               Control("suspect", ["nothing", *CAUSES], default="nothing", as_="menu")],
     chart=lambda: fingerprint_chart("How many times as long as predicted a published run took, against the size of the buffer: "
                                     "diamonds. A solid line at 1 is the healthy machine, and 95 of 100 runs of one lie in the "
                                     "band around it; a dashed line is a suspect."),
     leaves_out="What the model itself misses: a third of the time in the middle, more for an all-to-all. A suspect has the "
                "strength that fits best. What takes longer than the chart is high is drawn at its edge.",
     sources=["alcf-nccl-tests", "boeschf-alps", "cscs-nccl", "dstack-nebius", "stas-network", "nvidia-dgxc"], stops=stops.READ)
def read_a_log(run, suspect):
    """The suspect whose line runs through the diamonds is the one to look for first."""
    table, sentence = fingerprint(compared(RUNS[run]), suspect)
    return table, f"{run.partition(':')[0]}. {sentence}"


_HEALTHY_RUN, _ILL_RUN = "run B, healthy", "run A, ill"
_TWO_RUNS = {_HEALTHY_RUN: (charts.CLUSTER, charts.SOLID), _ILL_RUN: (charts.OTHER, charts.DASHED)}


@lab("healthy-and-ill", title="A healthy run and an ill one", tier="cluster", controls=(),
     chart=lambda: against.chart(
         charts.x("message", _SIZES, title="buffer (logarithmic)", unit="B", log=2),
         lambda field: charts.y(field, (1e-5, 10.0), title="time (logarithmic)", unit="s", log=10), _TWO_RUNS, errors=(-100, 100),
         description="Above, the time of two published all-reduces against the buffer: predictions as lines, in a band that "
                     "healthy runs lie in, what was measured as diamonds. Those of run B lie in its band, those of run A far "
                     "above. Below, the errors.", sure=True),
     leaves_out="Where the library changes its protocol, in the middle.", sources=["dstack-nebius", "alcf-nccl-tests"])
def healthy_and_ill():
    """The same error is the model's in one run and the alarm in the other."""
    runs = {name: compared(table) for name, table in ((_HEALTHY_RUN, WELL), (_ILL_RUN, ILL))}
    columns = ("nbytes", "predicted", "measured", "low", "high")
    table = against.table("message", {name: tuple(one.table[column].to_numpy() for column in columns)
                                      for name, one in runs.items()})
    means = [table[against.ERROR][(table[against.RUN] == name) & (table["message"] >= LARGE)].mean() for name in runs]
    well, ill = (percent(mean / 100) for mean in means)
    return table, f"From 64 MiB on the mean error is {well} for the healthy run B, and {ill} for the ill run A."


# ---- collectives between the processes of one computer ----

_MESSAGE, _OWN = "one message", "MPI's own (marks only)"
NAMES = {"direct": _MESSAGE, "ring": "ring", "recursive_doubling": "recursive doubling", measure.OWN: _OWN}
_MARKED = {"ring": (charts.SERVER, charts.SOLID), "recursive doubling": (charts.CHIP, charts.DASHED),
           _MESSAGE: (charts.FAINT, charts.DOTTED), _OWN: (charts.OTHER, charts.DASH_DOT)}
_SHAPES = ["circle", "square", "cross", "triangle-up"]
_ALL = "all"
BUSY = 5  # times the start of the recorded run, whose four processes shared two idle cores


def recorded(ranks: int) -> list[dict]:
    """Return the rows of a run recorded on a computer of two cores, as `Measurement.rows` holds them."""
    return [{column: (cells | {"nodes": 1})[column] for column in measure.COLUMNS}
            for cells in catalog.rows("own_runs") if cells["ranks"] == ranks]


def overlay(rows: list[dict], shown: str = _ALL) -> tuple[dict, str]:
    """Return (table, sentence): times measured, beside what the message times alone predict.

    Args:
        rows: as `Measurement.rows` holds them, messages first.
        shown: one of the names in the chart's legend, or "all".

    Raises:
        ValueError: fewer than two sizes of the plain message, which alpha and beta are fitted to.
    """
    messages = [row for row in rows if row["algorithm"] == measure.MESSAGE[1]]
    if len(messages) < 2:
        raise ValueError("rows must hold at least two sizes of the plain message; the first ones are still to come.")
    line = _line(messages)
    model = [_model(row, line) for row in rows]
    wanted = [i for i, row in enumerate(rows) if shown in (_ALL, NAMES[row["algorithm"]])]
    table = {"what": [NAMES[rows[i]["algorithm"]] for i in wanted], "message": [rows[i]["nbytes"] for i in wanted],
             "measured (s)": [rows[i]["seconds"] for i in wanted], "model (s)": [model[i] for i in wanted],
             "error": ["" if np.isnan(model[i]) else percent(model[i] / rows[i]["seconds"] - 1) for i in wanted]}
    takes = f"{line!r}".strip("<>").replace("AlphaBeta:", "One message takes").partition(";")[0]
    return table, f"{takes}. {_busy(line)}{_missed(rows, model)}"


def _line(messages: list[dict]) -> AlphaBeta:
    return AlphaBeta.fit([row["nbytes"] for row in messages], [row["seconds"] for row in messages])


def _busy(line: AlphaBeta) -> str:
    """A warning where a message takes so long to start that the processes must have waited for a core; else an empty text."""
    usual = _line([row for row in recorded(4) if row["algorithm"] == measure.MESSAGE[1]]).alpha
    if line.alpha < BUSY * usual:
        return ""
    return (f"That start is {line.alpha / usual:.0f} times the {units.format(usual, 's')} of the recorded run: the processes "
            "wait for a core, because the computer is busy or has too few. Measure again when it idles, or with fewer of them. ")


def _model(row: dict, line: AlphaBeta) -> float:
    """The seconds that alpha and beta of one message give for a row; none where nobody says which algorithm ran."""
    if row["algorithm"] == measure.OWN:
        return np.nan
    return float(collective_time(row["collective"], row["algorithm"], nbytes=row["nbytes"], ranks=row["ranks"],
                                 alpha=line.alpha, beta=line.beta))


def _missed(rows, model) -> str:
    """How far the model is off, for small and for large buffers: it never saw these times."""
    errors = {}
    for row, predicted in zip(rows, model, strict=True):
        if row["collective"] != measure.MESSAGE[0] and not np.isnan(predicted):
            size = f" up to {units.format(SMALL)}" if row["nbytes"] <= SMALL else " above"
            errors.setdefault(NAMES[row["algorithm"]], {}).setdefault(size, []).append(abs(predicted / row["seconds"] - 1))
    if not errors:
        return "The collectives are still to come."
    said = [f"{name} by {' and '.join(f'{round(100 * np.mean(off))} %{size * (at == 0)}' for size, off in sizes.items())}"
            for at, (name, sizes) in enumerate(errors.items())]
    return f"From that the model misses {', '.join(said)}."


def _own_chart():
    x = charts.x("message", (measure.SMALLEST, measure.LARGEST), title="buffer (logarithmic)", unit="B", log=2)

    def y(field):
        return charts.y(field, (1e-6, 1e-1), title="time (logarithmic)", unit="s", log=10)

    lines = charts.live().mark_line(strokeWidth=3).encode(x=x, y=y("model (s)"), **charts.series("what", _MARKED))
    marks = [charts.live().transform_filter(f"datum.what === {json.dumps(what)}").mark_point(
        shape=shape, color=colour, size=110, filled=True, opacity=1, stroke=charts.BLACK, strokeWidth=1).encode(
        x=x, y=y("measured (s)")) for (what, (colour, _)), shape in zip(_MARKED.items(), _SHAPES, strict=True)]
    return charts.stack(lines, *marks, height=380, description=(
        "Time against buffer size, both logarithmic. Marks are measured between processes of one computer; lines are what the "
        "time of one message predicts for a ring and for recursive doubling. MPI's own choice has marks only."))


@lab("your-machine", title="Collectives on one computer", tier="server",
     controls=[Control("processes", [2, 4], default=4, as_="menu"),
               Control("shown", [_ALL, *_MARKED], default=_ALL, as_="menu")],
     chart=_own_chart,
     leaves_out="Adding, which costs time of its own; caches, which hold small buffers and not large ones; and that four "
                "processes had two cores. Ring and recursive doubling are played by Python, message by message, so their start "
                "is Python's; MPI's own runs in C.",
     sources=["thakur-2005"], stops=stops.COMPUTER)
def your_machine(processes, shown):
    """The same law on the smallest cluster there is: the processes of one computer."""
    return overlay(recorded(processes), shown)
