"""What the cells and the texts of lesson "The model against the world" show: the model beside what was published."""

from __future__ import annotations

import functools
import math
import statistics
from collections.abc import Callable

import numpy as np

from fabriclib import accuracy, catalog, nccl, units
from fabriclib.collectives import schedule
from fabriclib.collectives.busbw import factor
from fabriclib.links import link
from fabriclib.machines import launchers, system
from fabriclib.measurements import largest, published
from fabriclib.prediction import predict
from fabriclib.prediction.cases import case
from fabriclib.prediction.constants import Constants, fitted
from fabriclib.prediction.interval import around
from fabriclib.prediction.model import predicted

from ...course.story import GRADIENT

SMALL = 8.0  # bytes
version = nccl.VERSION
GPUS = 8
h100, p5 = link("nvlink4").bundle(link("nvlink4").per_device), system("aws-p5")
steps = schedule("all_reduce", "ring", ranks=GPUS).counts().messages
ours = predict("dgx-h100", "all_reduce", GRADIENT)
smallest = float(predict("dgx-h100", "all_reduce", SMALL).seconds)
base, step = (fitted()["nvlink4", quantity] for quantity in ("base", "step"))
two_servers = largest("h100x16-p5-ar")
over_algbw = factor("all_reduce", two_servers.ranks)  # what busbw is, times algbw
one_server = [scores for table, scores in accuracy.held_out().items()
              if catalog.row("measurement_tables", table)["nodes"] == 1]
large_only = sum(math.isnan(scores[1]) and math.isnan(scores[2]) for scores in one_server)


held = units.portion(accuracy.HELD)


def off_by(regime: str) -> float:
    """Return by what share the model is off on one server at a site it has not seen, in one of accuracy.REGIMES.

    What `accuracy.summary` says, without its predictions of every table: this is asked whenever the course is imported.
    """
    scores = [table[accuracy.REGIMES.index(regime)] for table in one_server]
    return statistics.fmean(score for score in scores if not math.isnan(score))


def _mean_off(group: str, regime: int) -> Callable[[], float]:
    return lambda: accuracy.summary(accuracy.held_out())[group][regime]


BETS = {"middle messages, one server": _mean_off("single-node", 2), "large messages, one server": _mean_off("single-node", 3),
        "small messages, several servers": _mean_off("multi-node", 1),
        "large messages, several servers": _mean_off("multi-node", 3)}


def shortest(table: str) -> float:
    """Return the seconds of the smallest message of a published table."""
    return float(published(table)["seconds"].iloc[0])


def ramp_ends() -> float:
    """Return the power of two of bytes from which on filling the pipeline of eight H100 takes as good as a constant time."""
    sizes = 2.0 ** np.arange(10, 40)
    ramp = predicted(fitted(), *case("dgx-h100", "all_reduce", sizes, 1, None, "mpi")).ramp
    return float(sizes[np.argmax(ramp > 0.99 * ramp[-1])])


@functools.cache
def runs() -> dict[str, tuple[accuracy.Table, ...]]:
    """Return {machine: its tables}, machines in alphabetical order; the longest sweep of a machine comes first."""
    found: dict[str, list] = {}
    for table in sorted(accuracy.tables(), key=lambda t: (-t.nbytes.size, t.nodes, t.collective, t.ranks)):
        found.setdefault(system(table.system).name, []).append(table)
    return {machine: tuple(found[machine]) for machine in sorted(found, key=str.lower)}


def called(table: accuracy.Table) -> str:
    """Return what a table is of, as a learner reads it."""
    return f"{table.collective}, {table.ranks:,} GPUs, by {table.site}"


# ---- tables of the lesson ----

_CALLED = {"nvlink4": "NVLink 4", "ib": "InfiniBand", "efa2": "EFA of AWS p5", "staged": "PCIe through host memory"}


def constants_of(*technologies: str):
    """Return a DataFrame of text: the fitted constants of *technologies*, how many tables speak about each, and the note."""
    import pandas as pd

    rows = [row for row in catalog.rows("fitted") if row["subject"] in technologies]
    return pd.DataFrame({
        "technology": [_CALLED.get(row["subject"], row["subject"]) for row in rows],
        "quantity": [row["quantity"] for row in rows],
        "value": [units.format(row["value"], row["unit"]) if row["unit"] else f"{row['value']:.3g}" for row in rows],
        "tables": [len(row["tables"]) for row in rows], "note": [row["note"] for row in rows],
    })


