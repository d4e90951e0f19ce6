"""What a collective takes on the wires of a group: asked of `predict`, once for each shape of a group, and read off between.

A training step asks for thousands of cases that differ in bytes and nodes only. `predict` is asked for a table over both, two
sizes an octave and four numbers of nodes an octave, and what lies between is interpolated on logarithmic axes.
"""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from ..checks import LEAST
from ..machines import Launcher, System
from ..prediction import predict
from ..prediction.cases import MAX_NODES
from .placement import Group

PER_OCTAVE = 2
QUEUED = Launcher("queued", "kernels that wait in a queue: a training step launches them ahead of time")
_SIZES = 2.0 ** np.arange(0, 46 + 1 / PER_OCTAVE, 1 / PER_OCTAVE)
_NODES = np.unique(np.concatenate([np.round(2.0 ** np.arange(0, 16.5, 0.25)).astype(int), [MAX_NODES]]))
_LOG_NODES = np.log2(_NODES)


def seconds(system: System, collective: str, nbytes, group: Group) -> np.ndarray:
    """Return the seconds of a *collective* of *nbytes* (as nccl-tests counts them) in a *group*, each an array over cases.

    0 where there is nothing to send or nobody to send it to.
    """
    if group.size.max() == 1:
        return np.zeros(group.size.shape)
    load = group.pairs if collective == "all_to_all" else group.ring
    size = np.where(group.nodes > 1, nbytes * load, nbytes)
    found = np.zeros(size.shape)
    busy = (group.size > 1) & (size > 0)
    if not busy.any():
        return found
    if size.size == 1:
        return _read(_table(system, collective, int(group.gpus[0])), size, group.nodes)
    for gpus in set(np.unique(group.gpus[busy]).tolist()):
        some = busy & (group.gpus == gpus)
        found[some] = _read(_table(system, collective, gpus), size[some], group.nodes[some])
    return found


def _read(table: np.ndarray, size, nodes) -> np.ndarray:
    """Return the seconds out of *table* for sizes and nodes; above its last size time grows as the bytes do."""
    x = np.log2(np.maximum(size, 1.0)) * PER_OCTAVE
    column = np.minimum(x.astype(int), _SIZES.size - 2)
    right = np.minimum(x - column, 1.0)
    y = np.log2(nodes)
    row = np.minimum(np.searchsorted(_LOG_NODES, y, side="right"), _NODES.size - 1) - 1
    down = (y - _LOG_NODES[row]) / (_LOG_NODES[row + 1] - _LOG_NODES[row])
    upper = table[row, column] * (1 - right) + table[row, column + 1] * right
    lower = table[row + 1, column] * (1 - right) + table[row + 1, column + 1] * right
    return np.exp2(upper * (1 - down) + lower * down) * np.maximum(size / _SIZES[-1], 1.0)


@functools.lru_cache(maxsize=1000)
def _table(system: System, collective: str, gpus: int) -> np.ndarray:
    """Return the base-2 logarithm of the seconds over _NODES and _SIZES, of *gpus* in use of each node."""
    # A few GPUs of each of many racks are no compute trays that fill racks: each rack is a node of its own.
    machine = dataclasses.replace(system, server_gpus=system.gpus) if gpus <= system.server_gpus else system
    nodes = _NODES if machine.port else _NODES[:1]
    many = np.asarray(predict(machine, collective, _SIZES, nodes[:, None], gpus, launcher=QUEUED).seconds)
    return np.log2(np.maximum(np.broadcast_to(many, (_NODES.size, _SIZES.size)), LEAST))  # one GPU alone takes no time
