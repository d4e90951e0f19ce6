"""ECN and DCQCN as a fluid: how senders that share one port slow down when its queue marks packets, and what the queue does.

The switch marks packets, the more the longer its queue (ECN). A receiver of marked packets notifies the sender, who cuts its
rate by half of its estimate of the congestion and then comes back: half way to where it was, five times, and from then on step
by step. Equations: Zhu et al., SIGCOMM 2015, section 5; equilibrium: Zhu et al., CoNEXT 2016, theorem 1.

What is simplified. Rates and queue are smooth averages; no single packet or notification exists. All senders are equally far
away. Neither the phase of hyper increase nor the receiver's limit on notifications of many flows together is modelled. A
pause holds the queue at its threshold, as if it acted at once, and the senders' timers run on meanwhile.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass, fields
from typing import NamedTuple

import numpy as np

from .. import catalog, units
from ..checks import count, number, single

STEP = 1e-6  # seconds: of the integration, small against every interval of the protocol
MOST_STEPS = 1_000_000
LEAST_RATE = 1e-4  # of a port: what is left of a rate that is cut again and again


@dataclass(frozen=True)
class Parameters:
    """The settings of switch, receiver and sender: bytes, seconds, bytes per second. `published()` has the paper's."""

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

    def marked(self, queue: float) -> float:
        """Return the probability that a packet is marked when it meets *queue* bytes.

        >>> published().marked(102.5e3), published().marked(300e3)
        (0.005, 1.0)
        """
        if queue > self.kmax:
            return 1.0
        return max(0.0, (queue - self.kmin) / (self.kmax - self.kmin) * self.pmax)


@functools.cache
def published() -> Parameters:
    """Return the parameters of Zhu et al. 2015 for ports of 40 Gb/s, from data/congestion.csv."""
    return Parameters(**{field.name: value(f"dcqcn-{field.name.replace('_', '-')}") for field in fields(Parameters)})


def value(id: str) -> float:  # noqa: A002 - the column is called id
    """Return the row *id* of data/congestion.csv in SI base units.

    >>> value("dcqcn-step"), value("trident2-buffer")
    (5000000.0, 12000000.0)
    """
    cells = catalog.row("congestion", id)
    plain = cells["unit"] in ("", "m/s")
    return float(cells["value"]) if plain else units.parse(f"{cells['value']} {cells['unit']}")


class Trace(NamedTuple):
    """What happened at each time: rates (a row a sender), bytes in the queue, whether the port paused its senders."""

    time: np.ndarray
    rates: np.ndarray
    queue: np.ndarray
    paused: np.ndarray


def run(rate, start, seconds, *, feedback=4e-6, threshold=math.inf, parameters: Parameters | None = None) -> Trace:
    """Return how rates and queue of one port evolve under DCQCN, by Euler steps of a microsecond.

    Args:
        rate: bytes per second of every port.
        start: each sender's rate at the beginning, at most *rate*; a sender begins as fast as its port allows.
        seconds: how long.
        feedback: seconds from a mark to the sender that hears of it, besides the notification's own interval.
        threshold: bytes in the queue at which the port pauses its senders (PFC); infinite for a buffer without end.
        parameters: the protocol's; those of the paper by default.
    """
    rate, cut = single("rate", number("rate", rate)), parameters or published()
    steps = count("seconds / STEP", round(single("seconds", number("seconds", seconds)) / STEP), low=2, high=MOST_STEPS)
    lag = round(single("feedback", number("feedback", feedback, zero=True)) / STEP)
    threshold = threshold if threshold == math.inf else single("threshold", number("threshold", threshold))
    # Senders that start alike stay alike: one of each kind is enough.
    kinds, kind, many = np.unique(np.atleast_1d(number("start", start, high=rate)), return_inverse=True, return_counts=True)
    port, queue = rate / cut.packet, 0.0
    senders = [(each / cut.packet, each / cut.packet, 1.0) for each in kinds.tolist()]
    rates, queues, paused = np.empty((steps, len(kinds))), np.empty(steps), np.empty(steps, dtype=bool)
    for now in range(steps):
        rates[now], queues[now] = [current for current, _, _ in senders], queue
        then = max(now - lag, 0)
        mark = cut.marked(queues[then])
        queue += STEP * (sum(n * sender[0] for n, sender in zip(many.tolist(), senders, strict=True)) - port) * cut.packet
        paused[now] = queue > threshold
        queue = min(max(queue, 0.0), threshold)
        senders = [_next(cut, *sender, seen, mark, port) for sender, seen in zip(senders, rates[then].tolist(), strict=True)]
    return Trace(np.arange(steps) * STEP, rates.T[kind] * cut.packet, queues, paused)


def _next(cut: Parameters, current: float, target: float, alpha: float, seen: float, mark: float, port: float):
    """Current rate, target rate (packets a second) and estimate a step later; *seen* and *mark* are what the feedback tells."""
    noticed, up, on = _events(cut, seen, mark)
    gap = target - current
    d_current = -current * alpha / (2 * cut.cnp_interval) * noticed + gap / 2 * seen * up
    d_target = -gap / cut.cnp_interval * noticed + cut.step / cut.packet * seen * on
    d_alpha = cut.gain / cut.alpha_interval * (_at_least_one(mark, cut.alpha_interval * seen) - alpha)
    least = LEAST_RATE * port
    return (min(max(current + STEP * d_current, least), port), min(max(target + STEP * d_target, least), port),
            alpha + STEP * d_alpha)


def _events(cut: Parameters, seen: float, mark: float) -> tuple[float, float, float]:
    """Chance of a notification in its interval; raises of the rate a packet, by counter and timer: all, and after recovery."""
    up = on = 0.0
    for length in (cut.byte_counter / cut.packet, cut.timer * seen):
        ends = _runs(mark, length)
        up += ends
        on += ends * (1 - mark) ** (cut.fast_recovery * length)
    return _at_least_one(mark, cut.cnp_interval * seen), up, on


def _at_least_one(mark: float, packets: float) -> float:
    return 1 - (1 - mark) ** packets


def _runs(mark: float, length: float) -> float:
    """Ends of runs of *length* packets without a mark, a packet: p / ((1 - p)**-length - 1), and 1/length without marks."""
    if mark == 0:
        return 1 / length
    exponent = -length * math.log1p(-mark) if mark < 1 else math.inf
    return mark / math.expm1(exponent) if exponent < 700 else 0.0  # a run that long never happens


def equilibrium(rate, flows, parameters: Parameters | None = None) -> tuple[float, float]:
    """Return (marking probability, queue in bytes) at which *flows* equal rates stand still: the equations, solved by bisection.

    Where more marks are needed than pmax, no queue up to kmax gives them: the queue is kmax then, and it does not stand still.

    >>> mark, queue = equilibrium(5e9, 2)
    >>> round(mark, 5), round(queue)
    (0.00078, 20151)
    """
    rate, flows, cut = single("rate", number("rate", rate)), count("flows", flows), parameters or published()
    seen, low, high = rate / flows / cut.packet, 0.0, 1.0

    def too_many(mark: float) -> bool:
        noticed, up, on = _events(cut, seen, mark)
        alpha = _at_least_one(mark, cut.alpha_interval * seen)
        return alpha * noticed**2 / cut.cnp_interval**2 > cut.step / cut.packet * seen * up * on

    for _ in range(60):
        middle = (low + high) / 2
        low, high = (low, middle) if too_many(middle) else (middle, high)
    return high, cut.kmin + min(high / cut.pmax, 1.0) * (cut.kmax - cut.kmin)
