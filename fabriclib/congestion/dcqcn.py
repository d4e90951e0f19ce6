"""ECN and DCQCN as a fluid: how senders that share one port slow down when its queue marks packets, and what the queue does.

The switch marks packets, the more the longer its queue (ECN). A receiver of marked packets notifies the sender, who cuts its
rate by half of its estimate of the congestion and then comes back: half way to where it was, five times, and from then on step
by step. Equations: Zhu et al., SIGCOMM 2015, section 5; equilibrium: Zhu et al., CoNEXT 2016, theorem 1.

The first cut of each sender is an event. The equations spread every cut over the interval between notifications, but a receiver
that has not notified for so long does it at once, at the first marked packet: after a shock that is what decides how far the
queue rises. It comes when one marked packet has arrived on average; packets are marked as they leave the port, and a flow has its
share of it. Beside a simulation of every packet the queue's peak is within a sixth, from 2 to 32 senders.

What is simplified. But for that, rates and queue are smooth averages; no single packet or notification exists. All senders are
equally far away. Neither the phase of hyper increase nor the receiver's limit on notifications of many flows together is
modelled. A pause holds the queue at its threshold, as if it acted at once, and the senders' timers run on meanwhile.
"""

from __future__ import annotations

import functools
import math
import operator
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from .. import catalog
from ..checks import MOST, count, number, short, single, typed

STEP = 1e-6  # seconds: of the integration, small against every interval of the protocol
MOST_STEPS = 250_000  # times the kinds of senders
MOST_RATE = 1e15  # bytes per second
LEAST_STEP, LONGEST_STEP = 1e-8, 10e-6  # seconds: beyond, the intervals of the protocol are no longer many steps
ROUNDING = 1e-9  # seconds
LEAST_RATE = 1e-4  # of a port: what is left of a rate that is cut again and again
_MAY_BE_ZERO = ("kmin", "fast_recovery")


@typed
@dataclass(frozen=True)
class Parameters:
    """The settings of switch, receiver and sender: bytes, seconds, bytes per second. `published()` has the paper's.

    Raises:
        ValueError: a setting that is not positive (kmin and fast_recovery may be zero), pmax or gain above 1, kmin above kmax.
    """

    kmin: float
    kmax: float
    pmax: float
    gain: float
    cnp_interval: float
    alpha_interval: float
    timer: float
    byte_counter: float
    step: float
    fast_recovery: float
    packet: float

    _example = "published()"

    def __post_init__(self) -> None:
        most = {"pmax": 1.0, "gain": 1.0, "kmin": self.kmax}
        for field in fields(self):
            number(field.name, getattr(self, field.name), high=most.get(field.name, MOST), zero=field.name in _MAY_BE_ZERO)

    def marked(self, queue: float) -> float:
        """Return the probability that a packet is marked when it meets *queue* bytes.

        Raises:
            ValueError: *queue* is negative.

        >>> published().marked(102.5e3), published().marked(300e3)
        (0.005, 1.0)
        """
        queue = single("queue", number("queue", queue, zero=True))
        if queue <= self.kmin:
            return 0.0
        return 1.0 if queue > self.kmax else (queue - self.kmin) / (self.kmax - self.kmin) * self.pmax


@functools.cache
def published() -> Parameters:
    """Return the parameters of Zhu et al. 2015 for ports of 40 Gb/s, from data/congestion.csv.

    >>> published().gain
    0.00390625
    """
    return Parameters(**{field.name: value(f"dcqcn-{field.name.replace('_', '-')}") for field in fields(Parameters)})


def value(id: str) -> float:  # noqa: A002 - the column is called id
    """Return the row *id* of data/congestion.csv in SI base units.

    Raises:
        ValueError: an unknown id; the nearest are suggested.

    >>> value("dcqcn-step"), value("trident2-buffer")
    (5000000.0, 12000000.0)
    """
    return catalog.row("congestion", id)["value"]


