"""Lossy against lossless: what one lost packet costs a sender that keeps its link full.

Packets are lost independently, each with the same probability; acknowledgements and repeat requests are not lost. The
sender learns of a loss one round trip after it sent the packet, and has kept sending meanwhile.

* *Selective repeat* sends the lost packet again: one packet lost, one sent twice.
* *Go-back-N* lets the receiver throw away whatever comes after the gap, so the sender repeats everything from the lost
  packet on: all that it sent in a round trip. It needs no memory for packets out of order, so RDMA hardware began with it.

Goodput: Bertsekas and Gallager, Data Networks, 2nd ed. (1992), 2.4; Mittal et al., SIGCOMM 2018, for RDMA.
"""

from __future__ import annotations

from ..checks import known, number, together

RECOVERIES = ("go-back-n", "selective-repeat")
MOST_LOSS = 0.5  # beyond, no link is one


def in_flight(rate, rtt, packet):
    """Return how many packets are sent until news of the first one is back: the packet itself and what fits into a round trip.

    Args:
        rate: bytes per second that the packets' contents make on the link.
        rtt: seconds from a packet's last byte sent to its acknowledgement, nothing queued.
        packet: bytes in a packet: the RDMA MTU. Anything broadcasts.

    Raises:
        ValueError: a rate or packet that is not positive, or a negative round trip.

    >>> round(in_flight(50e9, 10e-6, 4096), 1)
    123.1
    """
    rate, rtt, packet = together(rate=number("rate", rate), rtt=number("rtt", rtt, zero=True), packet=number("packet", packet))
    return 1 + rate * rtt / packet


def sent_again(rate, rtt, packet, recovery="go-back-n"):
    """Return the bytes sent again for one lost packet.

    Args:
        rate, rtt, packet: as for `in_flight`.
        recovery: "go-back-n" or "selective-repeat".

    Raises:
        ValueError: a rate or packet that is not positive, a negative round trip, or an unknown recovery.

    >>> round(sent_again(50e9, 10e-6, 4096)), sent_again(50e9, 10e-6, 4096, "selective-repeat")
    (504096, 4096.0)
    """
    return _repeated(rate, rtt, packet, recovery) * number("packet", packet)


def goodput(rate, loss, rtt, packet, recovery="go-back-n"):
    """Return the bytes per second that arrive for good of a sender that never stops.

    With N packets in flight and loss p, a packet costs 1 + N p / (1 - p) packet times under go-back-N (each of the
    p / (1 - p) failures takes N), and 1 / (1 - p) under selective repeat.

    Args:
        rate, rtt, packet: as for `in_flight`.
        loss: the probability that a packet is lost, from 0 to 0.5.
        recovery: "go-back-n" or "selective-repeat".

    Raises:
        ValueError: a rate or packet that is not positive, a negative round trip, a loss above a half, or an unknown recovery.

    >>> [round(goodput(50e9, 1e-3, 10e-6, 4096, how) / 50e9, 3) for how in RECOVERIES]
    [0.89, 0.999]
    """
    packets, loss = _repeated(rate, rtt, packet, recovery), number("loss", loss, high=MOST_LOSS, zero=True)
    together(rate=rate, rtt=rtt, packet=packet, loss=loss)
    return number("rate", rate) * (1 - loss) / (1 - loss + packets * loss)


def tolerated(share, rate, rtt, packet, recovery="go-back-n"):
    """Return the loss probability at which goodput is *share* of the rate: `goodput` solved for the loss.

    Args:
        share: more than 0, at most 1.
        rate, rtt, packet, recovery: as for `goodput`. For selective repeat the answer does not depend on them.

    Raises:
        ValueError: a share that is not from 0 to 1, or what `sent_again` refuses.

    >>> f"{tolerated(0.9, 50e9, 10e-6, 4096):.1e}", f"{tolerated(0.9, 50e9, 10e-6, 4096, 'selective-repeat'):.1e}"
    ('9.0e-04', '1.0e-01')
    """
    packets, share = _repeated(rate, rtt, packet, recovery), number("share", share, high=1.0)
    together(rate=rate, rtt=rtt, packet=packet, share=share)
    return (1 - share) / (1 - share + share * packets)


def _repeated(rate, rtt, packet, recovery: str):
    """The packets sent again for a lost one."""
    packets = in_flight(rate, rtt, packet)
    return packets if known("recovery", recovery, RECOVERIES) == "go-back-n" else 1.0
