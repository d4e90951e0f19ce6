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
from numpy import fft  # loaded here, not waited for at the first question

from ..checks import count, number, plain, single, together, whole

MOST_FLOWS = 10_000_000
MOST_PATHS = 65_536
MOST_CELLS = 20_000_000  # of the table of loads that a simulation fills
MOST_WORK = 50_000_000  # terms that an exact answer may add up
MOST_VALUE = 1e100  # whose square a float can hold
MOST_CHOICES, LEAST_AT_ONCE = 20_000_000, 200  # paths that flows may look at; a look at one costs as much as at so many
NEGLIGIBLE = 1e-12  # of a probability
_NOTHING = 1e-16  # of a sum near 1: lost in rounding
_AT_ONCE = 30_000  # terms


def busy_share(flows, paths):
    """Return the expected share of paths that carry at least one flow: 1 - (1 - 1/u)**m. Broadcasts.

    Raises:
        ValueError: flows not whole from 1 to 10,000,000, or paths not whole from 1 to 65,536.

    >>> round(busy_share(8, 8), 3)
    0.656
    """
    flows, paths = together(flows=whole("flows", flows, high=MOST_FLOWS), paths=whole("paths", paths, high=MOST_PATHS))
    return 1 - (1 - 1 / paths) ** flows


def collision_free(flows, paths):
    """Return the probability that no two flows share a path: u! / ((u - m)! u**m); 0 for more flows than paths. Broadcasts.

    Raises:
        ValueError: flows not whole from 1 to 10,000,000, or paths not whole from 1 to 65,536.

    >>> f"{collision_free(8, 8):.4f}", f"{collision_free(8, 32):.4f}"
    ('0.0024', '0.3857')
    """
    flows, paths = together(flows=whole("flows", flows, high=MOST_FLOWS), paths=whole("paths", paths, high=MOST_PATHS))
    free = np.vectorize(lambda m, u: math.exp(math.lgamma(u + 1) - math.lgamma(u - m + 1) - m * math.log(u)) if m <= u else 0.0,
                        otypes=[float])(flows, paths)
    return plain(free)


def mean_throughput(flows, paths):
    """Return the mean rate of a flow while all of them run, as a share of what even spreading would give it. Broadcasts.

    A busy path is full whoever uses it, so all flows together get the busy paths. With at least as many flows as paths
    this is `busy_share`; with fewer flows it is more, for paths that nobody needs are idle without harm.

    Raises:
        ValueError: flows not whole from 1 to 10,000,000, or paths not whole from 1 to 65,536.

    >>> mean_throughput([8, 8], [8, 32]).round(3)
    array([0.656, 0.897])
    """
    flows, paths = whole("flows", flows, high=MOST_FLOWS), whole("paths", paths, high=MOST_PATHS)
    return plain(busy_share(flows, paths) * paths / np.minimum(flows, paths))


def max_load_distribution(flows: int, paths: int) -> np.ndarray:
    """Return P(the fullest path has k flows) for k = 0, 1, 2, and so on.

    P(all loads at most k) is m!/u**m times the coefficient of x**m in (1 + x + ... + x**k / k!)**u: u Poisson variables, cut
    off at k, add up to m. The coefficient is read off a discrete Fourier transform (Kolchin et al., Random Allocations, 1978).

    Raises:
        ValueError: flows not whole from 1 to 10,000,000, paths not whole from 1 to 65,536, or too many for an exact answer.

    >>> max_load_distribution(2, 2).round(3)
    array([0. , 0.5, 0.5])
    """
    return _distribution(count("flows", flows, high=MOST_FLOWS), count("paths", paths, high=MOST_PATHS))


