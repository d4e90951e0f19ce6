"""Many senders, one receiver; and more traffic down than there is up. What waits, how long, and in how large a buffer.

All ports have one rate, in bytes per second and direction; senders start together at full rate. Everything broadcasts.
"""

from __future__ import annotations

import numpy as np

from ..checks import number, plain, together, whole


def queue_growth(senders, rate):
    """Return the bytes per second at which the queue before the receiver's port grows: (senders - 1) * rate.

    Raises:
        ValueError: senders not whole and positive, or a rate that is not positive.

    >>> queue_growth(8, 50e9)
    350000000000.0
    """
    senders, rate = together(senders=whole("senders", senders), rate=number("rate", rate))
    return (senders - 1) * rate


def lossless_buffer(senders, nbytes, rate, reaction):
    """Return the buffer in bytes that loses nothing, if the senders obey *reaction* seconds after the queue begins.

    The smaller of what piles up until then and what piles up at all: while senders send their nbytes each, one leaves.

    Args:
        senders, rate: as for `queue_growth`.
        nbytes: what each sender sends.
        reaction: the seconds until a sender obeys: a round trip for congestion control, a cable and a pause for PFC.

    Raises:
        ValueError: senders not whole and positive, bytes or a rate that are not positive, or a negative reaction.

    >>> round(lossless_buffer(8, 1e6, 50e9, 10e-6)), round(lossless_buffer(8, 1e5, 50e9, 10e-6))
    (3500000, 700000)
    """
    senders, nbytes, rate, reaction = together(senders=whole("senders", senders), nbytes=number("nbytes", nbytes),
                                               rate=number("rate", rate), reaction=number("reaction", reaction, zero=True))
    return plain((senders - 1) * np.minimum(nbytes, rate * reaction))


def oversubscribed_share(ratio, leaving):
    """Return the share of its port's rate that a flow which leaves the pod gets, where *ratio* times as much goes down as up.

    Args:
        ratio: capacity down over capacity up of a switch or pod: 7 for what is written 7:1, and also 1:7. At least 1.
        leaving: the share of the traffic that leaves, from 0 to 1.

    Raises:
        ValueError: a ratio below 1, or *leaving* not from 0 to 1.

    >>> round(oversubscribed_share(7, 1.0), 3), oversubscribed_share(7, 0.1)
    (0.143, 1.0)
    """
    ratio, leaving = together(ratio=number("ratio", ratio, low=1.0, zero=True),
                              leaving=number("leaving", leaving, high=1.0, zero=True))
    return plain(1 / np.maximum(1.0, ratio * leaving))
