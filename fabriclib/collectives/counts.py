"""Counts: what an algorithm puts on the critical path, and the price of that.

Conventions (after Thakur, Rabenseifner and Gropp, 2005). One message of m bytes costs alpha + m * beta; reducing m bytes
costs m * gamma. A rank sends one and receives one message at a time, at no extra cost for doing both. alpha is paid once a
step of the schedule, not once a hop of the network. n, or `nbytes`, is the long vector, as nccl-tests counts it: what every
rank holds (all_reduce, broadcast, reduce), the result (all_gather), the input (reduce_scatter, all_to_all), the root's whole
buffer (scatter, gather).
"""

from __future__ import annotations

import functools
import operator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..checks import MAX_BYTES, Numbers, known, number, short, together, whole
from ..shown import paragraph
from .buffers import COLLECTIVES


class Counts(NamedTuple):
    """What is on the critical path of a collective of n bytes.

    Fields (numbers, or arrays that broadcast):
        messages: how many times alpha is paid.
        sent: bytes through the busiest rank's port, as a multiple of n.
        reduced: bytes reduced at the busiest rank, as a multiple of n.
    """

    messages: Numbers
    sent: Numbers
    reduced: Numbers

    def time(self, nbytes, alpha, beta, gamma=0.0):
        """Return messages * alpha + (sent * beta + reduced * gamma) * nbytes, in seconds.

        Raises:
            ValueError: a value below zero, or shapes that do not broadcast.
        """
        nbytes, alpha, beta, gamma = (number(name, value, zero=True) for name, value in (
            ("nbytes", nbytes), ("alpha", alpha), ("beta", beta), ("gamma", gamma)))
        together(nbytes=nbytes, alpha=alpha, beta=beta, gamma=gamma)
        # The factors of nbytes are joined first: with a million sizes that is one pass over them, not three.
        return nbytes * (self.sent * beta + self.reduced * gamma) + self.messages * alpha

    def _repr_html_(self) -> str:
        starts, sent, reduced = (" to ".join(f"{end:.4g}" for end in sorted({np.min(one), np.max(one)})) for one in self)
        return paragraph(f"{starts} messages one after the other, {sent} n sent, {reduced} n reduced (n: the buffer)")


class Price(NamedTuple):
    """A time as a straight line in n: *start* seconds, and *per_byte* seconds for each of the n bytes."""

    start: Numbers
    per_byte: Numbers


def price(counts: Counts | tuple[Counts, ...], alphas, betas, gamma=0.0, streamed=False) -> Price:
    """Return what *counts* cost, with one alpha and beta a level, or one for all levels.

    Levels follow one another, so their times add up. If *streamed*, data flows through all levels at once: start-up times
    still add up, but the slowest level alone decides the seconds per byte.
    """
    levels = (counts,) if isinstance(counts, Counts) else counts
    if len(alphas) == 1:
        alphas, betas = alphas * len(levels), betas * len(levels)
    starts = [level.messages * alpha for level, alpha in zip(levels, alphas, strict=True)]
    slopes = [level.sent * beta for level, beta in zip(levels, betas, strict=True)]
    # With a million ranks every term is a pass over memory: none for a gamma of zero, none for the 0 that sum() starts from.
    if not (isinstance(gamma, float) and gamma == 0):
        slopes = [slope + level.reduced * gamma for slope, level in zip(slopes, levels, strict=True)]
    add = operator.add
    return Price(functools.reduce(add, starts), functools.reduce(np.maximum if streamed else add, slopes))


def one_level(counts: Counts | tuple[Counts, ...]) -> Counts:
    """Return the counts of an algorithm without levels, or with a single one."""
    return counts if isinstance(counts, Counts) else counts[0]


@dataclass(frozen=True)
class Level:
    """One level of a shaped algorithm: *size* ranks in each group, and the price of a message inside the group.

    Args:
        size: ranks per group, a whole number.
        alpha: seconds per message.
        beta: seconds per byte.

    Raises:
        ValueError: a size that is not whole and positive, or a negative alpha or beta.

    >>> Level(8, 1e-6, 1 / 450e9).size
    8
    """

    size: Numbers
    alpha: Numbers
    beta: Numbers

    def __post_init__(self):
        object.__setattr__(self, "size", whole("size", self.size))
        object.__setattr__(self, "alpha", number("alpha", self.alpha, zero=True))
        object.__setattr__(self, "beta", number("beta", self.beta, zero=True))


def checked_levels(levels, **said) -> tuple[Level, ...]:
    """Return *levels*, or raise a ValueError if they are no list of Level, or what they say is *said* otherwise as well."""
    if not isinstance(levels, (list, tuple)) or not levels or not all(isinstance(one, Level) for one in levels):
        raise ValueError(f"levels must be a list of Level(size, alpha, beta), innermost first; got {short(levels)}.")
    for name, value in said.items():
        if value is not None:
            raise ValueError(f"{name} must be left out where levels are given, which say it; got {short(value)}.")
    return tuple(levels)


def by_level(name: str, values: list) -> dict:
    """Return *values*, one a level, under names for an error: *name* alone where there is one level."""
    return {name if len(values) == 1 else f"{name} of level {i}": value for i, value in enumerate(values)}


def checked_bytes(collective: str, nbytes):
    """Return *nbytes* if it is a size this collective can have; 0 for a barrier, whatever is given."""
    if known("collective", collective, COLLECTIVES) == "barrier":
        return 0.0 if nbytes is None else 0.0 * number("nbytes", nbytes, high=MAX_BYTES, zero=True)
    if nbytes is None:
        raise ValueError(f"nbytes must be given for {collective}: the total buffer in bytes.")
    return number("nbytes", nbytes, high=MAX_BYTES)


def ceil_lg(p):
    """Return the smallest k with 2**k >= p, exactly, for a whole number or an array of them.

    >>> [ceil_lg(p) for p in (1, 2, 3, 8, 9)]
    [0, 1, 2, 3, 4]
    """
    return (p - 1).bit_length() if isinstance(p, int) else np.frexp(np.asarray(p) - 1.0)[1]


def floor_lg(p):
    """Return the largest k with 2**k <= p, exactly, for a whole number or an array of them.

    >>> [floor_lg(p) for p in (1, 2, 3, 8, 9)]
    [0, 1, 1, 3, 3]
    """
    return p.bit_length() - 1 if isinstance(p, int) else np.frexp(np.asarray(p, dtype=float))[1] - 1