@functools.lru_cache(maxsize=512)
def _distribution(flows: int, paths: int) -> np.ndarray:
    mean = flows / paths
    spread = 9 * math.sqrt(mean) + 9  # Poisson weights beyond are as good as nothing
    # The sum of all loads is Poisson too, so it is as good as never this far from its mean: the transform may wrap there.
    length = min(2 * flows + 64, 64 + math.ceil(9 * math.sqrt(flows)))
    if (work := spread * length) > MOST_WORK:
        raise ValueError(f"flows must be fewer for an exact answer on {paths} paths: {flows} take {work:.1g} terms, and at most "
                         f"{MOST_WORK:g} are added up; simulate them.")
    frequency, roots = _frequencies(mean, paths, length), np.exp(2j * np.pi / length * np.arange(length))
    turn = np.where((frequency == 0) | (2 * frequency == length), 1, 2) * roots[-frequency * flows % length]
    # The fullest path carries the mean at least: of what is less, only the sum matters.
    low, first = max(0, math.floor(mean - spread)), math.ceil(mean)
    less = np.bincount(np.arange(low, first) % length, _poisson(low, first - low, mean), length)
    sums, at_most, whole_sum = fft.rfft(less).conj()[frequency], [0.0], length * _poisson(flows, 1, flows)[0]
    rows = np.arange(min(max(1, _AT_ONCE // len(frequency)), math.ceil(spread)))
    steps = roots[rows[:, None] * frequency % length]
    while first <= flows and (at_most[-1] < whole_sum / 2 or at_most[-1] > at_most[-2] * (1 + NEGLIGIBLE)):
        weights = _poisson(first, min(len(rows), flows + 1 - first), mean)
        terms = sums + np.cumsum(weights[:, None] * steps[: len(weights)], axis=0) * roots[first * frequency % length]
        at_most += (_power(terms, paths) * turn).sum(axis=1).real.tolist()
        sums, first = terms[-1], first + len(weights)
    return _settled(np.array(at_most), first - len(at_most) + 1)


def _frequencies(mean: float, paths: int, length: int) -> np.ndarray:
    """The frequencies that matter: where the sum of the loads up to k can be more than nothing, whatever k from the mean on.

    It is at most the sum of all loads, and what is left off: weights that fall from load to load, at most the largest one over
    the sine of half the angle (Abel's summation).
    """
    frequency = np.arange(length // 2 + 1)
    angle = 2 * np.pi / length * frequency[1:]
    bound = np.exp(mean * (np.cos(angle) - 1)) + _poisson(math.floor(mean), 1, mean)[0] / np.sin(angle / 2)
    return frequency[np.concatenate([[True], bound > (_NOTHING / length) ** (1 / paths)])]


def _poisson(first: int, many: int, mean: float) -> np.ndarray:
    """P(a Poisson variable of that mean has each of *many* values from *first* on)."""
    steps = np.log(mean / np.arange(first, first + many).clip(1))
    steps[:1] = first * math.log(mean) - mean - math.lgamma(first + 1)
    return np.exp(np.cumsum(steps))


def _power(values: np.ndarray, exponent: int) -> np.ndarray:
    """values**exponent by squaring: NumPy's own takes logarithms of complex numbers."""
    result = np.ones_like(values)
    while exponent:
        if exponent & 1:
            result = result * values
        values, exponent = values * values, exponent >> 1
    return result


def _settled(at_most: np.ndarray, first: int) -> np.ndarray:
    """The chance of each load from what is proportional to P(at most first - 1 + i): rounding errors dropped, and read-only."""
    at_most = np.maximum.accumulate(np.clip(at_most, 0, None) / at_most[-1])
    chance = np.diff(np.concatenate([np.zeros(first), at_most]))
    chance[chance < NEGLIGIBLE] = 0.0
    chance = np.trim_zeros(chance, "b") / chance.sum()
    chance.setflags(write=False)  # it is shared by all callers
    return chance


def expected_max_load(flows: int, paths: int) -> float:
    """Return the expected number of flows on the fullest path.

    Raises:
        ValueError: flows not whole from 1 to 10,000,000, paths not whole from 1 to 65,536, or too many for an exact answer.

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

    Raises:
        ValueError: flows, paths or split not whole, out of range, or too many for an exact answer.

    >>> round(slowest(8, 8), 3), round(slowest(8, 8, split=16), 3)
    (0.385, 0.73)
    """
    flows, split = count("flows", flows, high=MOST_FLOWS), count("split", split, high=MOST_FLOWS)
    chance = max_load_distribution(count("flows * split", flows * split, high=MOST_FLOWS), paths)
    # No transfer is faster than its sender's port, however little else is on its paths.
    seconds = np.maximum(np.arange(len(chance)) / split, 1.0)
    return max(1.0, flows / paths) / float(chance @ seconds)


def split_for(share: float, flows: int, paths: int) -> int:
    """Return the least *split* at which `slowest` reaches *share*.

    Args:
        share: more than 0 and at most 0.99: beyond, so many flows that no exact answer is in reach.
        flows, paths: as for `slowest`.

    Raises:
        ValueError: a share that is not above 0 and at most 0.99, or flows or paths that `slowest` refuses.

    >>> split_for(0.75, 8, 8)
    20
    """
    share, high = single("share", number("share", share, high=0.99)), 1
    while (got := slowest(flows, paths, high)) < share:
        high *= 2
    low, middle, waste = high // 2, high, 1 / share - 1  # low is too few, or 0
    while high - low > 1:
        # The waste falls with the square root of the split, so one step from the last answer leads next to the right one.
        guess = math.ceil(middle * ((1 / got - 1) / waste) ** 2)
        middle = min(max(guess if got < share else guess - 1, low + 1), high - 1)
        got = slowest(flows, paths, middle)
        low, high = (low, middle) if got >= share else (middle, high)
    return high


def draw(flows: int, paths: int, *, choices: int = 1, seed: int = 0) -> np.ndarray:
    """Return the path of each flow, as numbers from 0, as one seeded draw gives them.

    Args:
        flows, paths: how many.
        choices: 1 for a hash; 2 or more: flow after flow looks at so many random paths and takes the emptiest.
        seed: draws with one seed are equal.

    Raises:
        ValueError: flows, paths or seed not whole or out of range, or more choices than paths.

    >>> draw(8, 8, seed=3), draw(8, 8, seed=3, choices=2)
    (array([6, 0, 1, 1, 1, 6, 6, 4]), array([6, 1, 1, 4, 0, 2, 3, 2]))
    """
    flows, paths = count("flows", flows, high=MOST_FLOWS), count("paths", paths, high=MOST_PATHS)
    rng = _generator(seed)
    choices = count("choices", choices, high=paths)
    if choices == 1:
        return _paths(rng, paths, flows)
    return np.concatenate([taken for taken, _ in _chosen(rng, flows, paths, 1, choices)])


def _paths(rng: np.random.Generator, paths: int, size) -> np.ndarray:
    """Draw paths, as numbers that a 32-bit Python, such as a browser's, takes as indices too."""
    return rng.integers(paths, size=size).astype(np.intp, copy=False)


def _generator(seed) -> np.random.Generator:
    return np.random.default_rng(count("seed", seed, low=0, high=2**63 - 1))


class Trials(NamedTuple):
    """What a simulation saw, one entry a trial: flows on the fullest path, and paths that carry any."""

    max_load: np.ndarray
    busy: np.ndarray


def simulate(flows: int, paths: int, trials: int = 1000, *, choices: int = 1, seed: int = 0) -> Trials:
    """Return the loads of *trials* independent draws; `estimate` turns them into a mean with its error.

    Args:
        flows, paths, choices, seed: as for `draw`. A hash is drawn path by path (multinomial), which is the same and faster.
        trials: how many draws.

    Raises:
        ValueError: flows, paths, trials or seed not whole or out of range, or more choices than paths.

    >>> mean, error = estimate(simulate(8, 8, trials=10_000).max_load)
    >>> abs(mean - expected_max_load(8, 8)) < 4 * error
    True
    """
    flows, paths = count("flows", flows, high=MOST_FLOWS), count("paths", paths, high=MOST_PATHS)
    trials, rng = _trials(trials, paths), _generator(seed)
    choices = count("choices", choices, high=paths)
    if choices == 1:
        loads = rng.multinomial(flows, np.full(paths, 1 / paths), size=trials)
    else:
        *_, (_, loads) = _chosen(rng, flows, paths, trials, choices)
    return Trials(loads.max(axis=1), (loads > 0).sum(axis=1))


def _chosen(rng: np.random.Generator, flows: int, paths: int, trials: int, choices: int):
    """Yield for each flow, which looks at *choices* paths and takes the emptiest: its place in the loads, flattened, and they.

    Loads have a row a trial and a column a path. The flows choose one after the other, in all trials at once: what would take
    too long is refused.
    """
    most = MOST_CHOICES // max(trials * choices, LEAST_AT_ONCE)
    if flows > most:
        raise ValueError(f"flows must be at most {most} where they choose among {choices} paths in {trials} trials; got {flows}.")
    loads, start = np.zeros(trials * paths, dtype=np.int64), paths * np.arange(trials)
    table = loads.reshape(trials, paths)
    at_once = max(1, _AT_ONCE // (choices * trials))
    for first in range(0, flows, at_once):
        for best, *others in start + _paths(rng, paths, (min(at_once, flows - first), choices, trials)):
            least = loads.take(best)
            for other in others:
                load = loads.take(other)
                best, least = np.where(load < least, other, best), np.minimum(load, least)
            loads[best] = least + 1
            yield best, table


def fullest(rounds: int, paths: int, trials: int = 1000, *, choices: int = 2, seed: int = 0) -> np.ndarray:
    """Return the flows on the fullest path while flows are added in rounds, as many as there are paths in each: trials x rounds.

    One after the other, every flow takes the emptiest of some random paths.

    Args:
        rounds: so many; the entry of each says what `simulate` says of that many rounds' flows.
        paths, trials, choices, seed: as for `simulate`; two choices at least.

    Raises:
        ValueError: rounds, paths, trials or seed not whole or out of range, or not from two choices to as many as paths.

    >>> fullest(2, 8, trials=3, seed=1).shape
    (3, 2)
    """
    rounds, paths = count("rounds", rounds, high=MOST_FLOWS), count("paths", paths, low=2, high=MOST_PATHS)
    trials, choices = _trials(trials, paths), count("choices", choices, low=2, high=paths)
    placed = _chosen(_generator(seed), rounds * paths, paths, trials, choices)
    return np.stack([loads.max(axis=1) for number, (_, loads) in enumerate(placed, 1) if number % paths == 0], axis=1)


def _trials(trials, paths: int) -> int:
    trials = count("trials", trials)
    if trials * paths > MOST_CELLS:
        raise ValueError(f"trials must be at most {MOST_CELLS // paths} for {paths} paths; got {trials}.")
    return trials


def estimate(values) -> tuple[float, float]:
    """Return (mean, standard error of the mean) of what independent trials gave.

    Raises:
        ValueError: fewer than two values, or such as are no finite numbers.

    >>> estimate([1, 2, 3, 2])
    (2.0, 0.408248290463863)
    """
    values = np.asarray(number("values", values, low=-MOST_VALUE, high=MOST_VALUE, zero=True))
    if values.size < 2:
        raise ValueError(f"values must be at least two; got {values.size}.")
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(values.size))
