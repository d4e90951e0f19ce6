"""Briefs: a job, a deadline or a latency, and what may be used for it. They are tasks made up for this course."""

from __future__ import annotations

from dataclasses import dataclass

from .. import catalog, units
from ..checks import either, typed


@typed
@dataclass(frozen=True, repr=False)
class Brief:
    """A row of briefs.csv; `brief` makes it.

    Args:
        id, name, story: what it is called, and what it is about.
        job: "training" or "serving".
        model: the id of a transformer. systems: the ids of machines that can be had.
        tokens: to train on. deadline: seconds in which.
        global_batch, seq: sequences of a step, and tokens of one; of serving seq is that of a prompt.
        users: that are answered at once. per_token: seconds a token may take. output: tokens of an answer.
        gpus, watts: the most that there may be, spares included.
    """

    id: str
    name: str
    story: str
    job: str
    model: str
    systems: tuple[str, ...]
    tokens: float
    deadline: float
    global_batch: float
    seq: int
    users: float
    per_token: float
    output: float
    gpus: int
    watts: float

    def __repr__(self) -> str:
        return f"<{self.name}: {self.gpus:,} GPUs and {units.format(self.watts, 'W')} at most>"


def brief(id: str) -> Brief:  # noqa: A002
    """Return the brief *id*.

    Raises:
        ValueError: no such brief; the nearest is suggested.

    >>> brief("trillion")
    <A trillion parameters before the others: 8,300 GPUs and 9 MW at most>
    """
    cells = catalog.row("briefs", id)
    renamed = {"deadline_s": "deadline", "per_token_s": "per_token", "power_w": "watts"}
    return Brief(**{renamed.get(name, name): value for name, value in cells.items()})


def briefs():
    """Return all briefs as a DataFrame.

    >>> briefs()["id"][0]
    'dense-70b'
    """
    import pandas as pd

    return pd.DataFrame(catalog.rows("briefs"))


def brief_of(found) -> Brief:
    """Return the brief that *found* is or is the id of.

    Raises:
        ValueError: it is neither.
    """
    return either("brief", found, Brief, brief, "dense-70b")
