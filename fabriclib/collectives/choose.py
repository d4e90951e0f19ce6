"""Which algorithm is fastest, and from what size on another one is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import units
from ..checks import MAX_BYTES, count, known, number, plain, short, single
from ..shown import counted, digits, paragraph
from .bounds import REDUCING, REDUCTIONS
from .cost import line
from .counts import Price, checked_bytes
from .entry import Algorithm
from .registry import MAX_CHUNKS, algorithm, algorithms, checked_dims

_SAME = 1e-12  # relative: what rounding alone may make of a difference


@dataclass(frozen=True, eq=False)
class Best:
    """The fastest algorithm and the one after it: text and floats for one size, arrays of them for an array of sizes.

    Times are seconds. *runner_up* is "" (and its time infinite) where no other algorithm takes another time. *why* says in a
    sentence what was compared.
    """

    algorithm: str | np.ndarray
    seconds: float | np.ndarray
    runner_up: str | np.ndarray
    runner_up_seconds: float | np.ndarray
    why: str

    def _repr_html_(self) -> str:
        return paragraph(self.why)


def best(collective, *, nbytes=None, ranks, alpha, beta, gamma=0.0, ports=1, reduction="endpoint", dims=None) -> Best:
    """Return the fastest algorithm, its seconds, the runner-up, and a sentence of why.

    Algorithms that cannot serve *ranks* are left out. Of those that take the same time at every size given, the ring, or else
    the one with the shortest name, stands for all. All pay the same alpha, those in the network for every hop to or from a
    switch (nvls four times): that is twice what `Schedule.time_on` charges, where such a hop is half the way from GPU to GPU.

    Args:
        collective: as in `algorithms(collective)`.
        nbytes: the total buffer in bytes, a number or a one-dimensional array; a barrier has none.
        ranks: how many ranks, one whole number.
        alpha, beta, gamma: seconds per message, per byte and per byte reduced, one number each.
        ports: what a rank can send at once: 1, or "all" to admit one-step algorithms over a switch.
        reduction: "endpoint", or "network" to admit switches that reduce.
        dims: sizes of the levels, to admit the shaped algorithms; without, only a tree of one switch is among them.

    Raises:
        ValueError: unknown names or values out of range.

    >>> best("all_reduce", nbytes=1e9, ranks=6, alpha=1e-6, beta=1 / 50e9).algorithm
    'ring'
    """
    ports = plain(ports)
    if type(ports) not in (int, str) or ports not in (1, "all"):
        raise ValueError(f"ports must be 1 or 'all'; got {short(ports)}.")
    known("reduction", reduction, REDUCTIONS)
    ranks, prices = count("ranks", ranks), _prices(alpha, beta, gamma)
    dims = None if dims is None else checked_dims(ranks, dims)
    n = np.asarray(checked_bytes(collective, nbytes))
    if n.ndim > 1:
        raise ValueError(f"nbytes must be a number or a one-dimensional array; got shape {n.shape}.")
    what = f"{collective} on {counted(ranks, 'rank')}"
    rest = "bytes and reduction" if collective in REDUCING and prices[-1] else "bytes"
    return _ranked(what, rest, n, *_unlike(_candidates(collective, ranks, ports, reduction, dims), n, ranks, prices, dims))


def _candidates(collective: str, ranks: int, ports, reduction: str, dims) -> list[Algorithm]:
    """Return the entries to compare, those first that are named where others take the same time."""
    found = []
    for entry in sorted(algorithms(collective), key=lambda entry: (entry.name != "ring", len(entry.name), entry.name)):
        fits = entry.ports in (1, ports) and entry.reduction in ("endpoint", reduction)
        shaped = "dims" in entry.options
        # Of one dimension, rings are the flat ring once more; a tree of one switch is a candidate of its own.
        another = dims is not None or not shaped or entry.reduction == "network"
        if fits and another and not entry.refuses(ranks, **({"dims": dims} if shaped else {})):
            found.append(entry)
    return found


def _unlike(candidates: list[Algorithm], n: np.ndarray, ranks: int, prices: tuple[float, float, float],
            dims) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return names, starts and seconds: a row for the first of those that take the same time at every size, and nobody's."""
    names: list[str] = []
    starts: list[np.ndarray] = []
    times: list[np.ndarray] = []
    for entry in candidates:
        start, per_byte = line(entry, n, ranks, *prices, dims=dims if "dims" in entry.options else None)
        seconds = np.broadcast_to(n * per_byte + start, n.shape)
        if not any(np.allclose(seconds, known_seconds, rtol=_SAME, atol=0) for known_seconds in times):
            names.append(entry.name)
            starts.append(np.broadcast_to(start, n.shape))
            times.append(seconds)
    nobody = np.full(n.shape, np.inf)
    return np.array([*names, ""]), np.array([*starts, nobody]), np.array([*times, nobody])


