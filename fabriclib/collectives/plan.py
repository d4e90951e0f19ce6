"""A plan: who sends which chunk to whom in which step, as it is written down. `Schedule` is a plan that runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .moves import Moves


@dataclass(frozen=True, eq=False)
class Plan:
    """What a schedule consists of; `Schedule` says what each field is."""

    collective: str
    algorithm: str
    ranks: int
    slots: int
    moves: Moves
    root: int = 0
    streamed: bool = False
    dims: tuple[int, ...] = ()
    keeps_input: bool = False
    destination: Callable | None = None

    @property
    def step(self) -> np.ndarray:
        """The step of each row; `src`, `dst`, `chunk` and `op` are the other columns of `moves`."""
        return self.moves.step

    @functools.cached_property
    def nodes(self) -> int:
        """Ranks and switches together."""
        return max(self.ranks, 1 + int(max(self.moves.src.max(initial=0), self.moves.dst.max(initial=0))))

    @property
    def switches(self) -> int:
        """The nodes that are no ranks."""
        return self.nodes - self.ranks

    @property
    def share(self) -> float:
        """Bytes of one chunk as a fraction of n; a barrier moves none."""
        return 0.0 if self.collective == "barrier" else 1 / self.slots
