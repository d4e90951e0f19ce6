"""Rings through the GPUs of a cluster, in good orders and in bad ones, and what an all-reduce takes in each."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib.topology import rail_rings

from .tables import BUFFER, PLACES, around, network

ALONG, BY_SERVER, SHUFFLED, DEALT, ANYWHERE = ORDERS = [
    "along the rails", "server by server", "servers shuffled", "dealt out in turn", "GPUs shuffled"]
_NARROW = {"gpu switch": "NVLink", "gpu leaf": "the NICs", "leaf spine": "the uplinks"}


def ring_orders(servers) -> np.ndarray:
    """Return eight orders of the GPUs, one a ring, through whole servers, in the order given.

    Each ring leaves a server from another GPU, so that together they use all NICs.

    >>> ring_orders([0, 1])[1].tolist()
    [1, 2, 3, 4, 5, 6, 7, 0, 9, 10, 11, 12, 13, 14, 15, 8]
    """
    gpus = np.asarray(servers)[:, None] * PLACES + np.arange(PLACES)
    return np.stack([np.roll(gpus, -start, axis=1).ravel() for start in range(PLACES)])


def orders(way: str, servers: int, draw: int) -> np.ndarray:
    """Return eight ring orders: a row a ring, each naming every GPU once.

    "along the rails" leaves every server on the rail on which it enters the next.
    "dealt out in turn" is what a launcher does that gives rank 0 to the first server, rank 1 to the second, and so on.
    """
    rng, gpus = np.random.default_rng(draw), PLACES * servers
    if way == DEALT:
        one = np.arange(gpus).reshape(servers, PLACES).T.ravel()
        return np.stack([np.roll(one, -start * servers) for start in range(PLACES)])
    if way == ANYWHERE:
        return np.stack([rng.permutation(gpus) for _ in range(PLACES)])
    if way == ALONG:
        return np.array(rail_rings(network("rail-optimised", servers, 1)))
    return ring_orders(rng.permutation(servers) if way == SHUFFLED else np.arange(servers))


@functools.cache
def placed(way: str, kind: str, servers: int, oversubscription: int, draw: int) -> tuple[float, str]:
    """Return (seconds, what is narrowest) of an all-reduce of 1 GiB by eight rings in the order *way*."""
    graph = network(kind, servers, oversubscription).folded
    (start, per_byte), tight = around(graph, orders(way, servers, draw))
    ends = " ".join(sorted({str(graph.kinds[graph.src[tight]]), str(graph.kinds[graph.dst[tight]])}))
    return start + per_byte * BUFFER, _NARROW[ends]
