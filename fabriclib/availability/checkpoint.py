"""Checkpoints: how often to save, and what saving, failures and restarts leave of the time.

Failures come at random, each moment as likely as any other, `between` seconds apart in the mean; they strike while the job
works, saves or restarts. After a failure the job restarts, which takes `restart` seconds, and does again what it did since the
last save. Everything is in seconds and broadcasts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..checks import Numbers, number, plain, together

SMALL = 1e-4  # of the root of 2 save / between: below it the series is exact, and Newton's differences are not


class Spent(NamedTuple):
    """Shares of the time, which add up to one: what they went to."""

    useful: Numbers
    saving: Numbers
    redone: Numbers
    restarting: Numbers


def young(save, between):
    """Return Young's interval of work between two saves, in seconds: sqrt(2 save between) (Communications of the ACM 17, 1974).

    Raises:
        ValueError: *save* or *between* is not positive.

    >>> round(young(60, 3 * 3600) / 60, 4)
    18.9737
    """
    save, between = _times(save=save, between=between)
    return plain(np.sqrt(2 * save) * np.sqrt(between))


def daly(save, between):
    """Return Daly's interval of higher order, in seconds (Future Generation Computer Systems 22, 2006).

    It is meant for a save shorter than twice *between*; for a longer one it is *between*, as the paper says.

    Raises:
        ValueError: *save* or *between* is not positive.

    >>> round(daly(60, 3 * 3600) / 60, 4)
    18.3129
    """
    save, between = _times(save=save, between=between)
    ratio = np.sqrt(np.minimum(save / (2 * between), 1.0))
    order = np.sqrt(2 * save) * np.sqrt(between) * (1 + ratio / 3 + ratio**2 / 9) - save
    return plain(np.where(save < 2 * between, order, between))


def best_interval(save, between):
    """Return the seconds of work between saves that leave most time useful, exactly: between (1 + W(-exp(-1 - save / between))).

    W is Lambert's function. With x the interval over *between* the condition reads -x - log(1 - x) = save / between; it is
    solved by Newton's method in v = -log(1 - x), where it is convex.

    Raises:
        ValueError: *save* or *between* is not positive.

    >>> round(best_interval(60, 3 * 3600) / 60, 4)
    18.3129
    """
    save, between = _times(save=save, between=between)
    wanted = save / between
    root = np.sqrt(2 * wanted)
    near, v = np.minimum(root, SMALL), np.maximum(wanted + root, SMALL)
    for _ in range(40):
        last, v = v, np.maximum(v - (v + np.expm1(-v) - wanted) / -np.expm1(-v), SMALL / 2)
        if np.array_equal(v, last):
            break
    series = near - near**2 / 3 + near**3 / 36
    return plain(between * np.where(root < SMALL, series, -np.expm1(-v)))


def spent(interval, *, save, between, restart=0.0) -> Spent:
    """Return the shares of the time that a job spends on useful work, on saving, on work done again, and on restarts.

    Exact for failures at random: a stretch of interval + save succeeds at once with the probability
    exp(-(interval + save) / between), and takes in the mean between exp(restart / between) (exp((interval + save) / between) - 1)
    (Daly 2006, before he approximates).

    Args:
        interval: seconds of work between two saves.
        save: seconds for which a save stops the work; 0 is allowed.
        between: mean seconds between failures of the whole job.
        restart: seconds from a failure until work goes on.

    Raises:
        ValueError: a number that is none, negative, or (but for save and restart) zero.

    >>> [round(float(share), 3) for share in spent(1200, save=60, between=3 * 3600, restart=600)]
    [0.849, 0.042, 0.054, 0.054]
    """
    interval, save, between, restart = _times(interval=interval, save=save, between=between, restart=restart)
    tries = (interval + save) / between
    # Per stretch, in units of `between`: exp(tries) - 1 failures, each with its restart. Divided by exp(tries), all stay finite.
    failures, kept = -np.expm1(-tries), np.exp(-tries)
    again = np.maximum(failures - tries * kept, 0.0)
    restarts = failures * -np.expm1(-restart / between)
    work, fewer = tries * kept * np.exp(-restart / between), np.exp(-restart / between)
    total = work + again * fewer + restarts
    shares = (work * interval / (interval + save), work * save / (interval + save), again * fewer, restarts)
    return Spent(*(plain(share / total) for share in shares))


def _times(**given):
    """Return the arguments as arrays that broadcast; `save` and `restart` may be zero where both they and others are given."""
    free = {"restart"} | ({"save"} if "interval" in given else set())
    checked = {name: number(name, value, zero=name in free) for name, value in given.items()}
    return tuple(np.asarray(value, dtype=float) for value in together(**checked))
