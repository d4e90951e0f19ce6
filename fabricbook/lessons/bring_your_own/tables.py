"""What the cells and the texts of lesson "Bring your own" show: faults and their fingerprints, and what a diagnosis finds."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.accuracy import REGIMES
from fabriclib.collectives.busbw import factor
from fabriclib.diagnosis import Comparison, broken, compare, suspects
from fabriclib.diagnosis.broken import Case, variants
from fabriclib.measurements import as_read, largest, read_measurements
from fabriclib.prediction import predict
from fabriclib.prediction.model import case

from ...course.story import GRADIENT
from .examples import RUNS

GRID = 2.0 ** np.arange(10, 35)
CAUSES = {row["name"]: row["id"] for row in catalog.rows("causes")}
ILL, WELL = "a100x8-polaris-tcp-ar", "h100x16-nebius-ar"  # a run whose numbers are an alarm, and one whose are none
ours = float(predict("dgx-h100", "all_reduce", GRADIENT, nodes=4).seconds)
sharp = largest("h100x96-coreweave-sharp-ar")
no_alarm_up_to = suspects.TOO_SLOW


def printed(rate: float) -> str:
    """Return a rate in MB/s, to the hundredth of a GB/s that a log prints."""
    return f"{round(rate / units.MB, -1):,.0f}"


def over_algbw(ranks: int) -> float:
    """Return what the busbw of an all-reduce is, times its algbw."""
    return factor("all_reduce", ranks)


def one_nic(nbytes: float) -> float:
    """Return how many times as long an all-reduce takes over one NIC of eight, on four DGX H100."""
    slow = broken("one-nic", "dgx-h100", "all_reduce", nbytes, nodes=4)[0]
    return float(slow / predict("dgx-h100", "all_reduce", nbytes, nodes=4).seconds)


def off_when_ill() -> float:
    """Return the mean relative error of the model on the large messages of the run that is ill."""
    regimes = compared(ILL).regimes
    return float(regimes.loc[regimes["regime"] == REGIMES[-1], "mean error"].iloc[0])


def run_of(machine: str, collective: str, nbytes, nodes: int) -> Case:
    """Return what is run, ready to be predicted and to be broken."""
    return Case(*case(machine, collective, nbytes, nodes, None, "mpi"))


@functools.cache
def compared(table: str) -> Comparison:
    """Return a published table beside the prediction for its machine."""
    return compare(as_read(table), catalog.row("measurement_tables", table)["system"])


def fingerprints():
    """Return what each cause does to the smallest and to the largest messages of four DGX H100, or of one, as text."""
    import pandas as pd

    rows = []
    for name, cause in CAUSES.items():
        run = next(one for one in (run_of("dgx-h100", "all_reduce", GRID, nodes) for nodes in (4, 1)) if variants(cause, one))
        times = variants(cause, run)[0].seconds / run.seconds()
        rows.append({"cause": name, "nodes": run.nodes, units.format(GRID[0]): f"{times[0]:.2g} times",
                     units.format(GRID[-1]): f"{times[-1]:.2g} times"})
    return pd.DataFrame(rows)


def verdicts_of_runs():
    """Return what the diagnosis says of each of RUNS, beside what its source says."""
    import pandas as pd

    names = {id: name for name, id in CAUSES.items()} | {None: "nothing"}
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

    names = {id: name for name, id in CAUSES.items()} | {None: "nothing wrong"}
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


# ---- a ticket: a log made by the model of a machine that is broken

TICKET_CAUSES = [name for name, id in CAUSES.items() if id in ("tcp", "no-gpudirect", "one-nic", "rank-order", "congestion")]
_TICKET = 2.0 ** np.array([10, 15, 20, 25, 30, 34])


@functools.cache
def ticket_compared() -> Comparison:
    """Return the ticket's log, of four DGX H100 whose ranks stand in a bad order, beside the prediction."""
    seconds = broken("rank-order", "dgx-h100", "all_reduce", _TICKET, nodes=4)
    rows = "".join(f"{nbytes:.0f},{1e6 * one:.4g}\n" for nbytes, one in zip(_TICKET, seconds, strict=True))
    return compare(read_measurements("nbytes,time_us\n" + rows, collective="all_reduce", nodes=4, ranks=32), "dgx-h100")


def ticket():
    """Return a DataFrame of text: the ticket's log, and how many times as long as predicted each size took."""
    import pandas as pd

    found = ticket_compared().table
    return pd.DataFrame({"size": [units.format(nbytes) for nbytes in found["nbytes"]],
                         "measured": [units.format(one, "s") for one in found["measured"]],
                         "times the prediction": [f"{one:.2g}" for one in found["measured"] / found["predicted"]]})


def first_suspect() -> str:
    """Return the cause that the diagnosis names first for the ticket."""
    return ticket_compared().causes[0].name


def suspected(log, machine: str) -> dict[str, str]:
    """Return {suspect: where to look}, the likeliest first, for a log that `fl.read_measurements` has read."""
    return {one.name: one.check for one in compare(log, machine).causes[:2]}
