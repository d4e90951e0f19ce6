"""Direct algorithms: no chunk passes through a third rank. Everybody to everybody in one step, or one rank to all in turn."""

from __future__ import annotations

from functools import partial

from ..counts import Counts
from ..entry import Algorithm, one_slot
from ..moves import ADD, COPY, Moves, grid


def _pairs(p: int):
    """Return (i, rank, peer) for all p - 1 peers of every rank; the i-th peers of all ranks differ."""
    i, rank = grid(p - 1, p)
    return i, rank, (rank + 1 + i) % p


def reduce_scatter_moves(p: int) -> Moves:
    """Every rank sends chunk d to rank d."""
    _, rank, peer = _pairs(p)
    return Moves(0, rank, peer, peer, ADD)


def all_gather_moves(p: int) -> Moves:
    """Every rank sends its own chunk to all."""
    _, rank, peer = _pairs(p)
    return Moves(0, rank, peer, rank, COPY)


def _two_shot(p: int) -> Moves:
    return reduce_scatter_moves(p).then(all_gather_moves(p))


def _one_shot(p: int, serial: bool = False) -> Moves:
    i, rank, peer = _pairs(p)
    return Moves(i if serial else 0, rank, peer, 0, ADD)


def _all_to_all(p: int) -> Moves:
    """Slot i of a rank holds the block for the rank i further."""
    i, rank, peer = _pairs(p)
    return Moves(0, rank, peer, i + 1, COPY)


def further(p: int):
    """Return (rank, slot) -> the rank *slot* further, whose block an all-to-all keeps there."""
    return lambda rank, slot: (rank + slot) % p


def root_to_all(p: int, root: int = 0, scatter: bool = False) -> Moves:
    """The root sends everything, or to each rank its chunk, to one rank after the other."""
    (i,) = grid(p - 1)
    rank = (root + 1 + i) % p
    return Moves(i, root, rank, rank if scatter else 0, COPY)


_OVERLAP = "Alpha and beta over-charge it: one rank's sends overlap in part, which LogGP sees."
_INCAST = "All send to one port: that is incast, and only an orderly network keeps this rate."
_to_all = partial(Algorithm, source="nccl-sym-kernels", ports="all")
_rooted = partial(Algorithm, source="ompi-coll", options=("root",))

ENTRIES = [
    _to_all("all_reduce", "one_shot", lambda p: Counts(1 * (p > 1), p - 1, p - 1), _one_shot, slots=one_slot,
            note="All-gather of the full vectors, and each rank reduces by itself: one step, p - 1 vectors through a port."),
    Algorithm("all_reduce", "one_shot_serial", lambda p: Counts(p - 1, p - 1, p - 1),
              partial(_one_shot, serial=True), "nccl-sym-kernels", slots=one_slot, keeps_input=True,
              note="As one_shot, with one send after the other."),
    _to_all("all_reduce", "two_shot", lambda p: Counts(2 * (p > 1), 2 * (p - 1) / p, (p - 1) / p), _two_shot,
            note="Direct reduce-scatter, then direct all-gather; a flag or barrier between them comes on top."),
    _to_all("all_gather", "direct", lambda p: Counts(1 * (p > 1), (p - 1) / p, 0.0), all_gather_moves),
    _to_all("reduce_scatter", "direct", lambda p: Counts(1 * (p > 1), (p - 1) / p, (p - 1) / p), reduce_scatter_moves),
    _to_all("all_to_all", "direct", lambda p: Counts(1 * (p > 1), (p - 1) / p, 0.0), _all_to_all, destination=further,
            note="All sends at once; pairwise is the scheduled version."),
    _rooted("broadcast", "flat", lambda p, root=0: Counts(p - 1, p - 1, 0.0), root_to_all, slots=one_slot, note=_OVERLAP),
    _rooted("scatter", "flat", lambda p, root=0: Counts(p - 1, (p - 1) / p, 0.0), partial(root_to_all, scatter=True),
            note=_OVERLAP),
    _rooted("reduce", "flat", lambda p, root=0: Counts(p - 1, p - 1, p - 1),
            lambda p, root=0: root_to_all(p, root).backwards(ADD), slots=one_slot, note=_INCAST),
    _rooted("gather", "flat", lambda p, root=0: Counts(p - 1, (p - 1) / p, 0.0),
            lambda p, root=0: root_to_all(p, root, scatter=True).backwards(COPY), note=_INCAST),
]
