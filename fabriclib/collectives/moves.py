"""Moves: the rows of a schedule as NumPy arrays, and the few ways to write and join them."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import ArrayLike

COPY, ADD = 0, 1
MAX_MOVES = 20_000_000


@dataclass(frozen=True, eq=False, init=False)
class Moves:
    """Transfers, one a row, in arrays of one length; what the constructor is given broadcasts.

    In its step, a row takes chunks from *src* and puts them into the same places of *dst*: `op` COPY overwrites, ADD adds.
    All rows of a step read before any of them writes. A row names `size` chunks in a row from `chunk` on (cyclically), and
    that `repeat` times, `stride` chunks apart: what MPI calls a vector type. Rows of one step between the same two
    nodes are one message. `level` says which level of a shaped algorithm pays for the step.
    """

    step: np.ndarray
    src: np.ndarray
    dst: np.ndarray
    chunk: np.ndarray
    op: np.ndarray
    size: np.ndarray
    repeat: np.ndarray
    stride: np.ndarray
    level: np.ndarray

    def __init__(self, step: ArrayLike, src: ArrayLike, dst: ArrayLike, chunk: ArrayLike, op: ArrayLike = COPY,
                 size: ArrayLike = 1, repeat: ArrayLike = 1, stride: ArrayLike = 0, level: ArrayLike = 0):
        given = (step, src, dst, chunk, op, size, repeat, stride, level)
        columns = np.broadcast_arrays(*(np.asarray(column, dtype=np.intp) for column in given))
        for field, column in zip(fields(self), columns, strict=True):
            object.__setattr__(self, field.name, column.reshape(-1))  # one number for all rows stays one

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
        return replace(self, step=self.steps - 1 - self.step, src=self.dst, dst=self.src, op=np.asarray(op))

    def chunks(self, slots: int) -> tuple[np.ndarray, np.ndarray]:
        """Return (row, chunk): every single chunk that moves, and the row that moves it."""
        row = np.repeat(np.arange(len(self)), self.size * self.repeat)
        first = np.cumsum(self.size * self.repeat) - self.size * self.repeat
        nth = np.arange(len(row)) - first[row]
        return row, (self.chunk[row] + nth // self.size[row] * self.stride[row] + nth % self.size[row]) % slots


def grid(*lengths: int) -> list[np.ndarray]:
    """Return index arrays that broadcast to all combinations: `step, rank = grid(steps, ranks)`.

    Raises:
        ValueError: more of them than memory should be asked for.
    """
    if math.prod(lengths) > MAX_MOVES:
        raise ValueError(f"ranks and chunks must give a schedule of at most {MAX_MOVES:.0e} moves; got {math.prod(lengths):.0e}.")
    return list(np.indices(lengths, sparse=True))


NOTHING = Moves([], [], [], [])
