"""A plan: who sends which chunk to whom in which step, as it is written down. `Schedule` is a plan that runs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..checks import short, whole
from .moves import Moves

Step = tuple[np.ndarray, np.ndarray, np.ndarray]  # of each message, from which rank to which, and how many chunks


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

    def messages(self, step: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return (step, src, dst, chunks), sorted by step: rows of one step between the same two nodes are one message.

        Raises:
            ValueError: *step* is no step for each row.
        """
        step = whole("step", step, low=0) if len(self.step) else self.step
        if np.shape(step) != self.step.shape:
            raise ValueError(f"step must be one for each of the {len(self.step)} rows; got {short(step)}.")
        moves, nodes = self.moves, self.nodes
        src, dst, chunks = moves.src, moves.dst, moves.size * moves.repeat
        key = (step * nodes + src) * nodes + dst
        if np.any(key[1:] <= key[:-1]):
            _, first, message = np.unique(key, return_index=True, return_inverse=True)
            step, src, dst, chunks = step[first], src[first], dst[first], np.bincount(message, chunks)
        return step, src, dst, chunks

    @functools.cached_property
    def steps(self) -> tuple[list[Step], list[int]]:
        """The different steps, and which of these each step is: many are alike."""
        step, src, dst, chunks = self.messages(self.step)
        starts = [0, *(1 + np.flatnonzero(step[1:] != step[:-1])).tolist()][: len(step)]
        number: dict[tuple[bytes, ...], int] = {}
        unlike: list[Step] = []
        which = []
        for start, end in zip(starts, [*starts[1:], len(step)], strict=False):  # no row, no step
            one = src[start:end], dst[start:end], chunks[start:end]
            which.append(number.setdefault(tuple(column.tobytes() for column in one), len(unlike)))
            if which[-1] == len(unlike):
                unlike.append(one)
        return unlike, which
