"""`compare`: a measured table beside the prediction, its error by size, its fit, and what it resembles if it is too slow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import catalog
from ..accuracy import REGIMES, SMALL, regimes_of
from ..checks import count, short
from ..links import AlphaBeta
from ..measurements import percent, settled
from ..prediction.cases import machine_of
from ..shown import sentence
from .broken import Case
from .suspects import TOO_FAST, TOO_SLOW, Candidate, Seen, alarm, candidates

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Comparison:
    """A measured table beside the prediction.

    Fields:
        run: what was run, on which machine; `run.seconds()` predicts it.
        table: a DataFrame with nbytes, measured and predicted (seconds), error (0.1: the model is ten per cent too slow),
            regime. regimes: rows, mean absolute error and mean error of each regime.
        fit: the AlphaBeta of the measured times; None with fewer than two sizes.
        alarm: whether the run is slower than a healthy machine's ever is. That it is faster, and so not of this machine, is
            said in the verdict.
        causes: the candidates, most likely first; empty without an alarm, or if the curve resembles none.
        verdict: what was found, in words. problems: where the log contradicts itself.
    """

    run: Case
    table: pd.DataFrame
    regimes: pd.DataFrame
    fit: AlphaBeta | None
    alarm: bool
    causes: tuple[Candidate, ...]
    verdict: str
    problems: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<{self.verdict}>"

    _repr_html_ = sentence


def compare(df, system, *, nodes: int | None = None, ranks: int | None = None, launcher: str | None = None) -> Comparison:
    """Return the measured table *df* beside what is predicted for *system*, and what it resembles if it is too slow.

    Args:
        df: one table as `read_measurements` returns it.
        system: an id from `systems()`, or a System.
        nodes, ranks: what *df* does not say. Without nodes, ranks fill one node after the other.
        launcher: who started the kernels, an id from launchers.csv; taken from the log where it says so.

    Raises:
        ValueError: no table or several, ranks that nothing tells or that the machine cannot have.

    >>> from fabriclib.measurements import read_measurements
    >>> compare(read_measurements("collective,ranks,nbytes,seconds\\nall_reduce,8,8589934592,0.0366\\n"), "dgx-h100").alarm
    False
    """
    df = _one_table(df)
    run, measured = _case(df, system, nodes, ranks, launcher), df["seconds"].to_numpy(dtype=float)
    if "in_place" in df:
        measured = settled(measured, df["in_place"].to_numpy(dtype=float))
    windowed = bool(df.attrs.get("windowed")) and run.nodes * run.gpus > 1
    on_device = df.attrs.get("device") is not False
    seen = Seen(run, measured, run.seconds(wire=windowed), windowed, on_device, tuple(df.attrs.get("hints", ())))
    comparable = on_device or run.nodes > 1
    reason = alarm(seen) if comparable else ""
    found = candidates(seen) if reason else ()
    problems = tuple(df.attrs.get("problems", ()))
    verdict = _verdict(seen, reason, found) if comparable else (
        "Cannot be compared: the buffers were in host memory of one node, and no link that the model knows was used.")
    table, regimes = _errors(run.nbytes, measured, seen.healthy)
    fit = AlphaBeta.fit(run.nbytes, measured) if np.unique(run.nbytes).size > 1 else None
    verdict = _other_gpu(str(df.attrs.get("gpu", "")), run.machine) + verdict + _trouble(problems)
    return Comparison(run, table, regimes, fit, bool(reason), found, verdict, problems)


def _one_table(df):
    """Return *df*, smallest message first; a ValueError if it is not one table as `read_measurements` returns it."""
    if not hasattr(df, "columns") or not {"collective", "nbytes", "seconds"} <= set(df.columns) or not len(df):
        raise ValueError(f"df must be a table as read_measurements returns it; got {short(df)}.")
    if "table" in df and df["table"].nunique() > 1:
        raise ValueError(f"df must hold one table; it holds {df['table'].nunique()}. Pass one of them: df[df.table == 0].")
    return df.sort_values("nbytes")


def _case(df, system, nodes, ranks, launcher) -> Case:
    ranks, nodes = _told("ranks", ranks, df), _told("nodes", nodes, df)
    if ranks is None:
        raise ValueError("ranks must be given: nothing in the log tells how many there were.")
    machine = machine_of(system)
    if nodes is None:
        nodes = -(-ranks // machine.gpus)
    if ranks % nodes or ranks // nodes > machine.gpus:
        raise ValueError(f"ranks must be nodes times the GPUs in use of each, of which {machine.name} has {machine.gpus}; got "
                         f"{ranks} ranks on {nodes} nodes.")
    starter = launcher if launcher is not None else df.attrs.get("launcher", "mpi")
    nbytes = df["nbytes"].to_numpy(dtype=float)
    return Case.of(machine, df["collective"].iloc[0], nbytes, nodes, ranks // nodes, starter)


def _told(name: str, value, df) -> int | None:
    """What the caller says, else what all rows of *df* say alike, else None."""
    if value is not None:
        return count(name, value)
    said = df[name].dropna().unique().tolist() if name in df else []
    return int(said[0]) if len(said) == 1 else None


def _errors(nbytes, measured, predicted):
    """Return (table of all rows, table of regimes) as DataFrames."""
    import pandas as pd

    inside = {regime: rows for regime, rows in regimes_of(nbytes).items() if regime != REGIMES[0] and rows.any()}
    table = pd.DataFrame({"nbytes": nbytes, "measured": measured, "predicted": predicted, "error": predicted / measured - 1,
                          "regime": np.select(list(inside.values()), list(inside), default="")})
    parts = [(regime, table["error"][rows]) for regime, rows in inside.items()]
    return table, pd.DataFrame([{"regime": regime, "rows": len(error), "mean absolute error": error.abs().mean(),
                                 "mean error": error.mean()} for regime, error in parts])


def _verdict(seen: Seen, reason: str, found: tuple[Candidate, ...]) -> str:
    if found:
        others = f" Next: {found[1].name}." if len(found) > 1 else ""
        return f"{reason}. Most likely: {found[0].name}. {found[0].evidence}{others}"
    if reason:
        return f"{reason}. Cannot tell why: it resembles no cause we know."
    if seen.slow <= TOO_FAST:
        return (f"At its best point the run takes {seen.slow:.2g} times the predicted time, and no run that we know is so much "
                "faster than predicted: are the machine, the nodes and the ranks right, and the units?")
    small = seen.run.nbytes <= SMALL
    late = float(np.median((seen.measured / seen.healthy)[small])) if small.any() and not seen.windowed else 1.0
    best = f"No alarm: at its best point the run is {percent(seen.slow - 1)} off the predicted time."
    return best if late <= TOO_SLOW else (f"{best} Small messages take {late:.2g} times as long as predicted; the rate shows no "
                                          "cause for that.")


def _other_gpu(listed: str, machine) -> str:
    """Return a question if the GPU that a log lists is one of the catalogue's and not this machine's; else an empty text."""
    about = {row["id"]: row["gpu"] for row in catalog.rows("systems")}
    words = f" {''.join(c if c.isalnum() else ' ' for c in listed)} "
    named = {gpu for gpu in about.values() if f" {gpu} " in words}
    own = about.get(machine.id, "")
    foreign = named and own and own not in named
    return f"The log lists {listed}, and {machine.name} has {own}: is it the right machine? " if foreign else ""


def _trouble(problems: tuple[str, ...]) -> str:
    places = "one place" if len(problems) == 1 else f"{len(problems)} places"
    return f" The log contradicts itself in {places}: read its problems first." if problems else ""
