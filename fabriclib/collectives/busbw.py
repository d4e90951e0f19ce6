"""The two bandwidths that nccl-tests prints, and the one table of factors between them.

algbw is bytes over seconds: what a program sees. busbw is algbw times a factor, so that an algorithm which moves no more
bytes through a port than the endpoints' lower bound asks for reads as the rate of that port, whatever the ranks.

busbw is not a wire rate, and may exceed the link, where the algorithm moves another amount: switches that reduce (NVLS,
SHARP) move fewer bytes through each port, a tree all-reduce up to 2 n instead of 2 (p - 1) / p n, and recursive doubling
lg p times n. It then still compares two runs of one collective, but says nothing about a cable.
"""

from __future__ import annotations

from ..checks import MAX_BYTES, known, number, together, whole
from .buffers import COLLECTIVES

_FACTORS = {
    "all_reduce": lambda p: 2 * (p - 1) / p,
    **dict.fromkeys(("all_gather", "reduce_scatter", "all_to_all", "gather", "scatter"), lambda p: (p - 1) / p),
    **dict.fromkeys(("broadcast", "reduce", "send_recv"), lambda p: 1.0 + 0.0 * p),
}


def factor(collective: str, ranks):
    """Return busbw / algbw: the multiple of n that endpoints must pass through each port.

    Raises:
        ValueError: an unknown collective, a barrier (which moves no bytes), or ranks that are not whole and positive.

    >>> factor("all_reduce", 8)
    1.75
    """
    if known("collective", collective, COLLECTIVES) == "barrier":
        raise ValueError(f"collective must move bytes to have a bandwidth: {', '.join(_FACTORS)}; got 'barrier'.")
    return _FACTORS[collective](whole("ranks", ranks))


def algbw(nbytes, seconds):
    """Return bytes per second: *nbytes*, as nccl-tests counts them, over *seconds*.

    Raises:
        ValueError: a size or a time that is not positive.

    >>> algbw(1e9, 0.004)
    250000000000.0
    """
    nbytes, seconds = number("nbytes", nbytes, high=MAX_BYTES), number("seconds", seconds)
    together(nbytes=nbytes, seconds=seconds)
    return nbytes / seconds


def busbw(collective: str, nbytes, seconds, ranks):
    """Return the bus bandwidth in bytes per second, as nccl-tests prints it (its doc/PERFORMANCE.md).

    It equals the rate of a port only where the algorithm moves what `lower_bound` with endpoints asks for, as a ring does;
    with NVLS, SHARP or a tree it is no rate of any wire.

    Args:
        collective: any but barrier.
        nbytes: the total buffer in bytes, as nccl-tests counts it.
        seconds: how long it took.
        ranks: how many ranks.

    Raises:
        ValueError: a barrier, an unknown collective, or values out of range.

    >>> busbw("all_reduce", 1e9, 0.004, ranks=8)
    437500000000.0
    """
    rate, times = algbw(nbytes, seconds), factor(collective, ranks)
    together(nbytes=nbytes, seconds=seconds, ranks=ranks)
    return rate * times
