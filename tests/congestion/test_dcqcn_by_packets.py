"""DCQCN packet by packet: an own small simulation of every sender, beside which the smooth model's queue must stand.

Nothing is averaged here. Each sender lets packets go at its rate, from a phase of its own; the port sends one packet a slot and
marks it as it leaves, by the length of the queue; the receiver notifies a flow at once if it has not done so in the interval.
"""

from collections import deque

import numpy as np
import pytest

from fabriclib.congestion import dcqcn

RATE = 5e9  # 40 Gb/s
LIKE = dcqcn.published()


class Sender:
    """The sender of one flow and its receiver's clock, by the rules of Zhu et al. 2015, without hyper increase."""

    def __init__(self):
        self.current = self.target = RATE
        self.alpha, self.notified = 1.0, -np.inf
        self.restart(0.0)

    def restart(self, now):
        self.aged, self.timed, self.sent = now, now, 0.0
        self.by_timer = self.by_bytes = 0

    def cut(self, now):
        self.target, self.current = self.current, self.current * (1 - self.alpha / 2)
        self.alpha += LIKE.gain * (1 - self.alpha)
        self.restart(now)

    def go_on(self, now, nbytes):
        """Let time pass, with so many bytes sent: the estimate falls, and the rate rises by timer and by counter."""
        self.sent += nbytes
        if now - self.aged >= LIKE.alpha_interval:
            self.alpha, self.aged = self.alpha * (1 - LIKE.gain), now
        if now - self.timed >= LIKE.timer:
            self.by_timer, self.timed = self.by_timer + 1, now
            self.rise()
        if self.sent >= LIKE.byte_counter:
            self.by_bytes, self.sent = self.by_bytes + 1, 0.0
            self.rise()

    def rise(self):
        if max(self.by_timer, self.by_bytes) > LIKE.fast_recovery:
            self.target = min(self.target + LIKE.step, RATE)
        self.current = (self.current + self.target) / 2


def queue_by_packets(many, seconds, seed, feedback=4e-6):
    """Return the bytes that wait after every slot, the time that the port takes for a packet."""
    draw = np.random.default_rng(seed)
    slot, senders = LIKE.packet / RATE, [Sender() for _ in range(many)]
    due, waiting, news, seen = draw.random(many).tolist(), deque(), deque(), []
    for step in range(round(seconds / slot)):
        now = step * slot
        while news and news[0][0] <= now:
            senders[news.popleft()[1]].cut(now)
        for number, sender in enumerate(senders):
            due[number] += sender.current / RATE
            if due[number] >= 1:
                due[number] -= 1
                waiting.append(number)
            sender.go_on(now, sender.current * slot)
        if waiting:
            marked = draw.random() < LIKE.marked(len(waiting) * LIKE.packet)
            flow = waiting.popleft()
            if marked and now - senders[flow].notified >= LIKE.cnp_interval:
                senders[flow].notified = now
                news.append((now + feedback, flow))
        seen.append(len(waiting) * LIKE.packet)
    return np.array(seen)


@pytest.mark.parametrize("feedback", [4e-6, 20e-6, 50e-6])
@pytest.mark.parametrize("many", [2, 4, 8, 16, 32])
def test_the_smooth_model_peaks_where_the_packets_do(many, feedback):
    packets = queue_by_packets(many, 0.6e-3, seed=1, feedback=feedback)
    smooth = dcqcn.run(RATE, [RATE] * many, 0.6e-3, feedback=feedback).queue
    assert smooth.max() == pytest.approx(packets.max(), rel=1 / 6)
    # The fewer cuts it takes, the fewer there are to be smeared: with many senders it is nearer still.
    assert many < 16 or smooth.max() == pytest.approx(packets.max(), rel=0.05)


def test_eight_senders_are_through_when_the_packets_are():
    packets = queue_by_packets(8, 1e-3, seed=2)
    smooth = dcqcn.run(RATE, [RATE] * 8, 1e-3).queue
    empty = [np.flatnonzero(queue[1000:] == 0)[0] + 1000 for queue in (packets, np.repeat(smooth, 5))]
    assert empty[0] == pytest.approx(empty[1], rel=0.05)


def test_the_first_cut_is_an_event():
    """All marked from 200 kB on: 8 senders' queue is there after 6 us, news takes 4 us, and each then needs one packet in 8."""
    rates = dcqcn.run(RATE, [RATE] * 8, 0.1e-3).rates[0]
    assert (rates[:10] == RATE).all()
    fall = np.flatnonzero(np.diff(rates) < -0.4 * RATE)
    assert fall.size == 1
    assert 10 <= fall[0] <= 14
    assert rates[fall[0] + 1] == pytest.approx(RATE / 2, rel=0.01)


def test_a_sender_that_no_marked_packet_reaches_does_not_cut():
    assert (dcqcn.run(RATE, [RATE] * 2, 10e-6).rates == RATE).all()


def test_thirty_two_senders_fit_into_a_switch_unless_news_is_late():
    memory = dcqcn.value("trident2-buffer")
    assert dcqcn.run(RATE, [RATE] * 32, 1e-3).queue.max() == pytest.approx(2 / 3 * memory, rel=0.05)
    assert dcqcn.run(RATE, [RATE] * 32, 1e-3, feedback=50e-6).queue.max() > memory
