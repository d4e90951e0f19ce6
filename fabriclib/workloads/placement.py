"""Placement: which GPUs a group of ranks gets, and so which wires its traffic takes.

Ranks are numbered axis by axis, the first axis of the order nearest: its groups are neighbours, in one server or rack as long as
that holds them. Every axis further out strides over all before it.
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from ..checks import short
from ..machines import System

ORDER = ("tp", "cp", "dp", "pp")
INSIDE, RAIL, SPINE = "inside a server or rack", "on the rails", "across the spine"


class Group(NamedTuple):
    """Ranks that talk to one another, as arrays over cases.

    Fields:
        size: how many. gpus: of them in one node (a server, or a rack that is one domain). nodes: how many nodes.
        ring, pairs: how many times longer its bytes take on the network than if it had its NICs alone and the spine were as
            wide as the leaves: for a ring, whose neighbours are near, and where all send to all.
        spine: whether it reaches beyond the servers that share a set of leaves.
    """

    size: np.ndarray
    gpus: np.ndarray
    nodes: np.ndarray
    ring: np.ndarray
    pairs: np.ndarray
    spine: np.ndarray


class Network(NamedTuple):
    """The network behind the servers: `pod` nodes share a set of leaves, whose way up is `oversubscription` times narrower."""

    pod: int
    oversubscription: float


def checked_order(order) -> tuple[str, ...]:
    """Return *order* if it names each axis once.

    Raises:
        ValueError: it does not.
    """
    if not isinstance(order, (list, tuple)) or sorted(map(str, order)) != sorted(ORDER):
        raise ValueError(f"order must name {', '.join(ORDER)} once each, the nearest first; got {short(order)}.")
    return tuple(map(str, order))


def groups(system: System, sizes: dict[str, np.ndarray], order: tuple[str, ...], network: Network) -> dict[str, Group]:
    """Return the group of each axis of *sizes*, of "dp+cp" (who hold the same weights), of "ep" and of "edp" (the same experts).

    Experts are spread over the ranks of tp, cp and dp, nearest first; each rank holds whole experts.
    """
    place = functools.partial(_group, system, network)
    strides, stride = {}, np.ones_like(sizes["tp"])
    for axis in order:
        strides[axis] = stride
        stride = stride * sizes[axis]
    found = {axis: place(sizes[axis], strides[axis]) for axis in order}
    near, far = sorted(("dp", "cp"), key=order.index)
    found["dp+cp"] = place(sizes["dp"] * sizes["cp"], np.where(sizes[near] > 1, strides[near], strides[far]))
    plane = [axis for axis in order if axis != "pp"]
    first = strides[plane[0]]
    # Where the stages lie nearer than dp, the plane of experts has holes; its nearest axis says how far apart its ranks are.
    found["ep"] = place(sizes["ep"], first)
    ranks = sizes["tp"] * sizes["cp"] * sizes["dp"] // sizes["ep"]
    found["edp"] = place(ranks, np.where(order.index("pp") < order.index("dp"), strides["dp"], first * sizes["ep"]))
    return found


def _group(system: System, network: Network, size, stride) -> Group:
    if size.max() == 1:
        one = np.ones_like(size)
        return Group(one, one, one, one, one, one < 1)
    gpus = _members(size, np.maximum(system.gpus // stride, 1))
    nodes = size // gpus
    apart = np.maximum(stride // system.gpus, 1)  # nodes from one member's node to the next
    near = np.maximum(network.pod // apart, 1)  # nodes of the group on one set of leaves
    spine = (nodes > 1) & (nodes > near)
    # As many groups as fill a node share its NICs; one GPU alone uses at least one NIC.
    shared = np.maximum(system.gpus / (gpus * max(system.ports, 1)), 1.0)
    over = network.oversubscription
    ring = shared * np.where(spine, np.maximum(over / near, 1.0), 1.0)
    pairs = shared * np.where(spine, np.maximum(over * (1 - near / nodes), 1.0), 1.0)
    return Group(size, gpus, nodes, ring, pairs, spine)


def _members(size, most):
    """Return the largest divisor of *size* that is at most *most*: all nodes of a group hold equally many."""
    if size.size == 1:
        return np.full_like(size, _divisor(int(size.flat[0]), int(most.flat[0])))
    # Few pairs are different: one number stands for each.
    base = int(most.max()) + 1
    pairs, where = np.unique(size * base + most, return_inverse=True)
    return np.array([_divisor(int(pair) // base, int(pair) % base) for pair in pairs])[where]


@functools.lru_cache(maxsize=100_000)
def _divisor(size: int, most: int) -> int:
    return max(one for one in range(1, min(size, most) + 1) if size % one == 0)


def where(group: Group) -> str:
    """Return in words where a group of one case lies."""
    return INSIDE if group.nodes == 1 else SPINE if group.spine else RAIL
