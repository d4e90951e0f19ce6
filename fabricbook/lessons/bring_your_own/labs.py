"""A machine broken on purpose, and published runs beside the machines that they may have been."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.accuracy import LARGE, SMALL
from fabriclib.collectives.busbw import busbw
from fabriclib.diagnosis import Comparison, causes, compare
from fabriclib.diagnosis.broken import Case, Variant, variants
from fabriclib.machines import system
from fabriclib.measurements import as_read, percent
from fabriclib.measurements.examples import RUNS
from fabriclib.prediction.model import case

from ...stage import Control, charts, lab

_MACHINES = ["dgx-a100", "dgx-h100", "dgx-b200", "aws-p5", "mi300x-roce", "alps-gh200"]
_COLLECTIVES = ["all_reduce", "all_gather", "reduce_scatter", "all_to_all"]
_GRID = 2.0 ** np.arange(10, 35)
_RATE, _TIMES = (1e5, 1e12), (0.25, 64.0)
HEALTHY, BROKEN = "healthy", "broken"
_LINES = {HEALTHY: (charts.CLUSTER, charts.SOLID), BROKEN: (charts.OTHER, charts.DASHED)}
_NAMES = {row["name"]: row["id"] for row in catalog.rows("causes")}


def _run(machine: str, collective: str, nbytes, nodes: int, gpus: int | None = None, launcher: str = "mpi") -> Case:
    return Case(*case(machine, collective, nbytes, nodes, gpus, launcher))


def _break_chart():
    x = charts.x("size", (_GRID[0], _GRID[-1]), title="buffer (logarithmic)", unit="B", log=2)
    y = charts.y("busbw (B/s)", _RATE, title="busbw (logarithmic)", unit="B/s", log=10)
    return charts.stack(charts.line(x, y, colour=charts.CLUSTER, **charts.series("machine", _LINES)), height=360, description=(
        "The bus bandwidth of a collective against the size of the buffer, both logarithmic: a solid line for the healthy "
        "machine, a dashed one for the same machine with something wrong."))


@lab("break-a-machine", title="Break a machine", tier="cluster",
     controls=[Control("cause", list(_NAMES), default="NICs missing", as_="menu"),
               Control("machine", [system(id).name for id in _MACHINES], default="DGX H100", as_="menu"),
               Control("nodes", [1, 2, 4, 8, 16, 32, 64], default=4, unit="nodes"),
               Control("collective", _COLLECTIVES, default="all_reduce", as_="menu")],
     chart=_break_chart,
     leaves_out="Two faults at once, and faults of one node among many: the slowest node sets the pace of all. The strength of "
                "each fault is its usual one; without GPUDirect the loss depends on the server, and congestion has only a shape.",
     sources=["alcf-nccl-tests", "boeschf-alps", "nccl-465", "stas-network"])
def break_a_machine(cause, machine, nodes, collective):
    """Each cause has a fingerprint: what it does to small messages, and what to large ones."""
    id = next(id for id in _MACHINES if system(id).name == machine)
    run = _run(id, collective, _GRID, nodes)
    healthy, found = run.seconds(), variants(_NAMES[cause], run)
    slow = found[0].seconds if found else np.full(_GRID.size, np.nan)
    ranks = run.nodes * run.gpus
    rates = np.concatenate([busbw(collective, _GRID, t, ranks) if np.isfinite(t).all() else t for t in (healthy, slow)])
    table = {"size": np.tile(_GRID, 2), "machine": np.repeat(list(_LINES), _GRID.size), "busbw (B/s)": rates,
             "times as long": np.concatenate([np.ones(_GRID.size), slow / healthy])}
    return table, f"{machine}, {nodes} node{'s' * (nodes > 1)}{_told(cause, collective, found, healthy, rates)}"


def _told(cause: str, collective: str, found: list[Variant], healthy: np.ndarray, rates: np.ndarray) -> str:
    if not found:
        return f": {cause} cannot happen here, or makes no difference to this {collective}."
    small, large = found[0].seconds[0] / healthy[0], found[0].seconds[-1] / healthy[-1]
    best, left = (units.format(part.max(), "B/s") for part in np.split(rates, 2))
    return (f", {found[0].label}: {units.format(_GRID[0])} take {small:.3g} times as long as on a healthy one, "
            f"{units.format(_GRID[-1])} {large:.3g} times; the best busbw falls from {best} to {left}.")


# ---- published runs ----

_AS_PREDICTED, _SUSPECT = "as predicted", "the suspect"
_SUSPECTS = {_AS_PREDICTED: (charts.CLUSTER, charts.SOLID), _SUSPECT: (charts.OTHER, charts.DASHED)}
_SIZES = (2.0**2, 2.0**35)


def fingerprint_chart(description: str):
    """Return the chart of measured times as multiples of the prediction, and a suspect's beside them."""
    x = charts.x("size", _SIZES, title="buffer (logarithmic)", unit="B", log=2)

    def y(field):
        return charts.y(field, _TIMES, title="times as long as predicted (logarithmic)", log=2)

    marks = {"shape": "diamond", "size": 90, "filled": True, "opacity": 1, "color": charts.MEASURED}
    return charts.stack(charts.line(x, y("expected"), colour=charts.CLUSTER, **charts.series("line", _SUSPECTS)),
                        charts.live().mark_point(**marks).encode(x=x, y=y("measured")), height=360, description=description)


