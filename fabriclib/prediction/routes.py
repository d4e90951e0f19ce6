"""Routes: the ways a real library has of doing a collective on a machine, each with its price.

A route's bytes on the wire come from the library's own entries (`collectives`); here they meet the rates of a machine. Its
latency counts steps in a node, along the chain or ring of GPUs, and hops between nodes, along their tree or ring.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..checks import Numbers
from ..collectives.cost import sent

LINKS, NICS, SWITCH, NOTHING = "the links of each GPU", "the NICs of each node", "the switch ports of each GPU", "latency alone"


class Route(NamedTuple):
    """One way of doing a collective; numbers, or arrays over the numbers of nodes.

    Fields:
        name: the algorithm.
        steps: how many messages follow one another between GPUs of a node.
        hops: how many follow one another between nodes.
        per_byte: seconds for each of the n bytes at the slowest place.
        place: which place that is.
        share: the part of n that one of those messages carries.
        overlapped: whether the hops overlap, so that only posting each one costs, however long its message.
        taken: where the library takes it, when it is fast, without being told to.
    """

    name: str
    steps: Numbers
    hops: Numbers
    per_byte: Numbers
    place: str | np.ndarray
    share: Numbers = 1.0
    overlapped: bool = False
    taken: bool | np.ndarray = True


def _slowest(*places) -> dict:
    """Return the seconds per byte of the slowest of several (place, seconds per byte), and which place it is."""
    names, each = zip(*places, strict=True)
    costs = np.array(np.broadcast_arrays(*each))
    return {"per_byte": costs.max(axis=0), "place": np.array(names)[costs.argmax(axis=0)]}


def _tree_sends(nodes):
    """Return the bytes a node sends in a double tree over nodes, reduce and broadcast, as a multiple of n.

    Each tree carries half of the data. Two nodes: each is root of one tree and leaf of the other, n in all. From four on some
    node has two children in one tree and is a leaf in the other: 2 n.
    """
    return np.minimum(nodes, 4) / 2.0


def _chain_sends(gpus):
    """Return the bytes a GPU sends in the chain of its node, below a tree over nodes, as a multiple of n.

    One inside the chain passes the buffer on twice, up to be reduced and down to be spread; of two GPUs each does it once.
    """
    return np.minimum(gpus - 1, 2.0)


# ------------------------------------------------------------------ inside one node

def _node_all_reduce(r) -> list[Route]:
    ring = sent("all_reduce", "ring", r.gpus) / r.ring
    routes = [Route("ring", 2 * (r.gpus - 1), 0, ring, LINKS)]
    if r.direct:
        routes.append(Route("two_shot", 2, 0, sent("all_reduce", "two_shot", r.gpus) / r.ring, LINKS))
    if np.any(r.nvls):
        # A chain of GPUs, or the switch itself, whose latency does not grow with the GPUs: whichever is faster.
        steps = np.minimum(2 * (r.gpus - 1), r.in_switch / r.step)
        routes.append(Route("nvls", steps, 0, sent("all_reduce", "nvls", r.gpus) / r.nvls, SWITCH,
                            taken=r.gpus >= r.nvls_from))
    return routes


def _node_ring(collective: str):
    def routes(r) -> list[Route]:
        return [Route("direct" if r.direct else "ring", 1 if r.direct else r.gpus - 1, 0,
                      sent(collective, "ring", r.gpus) / r.ring, LINKS)]
    return routes


def _node_pairs(name: str):
    return lambda r: [Route(name, r.at_once, 0, (r.gpus - 1) / r.gpus / r.exchange, LINKS)]


def _node_chain(r) -> list[Route]:
    """NCCL pipelines along a ring that starts, or ends, at the root: every byte passes every link once."""
    return [Route("chain", r.gpus - 1, 0, 1 / r.ring, LINKS)]


NODE = {
    "all_reduce": _node_all_reduce,
    "all_gather": _node_ring("all_gather"),
    "reduce_scatter": _node_ring("reduce_scatter"),
    "all_to_all": _node_pairs("pairwise"),
    "broadcast": _node_chain,
    "reduce": _node_chain,
    "scatter": _node_pairs("flat"),
    "gather": _node_pairs("flat"),
    "barrier": lambda r: [Route("ring", 2 * (r.gpus - 1), 0, 0.0, NOTHING)],
    "send_recv": lambda r: [Route("direct", 1, 0, 1 / r.pair, LINKS)],
}


# ------------------------------------------------------------------ between nodes

def _network_all_reduce(r, nodes) -> list[Route]:
    ranks, up_and_down, depth = r.gpus * nodes, 2 * (r.gpus - 1), 2 * np.log2(nodes)
    ring = sent("all_reduce", "ring", ranks)
    sends = (NICS, _tree_sends(nodes) / r.net)
    # A block passes every edge of the ring, but for the one into its owner, to be reduced, and again to be spread.
    routes = [Route("ring", 2 * (ranks - 1 - nodes), 2 * nodes, **_slowest((LINKS, ring / r.open), (NICS, ring / r.net)))]
    routes.append(Route("tree", up_and_down, depth, **_slowest((LINKS, _chain_sends(r.gpus) / r.tree), sends)))
    # What a node does before and after a network that reduces: by its own switch, where that reduces, else by rings.
    inside = (LINKS, sent("all_reduce", "ring", r.gpus) / r.ring)
    if np.any(r.nvls_tree):
        inside = (SWITCH, sent("all_reduce", "nvls", r.gpus) / r.nvls_tree)
        routes.append(Route("nvls_tree", up_and_down, depth, **_slowest(inside, sends)))
    if r.sharp:
        in_network = (NICS, sent("all_reduce", "sharp", 2) / r.net)
        routes.append(Route("sharp", up_and_down, 2 + 0 * depth, **_slowest(inside, in_network)))
    return routes


def _network_ring(collective: str):
    def routes(r, nodes) -> list[Route]:
        ranks = r.gpus * nodes
        ring = sent(collective, "ring", ranks)
        return [Route("ring", ranks - 1 - nodes, nodes * r.ring_hop, **_slowest((LINKS, ring / r.open), (NICS, ring / r.net)),
                      share=1 / ranks)]
    return routes


def _network_chain(r, nodes) -> list[Route]:
    return [Route("chain", (r.gpus - 1) * nodes, nodes - 1, **_slowest((LINKS, 1 / r.open), (NICS, 1 / r.net)))]


def _network_all_to_all(r, nodes) -> list[Route]:
    """Each GPU posts a message to every GPU of the other nodes; GPUs that share a NIC wait for one another.

    Where GPUs reach one another's NICs over a switch, NCCL gathers what is for the same node into one message (PXN).
    """
    ranks = r.gpus * nodes
    away = ranks - r.gpus
    places = _slowest((LINKS, (r.gpus - 1) / r.gpus / r.exchange), (NICS, away / ranks * r.gpus / r.pairs))
    if r.gathers:
        return [Route("rail_aggregated", r.at_once, nodes - 1, **places, overlapped=True)]
    return [Route("pairwise", r.at_once, r.posting * away, **places, overlapped=True)]


def _network_flat(r, nodes) -> list[Route]:
    """Everything leaves, or reaches, the root through the NIC beside it."""
    ranks = r.gpus * nodes
    away = ranks - r.gpus
    places = _slowest((LINKS, (r.gpus - 1) / ranks / r.ring), (NICS, away / ranks / r.port))
    return [Route("flat", r.at_once, r.posting * away, **places, overlapped=True)]


NETWORK = {
    "all_reduce": _network_all_reduce,
    "all_gather": _network_ring("all_gather"),
    "reduce_scatter": _network_ring("reduce_scatter"),
    "all_to_all": _network_all_to_all,
    "broadcast": _network_chain,
    "reduce": _network_chain,
    "scatter": _network_flat,
    "gather": _network_flat,
    "barrier": lambda r, nodes: [Route("tree", 2 * (r.gpus - 1), 2 * np.log2(nodes), 0.0, NOTHING)],
    "send_recv": lambda r, nodes: [Route("direct", 1, 1, **_slowest((LINKS, 1 / r.pair), (NICS, 1 / r.port)))],
}
