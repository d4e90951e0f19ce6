"""Double binary tree (Sanders, Speck and Traeff, 2009): two trees, each carrying half the vector.

In one binary tree half the ranks are leaves and never send, and an inner rank sends everything twice: 2 n through its port.
Two trees in which no rank is inner twice share that load, and n beta remains. NCCL builds its double trees over servers, with
a chain over the GPUs in each; here the trees are over ranks.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from ..counts import Counts, ceil_lg
from ..entry import Algorithm
from ..moves import ADD, COPY, Moves, grid


def parents(m: int) -> np.ndarray:
    """Return the parents of 1 .. m in the in-order binary tree: leaves are odd, and the parent of the top is 0.

    >>> parents(6)
    array([2, 4, 2, 0, 6, 4])
    """
    v = np.arange(1, m + 1)
    lowest = v & -v
    usual = (v ^ lowest) | (lowest << 1)
    # The top, whose usual parent lies beyond m as well, has no other bit: 0 is left.
    return np.where(usual <= m, usual, v ^ lowest)


def two_trees(m: int) -> tuple[np.ndarray, np.ndarray]:
    """Return (child, parent) of the 2m edges over 0 .. m: m of one tree, then m of the other. 0 feeds both.

    The second tree is the first with the names changed so that odd, the leaves, becomes even: mirrored if m is even, else
    shifted by one.
    """
    child, parent = np.arange(1, m + 1), parents(m)
    other = np.concatenate([[0], m + 1 - child if m % 2 == 0 else child % m + 1])
    return np.concatenate([child, other[child]]), np.concatenate([parent, other[parent]])


def colours(child: np.ndarray, parent: np.ndarray) -> np.ndarray:
    """Return 0 or 1 for each edge, so that the two edges a rank receives on differ, and so do the two it sends on.

    Every edge has a partner at its child, in the other tree. At its parent it has one too, once the edges of parents with a
    single one are paired off at will. Two perfect matchings make cycles of even length; along one, colours take turns.
    """
    edges = np.arange(len(child))
    at_child = np.empty_like(edges)
    by_child = np.argsort(child, kind="stable").reshape(-1, 2)
    at_child[by_child] = by_child[:, ::-1]
    _, sender, many = np.unique(parent, return_inverse=True, return_counts=True)
    by_parent = np.lexsort((sender, many[sender] == 1)).reshape(-1, 2)
    at_parent = np.empty_like(edges)
    at_parent[by_parent] = by_parent[:, ::-1]
    # Two steps along a cycle keep the colour: name each half of a cycle by its smallest edge, doubling the stride.
    stride, name = at_child[at_parent], edges
    for _ in range(ceil_lg(len(edges))):
        name = np.minimum(name, name[stride])
        stride = stride[stride]
    return (name > name[at_child]).astype(int)


def _starts(child: np.ndarray, parent: np.ndarray, colour: np.ndarray) -> np.ndarray:
    """Return the first step of each edge: the first of its colour after the edge above has brought something."""
    m = len(child) // 2
    edge_of = np.empty((2, m + 1), dtype=int)
    edge_of[np.arange(2 * m) // m, child] = np.arange(2 * m)
    above = np.where(parent > 0, edge_of[np.arange(2 * m) // m, parent], -1)
    start = np.where(above < 0, colour, -1)
    while np.any(start < 0):
        ready = (start < 0) & (start[above] >= 0)
        start[ready] = start[above][ready] + 1 + (colour == colour[above])[ready]
    return start


def _moves(p: int, chunks: int = 1, root: int = 0) -> Moves:
    """Each edge moves a chunk of its tree's half in every second step; the colours keep all ports free of clashes."""
    child, parent = two_trees(p - 1)
    start = _starts(child, parent, colours(child, parent))
    chunk, edge = grid(chunks, 2 * (p - 1))
    tree = edge // max(p - 1, 1)
    return Moves(start[edge] + 2 * chunk, (parent[edge] + root) % p, (child[edge] + root) % p, tree * chunks + chunk, COPY)


def _counts(rounds: int, reduces: int):
    def counts(p, chunks=1, root=0):
        steps = 2 * (ceil_lg(p) + chunks) * (p > 1)
        vectors = steps / (2 * chunks)
        return Counts(rounds * steps, rounds * vectors, reduces * vectors)
    return counts


def best_chunks(p, nbytes, alpha, beta):
    """Return sqrt(h n beta / (2 alpha)) chunks a half, h = ceil(log2 p)."""
    return np.sqrt(ceil_lg(p) * np.divide(nbytes * beta, 2 * alpha))


def _all_reduce(p: int, chunks: int = 1) -> Moves:
    down = _moves(p, chunks)
    return down.backwards(ADD).then(down)


_BOUND = "Priced by its bound, 2h + 2k steps of n/(2k) bytes, h = ceil(log2 p), k chunks a half; the schedule takes fewer."
_trees = partial(Algorithm, name="double_tree", source="sanders-2009", best_chunks=best_chunks, exact=False,
                 options=("chunks", "root"), slots=lambda p, chunks=1, root=0: 2 * chunks)

ENTRIES = [
    _trees("broadcast", counts=_counts(1, 0), moves=_moves, note=_BOUND),
    _trees("reduce", counts=_counts(1, 1), moves=lambda p, chunks=1, root=0: _moves(p, chunks, root).backwards(ADD),
           note=_BOUND),
    _trees("all_reduce", counts=_counts(2, 1), moves=_all_reduce, options=("chunks",), note="Reduce, then broadcast. " + _BOUND),
]