def fingerprint(found: Comparison, suspect: str) -> tuple[dict, str]:
    """Return (table, sentence): a measured run as multiples of the prediction, beside a suspect, by its name, or "nothing"."""
    run, measured, healthy = found.run, found.table["measured"].to_numpy(), found.table["predicted"].to_numpy()
    suspected = variants(_NAMES[suspect], run) if suspect in _NAMES else []
    nearest = min(suspected, key=lambda one: np.abs(np.log(measured / one.seconds)).mean()) if suspected else None
    slow = nearest.seconds / healthy if nearest else np.full(healthy.size, np.nan)
    inside = np.clip(np.concatenate([measured / healthy, np.full(healthy.size, np.nan)]), *_TIMES)
    table = {"size": np.tile(run.nbytes, 2), "line": np.repeat(list(_SUSPECTS), healthy.size),
             "expected": np.clip(np.concatenate([np.ones(healthy.size), slow]), *_TIMES), "measured": inside}
    said = f"Measured against predicted: {_by_regime(run, measured / healthy)}."
    if nearest:
        return table, f"{said} Against a machine {nearest.label}: {_by_regime(run, measured / nearest.seconds)}."
    return table, said if suspect not in _NAMES else f"{said} {suspect[0].upper()}{suspect[1:]} cannot happen in such a run."


def nothing_drawn() -> tuple[dict, str]:
    """Return (table, sentence) of an empty chart: no run was read."""
    empty = {"size": [np.nan], "line": [_AS_PREDICTED], "expected": [np.nan], "measured": [np.nan]}
    return empty, "No run is drawn: none was read."


def _by_regime(run: Case, times: np.ndarray) -> str:
    """The median of *times* in each regime that has rows, as text."""
    small, large = run.nbytes <= SMALL, run.nbytes >= LARGE
    regimes = {f"up to {units.format(SMALL)}": small, "between": ~small & ~large, f"from {units.format(LARGE)}": large}
    return ", ".join(f"{np.median(times[rows]):.2g} times {name}" for name, rows in regimes.items() if rows.any())


@functools.cache
def compared(table: str) -> Comparison:
    """Return a published table beside the prediction for its machine."""
    return compare(as_read(table), catalog.row("measurement_tables", table)["system"])


@lab("read-a-log", title="What is wrong with this run?", tier="cluster",
     controls=[Control("run", list(RUNS), default=next(iter(RUNS)), as_="menu"),
               Control("suspect", ["nothing", *_NAMES], default="nothing", as_="menu")],
     chart=lambda: fingerprint_chart("How many times as long as predicted a published run took, against the size of the buffer: "
                                     "black diamonds. A solid line at 1 is the healthy machine, a dashed one a suspect."),
     leaves_out="What the model itself misses: a third of the time in the middle, more for an all-to-all. A suspect has the "
                "strength that fits best. What is more than 64 times as long is drawn at the edge.",
     sources=["alcf-nccl-tests", "boeschf-alps", "cscs-nccl", "dstack-nebius", "stas-network", "nvidia-dgxc"])
def read_a_log(run, suspect):
    """The suspect whose line runs through the diamonds is the one to look for first."""
    table, sentence = fingerprint(compared(RUNS[run]), suspect)
    return table, f"{run.partition(':')[0]}. {sentence}"


# ---- beside what is known ----

def fingerprints():
    """Return what each cause does to the smallest and to the largest messages of four DGX H100, or of one, as text."""
    import pandas as pd

    rows = []
    for name, cause in _NAMES.items():
        run = next(one for one in (_run("dgx-h100", "all_reduce", _GRID, nodes) for nodes in (4, 1)) if variants(cause, one))
        times = variants(cause, run)[0].seconds / run.seconds()
        rows.append({"cause": name, "nodes": run.nodes, units.format(_GRID[0]): f"{times[0]:.2g} times",
                     units.format(_GRID[-1]): f"{times[-1]:.2g} times"})
    return pd.DataFrame(rows)


def verdicts_of_runs():
    """Return what the diagnosis says of each of RUNS, beside what its source says."""
    import pandas as pd

    names = {row["id"]: row["name"] for row in catalog.rows("causes")} | {None: "nothing"}
    rows = []
    for run, table in RUNS.items():
        about = catalog.row("measurement_tables", table)
        found = compared(table)
        told = [one.name for one in found.causes[:2]] or ["cannot tell" if found.alarm else "nothing"]
        rows.append({"run": run.partition(":")[0], "what was wrong": names[about["cause"]], "first suspect": told[0],
                     "second": told[1] if len(told) > 1 else ""})
    return pd.DataFrame(rows)


def diagnosis_beside_labels():
    """Return, cause by cause, how many published tables suffer from it and where the diagnosis has it on its list."""
    import pandas as pd

    names = dict(zip(causes()["id"], causes()["name"], strict=True)) | {None: "nothing wrong"}
    places: dict[str | None, list] = {}
    for about in (table for table in catalog.rows("measurement_tables") if table["system"]):
        places.setdefault(about["cause"], []).append(_place(about["cause"], compared(about["id"])))
    return pd.DataFrame([{"what was wrong": names[cause], "tables": len(found), "named first": found.count(1),
                          "named second": found.count(2), "missed": len(found) - found.count(1) - found.count(2)}
                         for cause, found in places.items()])


def _place(cause: str | None, found: Comparison) -> int:
    """Where a diagnosis names *cause*, 1 for first; that nothing is wrong is named by no alarm; 0 where it is not named."""
    if not cause:
        return int(not found.alarm)
    named = [one.cause for one in found.causes]
    return named.index(cause) + 1 if cause in named else 0


def error_by_regime(table: str):
    """Return the error of the model on a published run by regime, as text."""
    import pandas as pd

    regimes = compared(table).regimes
    return pd.DataFrame({"regime": regimes["regime"], "rows": regimes["rows"],
                         "mean absolute error": [units.portion(e) for e in regimes["mean absolute error"]],
                         "mean error": [percent(e) for e in regimes["mean error"]]})
