"""What each collective means: where every rank's data starts in its workspace, and where its result ends."""

from __future__ import annotations

import numpy as np

from ..checks import short
from .plan import Plan

EVERYONE_HOLDS_ALL = ("all_reduce", "reduce_scatter", "reduce", "all_to_all", "send_recv")
ROOT_HOLDS_ALL = ("broadcast", "scatter")
EVERYONE_HOLDS_A_BLOCK = ("all_gather", "gather")
COLLECTIVES = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "broadcast", "reduce", "scatter", "gather",
               "barrier", "send_recv")


def split(n: int, parts: int) -> np.ndarray:
    """Return the boundaries of *n* elements cut into *parts* nearly equal pieces: piece i is [b[i], b[i+1]).

    >>> split(10, 4)
    array([ 0,  2,  5,  7, 10])
    """
    return np.arange(parts + 1) * n // parts


def load(schedule: Plan, arrays) -> np.ndarray:
    """Return the workspaces (nodes, slots, elements a chunk) that hold the inputs, zero elsewhere."""
    p, slots = schedule.ranks, schedule.slots
    if schedule.collective == "barrier":
        state = np.zeros((schedule.nodes, slots, 1), dtype=np.int64)
        state[np.arange(p), np.arange(p), 0] = 1
        return state
    inputs = _checked(schedule, arrays)
    n = _length(schedule, inputs)
    place, width = _places(schedule, n)
    kind = np.result_type(*(a for a in inputs if a is not None))
    state = np.zeros((schedule.nodes, slots * width), dtype=kind)
    if schedule.collective in EVERYONE_HOLDS_ALL:
        state[:p, place] = np.stack(inputs)
    elif schedule.collective in ROOT_HOLDS_ALL:
        state[schedule.root, place] = inputs[schedule.root]
    else:
        blocks = split(n, p)
        for rank, block in enumerate(inputs):
            state[rank, place[blocks[rank] : blocks[rank + 1]]] = block
    state = state.reshape(schedule.nodes, slots, width)
    if schedule.destination:
        ranks, slot = np.arange(p)[:, None], np.arange(slots)
        state[:p] = state[ranks, schedule.destination(ranks, slot)]
    return state


def unload(schedule: Plan, arrays, state: np.ndarray) -> list:
    """Return each rank's result, read out of the final workspaces."""
    p, name = schedule.ranks, schedule.collective
    if name == "barrier":
        return [state[rank, :, 0] for rank in range(p)]
    n = _length(schedule, _checked(schedule, arrays))
    place, width = _places(schedule, n)
    if schedule.destination:
        ranks, slot = np.arange(p)[:, None], np.arange(schedule.slots)
        ends, by_source = schedule.destination(ranks, slot), np.empty_like(state[:p])
        by_source[ends, ranks] = state[ends, slot]
        return [by_source[rank, :, :length].ravel() for rank, length in enumerate(np.diff(split(n, p)))]
    flat, blocks = state.reshape(schedule.nodes, -1), split(n, p)
    if name in ("reduce_scatter", "scatter"):
        return [flat[rank, place[blocks[rank] : blocks[rank + 1]]] for rank in range(p)]
    if name in ("reduce", "gather"):
        return [flat[rank, place] if rank == schedule.root else None for rank in range(p)]
    return [flat[rank, place] for rank in range(p)]


def _places(schedule: Plan, n: int) -> tuple[np.ndarray, int]:
    """Return where element i of an n-element buffer lies in a flat workspace, and the elements a chunk has room for."""
    bounds = split(n, schedule.slots)
    width = max(int(np.diff(bounds).max()), 1)
    slot = np.repeat(np.arange(schedule.slots), np.diff(bounds))
    return slot * width + np.arange(n) - bounds[slot], width


def _length(schedule: Plan, inputs) -> int:
    if schedule.collective in EVERYONE_HOLDS_A_BLOCK:
        return sum(len(block) for block in inputs)
    return len(inputs[schedule.root if schedule.collective in ROOT_HOLDS_ALL else 0])


def _checked(schedule: Plan, arrays) -> list:
    name, p = schedule.collective, schedule.ranks
    listed = isinstance(arrays, (list, tuple)) or isinstance(arrays, np.ndarray) and arrays.ndim > 0
    if not listed or len(arrays) != p:
        given = f"{len(arrays)} of them" if listed else short(arrays)
        raise ValueError(f"arrays must be a list of {p} arrays, one a rank; got {given}.")
    needed = [schedule.root] if name in ROOT_HOLDS_ALL else range(p)
    held = {rank: _vector(f"arrays[{rank}]", arrays[rank]) for rank in needed}
    lengths = [len(array) for array in held.values()]
    wanted = np.diff(split(sum(lengths), p)).tolist() if name in EVERYONE_HOLDS_A_BLOCK else lengths[:1] * len(lengths)
    if lengths != wanted:
        raise ValueError(f"arrays must have lengths {wanted} for {name}; got {lengths}.")
    return [held.get(rank) for rank in range(p)]


def _vector(name: str, given) -> np.ndarray:
    try:
        array = np.asarray(given)
    except Exception:  # anything may be passed, such as lists of unlike lengths
        raise ValueError(f"{name} must be one-dimensional and numeric; got {short(given)}.") from None
    if array.ndim != 1 or array.dtype.kind not in "biuf":
        raise ValueError(f"{name} must be one-dimensional and numeric; got {array.dtype} of shape {array.shape}.")
    return array