class Trace(NamedTuple):
    """What happened at each time: rates (a row a sender), bytes in the queue, whether the port paused its senders."""

    time: np.ndarray
    rates: np.ndarray
    queue: np.ndarray
    paused: np.ndarray


@typed
def run(rate, start, seconds, *, feedback=4e-6, threshold=math.inf, parameters: Parameters | None = None) -> Trace:
    """Return how rates and queue of one port evolve under DCQCN, by Euler steps.

    Args:
        rate: bytes per second of every port.
        start: each sender's rate at the beginning, from a ten-thousandth of *rate* to all of it: as fast as its port allows.
        seconds: how long, a quarter of a second at most, in steps of a microsecond; or an array of the times themselves, from 0
            upwards, whose gaps are the steps: none longer than 10 us.
        feedback: seconds from a mark to the sender that hears of it, at most a second.
        threshold: bytes in the queue at which the port pauses its senders (PFC); infinite for a buffer without end.
        parameters: the protocol's; those of the paper by default.

    Raises:
        ValueError: a number outside its range.

    >>> float(run(5e9, [5e9] * 8, 0.001).queue.max().round(-5)) / 1e6
    1.2
    """
    cut, times = parameters or published(), _times(seconds)
    rate = _rate(rate, cut)
    feedback = single("feedback", number("feedback", feedback, high=1.0, zero=True))
    if not (isinstance(threshold, float) and threshold == math.inf):
        threshold = single("threshold", number("threshold", threshold))
    # Senders that start alike stay alike: one of each kind is enough.
    start = np.ravel(number("start", start, low=LEAST_RATE * rate, high=rate, zero=True))
    kinds, kind, many = np.unique(start, return_inverse=True, return_counts=True)
    if len(kinds) * len(times) > MOST_STEPS:
        raise ValueError(f"start must have at most {MOST_STEPS // len(times)} different rates for {len(times)} steps; "
                         f"got {len(kinds)}.")
    rates, queues, paused = _integrate(cut, rate / cut.packet, (kinds / cut.packet).tolist(), many.tolist(), times.tolist(),
                                       feedback, threshold)
    return Trace(times, np.array(rates).T[kind] * cut.packet, np.array(queues), np.array(paused))


def _rate(rate, cut: Parameters) -> float:
    return single("rate", number("rate", rate, low=cut.packet, high=MOST_RATE, zero=True))


def _times(seconds) -> np.ndarray:
    seconds = number("seconds", seconds, zero=isinstance(seconds, np.ndarray))
    if isinstance(seconds, float):
        return np.arange(count("seconds / STEP", round(seconds / STEP), low=2, high=MOST_STEPS)) * STEP
    gaps = np.diff(seconds)
    fine = seconds.ndim == 1 and 2 <= len(seconds) <= MOST_STEPS and seconds[0] == 0 and (
        gaps.min() >= LEAST_STEP - ROUNDING and gaps.max() <= LONGEST_STEP + ROUNDING)
    if not fine:
        raise ValueError(f"seconds must rise from 0 in 1 to {MOST_STEPS - 1} steps from {LEAST_STEP:g} to {LONGEST_STEP:g} s; "
                         f"got {short(seconds)}.")
    return seconds


class _Sender(NamedTuple):
    """Rate and target rate (packets a second), estimate of the congestion, and marked packets missing until the first cut."""

    current: float
    target: float
    alpha: float = 1.0
    missing: float = 1.0


