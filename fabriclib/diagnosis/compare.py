"""`compare`: a measured table beside the prediction, its error by size, its fit, and what it resembles if it is too slow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from .. import catalog, units
from ..accuracy import REGIMES, SMALL, regimes_of
from ..checks import count, number, short
from ..links import AlphaBeta
from ..measurements import settled
from ..measurements.about import About, about
from ..prediction.cases import machine_of
from ..prediction.interval import around
from ..shown import digits, sentence
from . import report
from .broken import Case
from .suspects import TOO_FAST, TOO_SLOW, Candidate, Seen, alarm, candidates, drop

if TYPE_CHECKING:
    import pandas as pd


CLEARLY = 1.2  # times as long, and it shows which of two algorithms ran
IN_HOST = "Cannot be compared: the buffers were in host memory of one node, and no link that the model knows was used."


@dataclass(frozen=True, repr=False)
class Comparison:
    """A measured table beside the prediction.

    Fields:
        run: what was run, on which machine; `run.seconds()` predicts it.
        table: a DataFrame with nbytes, measured and predicted (seconds), low and high (between them lie 95 of 100 healthy runs),
            error (0.1: the model is ten per cent too slow), regime.
        regimes: rows, mean absolute error and mean error of each regime.
        fit: the AlphaBeta of the measured times; None with fewer than two sizes.
        alarm: whether the run is slower than a healthy machine's ever is, faster than any, or no one job with right results.
        causes: the candidates, most likely first; empty without an alarm, or if the curve resembles none.
        verdict: what was found, in words. problems: where the log contradicts itself. notes: what was inferred or assumed.
    """

    run: Case
    table: pd.DataFrame
    regimes: pd.DataFrame
    fit: AlphaBeta | None
    alarm: bool
    causes: tuple[Candidate, ...]
    verdict: str
    problems: tuple[str, ...]
    notes: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<{self.verdict}>"

    _repr_html_ = sentence

    def report(self) -> str:
        """Return what was found as a page of plain text: verdict, suspects, what to try, and the table, at most 100 wide."""
        return report.page(self)


def compare(df, system, *, nodes: int | None = None, ranks: int | None = None, launcher: str | None = None) -> Comparison:
    """Return the measured table *df* beside what is predicted for *system*, and what it resembles if it is too slow.

    Args:
        df: one table as `read_measurements` returns it.
        system: an id from `systems()`, or a System.
        nodes, ranks: what *df* does not say. Without nodes, ranks fill one node after the other.
        launcher: who started the kernels, an id from launchers.csv; taken from the log where it says so.

    Raises:
        ValueError: no table or several, cells that are no such numbers, ranks that nothing tells or that the machine cannot have.

    >>> from fabriclib.measurements import read_measurements
    >>> compare(read_measurements("collective,ranks,nbytes,seconds\\nall_reduce,8,8589934592,0.0366\\n"), "dgx-h100").alarm
    False
    """
    df = _one_table(df)
    run, measured = _case(df, system, nodes, ranks, launcher), _measured(df)
    known_of, problems = about(df), tuple(df.attrs.get("problems", ()))
    windowed = known_of.windowed and run.nodes * run.gpus > 1
    on_device = known_of.device is not False
    healthy, by_ring = _healthy(run, known_of.algorithm, windowed, measured)
    seen = Seen(run, measured, healthy, windowed, on_device, known_of.hints)
    table, regimes = _errors(run, measured, seen.healthy)
    fit = AlphaBeta.fit(run.nbytes, measured) if np.unique(run.nbytes).size > 1 else None
    first, in_host = _no_run_of_this(seen, known_of), not on_device and run.nodes == 1
    reason = "" if first or in_host else alarm(seen)
    found = candidates(seen) if reason else ()
    verdict = first or (IN_HOST if in_host else _verdict(seen, reason, found))
    other = _other_gpu(known_of.gpu, run.machine)
    verdict = other + verdict + ("" if first else by_ring) + _assumed(df, nodes, run) + _trouble(problems)
    return Comparison(run, table, regimes, fit, bool(reason or first), found, verdict, problems, tuple(df.attrs.get("notes", ())))


def _healthy(run: Case, algorithm: str, windowed: bool, measured: np.ndarray) -> tuple[np.ndarray, str]:
    """Return (seconds of a healthy machine, what is to be said of its algorithm).

    That is the one which the library was set to, where the model has it there. Between two nodes without switches that add, some
    releases take a tree and some a ring, with up to twice the time: there it is the one that the run is nearer to.
    """
    try:
        expected = run.seconds(wire=windowed, algorithm=algorithm)
    except ValueError:  # the library has no such algorithm here either, and takes another
        return run.seconds(wire=windowed), ""
    adds = run.machine.switch is not None and run.machine.switch.reduces
    if algorithm != "auto" or run.nodes != 2 or run.collective != "all_reduce" or adds:
        return expected, ""
    ring, best = run.seconds(wire=windowed, algorithm="ring"), int(np.argmax(run.nbytes / measured))
    off = np.abs(np.log([ring[best] / measured[best], expected[best] / measured[best]]))
    if ring[best] < CLEARLY * expected[best] or off[0] > min(off[1], np.log(CLEARLY)):
        return expected, ""
    return ring, (f" That is a ring's time: some releases of the library take one between two nodes. A tree would take "
                  f"{expected[best] / ring[best]:.2g} of it there: compare with NCCL_ALGO=Tree.")


def _no_run_of_this(seen: Seen, known_of: About) -> str:
    """Return why there is nothing to diagnose: what no machine does, and what is no run of this one; else an empty text."""
    ranks = seen.run.nodes * seen.run.gpus
    if known_of.jobs > 1:
        return (f"Not one job but {known_of.jobs} at once, none of which knew of the others: the test was built without MPI. "
                "Build it with MPI=1 and run it again.")
    if known_of.wrong:
        return ("The results are wrong: the test found elements that are not what the sum must be. No time counts before that is "
                "mended; run it with other GPUs, and without NVLS, to find the part.")
    if ranks == 1:
        return "One rank: nothing was sent to anybody, and the times are those of a copy inside one GPU."
    if seen.fast <= TOO_FAST and (known_of.device is not False or seen.run.nodes > 1):
        return (f"Impossible: at its best point the run takes {digits(seen.slow)} times the predicted time, and no run that we "
                "know is so much faster than predicted. The machine, the nodes, the ranks or the units are others.")
    return ""


def _assumed(df, nodes, run: Case) -> str:
    """Return what was taken for granted: that ranks fill node after node."""
    told = nodes is not None or _told("nodes", None, df) is not None
    return "" if told else (f" Nodes assumed: {run.nodes}, for nothing says how many; say so if there were more "
                            "(nodes=, on the command line --nodes).")


def _one_table(df):
    """Return *df*, smallest message first; a ValueError if it is not one table as `read_measurements` returns it."""
    if not hasattr(df, "columns") or not {"collective", "nbytes", "seconds"} <= set(df.columns) or not len(df):
        raise ValueError(f"df must be a table as read_measurements returns it; got {short(df)}.")
    if "table" in df and df["table"].nunique() > 1:
        raise ValueError(f"df must hold one table; it holds {df['table'].nunique()}. Pass one of them: df[df.table == 0].")
    if len(named := df["collective"].unique()) > 1:
        raise ValueError(f"df must hold one collective; it holds {', '.join(map(str, named))}.")
    return df.sort_values("nbytes")


def _column(df, name: str) -> np.ndarray:
    """Return a column as numbers; NaN where a cell is blank."""
    try:
        return df[name].to_numpy(dtype=float)
    except (TypeError, ValueError):
        raise ValueError(f"{name} must be a column of numbers; got {short(df[name].tolist())}.") from None


def _measured(df) -> np.ndarray:
    """Return the seconds of the rows, without warm-ups; an in-place time may be blank."""
    seconds = number("seconds", _column(df, "seconds"))
    if "in_place" not in df:
        return seconds
    inside = _column(df, "in_place")
    if not np.isnan(inside).all():
        number("in_place", inside[~np.isnan(inside)])
    return settled(seconds, inside)


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
    starter = launcher if launcher is not None else about(df).launcher
    return Case.of(machine, df["collective"].iloc[0], _column(df, "nbytes"), nodes, ranks // nodes, starter)


def _told(name: str, value, df) -> int | None:
    """What the caller says, else what the rows of *df* say, else None."""
    if value is not None:
        return count(name, value)
    said = df[name].dropna().unique().tolist() if name in df else []
    if len(said) > 1:
        raise ValueError(f"{name} must be given: the rows have {' and '.join(map(str, said))}.")
    return count(name, said[0]) if said else None


def _errors(run: Case, measured, predicted):
    """Return (table of all rows, table of regimes) as DataFrames."""
    import pandas as pd

    inside = {regime: rows for regime, rows in regimes_of(run.nbytes).items() if regime != REGIMES[0] and rows.any()}
    low, high = around(run.machine, run.nbytes, run.nodes, predicted)
    table = pd.DataFrame({"nbytes": run.nbytes, "measured": measured, "predicted": predicted, "low": low, "high": high,
                          "error": predicted / measured - 1,
                          "regime": np.select(list(inside.values()), list(inside), default="")})
    parts = [(regime, table["error"][rows]) for regime, rows in inside.items()]
    return table, pd.DataFrame([{"regime": regime, "rows": len(error), "mean absolute error": error.abs().mean(),
                                 "mean error": error.mean()} for regime, error in parts])


def _verdict(seen: Seen, reason: str, found: tuple[Candidate, ...]) -> str:
    if found:
        others = f" Next: {found[1].name}." if len(found) > 1 else ""
        return f"{reason}. Most likely: {found[0].name}.{others}"
    if reason:
        return f"{reason}. Cannot tell why: it resembles no cause we know.{drop(seen)}"
    if not seen.rated and seen.slow > TOO_SLOW:
        return (f"Cannot tell: the sizes end at {units.format(seen.run.nbytes[-1])}, and what is wrong with a rate shows at "
                f"large ones. These take {digits(seen.slow)} times as long as predicted; measure up to 1 GiB.")
    small = seen.run.nbytes <= SMALL
    late = float(np.median((seen.measured / seen.healthy)[small])) if small.any() and not seen.windowed else 1.0
    off = units.portion(abs(seen.slow - 1))
    takes = "as long as" if off == units.portion(0) else f"{off} {'more' if seen.slow > 1 else 'less'} time than"
    best = f"No alarm: at its best point the run takes {takes} predicted."
    return best if late <= TOO_SLOW else (f"{best} Small messages take {digits(late)} times as long as predicted; the rate shows "
                                          "no cause for that.")


def _other_gpu(listed: str, machine) -> str:
    """Return a question if the GPU that a log lists is one of the catalogue's and not this machine's; else an empty text."""
    words = f" {''.join(c if c.isalnum() else ' ' for c in listed)} "
    named = {row["gpu"] for row in catalog.rows("systems") if f" {row['gpu']} " in words}
    own = machine.gpu
    foreign = own and own not in named if named else own and _maker(listed)
    return f"The log lists {listed}, and {machine.name} has {own}: is it the right machine? " if foreign else ""


def _maker(listed: str) -> bool:
    """Whether a log names a GPU that the catalogue lacks, and not just that there is one."""
    return any(c.isdigit() for c in listed) and listed.startswith(("NVIDIA ", "AMD ", "Tesla "))


def _trouble(problems: tuple[str, ...]) -> str:
    places = "one place" if len(problems) == 1 else f"{len(problems)} places"
    return f" The log contradicts itself in {places}: read its problems first." if problems else ""
