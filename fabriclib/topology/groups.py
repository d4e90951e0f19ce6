"""Groups: entries that share a key, looked up for many keys at once."""

from __future__ import annotations

import numpy as np


class Groups:
    """The positions in *keys* (whole numbers from 0 to below *size*) at which each key stands.

    >>> Groups(np.array([1, 0, 1]), 3).of(np.array([1, 2, 0]))
    (array([0, 0, 2]), array([0, 2, 1]))
    """

    def __init__(self, keys: np.ndarray, size: int):
        self._order = np.argsort(keys, kind="stable")
        self.sizes = np.bincount(keys, minlength=size)
        self._start = np.cumsum(self.sizes) - self.sizes

    def of(self, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return (row, position): for every key wanted[row], each position that holds it."""
        sizes = self.sizes[wanted]
        row = np.repeat(np.arange(len(wanted)), sizes)
        nth = np.arange(len(row)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return row, self._order[self._start[wanted[row]] + nth]
