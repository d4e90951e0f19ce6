"""Eyes: how far the signal at a receiver still opens, by a small statistical model, and what a redriver makes of it."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from ..checks import number, plain, single
from .channels import MOST_DB, standard

_LEAST = 1e-300  # the smallest error rate that is told apart from none


class Eye(NamedTuple):
    """An eye at the receiver's input. Volts: `height` of each opening (negative: closed), `swing` from the lowest to the
    highest level a long run reaches, `noise` rms. `memory` is the share of a step that is still missing one symbol later."""

    height: np.ndarray | float
    swing: np.ndarray | float
    noise: np.ndarray | float
    memory: np.ndarray | float
    error_rate: np.ndarray | float


def eye(generation: str, loss, *, equalised=None, noise=None) -> Eye:
    """Return the eye after *loss* dB (at the Nyquist frequency), by a small statistical model.

    Args:
        loss: dB between the sender's and the receiver's chip; a number or an array.
        equalised: dB of it that equalisers take out of the difference between slow and fast patterns: all of it up to the
            generation's budget when not given, 0 for none.
        noise: volts rms at the receiver's input; `receiver_noise` when not given.

    The fast pattern arrives with swing 10^(-loss/20). What is not equalised acts like one pole: of each step a share e is
    still missing one symbol later, and a pattern 0101... then reaches (1-e)/(1+e) of a long run's swing. With M levels the
    worst opening is swing ((1-e)/(M-1) - e), less noise Q(error rate) above and below. The equaliser is ideal and costs
    no noise of its own; it lowers slow patterns to the fast ones. Left out: jitter and so the eye's width, reflections,
    crosstalk but as part of the noise, the equaliser's taps, error propagation and error correction.

    Raises:
        ValueError: values out of range.

    >>> [round(1e3 * eye(f"pcie{n}", db).height, 1) for n, db in ((3, 22), (4, 28), (5, 36), (6, 32))]
    [58.5, 24.8, 2.6, 0.0]
    >>> round(eye("pcie5", 9.5, equalised=0, noise=1e-9).height, 3)  # one pole closes the eye at a factor of three, 9.54 dB
    0.003
    """
    asked = standard(generation)
    loss = number("loss", loss, high=MOST_DB, zero=True)
    equalised = np.minimum(loss, asked.budget) if equalised is None else number("equalised", equalised, high=MOST_DB, zero=True)
    noise = receiver_noise(generation) if noise is None else number("noise", noise, high=10)
    ratio = _ratio(np.maximum(loss - equalised, 0.0))
    memory = (1 - ratio) / (1 + ratio)
    swing = asked.swing * _ratio(loss) / ratio
    opening = swing * ((1 - memory) / (asked.levels - 1) - memory)
    height = opening - 2 * _quantile(asked.error_rate, asked.levels) * noise
    found = np.broadcast_arrays(height, swing, noise, memory, _errors(opening / 2 / noise, asked.levels))
    return Eye(*map(plain, found))


def receiver_noise(generation: str) -> float:
    """Return the noise at a receiver's input in volts rms: derived, the most that leaves PCIe 6 an eye at its full budget.

    The same density for every generation; its power grows with the bandwidth, taken to be the Nyquist frequency.

    >>> round(1e3 * receiver_noise("pcie5"), 2)
    0.71
    """
    last = standard("pcie6")
    at_limit = last.swing * _ratio(last.budget) / (last.levels - 1) / 2 / _quantile(last.error_rate, last.levels)
    return float(at_limit * math.sqrt(standard(generation).nyquist / last.nyquist))


def redriven(generation: str, before, after, boost: float) -> tuple:
    """Return (loss, noise) of a channel with a redriver after *before* dB and *after* dB still to go.

    An ideal linear amplifier: it makes good at most *boost* dB and never more than was lost before it. The noise at its
    input (taken to be as large as a receiver's) is amplified with the signal, and the rest of the channel weakens both.

    >>> loss, noise = redriven("pcie5", 20.0, 20.0, boost=20.0)
    >>> float(loss), round(float(noise) / receiver_noise("pcie5"), 3)
    (20.0, 1.414)
    """
    before, after = (number(name, db, high=MOST_DB, zero=True) for name, db in (("before", before), ("after", after)))
    gain = np.minimum(single("boost", number("boost", boost, high=MOST_DB, zero=True)), before)
    own = receiver_noise(generation)
    return before + after - gain, own * np.sqrt(1 + _ratio(after - gain) ** 2)


def _ratio(db):
    """The voltage ratio that *db* of loss leave; the inverse of 20 log10."""
    return 10 ** (-db / 20)


def _quantile(error_rate: float, levels: int) -> float:
    """How many standard deviations away the threshold must be for *error_rate* wrong bits, with Gray-coded levels."""
    return -NormalDist().inv_cdf(error_rate / _neighbours(levels))


def _errors(deviations, levels: int):
    """The share of wrong bits when the thresholds are *deviations* standard deviations away."""
    tail = np.vectorize(math.erfc, otypes=[float])(np.asarray(deviations) / math.sqrt(2)) / 2
    return np.clip(_neighbours(levels) * tail, _LEAST, 0.5)


def _neighbours(levels: int) -> float:
    """Wrong bits for each noise excursion past a threshold: inner levels have two neighbours, a symbol has log2 bits."""
    return 2 * (levels - 1) / levels / math.log2(levels)