def _ranked(what: str, rest: str, n: np.ndarray, names: np.ndarray, starts: np.ndarray, times: np.ndarray) -> Best:
    # Times that differ by rounding alone are equal: the first of them then wins at every size alike.
    least = times.min(axis=0)
    comparable = np.where(np.isclose(times, least, rtol=_SAME, atol=0), least, times)
    first, second = np.argsort(comparable, axis=0, kind="stable")[:2]
    (seconds, start), (next_seconds, next_start) = (
        [np.take_along_axis(table, row[None], axis=0)[0] for table in (times, starts)] for row in (first, second))
    if n.ndim:
        return Best(names[first], seconds, names[second], next_seconds, _ranges(what, n, names[first]))
    name, other = str(names[first]), str(names[second])
    why = _sentence(what, rest, float(n), (name, float(seconds), float(start)), (other, float(next_seconds), float(next_start)))
    return Best(name, float(seconds), other, float(next_seconds), why)


def _sentence(what: str, rest: str, n: float, first: tuple, second: tuple) -> str:
    def spent(seconds: float, start: float) -> str:
        total, starting, sending = (units.format(max(t, 0.0), "s", 4) for t in (seconds, start, seconds - start))
        return f"{total} ({starting} of start-up, {sending} of {rest})" if n else total

    (name, *times), (other, *next_times) = first, second
    text = f"{what}{f', {units.format(n)}' if n else ''}: {name} takes {spent(*times)}"
    if not other:
        return f"{text}; no other algorithm to choose from takes another time."
    more = next_times[0] / times[0] if times[0] else np.inf
    longer = f"{digits(more, 3)} times as long" if more >= 2 else f"{digits(100 * (more - 1))} % longer"
    return f"{text}; {other}, the next best, {spent(*next_times)}, {longer}."


def _ranges(what: str, n: np.ndarray, names: np.ndarray) -> str:
    order = np.argsort(n, kind="stable")
    n, names = n[order], names[order]
    starts = np.flatnonzero(np.append(True, names[1:] != names[:-1]))
    spans = [f"{names[i]} from {units.format(n[i])}" for i in starts]
    return f"{what}, fastest of the sizes given: {', '.join(spans)}, up to {units.format(n[-1])}."


def crossover(collective, a, b, *, ranks, alpha, beta, gamma=0.0, **options):
    """Return the size in bytes from which on algorithm *b* is faster than *a*, at every larger size too.

    Args:
        collective, a, b: as in `algorithms(collective)`; in place of a name, an Algorithm of your own.
        ranks, alpha, beta, gamma: as in `collective_time`, one number each.
        options: dims, root and chunks, for whichever of the two takes them; None is as good as not given.

    Returns:
        A size; 0.0 where *b* is faster at every size; infinity where there is no such size, because *b* is nowhere faster or
        only below some size (crossover(b, a) gives that one). So pairs for which textbooks divide by zero have an answer:
        on two ranks one-shot and two-shot move the same bytes, and two-shot is nowhere faster. Pipelined algorithms with
        chunks="auto" are no straight lines in n; they are searched from 1 byte to 1e18.

    Raises:
        ValueError: unknown names, values out of range, options neither takes, ranks one of them cannot serve.

    >>> crossover("all_reduce", "nvls", "ring", ranks=8, alpha=1e-6, beta=1 / 50e9)
    inf
    """
    both = algorithm(collective, a), algorithm(collective, b)
    if collective == "barrier":
        raise ValueError("collective must move bytes to have a crossover size; got 'barrier'.")
    ranks, prices = count("ranks", ranks), _prices(alpha, beta, gamma)
    options = {option: value for option, value in options.items() if value is not None}
    for option in options:
        if not any(option in entry.options for entry in both):
            raise ValueError(f"{option} is an option of neither {both[0].name} nor {both[1].name}.")
    if not isinstance(options.get("chunks", "auto"), str):
        options["chunks"] = count("chunks", options["chunks"], high=MAX_CHUNKS)

    def later(n) -> tuple:
        """By how much b is later than a, as start and slope."""
        return _difference(*(line(entry, n, ranks, *prices, **{o: v for o, v in options.items() if o in entry.options})
                             for entry in both))

    if any(entry.best_chunks and options.get("chunks", "auto") == "auto" for entry in both):
        return _search(later)
    return _meeting(*map(float, later(1.0)))


def _prices(alpha, beta, gamma) -> tuple[float, float, float]:
    return tuple(single(name, number(name, value, zero=True))
                 for name, value in (("alpha", alpha), ("beta", beta), ("gamma", gamma)))


def _difference(a: Price, b: Price) -> tuple:
    """Return line *b* less line *a*. Starts, or slopes, that differ by rounding alone are the same."""
    return tuple(np.where(np.isclose(x, y, rtol=_SAME, atol=0), 0.0, y - x) for x, y in zip(a, b, strict=True))


def _meeting(start: float, slope: float) -> float:
    """Return where the line falls below zero for good."""
    if slope < 0:
        return max(start / -slope, 0.0)
    return 0.0 if slope == 0 and start < 0 else np.inf


def _search(later) -> float:
    def wins(n):
        start, slope = later(n)
        return start + n * slope < 0

    low, high = 1.0, MAX_BYTES
    while high > low * (1 + _SAME):
        sizes = np.geomspace(low, high, 2001)
        behind = np.flatnonzero(~wins(sizes))
        if not behind.size:
            return 0.0
        if behind[-1] == len(sizes) - 1:
            return np.inf
        low, high = sizes[behind[-1] :][:2].tolist()
    return high
