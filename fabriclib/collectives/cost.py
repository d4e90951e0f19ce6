"""What a collective costs: seconds from an algorithm's counts, broadcasting over sizes, ranks and link parameters."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable

import numpy as np

from ..checks import number, plain, together, whole
from .counts import Counts, Price, by_level, checked_bytes, checked_levels, one_level, price
from .entry import Algorithm
from .registry import MAX_CHUNKS, algorithm, checked_options, checked_sizes


def collective_time(collective, algorithm_name, *, nbytes=None, ranks=None, alpha=None, beta=None, gamma=0.0,
                    levels=None, dims=None, chunks=None, root=None):
    """Return the seconds a collective takes.

    Args:
        collective, algorithm_name: as in `algorithms(collective)`; in place of the name, an Algorithm of your own.
        nbytes: the total buffer in bytes, as nccl-tests counts it; a barrier has none.
        ranks: how many ranks; may be left out where levels or dims say it.
        alpha, beta, gamma: seconds per message, per byte sent and per byte reduced.
        levels: for shaped algorithms, one Level a dimension, innermost first, in place of ranks, dims, alpha and beta.
        dims: for shaped algorithms, the sizes alone, all at one alpha and beta; one dimension without.
        chunks: for pipelined algorithms, how many chunks, or "auto" (the default) for the fastest whole number.
        root: for the rooted collectives, 0 by default.

    All numbers may be arrays; they broadcast.

    Returns:
        Seconds: a float for scalar input, else an array.

    Raises:
        ValueError: unknown names, values missing or out of range, options the entry does not take, ranks it cannot serve.

    >>> collective_time("all_reduce", "ring", nbytes=8e9, ranks=8, alpha=0.0, beta=1 / 450e9)
    0.03111111111111111
    """
    entry = algorithm(collective, algorithm_name)
    nbytes = checked_bytes(collective, nbytes)
    start, per_byte = line(entry, nbytes, ranks, alpha, beta, gamma, levels, dims, chunks, root)
    seconds = nbytes * per_byte + start
    return plain(seconds)


def sent(collective: str, name: str, ranks):
    """Return the buffers that an algorithm sends through the port of its busiest rank, where all ranks are on one level.

    >>> sent("all_reduce", "ring", 8), sent("all_reduce", "nvls", 8)
    (1.75, 1.125)
    """
    entry, ranks = algorithm(collective, name), whole("ranks", ranks)
    entry.check(ranks)
    return one_level(entry.counts(ranks)).sent


def line(entry: Algorithm, nbytes, ranks=None, alpha=None, beta=None, gamma=0.0, levels=None, dims=None, chunks=None,
         root=None) -> Price:
    """Return the time as start + n * per_byte. Where chunks are "auto" it holds at n = *nbytes* only; else at every n."""
    if levels is None:
        if ranks is None and dims is not None:
            ranks = math.prod(checked_sizes("dims", dims))
        _refuse_missing(entry, ranks=ranks, alpha=alpha, beta=beta)
        alphas, betas = [number("alpha", alpha, zero=True)], [number("beta", beta, zero=True)]
    else:
        dims, alphas, betas = _levels(entry, levels, dims, alpha, beta)
        ranks = math.prod(dims) if ranks is None else ranks
    ranks, gamma = whole("ranks", ranks), number("gamma", gamma, zero=True)
    automatic = entry.best_chunks and isinstance(chunks, str) and chunks == "auto"
    given = {"dims": dims, "root": root, "chunks": None if automatic else chunks}
    options = checked_options(entry, ranks, {name: value for name, value in given.items() if value is not None})
    flat = {name: value for name, value in options.items() if name != "dims"}
    together(nbytes=nbytes, ranks=ranks, gamma=gamma, **by_level("alpha", alphas), **by_level("beta", betas), **flat)
    entry.check(ranks, **{name: value for name, value in options.items() if name != "chunks"})
    if entry.best_chunks and "chunks" not in options:
        counts = functools.partial(entry.counts, ranks, **options)
        options["chunks"] = _fastest_chunks(entry.best_chunks, counts, nbytes, ranks, alphas[0], betas[0], gamma)
    return price(entry.counts(ranks, **options), alphas, betas, gamma, entry.streamed)


def _levels(entry: Algorithm, levels, dims, alpha, beta):
    if "dims" not in entry.options:
        raise ValueError(f"levels must be left out for {entry.collective} by {entry.name}, which is flat: give ranks, alpha "
                         "and beta. The shaped algorithms are those whose options include dims.")
    levels = checked_levels(levels, dims=dims, alpha=alpha, beta=beta)
    sizes = checked_sizes("levels", [one.size for one in levels])
    return sizes, [one.alpha for one in levels], [one.beta for one in levels]


def _refuse_missing(entry: Algorithm, **needed) -> None:
    if missing := [name for name, value in needed.items() if value is None]:
        instead = " (or levels in their place)" if "dims" in entry.options else ""
        raise ValueError(f"{' and '.join(missing)} must be given for {entry.collective} by {entry.name}{instead}.")


def _fastest_chunks(best_chunks: Callable, counts: Callable[..., Counts | tuple[Counts, ...]], nbytes, ranks, alpha, beta, gamma):
    """Return the whole number of chunks with the least time: one of the two around the real optimum."""
    whole_vector = one_level(counts(chunks=1))
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):  # an alpha of (almost) zero
        per_byte = beta + gamma * np.nan_to_num(np.divide(whole_vector.reduced, whole_vector.sent))
        real = best_chunks(ranks, nbytes, alpha, per_byte)
    most = np.floor(np.clip(nbytes, 1.0, MAX_CHUNKS))  # no more chunks than bytes
    low = np.floor(np.clip(np.nan_to_num(real, nan=1.0, posinf=MAX_CHUNKS), 1.0, most))
    high = np.minimum(low + 1, most)
    prices = [price(counts(chunks=c), [alpha], [beta], gamma) for c in (low, high)]
    sooner, later = (nbytes * one.per_byte + one.start for one in prices)
    return np.where(later < sooner, high, low)