def _integrate(cut: Parameters, port: float, start: list, many: list, times: list, feedback: float, threshold: float):
    """For each time: rates of each kind of sender (packets a second), queue (bytes), whether it passed the threshold."""
    senders, queue, then = [_Sender(each, each) for each in start], 0.0, 0
    rates, queues, paused = [], [], []
    for now, following in zip(times, [*times[1:], 2 * times[-1] - times[-2]], strict=True):
        step, heard = following - now, now - feedback + ROUNDING
        rates.append([sender.current for sender in senders])
        queues.append(queue)
        while then + 1 < len(rates) and times[then + 1] <= heard:
            then += 1
        mark, seen = cut.marked(queues[then]), rates[then]
        # While more comes in than out, only so much of what was sent then has left the port.
        through = min(1.0, port / sum(map(operator.mul, many, seen)))
        queue += step * (sum(map(operator.mul, many, rates[-1])) - port) * cut.packet
        paused.append(queue > threshold)
        queue = min(max(queue, 0.0), threshold)
        senders = [_next(cut, sender, each, mark, mark * each * through, port, step)
                   for sender, each in zip(senders, seen, strict=True)]
    return rates, queues, paused


def _next(cut: Parameters, sender: _Sender, seen: float, mark: float, marked: float, port: float, step: float) -> _Sender:
    """The sender a step later. *seen*, *mark* and *marked* (marked packets a second that arrive) are what the feedback tells."""
    current, target, alpha, missing = sender
    noticed, up, on = _events(cut, seen, mark)
    if missing > 0:  # the receiver has not notified yet: the first marked packet makes it, at once
        missing -= step * marked
        if missing <= 0:
            current, target = current * (1 - alpha / 2), current
        noticed = 0.0
    gap = target - current
    d_current = -current * alpha / (2 * cut.cnp_interval) * noticed + gap / 2 * seen * up
    d_target = -gap / cut.cnp_interval * noticed + cut.step / cut.packet * seen * on
    d_alpha = cut.gain / cut.alpha_interval * (_at_least_one(mark, cut.alpha_interval * seen) - alpha)
    least = LEAST_RATE * port
    return _Sender(min(max(current + step * d_current, least), port), min(max(target + step * d_target, least), port),
                   alpha + step * d_alpha, missing)


def _events(cut: Parameters, seen: float, mark: float) -> tuple[float, float, float]:
    """Chance of a notification in its interval; raises of the rate a packet, by counter and timer: all, and after recovery."""
    if mark == 0 or mark == 1:
        up = (cut.packet / cut.byte_counter + 1 / (cut.timer * seen)) * (1 - mark)
        return mark, up, up
    up = on = 0.0
    for length in (cut.byte_counter / cut.packet, cut.timer * seen):
        exponent = -length * math.log1p(-mark)
        # Ends of runs of that length without a mark, a packet: p / ((1 - p)**-length - 1); one too long never happens.
        ends = mark / math.expm1(exponent) if exponent < 700 else 0.0
        up += ends
        on += ends * (1 - mark) ** (cut.fast_recovery * length)
    return _at_least_one(mark, cut.cnp_interval * seen), up, on


def _at_least_one(mark: float, packets: float) -> float:
    return mark if mark == 0 or mark == 1 else 1 - (1 - mark) ** packets


@typed
def equilibrium(rate, flows, parameters: Parameters | None = None) -> tuple[float, float]:
    """Return (marking probability, queue in bytes) at which *flows* equal rates stand still: the equations, solved by bisection.

    Where more marks are needed than pmax, no queue up to kmax gives them: the queue is kmax then, and it does not stand still.

    Raises:
        ValueError: a rate below 1000 bytes per second, or a number of flows that is not whole and positive.

    >>> mark, queue = equilibrium(5e9, 2)
    >>> round(mark, 5), round(queue)
    (0.00078, 20151)
    """
    flows, cut = count("flows", flows), parameters or published()
    rate = _rate(rate, cut)
    seen, low, high = rate / flows / cut.packet, 0.0, 1.0

    def too_many(mark: float) -> bool:
        noticed, up, on = _events(cut, seen, mark)
        alpha = _at_least_one(mark, cut.alpha_interval * seen)
        return alpha * noticed**2 / cut.cnp_interval**2 > cut.step / cut.packet * seen * up * on

    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if too_many(middle) else (middle, high)
    return high, cut.kmin + min(high / cut.pmax, 1.0) * (cut.kmax - cut.kmin)
