"""Hashing flows to paths (ECMP): balls into bins. How often they collide, and what the collisions cost.

A switch with several equally good paths hashes a packet's addresses and ports; the hash picks the path, so all packets of
a flow go the same way and arrive in order. To a flow the hash is a die: *flows* balls fall into *paths* bins, each with the
same chance. The flows of one path share it evenly. All flows are equally long, and a path is as fast as a sender's port.

Exact wherever a distribution is asked for; drawn, with a seed, where a policy has no formula.
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

import numpy as np

from ..checks import count, number, plain, whole

MOST_FLOWS = 10_000_000
MOST_PATHS = 65_536
MOST_CELLS = 200_000_000  # of the table of loads that a simulation fills
NEGLIGIBLE = 1e-12  # of a probability


def busy_share(flows, paths):
    """Return the expected share of paths that carry at least one flow: 1 - (1 - 1/u)**m. Broadcasts.

    >>> round(busy_share(8, 8), 3)
    0.656
    """
    flows, paths = whole("flows", flows, high=MOST_FLOWS), whole("paths", paths, high=MOST_PATHS)
    return 1 - (1 - 1 / paths) ** flows


def collision_free(flows, paths):
    """Return the probability that no two flows share a path: u! / ((u - m)! u**m); 0 for more flows than paths. Broadcasts.

    >>> f"{collision_free(8, 8):.4f}", f"{collision_free(8, 32):.4f}"
    ('0.0024', '0.3857')
    """
    flows, paths = whole("flows", flows, high=MOST_FLOWS), whole("paths", paths, high=MOST_PATHS)
    free = np.vectorize(lambda m, u: math.exp(math.lgamma(u + 1) - math.lgamma(u - m + 1) - m * math.log(u)) if m <= u else 0.0,
                        otypes=[float])(flows, paths)
    return plain(free)


def mean_throughput(flows, paths):
    """Return the mean rate of a flow while all of them run, as a share of what even spreading would give it. Broadcasts.

    A busy path is full whoever uses it, so all flows together get the busy paths. With at least as many flows as paths
    this is `busy_share`; with fewer flows it is more, for paths that nobody needs are idle without harm.

    >>> mean_throughput([8, 8], [8, 32]).round(3)
    array([0.656, 0.897])
    """
    return busy_share(flows, paths) * paths / np.minimum(flows, paths)


def max_load_distribution(flows: int, paths: int) -> np.ndarray:
    """Return P(the fullest path has k flows) for k = 0, 1, 2, and so on.

    P(all loads at most k) is m!/u**m times the coefficient of x**m in (1 + x + ... + x**k / k!)**u: u Poisson variables, cut
    off at k, add up to m. The coefficient is read off a discrete Fourier transform (Kolchin et al., Random Allocations, 1978).

    >>> max_load_distribution(2, 2).round(3)
    array([0. , 0.5, 0.5])
    """
    return _distribution(count("flows", flows, high=MOST_FLOWS), count("paths", paths, high=MOST_PATHS))


@functools.lru_cache(maxsize=512)
def _distribution(flows: int, paths: int) -> np.ndarray:
    mean = flows / paths
    spread = 9 * math.sqrt(mean) + 9  # Poisson weights beyond are as good as nothing
    low, most = max(0, math.floor(mean - spread)), mean + spread
    # The sum of all loads is Poisson too, so it is as good as never this far from its mean: the transform may wrap there.
    length = min(2 * flows + 64, 64 + math.ceil(16 * math.sqrt(flows)))
    frequency = np.arange(length // 2 + 1)
    folded = np.where((frequency == 0) | (2 * frequency == length), 1, 2)
    turn = folded * np.exp(-2j * np.pi * (frequency * flows % length) / length)
    sums, at_most = np.zeros(len(frequency), dtype=complex), [0.0]
    for k in range(low, flows + 1):
        weight = math.exp(k * math.log(mean) - mean - math.lgamma(k + 1))
        sums += weight * np.exp(2j * np.pi * (frequency * k % length) / length)
        at_most.append(float((sums**paths * turn).sum().real) if k >= mean else 0.0)
        if k > most and at_most[-1] <= at_most[-2] * (1 + NEGLIGIBLE):
            break
    below = np.concatenate([np.zeros(low), np.maximum.accumulate(np.clip(at_most, 0, None) / at_most[-1])])
    chance = np.diff(below)
    chance[chance < NEGLIGIBLE] = 0.0
    chance = np.trim_zeros(chance, "b") / chance.sum()
    chance.setflags(write=False)  # it is shared by all callers
    return chance


def expected_max_load(flows: int, paths: int) -> float:
    """Return the expected number of flows on the fullest path.

    >>> round(expected_max_load(8, 8), 2), round(expected_max_load(64, 64), 2)
    (2.6, 3.96)
    """
    chance = max_load_distribution(flows, paths)
    return float(chance @ np.arange(len(chance)))


def slowest(flows: int, paths: int, split: int = 1) -> float:
    """Return the throughput of a step that ends with its slowest transfer, as a share of what even spreading would give.

    Every transfer is cut into *split* equal flows, each hashed by itself, and is done when the last of them is. That is 1 over
    the expected time: the mean over many steps with new hashes, not the mean of their rates.

    Args:
        flows: the transfers, one a sender.
        paths: equally good paths, each as fast as a sender's port.
        split: flows a transfer.

    >>> round(slowest(8, 8), 3), round(slowest(8, 8, split=16), 3)
    (0.385, 0.73)
    """
    split = count("split", split, high=MOST_FLOWS)
    chance = max_load_distribution(count("flows", flows) * split, paths)
    # No transfer is faster than its sender's port, however little else is on its paths.
    seconds = np.maximum(np.arange(len(chance)) / split, 1.0)
    return max(1.0, flows / paths) / float(chance @ seconds)


def split_for(share: float, flows: int, paths: int) -> int:
    """Return the least *split* at which `slowest` reaches *share*.

    Args:
        share: more than 0 and at most 0.99: beyond, so many flows that no exact answer is in reach.
        flows, paths: as for `slowest`.

    >>> split_for(0.75, 8, 8)
    20
    """
    share, high = number("share", share, high=0.99), 1
    while slowest(flows, paths, high) < share:
        high *= 2
    low = high // 2  # too few, or 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if slowest(flows, paths, middle) >= share else (middle, high)
    return high


def draw(flows: int, paths: int, *, choices: int = 1, seed: int = 0) -> np.ndarray:
    """Return the path of each flow, as numbers from 0, as one seeded draw gives them.

    Args:
        flows, paths: how many.
        choices: 1 for a hash; 2 or more: flow after flow looks at so many random paths and takes the emptiest.
        seed: draws with one seed are equal.

    >>> draw(8, 8, seed=3), draw(8, 8, seed=3, choices=2)
    (array([6, 0, 1, 1, 1, 6, 6, 4]), array([6, 1, 1, 4, 0, 2, 3, 2]))
    """
    flows, paths = count("flows", flows, high=MOST_FLOWS), count("paths", paths, high=MOST_PATHS)
    offered = np.random.default_rng(seed).integers(paths, size=(flows, count("choices", choices, high=paths)))
    if choices == 1:
        return offered[:, 0]
    load, taken = np.zeros(paths, dtype=int), np.empty(flows, dtype=int)
    for flow, seen in enumerate(offered):
        taken[flow] = seen[load[seen].argmin()]
        load[taken[flow]] += 1
    return taken


class Trials(NamedTuple):
    """What a simulation saw, one entry a trial: flows on the fullest path, and paths that carry any."""

    max_load: np.ndarray
    busy: np.ndarray


def simulate(flows: int, paths: int, trials: int = 1000, *, choices: int = 1, seed: int = 0) -> Trials:
    """Return the loads of *trials* independent draws; `estimate` turns them into a mean with its error.

    Args:
        flows, paths, choices, seed: as for `draw`. A hash is drawn path by path (multinomial), which is the same and faster.
        trials: how many draws.

    >>> mean, error = estimate(simulate(8, 8, trials=10_000).max_load)
    >>> abs(mean - expected_max_load(8, 8)) < 4 * error
    True
    """
    flows, paths = count("flows", flows, high=MOST_FLOWS), count("paths", paths, high=MOST_PATHS)
    trials = count("trials", trials)
    if trials * paths > MOST_CELLS:
        raise ValueError(f"trials must be at most {MOST_CELLS // paths} for {paths} paths; got {trials}.")
    rng = np.random.default_rng(seed)
    if count("choices", choices, high=paths) == 1:
        loads = rng.multinomial(flows, np.full(paths, 1 / paths), size=trials)
    else:
        loads, row = np.zeros((trials, paths), dtype=np.int64), np.arange(trials)
        for _ in range(flows):
            seen = rng.integers(paths, size=(trials, choices))
            loads[row, seen[row, loads[row[:, None], seen].argmin(axis=1)]] += 1
    return Trials(loads.max(axis=1), (loads > 0).sum(axis=1))


def estimate(values) -> tuple[float, float]:
    """Return (mean, standard error of the mean) of what independent trials gave.

    >>> estimate([1, 2, 3, 2])
    (2.0, 0.408248290463863)
    """
    values = np.asarray(number("values", values, low=-math.inf))
    if values.size < 2:
        raise ValueError(f"values must be at least two; got {values.size}.")
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(values.size))
