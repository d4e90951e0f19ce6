"""Eyes: how far the signal at a receiver still opens, by a small statistical model, and what a redriver makes of it."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from ..checks import Numbers, number, plain, single, together
from .channels import MOST_DB, standard

_LEAST = 1e-300  # the smallest error rate that is told apart from none
_PAST = {2: 10, 4: 4}  # how many past symbols are gone through one by one, by levels: 1,024 pasts, or 256


class Eye(NamedTuple):
    """An eye at the receiver's input. Volts: `height` of each opening (negative: closed), `swing` from the lowest to the
    highest level a long run reaches, `noise` rms. `memory` is the share of a step that is still missing one symbol later.

    `error_rate` is the share of wrong bits among random ones, `worst_rate` the most it can be where each follows the worst
    pattern, a long run of the lowest or of the highest level. Where nothing of the past is left (`memory` 0) they agree."""

    height: Numbers
    swing: Numbers
    noise: Numbers
    memory: Numbers
    error_rate: Numbers
    worst_rate: Numbers


def eye(generation: str, loss, *, equalised=None, noise=None) -> Eye:
    """Return the eye after *loss* dB (at the Nyquist frequency), by a small statistical model.

    Args:
        loss: dB between the sender's and the receiver's chip; a number or an array.
        equalised: dB of it that equalisers take out of the difference between slow and fast patterns: all of it up to the
            generation's budget when not given, 0 for none.
        noise: volts rms at the receiver's input; `receiver_noise` when not given.

    The fast pattern arrives with swing 10^(-loss/20). What is not equalised acts like one pole: of each step a share e is
    still missing one symbol later, and a pattern 0101... then reaches (1-e)/(1+e) of a long run's swing. With M levels the
    worst opening is swing ((1-e)/(M-1) - e), less noise Q(error rate) above and below. Few patterns are that bad, so the
    share of wrong bits is counted over random ones: see `_errors`. The equaliser is ideal and costs no noise of its own; it
    lowers slow patterns to the fast ones. Left out: jitter and so the eye's width, reflections, crosstalk but as part of the
    noise, the equaliser's taps, error propagation and error correction.

    Raises:
        ValueError: values out of range.

    >>> [round(1e3 * eye(f"pcie{n}", db).height, 1) for n, db in ((3, 22), (4, 28), (5, 36), (6, 32))]
    [58.5, 24.8, 2.6, 0.0]
    >>> round(eye("pcie5", 9.5, equalised=0, noise=1e-9).height, 3)  # one pole closes the eye at a factor of three, 9.54 dB
    0.003
    >>> half_open = eye("pcie3", 10, equalised=0)  # one random bit in 30, but every one that ends a long run
    >>> round(half_open.error_rate, 3), half_open.worst_rate
    (0.033, 1.0)
    """
    asked = standard(generation)
    loss = number("loss", loss, high=MOST_DB, zero=True)
    equalised = np.minimum(loss, asked.budget) if equalised is None else number("equalised", equalised, high=MOST_DB, zero=True)
    noise = receiver_noise(generation) if noise is None else number("noise", noise, high=10)
    together(loss=loss, equalised=equalised, noise=noise)
    ratio = _ratio(np.maximum(loss - equalised, 0.0))
    memory = (1 - ratio) / (1 + ratio)
    swing = asked.swing * _ratio(loss) / ratio
    opening = swing * ((1 - memory) / (asked.levels - 1) - memory)
    height = opening - 2 * _quantile(asked.error_rate, asked.levels) * noise
    worst = np.clip(_neighbours(asked.levels) * _tail(opening / 2 / noise), _LEAST, 1)
    found = np.broadcast_arrays(height, swing, noise, memory, _errors(swing / noise, memory, asked.levels), worst)
    return Eye(*map(plain, found))


def receiver_noise(generation: str) -> float:
    """Return the noise at a receiver's input in volts rms: derived, the most that leaves PCIe 6 an eye at its full budget.

    The same density for every generation; its power grows with the bandwidth, taken to be the Nyquist frequency.

    Raises:
        ValueError: an unknown generation; the nearest are suggested.

    >>> round(1e3 * receiver_noise("pcie5"), 2)
    0.71
    """
    last = standard("pcie6")
    at_limit = last.swing * _ratio(last.budget) / (last.levels - 1) / 2 / _quantile(last.error_rate, last.levels)
    return float(at_limit * math.sqrt(standard(generation).nyquist / last.nyquist))


def redriven(generation: str, before, after, boost: float) -> tuple[Numbers, Numbers]:
    """Return (loss in dB, noise in volts rms) of a channel with a redriver after *before* dB and *after* dB still to go.

    An ideal linear amplifier: it makes good at most *boost* dB and never more than was lost before it. The noise at its
    input (taken to be as large as a receiver's) is amplified with the signal, and the rest of the channel weakens both.

    Raises:
        ValueError: an unknown generation, or a loss or boost that is not from 0 to 300 dB.

    >>> loss, noise = redriven("pcie5", 20.0, 20.0, boost=20.0)
    >>> loss, round(noise / receiver_noise("pcie5"), 3)
    (20.0, 1.414)
    """
    before, after = together(before=number("before", before, high=MOST_DB, zero=True),
                             after=number("after", after, high=MOST_DB, zero=True))
    gain = np.minimum(single("boost", number("boost", boost, high=MOST_DB, zero=True)), before)
    own = receiver_noise(generation)
    return plain(before + after - gain), plain(own * np.sqrt(1 + _ratio(after - gain) ** 2))


def _ratio(db):
    """The voltage ratio that *db* of loss leave; the inverse of 20 log10."""
    return 10 ** (-db / 20)


def _quantile(error_rate: float, levels: int) -> float:
    """How many standard deviations away the threshold must be for *error_rate* wrong bits, with Gray-coded levels."""
    return -NormalDist().inv_cdf(error_rate / _neighbours(levels))


def _errors(strength, memory, levels: int) -> np.ndarray:
    """Return the share of wrong bits among random ones.

    A symbol arrives as 1-e of its own level, and e of what the random symbols before it have left. The last few of those
    are gone through one by one; all older ones together weigh e to their power, and are added to the noise by their
    variance. Thresholds lie midway between the levels as they arrive; levels are Gray-coded.

    Args:
        strength: the swing over the rms noise.
        memory: e, the share of a step that is still missing one symbol later.
    """
    strength, memory = (one[..., None] for one in np.broadcast_arrays(strength, memory))
    depth = _PAST[levels] if memory.any() else 1  # where nothing of the past is left, one past is like any other
    heights = np.linspace(-0.5, 0.5, levels)
    pasts = heights[np.indices((levels,) * depth).reshape(depth, -1)]
    left = sum((1 - memory) * memory ** (k + 1) * pasts[k] for k in range(depth))
    older = heights.var() * (1 - memory) / (1 + memory) * memory ** (2 * depth + 2)
    deviation = np.sqrt(1 / strength**2 + older)
    thresholds = (1 - memory[..., None]) * (heights[1:] + heights[:-1]) / 2
    wrong = 0.0
    # The levels mirror each other, so the lower half stands for all.
    for i in range(levels // 2):
        away = (thresholds - ((1 - memory) * heights[i] + left)[..., None]) / deviation[..., None]
        # Each threshold that noise carries the symbol past adds or takes away as many wrong bits as the step behind it.
        away = np.where(np.arange(levels - 1) < i, -away, away)
        wrong = wrong + (_tail(away) * _more_wrong(i, levels)).sum(axis=-1).mean(axis=-1)
    return np.clip(wrong / (levels // 2) / math.log2(levels), _LEAST, 0.5)


def _more_wrong(sent: int, levels: int) -> np.ndarray:
    """Return for each threshold how many more bits are wrong beyond it than before it, seen from the level *sent*.

    >>> _more_wrong(0, 4).tolist()
    [1, 1, -1]
    """
    gray = [i ^ i >> 1 for i in range(levels)]
    wrong = np.array([(gray[sent] ^ one).bit_count() for one in gray])
    return np.where(np.arange(levels - 1) < sent, -1, 1) * np.diff(wrong)


def _tail(deviations) -> np.ndarray:
    """Return how often normal noise of deviation one exceeds *deviations*."""
    return np.vectorize(math.erfc, otypes=[float])(np.asarray(deviations) / math.sqrt(2)) / 2


def _neighbours(levels: int) -> float:
    """Wrong bits for each noise excursion past a threshold: inner levels have two neighbours, a symbol has log2 bits."""
    return 2 * (levels - 1) / levels / math.log2(levels)
