"""An entry: one algorithm for one collective. The modules of `families/` make them, and the registry finds them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .. import catalog
from ..checks import typed
from ..shown import sentence
from .counts import Counts
from .moves import Moves


def one_slot(ranks, **options) -> int:
    """The slots of an algorithm that never cuts the vector up."""
    return 1


@typed
@dataclass(frozen=True)
class Algorithm:
    """One algorithm for one collective: its counts, its moves, and what it asks for.

    Args:
        collective, name: how it is called.
        counts: `(ranks, **options)` -> Counts, or a tuple of them, one a level; ranks may be an array.
        moves: `(ranks, **options)` -> the moves of its schedule, for one whole number of ranks.
        source: id of a row of sources.csv, for the formula.
        options: which of "chunks", "dims" and "root" the functions take. dims are the sizes of the levels, innermost
            first; any whole numbers whose product is ranks will do, and without them there is one level of all ranks.
        slots: `(ranks, **options)` -> chunks in a workspace; one for each rank without.
        destination: for all_to_all, `(ranks, **options)` -> `Schedule.destination`.
        keeps_input: as in Schedule.
        refuses: `(ranks, **options)` -> why it cannot serve them, or "" if it can. ranks is one whole number.
        best_chunks: (ranks, nbytes, alpha, beta) -> the chunk count that makes it fastest, not rounded; for "chunks".
        exact: whether the closed form equals the counted schedule, or bounds it from above, at most twice as high.
        ports: how many messages a rank must be able to send at once: 1, or "all".
        reduction: where reduction happens: "endpoint" or "network".
        streamed: whether data flows through all levels at once, so that bytes cost what the slowest level takes.
        note: what a reader should know.
    """

    collective: str
    name: str
    counts: Callable[..., Counts | tuple[Counts, ...]]
    moves: Callable[..., Moves]
    source: str
    options: tuple[str, ...] = ()
    slots: Callable[..., int] = lambda ranks, **options: ranks
    destination: Callable[..., Callable | None] = lambda ranks, **options: None
    keeps_input: bool = False
    refuses: Callable[..., str] = lambda ranks, **options: ""
    best_chunks: Callable | None = None
    exact: bool = True
    ports: int | str = 1
    reduction: str = "endpoint"
    streamed: bool = False
    note: str = ""

    def __post_init__(self):
        catalog.row("sources", self.source)

    def check(self, ranks, **options) -> None:
        """Raise a ValueError that gives the reason if *ranks* (a number or an array) cannot be served."""
        if self.refuses is Algorithm.refuses:
            return
        for p in np.unique(ranks).tolist():
            if reason := self.refuses(p, **options):
                raise ValueError(f"{self.collective} by {self.name} cannot serve {p} ranks: {reason}")

    def __repr__(self) -> str:
        asks = f", takes {', '.join(self.options)}" if self.options else ""
        return f"<{self.collective} by {self.name}{asks}; source: {catalog.source(self.source).publisher}>"

    _repr_html_ = sentence
