"""Lossless Ethernet: priority flow control (PFC), the room it needs, and whom it stops without cause.

A switch whose buffer fills up tells its neighbour to stop sending one class of traffic (a pause frame). What is under way by
then still arrives and needs room: the headroom. While the neighbour stands still, so does everything behind it.
"""

from __future__ import annotations

import numpy as np

from ..checks import number, plain, together, typed, whole

QUANTUM = 64  # bytes: pauses are counted in times of 512 bits
PAUSE_FRAME = 84  # bytes on the wire: 64 of the frame, 8 before it, 12 between frames


def headroom(rate, metres, mtu, response, *, delay_per_metre, occupancy=1.0):
    """Return the bytes that may still arrive after a switch has decided to pause its neighbour; the worst case.

    The pause frame waits behind a frame just begun, travels, is obeyed *response* seconds later, and by then the neighbour has
    begun one more frame; what left before is on the cable.

    Args:
        rate: bytes per second on the wire.
        metres: length of the cable.
        mtu: bytes of the longest frame.
        response: seconds a port may take to obey: see `response_time`.
        delay_per_metre: seconds a metre of the cable takes.
        occupancy: bytes of buffer that a byte may take: memory is given out in cells, and short frames fill them badly. The
            first frame is a long one, whatever comes later.

    Raises:
        ValueError: a rate, an MTU or a delay that is not positive, negative metres or response, or an occupancy below 1.

    >>> round(headroom(50e9, 100, 4200, 1e-6, delay_per_metre=5e-9))
    108484
    """
    rate, mtu = number("rate", rate), number("mtu", mtu)
    metres, delay = number("metres", metres, zero=True), number("delay_per_metre", delay_per_metre)
    response, occupancy = number("response", response, zero=True), number("occupancy", occupancy, low=1.0, zero=True)
    together(rate=rate, metres=metres, mtu=mtu, response=response, delay_per_metre=delay, occupancy=occupancy)
    return mtu + occupancy * (rate * (2 * metres * delay + response) + mtu + PAUSE_FRAME)


def response_time(quanta, rate):
    """Return the seconds a port may take to obey a pause: *quanta* times 512 bits (IEEE 802.3, annex 31B).

    Raises:
        ValueError: quanta not whole and positive, or a rate that is not positive.

    >>> f"{response_time(905, 50e9) * 1e6:.2f} us"
    '1.16 us'
    """
    quanta, rate = together(quanta=whole("quanta", quanta), rate=number("rate", rate))
    return quanta * QUANTUM / rate


@typed
def victim_rate(rate, hot, shared, *, paused: bool):
    """Return the bytes per second that a flow gets whose own way is free, but which shares an uplink with flows that are not.

    Of *hot* flows to one receiver, *shared* come over the uplink that the victim uses too. Without pauses the hot flows are
    held back one by one, to 1/hot of the receiver's port each, and the victim gets the rest of the uplink. With pauses an uplink
    with hot flows is stopped as a whole, and one queue serves all in turn: the victim goes as slowly as a hot flow.

    Args:
        rate: bytes per second of every port.
        hot: flows to the crowded receiver.
        shared: how many of them share the victim's uplink.
        paused: whether the network pauses ports (PFC) or holds back flows.

    Raises:
        ValueError: a rate that is not positive, flows that are not whole, or more shared ones than hot ones.

    >>> victim_rate(5e9, 4, 2, paused=True), victim_rate(5e9, 4, 2, paused=False)
    (1250000000.0, 2500000000.0)
    """
    rate, hot, shared = together(rate=number("rate", rate), hot=whole("hot", hot), shared=whole("shared", shared, low=0))
    if np.any(shared > hot):
        raise ValueError(f"shared must be at most hot, {np.max(hot)}; got {np.max(shared)}.")
    hot_flow, evenly = rate / hot, rate / (shared + 1)
    stopped = np.where(shared == 0, rate, np.minimum(hot_flow, evenly))
    return plain(stopped if paused else np.maximum(rate - shared * hot_flow, evenly))
