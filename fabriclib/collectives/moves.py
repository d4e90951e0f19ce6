"""Moves: the rows of a schedule as NumPy arrays, and the few ways to write and join them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np

COPY, ADD = 0, 1
MAX_MOVES = 20_000_000


@dataclass(frozen=True, eq=False)
class Moves:
    """Transfers, one a row; arrays of one length (arguments broadcast).

    In its step, a row takes chunks from *src* and puts them into the same places of *dst*: `op` COPY overwrites, ADD adds.
    All rows of a step read before any of them writes. A row names `size` chunks in a row from `chunk` on (cyclically), and
    that `repeat` times, `stride` chunks apart: what MPI calls a vector type. Rows of one step between the same two
    nodes are one message. `level` says which level of a shaped algorithm pays for the step.
    """

    step: np.ndarray
    src: np.ndarray
    dst: np.ndarray
    chunk: np.ndarray
    op: np.ndarray = COPY
    size: np.ndarray = 1
    repeat: np.ndarray = 1
    stride: np.ndarray = 0
    level: np.ndarray = 0

    def __post_init__(self):
        columns = np.broadcast_arrays(*(np.asarray(getattr(self, f.name), dtype=np.int64) for f in fields(self)))
        for field, column in zip(fields(self), columns, strict=True):
            object.__setattr__(self, field.name, column.ravel())

    def __len__(self) -> int:
        return len(self.step)

    @property
    def steps(self) -> int:
        """How many steps there are: one more than the last."""
        return int(self.step.max()) + 1 if len(self) else 0

    def where(self, mask) -> Moves:
        """Return the rows where *mask* holds."""
        return Moves(*(getattr(self, f.name)[mask.ravel()] for f in fields(self)))

    def then(self, later: Moves) -> Moves:
        """Return these moves followed by *later*, whose first step comes after the last of these."""
        return self.beside(replace(later, step=later.step + self.steps))

    def beside(self, other: Moves) -> Moves:
        """Return these moves and *other*, with steps as they are numbered in each."""
        return Moves(*(np.concatenate([getattr(self, f.name), getattr(other, f.name)]) for f in fields(self)))

    def backwards(self, op: int) -> Moves:
        """Return these moves played in reverse, the other way round: a broadcast turns into a reduce, a scatter into a gather."""
        return replace(self, step=self.steps - 1 - self.step, src=self.dst, dst=self.src, op=op)

    def chunks(self, slots: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (row, chunk): every single chunk that moves, and the row that moves it."""
        row = np.repeat(np.arange(len(self)), self.size * self.repeat)
        first = np.cumsum(self.size * self.repeat) - self.size * self.repeat
        nth = np.arange(len(row)) - first[row]
        return row, (self.chunk[row] + nth // self.size[row] * self.stride[row] + nth % self.size[row]) % slots


def grid(*lengths: int) -> list[np.ndarray]:
    """Return index arrays for all combinations: `step, rank = grid(steps, ranks)`.

    Raises:
        ValueError: more of them than memory should be asked for.
    """
    if math.prod(lengths) > MAX_MOVES:
        raise ValueError(f"ranks and chunks must give a schedule of at most {MAX_MOVES:.0e} moves; got {math.prod(lengths):.0e}.")
    return [axis.ravel() for axis in np.indices(lengths)]


NOTHING = Moves([], [], [], [])
