"""What is known of one table of a log besides its rows."""

from __future__ import annotations

from dataclasses import dataclass

from ..checks import short
from .rows import Table


@dataclass(frozen=True)
class About:
    """What the lines around a table say of its run.

    Args:
        device: whether the buffers lay in a GPU's memory; None: nothing says so.
        windowed: whether many messages were on their way at once, so that times are size over rate.
        launcher: who started the kernels, an id of launchers.csv.
        gpu: as the log names it. algorithm: to which NCCL was set; "auto": to none.
        hints: what the library's own output gives away, keys of `hints.HINTS`.
        jobs: how many separate runs wrote into the table at once.
        wrong: whether the test found wrong results. problems: where the table contradicts itself. notes: what was inferred.
    """

    device: bool | None = None
    windowed: bool = False
    launcher: str = "mpi"
    gpu: str = ""
    algorithm: str = "auto"
    hints: tuple[str, ...] = ()
    jobs: int = 1
    wrong: bool = False
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: Table) -> About:
        """Return what is known of *table*."""
        heading = table.heading
        # One process for several GPUs pays for the launch on each of them.
        usual = "single-process" if (heading.gpus_per_process or 1) > 1 else "mpi"
        launcher = table.launcher or heading.launcher or usual
        return cls(table.device, table.windowed or heading.windowed, launcher, heading.gpu, heading.algorithm or "auto",
                   tuple(heading.hints), table.jobs, table.wrong, tuple(table.problems), tuple(table.notes))


def about(frame) -> About:
    """Return what is known of the one table that *frame* holds; nothing special, where nobody says."""
    tables = frame.attrs.get("tables", ())
    at = int(frame["table"].iloc[0]) if "table" in frame else 0
    return tables[at] if at < len(tables) else About()


def apart(frame) -> list:
    """Return the tables of a log as `read_measurements` gives it, in SI units, each by itself with its own problems and notes.

    What is wrong with the log and belongs to no table stays with the first.

    Raises:
        ValueError: no such table.

    >>> from fabriclib.measurements import as_read
    >>> [len(part) for part in apart(as_read("h200x8-16gib-nvls-off-ar"))]
    [1]
    """
    if not hasattr(frame, "columns") or "table" not in frame or not {"tables", "problems"} <= set(frame.attrs):
        raise ValueError(f"frame must be a table as read_measurements returns it; got {short(frame)}.")
    tables = frame.attrs["tables"]
    if len(tables) < 2:
        return [frame]
    owned = {problem for one in tables for problem in one.problems}
    loose = [problem for problem in frame.attrs["problems"] if problem not in owned]
    bare = frame.copy(deep=False)
    bare.attrs = {}  # pandas copies them, all tables of them, with every selection
    parts = [part.assign(table=0) for _, part in bare.groupby("table")]
    for at, (part, one) in enumerate(zip(parts, tables, strict=True)):
        part.attrs = {"problems": [*(loose if at == 0 else []), *one.problems], "notes": list(one.notes),
                      "hints": list(one.hints), "tables": (one,)}
    return parts
