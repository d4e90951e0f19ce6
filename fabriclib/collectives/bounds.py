"""What no algorithm can beat, under stated assumptions, and how near to it each algorithm comes.

After Chan, Heimlich, Purkayastha and van de Geijn (2007), table 1, and for all_reduce Patarasuk and Yuan (2009). Assumed:

* alpha-beta messages, and a rank whose *ports* send and receive at the same time; beta is what a byte takes through all of
  its ports together, so more ports shorten the start-up and never the bytes.
* reduction="endpoint": only ranks add. "network": switches add and multicast on the way, at no cost.
* Nobody knows more than its own input at the start.

`network_bound` adds what a whole network cannot go below: what must cross the cut that halves it.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..checks import known, number, plain, short, together, whole
from ..topology import Design
from .buffers import COLLECTIVES
from .busbw import factor
from .cost import line
from .counts import checked_bytes
from .registry import algorithm

REDUCTIONS = ("endpoint", "network")
REDUCING = ("reduce", "reduce_scatter", "all_reduce")
# The buffers that cross a cut one way, at the least, with near ranks of one side and far ones of the other: partial sums, or
# blocks that the other side has to have.
CROSSING: dict[str, Callable[[int, int], float]] = {
    "all_to_all": lambda near, far: near * far / (near + far),
    "all_gather": lambda near, far: max(near, far) / (near + far),
    "reduce_scatter": lambda near, far: max(near, far) / (near + far),
    "all_reduce": lambda near, far: 1.0,
}


def lower_bound(collective, *, nbytes=None, ranks, alpha, beta, gamma=0.0, ports=1, reduction="endpoint"):
    """Return seconds that no algorithm can go below: the largest of a latency, a bandwidth and a compute term.

    * latency: after j steps, data of one rank can be at (ports + 1)**j ranks: ceil(log_{ports+1} p) alpha. Switches that
      multicast reach all at once, and send_recv has one neighbour to reach: one alpha.
    * bandwidth: what must pass through one rank's port: the busbw factor times n beta. Switches that add save all_reduce its
      second half: n beta, since every rank must still send all of its vector or receive all of the others' sums.
    * compute: all_reduce, reduce and reduce_scatter add (p - 1) n elements, at best p ranks at a time: (p - 1) / p n gamma;
      nothing where switches add.

    The terms are not added: no single algorithm meets all three at once in general. One rank needs no time.

    Args:
        collective: as in `algorithms(collective)`.
        nbytes: the total buffer in bytes, as nccl-tests counts it; a barrier has none.
        ranks: how many ranks.
        alpha, beta, gamma: seconds per message, per byte through the whole of a rank's ports, and per byte reduced.
        ports: messages a rank can send, and receive, at once: a whole number or "all".
        reduction: "endpoint" or "network".

    All numbers may be arrays; they broadcast.

    Raises:
        ValueError: an unknown collective or reduction, or values out of range.

    >>> lower_bound("all_reduce", nbytes=8e9, ranks=8, alpha=0.0, beta=1 / 450e9)
    0.03111111111111111
    """
    known("collective", collective, COLLECTIVES)
    known("reduction", reduction, REDUCTIONS)
    n, p = checked_bytes(collective, nbytes), whole("ranks", ranks)
    alpha, beta, gamma = (number(name, value, zero=True)
                          for name, value in (("alpha", alpha), ("beta", beta), ("gamma", gamma)))
    ports = _ports(ports, p)
    together(nbytes=n, ranks=p, alpha=alpha, beta=beta, gamma=gamma, ports=ports)
    steps, passed, reduced = _least(collective, p, ports, in_network=reduction == "network")
    seconds = np.maximum(np.maximum(steps * alpha, passed * beta * n), reduced * gamma * n)
    return plain(seconds * (p > 1))


def _ports(ports, ranks):
    if isinstance(ports, str):
        if ports != "all":
            raise ValueError(f"ports must be a whole number or 'all'; got {short(ports)}.")
        return ranks
    return whole("ports", ports)


def _least(collective: str, p, ports, in_network: bool) -> tuple:
    """Return the least that the messages one after the other, and the bytes passed and reduced as multiples of n, can be."""
    steps = 1 if in_network or collective == "send_recv" else _steps(p, ports)
    passed = 0.0 if collective == "barrier" else 1.0 if in_network and collective == "all_reduce" else factor(collective, p)
    return steps, passed, 0.0 if in_network or collective not in REDUCING else (p - 1) / p


def _steps(p, ports):
    """Return ceil(log_{ports+1} p) exactly: how often the ranks reached must be multiplied to be all."""
    reached, steps = np.ones_like(p + ports, dtype=float), 0
    while np.any(reached < p):
        steps = steps + (reached < p)
        reached = reached * (ports + 1)
    return steps


def network_bound(collective, design: Design, *, nbytes, reduction="endpoint"):
    """Return the seconds that no algorithm on a whole network goes below: of its ports and of its cut, start-up left out.

    Every GPU of *design* is a rank. Through its own ports goes what `lower_bound` says; across the cut that halves the servers
    (`design.cut`) go near * far / p buffers of an all_to_all, one buffer of an all_reduce, and the larger side's share of an
    all_gather or reduce_scatter. An all_to_all along all shortest paths meets the bound on one switch tier, on tiers without
    oversubscription and on a torus; a ring meets it for all_reduce where rings use all ports.

    Args:
        collective: "all_to_all", "all_reduce", "all_gather" or "reduce_scatter".
        design: from `fabric_counts`.
        nbytes: the total buffer in bytes, as nccl-tests counts it; may be an array.
        reduction: "endpoint", or "network" where switches add.

    Raises:
        ValueError: another collective, no design, an unknown reduction, or a size out of range.

    >>> from fabriclib.topology import fabric_counts
    >>> round(network_bound("all_to_all", fabric_counts("gb200-nvl72"), nbytes=1e9), 7)
    0.0010957
    >>> network_bound("all_to_all", fabric_counts("tpu-v5p-pod"), nbytes=1e9)
    0.035
    """
    known("collective", collective, CROSSING)
    if not isinstance(design, Design):
        raise ValueError(f"design must be what fabric_counts returns; got {short(design)}.")
    ports = lower_bound(collective, nbytes=nbytes, ranks=design.gpus, alpha=0.0, beta=1 / design.gpu_rate, reduction=reduction)
    crossing = CROSSING[collective](design.near, design.gpus - design.near) * number("nbytes", nbytes) / design.cut
    return plain(np.maximum(ports, crossing))


def efficiency(collective, algorithm_name, *, nbytes=None, ranks, alpha, beta, gamma=0.0, dims=None, chunks=None, root=None):
    """Return how much of an algorithm's time the lower bound explains: 1 at the bound, less further away.

    The bound is the one for the algorithm's own assumptions: how many ports it uses, and where it reduces. Arguments are
    those of `collective_time` but levels. Where both are zero (one rank, say) the answer is 1.

    Raises:
        ValueError: what `collective_time` and `lower_bound` refuse.

    >>> efficiency("all_reduce", "ring", nbytes=1e9, ranks=8, alpha=0.0, beta=1 / 450e9)
    1.0
    """
    entry = algorithm(collective, algorithm_name)
    n = checked_bytes(collective, nbytes)
    start, per_byte = line(entry, n, ranks, alpha, beta, gamma, dims=dims, chunks=chunks, root=root)
    bound = lower_bound(collective, nbytes=nbytes, ranks=ranks, alpha=alpha, beta=beta, gamma=gamma, ports=entry.ports,
                        reduction=entry.reduction)
    seconds = np.asarray(n * per_byte + start, dtype=float)
    ratio = np.divide(bound, seconds, out=np.ones(np.broadcast(bound, seconds).shape), where=seconds > 0)
    return plain(ratio)
