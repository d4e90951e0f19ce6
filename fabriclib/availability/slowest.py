"""Waiting for the slowest: a synchronous job goes on when the last of its ranks is done."""

from __future__ import annotations

import functools
import math

import numpy as np

from ..checks import known, number, plain, together, whole

SHAPES = ("normal", "exponential", "uniform")


def expected_slowest(ranks, *, mean=1.0, spread=0.01, shape: str = "normal"):
    """Return the expected largest of *ranks* times, each drawn for itself, in the unit of *mean*; arrays broadcast.

    Args:
        ranks: how many wait for each other.
        mean, spread: of one time: its mean and its standard deviation.
        shape: "normal" (by quadrature), "exponential" (mean + spread (H_p - 1), with the harmonic number H_p) or "uniform"
            ((p - 1) / (p + 1) of the half width above the mean).

    Raises:
        ValueError: ranks that are not whole and positive, a mean that is not positive, a negative spread, or an unknown shape.

    >>> [round(float(expected_slowest(ranks, spread=0.02)), 4) for ranks in (1, 2, 8, 16384)]
    [1.0, 1.0113, 1.0285, 1.0794]
    """
    known("shape", shape, SHAPES)
    ranks, mean, spread = together(ranks=whole("ranks", ranks), mean=number("mean", mean),
                                   spread=number("spread", spread, zero=True))
    ranks = np.asarray(ranks, dtype=float)
    above = {"normal": _normal, "exponential": _exponential, "uniform": _uniform}[shape](ranks)
    return plain(mean + spread * above)


def slow_one(slower, share=1.0):
    """Return the share of a synchronous job's speed that is left when one rank takes longer by *slower* (0.1 for 10 %).

    Args:
        slower: how much longer its part takes.
        share: the part of the step that is slower, such as the forward pass's.

    Raises:
        ValueError: *slower* is negative, or *share* not from 0 to 1.

    >>> round(slow_one(0.10), 3)
    0.909
    """
    slower, share = together(slower=number("slower", slower, zero=True), share=number("share", share, zero=True, high=1.0))
    return plain(1 / (1 + np.asarray(slower * share)))


def flapping(pause, every):
    """Return the share of the time in which a job goes on over a link that goes down for *pause* seconds, *every* so many.

    Everyone waits while it is down. A pause longer than the library's timeout ends the job: for that `spent` is the formula.

    Raises:
        ValueError: a pause as long as *every*.

    >>> round(flapping(9, 600), 3)
    0.985
    """
    pause, every = together(pause=number("pause", pause, zero=True), every=number("every", every))
    if np.any(np.asarray(pause) >= every):
        raise ValueError("pause must be shorter than every: else the link never comes back.")
    return plain(1 - np.asarray(pause) / every)


@functools.cache
def _grid() -> tuple[np.ndarray, np.ndarray]:
    """Return points x and the logarithm of the normal distribution's share below each."""
    x = np.linspace(-9, 12, 4201)
    tail = np.array([0.5 * math.erfc(abs(one) / math.sqrt(2)) for one in x])
    return x, np.where(x > 0, np.log1p(-tail), np.log(tail))


def _normal(ranks: np.ndarray) -> np.ndarray:
    """Return the mean of the largest of so many standard normal numbers: the last x less the integral of F^p up to it."""
    x, log_below = _grid()
    return x[-1] - np.trapezoid(np.exp(ranks[..., None] * log_below), x, axis=-1)


def _exponential(ranks: np.ndarray) -> np.ndarray:
    """Return H_p - 1: a sum up to 30, then its asymptotic series, which is exact to the last digit from there on."""
    few = np.cumsum(1 / np.arange(1, 31))[np.minimum(ranks, 30).astype(int) - 1]
    series = np.log(ranks) + np.euler_gamma + 1 / (2 * ranks) - 1 / (12 * ranks**2) + 1 / (120 * ranks**4) - 1 / (252 * ranks**6)
    return np.where(ranks <= 30, few, series) - 1


def _uniform(ranks: np.ndarray) -> np.ndarray:
    return math.sqrt(3) * (ranks - 1) / (ranks + 1)