def by_machine():
    """Return a DataFrame of text: the mean error of each machine and collective, held out with its site, worst first."""
    import pandas as pd

    groups: dict[tuple, list] = {}
    for machine, tables in runs().items():
        for table in tables:
            if table.id in accuracy.held_out():
                where = "one" if table.nodes == 1 else "several"
                groups.setdefault((machine, table.collective, where), []).append(accuracy.held_out()[table.id])
    means = {key: [statistics.fmean(known) if (known := [error for error in column if error == error]) else math.nan
                   for column in zip(*errors, strict=True)] for key, errors in groups.items()}
    rows = []
    for machine, collective, where in sorted(means, key=lambda key: -means[key][0]):
        told = ["no rows" if math.isnan(mean) else units.portion(mean) for mean in means[machine, collective, where]]
        rows.append({"machine": machine, "collective": collective, "nodes": where,
                     "tables": len(groups[machine, collective, where]), **dict(zip(accuracy.REGIMES, told, strict=True))})
    return pd.DataFrame(rows)


def smallest_by_nodes():
    """Return a DataFrame of text: what an all-reduce of 8 bytes takes on a few kinds of machines, by the number of nodes."""
    import pandas as pd

    nodes = [2, 8, 64]
    times = {system(kind).name: predict(kind, "all_reduce", SMALL, nodes=nodes).seconds
             for kind in ("dgx-h100", "aws-p5", "aws-p4de", "alps-gh200")}
    return pd.DataFrame({f"{many} nodes": {name: units.format(seconds[at], "s") for name, seconds in times.items()}
                         for at, many in enumerate(nodes)})


def smallest_by_launcher() -> dict[str, str]:
    """Return {launcher: what an all-reduce of 8 bytes takes on one DGX H100}."""
    return {who.name: units.format(float(predict("dgx-h100", "all_reduce", SMALL, launcher=who).seconds), "s")
            for who in launchers()}


def beside_unseen(table: str) -> tuple:
    """Return (nbytes, seconds predicted, seconds measured, low, high) of a published table, by constants without its site.

    The last two are the interval of the prediction.
    """
    one = next(one for one in accuracy.tables() if one.id == table)
    seconds = accuracy.held_out_seconds()[table]
    return one.nbytes, seconds, one.seconds, *around(system(one.system), one.nbytes, one.nodes, seconds)


def _only(*kept: str) -> Constants:
    """Return the shipped constants with the parts of the model that are not *kept* taken away."""
    parts = {"rates": ("efficiency", "pair efficiency", "reduction", "tree share", "chain share", "wiring",
                       "pair share", "two ranks", "exchange share"),
             "latency": ("base", "step", "eager", "bulk"), "launch": ("floor", "floor per gpu", "floor per pair"),
             "ramp": ("fill",)}
    gone = {quantity: part for part, names in parts.items() if part not in kept for quantity in names}
    # A share becomes 1, a time next to nothing.
    return {key: value if key[1] not in gone else 1.0 if gone[key[1]] == "rates" else value * 1e-9
            for key, value in fitted().items()}


def ladder() -> dict[str, dict[str, tuple[float, ...]]]:
    """Return {what the model knows: summary}, from the line rate alone to all of the model, with the shipped constants.

    Nothing is fitted anew for a poorer model, which could use what it has a little better.
    """
    rungs = {"bytes over line rate": (), "+ what links reach": ("rates",), "+ steps and hops": ("rates", "latency"),
             "+ launching": ("rates", "latency", "launch"), "+ ramp: the whole model": ("rates", "latency", "launch", "ramp")}
    return {name: accuracy.summary({t.id: accuracy.by_regime(t, t.predicted(_only(*kept))) for t in accuracy.tables()})
            for name, kept in rungs.items()}


def parts_of_the_model():
    """Return a DataFrame of text: the mean error over tables of a model that knows more and more."""
    import pandas as pd

    groups = {"one node": "single-node", "several nodes": "multi-node"}
    rows = []
    for what, means in ladder().items():
        cells = {f"{title}, {regime}": units.portion(means[group][at]) for title, group in groups.items()
                 for at, regime in ((0, "all"), (3, "large"))}
        rows.append({"the model knows": what, **cells})
    return pd.DataFrame(rows)
