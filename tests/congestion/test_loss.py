"""What a lost packet costs: the closed forms against a sender simulated packet by packet."""

import numpy as np
import pytest

from fabriclib.congestion import loss

RATE, PACKET = 50e9, 4096
WIRE = {"rate": RATE, "rtt": 10e-6, "packet": PACKET}


def sent(packets, p, window, recovery, seed):
    """Send *packets* one a slot; return the slots until all have arrived. News of a loss is back *window* - 1 slots after it."""
    rng = np.random.default_rng(seed)
    if recovery == "selective-repeat":
        return int(rng.geometric(1 - p, packets).sum())
    slots = arrived = 0
    while arrived < packets:
        if rng.random() < p:
            slots += window  # this one and all that were sent before the news: every one is thrown away
        else:
            slots, arrived = slots + 1, arrived + 1
    return slots


@pytest.mark.parametrize("recovery", loss.RECOVERIES)
@pytest.mark.parametrize(("p", "window"), [(0.1, 3), (0.02, 20), (0.3, 8)])
def test_goodput_is_what_a_simulated_sender_gets(p, window, recovery):
    packets = 40_000
    rtt = (window - 1) * PACKET / RATE
    share = loss.goodput(RATE, p, rtt, PACKET, recovery) / RATE
    assert packets / sent(packets, p, window, recovery, seed=1) == pytest.approx(share, rel=0.03)


def test_without_loss_nothing_is_lost():
    for recovery in loss.RECOVERIES:
        assert loss.goodput(RATE, 0.0, 10e-6, PACKET, recovery) == RATE


def test_in_a_round_trip_of_nothing_both_are_one():
    assert loss.goodput(RATE, 0.2, 0.0, PACKET) == loss.goodput(RATE, 0.2, 0.0, PACKET, "selective-repeat")


def test_a_lost_packet_costs_go_back_n_a_round_trip_of_bytes():
    """400 Gb/s and 10 us: half a megabyte for a packet of 4 KiB."""
    again = loss.sent_again(**WIRE)
    assert again == pytest.approx(50e9 * 10e-6 + 4096)
    assert loss.sent_again(**WIRE, recovery="selective-repeat") == 4096
    # Few losses: the price of each is what it makes the sender send again.
    rare = 1e-7
    assert 1 - loss.goodput(loss=rare, **WIRE) / RATE == pytest.approx(rare * again / PACKET, rel=1e-4)


def test_larger_packets_suffer_less_at_equal_loss_and_more_distance_hurts():
    sizes = loss.goodput(RATE, 1e-3, 10e-6, np.array([1024, 2048, 4096]))
    assert (np.diff(sizes) > 0).all()
    distance = loss.goodput(RATE, 1e-3, np.array([2e-6, 20e-6, 200e-6]), PACKET)
    assert (np.diff(distance) < 0).all()


@pytest.mark.parametrize("recovery", loss.RECOVERIES)
def test_tolerated_is_the_inverse_of_goodput(recovery):
    shares = np.array([0.99, 0.9, 0.6])
    bearable = loss.tolerated(shares, recovery=recovery, **WIRE)
    assert loss.goodput(loss=bearable, recovery=recovery, **WIRE) / RATE == pytest.approx(shares)
    assert loss.tolerated(1.0, recovery=recovery, **WIRE) == 0


def test_it_broadcasts():
    grid = loss.goodput(RATE, np.array([1e-4, 1e-3])[:, None], np.array([1e-6, 1e-5, 1e-4]), PACKET)
    assert grid.shape == (2, 3)
    assert grid[1, 1] == loss.goodput(RATE, 1e-3, 1e-5, PACKET)


@pytest.mark.parametrize(("call", "said"), [
    (lambda: loss.goodput(RATE, 0.6, 1e-5, PACKET), "loss must be a number at least 0 and at most 0.5; got 0.6"),
    (lambda: loss.goodput(RATE, 0.1, 1e-5, PACKET, "go-back"), "Did you mean 'go-back-n'"),
    (lambda: loss.in_flight(0, 1e-5, PACKET), "rate must be"),
    (lambda: loss.in_flight(RATE, -1, PACKET), "rtt must be"),
    (lambda: loss.tolerated(1.1, **WIRE), "share must be"),
    (lambda: loss.goodput(RATE, [0.1] * 2, [1e-6] * 3, PACKET), "^rtt and loss must have shapes that broadcast; got"),
    (lambda: loss.tolerated([0.9] * 2, RATE, 1e-6, [PACKET] * 3), "^packet and share must have shapes that broadcast; got"),
    (lambda: loss.tolerated([0.9] * 2, [RATE] * 3, 1e-6, PACKET), "^rate and share must have shapes that broadcast; got"),
])
def test_what_makes_no_sense_is_refused(call, said):
    with pytest.raises(ValueError, match=said):
        call()
