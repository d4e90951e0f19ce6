"""What a collective costs: seconds from an algorithm's counts, broadcasting over sizes, ranks and link parameters."""

from __future__ import annotations

import math

import numpy as np

from ..checks import MAX_BYTES, number, whole
from .counts import Counts
from .registry import algorithm, refuse_unknown


def collective_time(collective, algorithm_name, *, nbytes, ranks=None, alpha=None, beta=None, gamma=0.0,
                    levels=None, dims=None, chunks=None, root=None):
    """Return the seconds a collective takes.

    Args:
        collective, algorithm_name: as in `algorithms(collective)`.
        nbytes: the total buffer in bytes, as nccl-tests counts it; ignored by barrier.
        ranks: how many ranks; may be left out where levels or dims say it.
        alpha, beta, gamma: seconds per message, per byte sent and per byte reduced.
        levels: for shaped algorithms, one Level a dimension, in place of ranks, alpha and beta.
        dims: for shaped algorithms, the sizes, all at one alpha and beta.
        chunks: for pipelined algorithms, how many chunks, or "auto" (the default) for the fastest whole number.
        root: for the entries whose cost depends on it.

    All numbers may be arrays; they broadcast.

    Returns:
        Seconds: a float for scalar input, else an array.

    Raises:
        ValueError: unknown names, values out of range, options the entry does not take, ranks it cannot serve.

    >>> collective_time("all_reduce", "ring", nbytes=8e9, ranks=8, alpha=0.0, beta=1 / 450e9)
    0.03111111111111111
    """
    entry = algorithm(collective, algorithm_name)
    nbytes = number("nbytes", nbytes, high=MAX_BYTES, zero=collective == "barrier")
    gamma = number("gamma", gamma, zero=True)
    if levels is not None:
        dims = tuple(level.size for level in levels)
        alphas, betas = [level.alpha for level in levels], [level.beta for level in levels]
    else:
        alphas, betas = [number("alpha", alpha, zero=True)], [number("beta", beta, zero=True)]
    ranks = _ranks(ranks, dims)
    options = {"dims": dims, "root": root, "chunks": chunks}
    options = {name: value for name, value in options.items() if value is not None}
    if entry.best_chunks and chunks in (None, "auto"):
        options["chunks"] = fastest_chunks(entry, ranks, nbytes, alphas[0], betas[0])
    refuse_unknown(entry, options)
    entry.check(ranks, **{name: value for name, value in options.items() if name != "chunks"})
    counts = entry.counts(ranks, **options)
    if isinstance(counts, Counts):
        return counts.time(nbytes, alphas[0], betas[0], gamma)
    if len(alphas) == 1:
        alphas, betas = alphas * len(counts), betas * len(counts)
    return sum(c.time(nbytes, a, b, gamma) for c, a, b in zip(counts, alphas, betas, strict=True))


def _ranks(ranks, dims):
    if dims is None:
        return whole("ranks", ranks)
    product = math.prod(whole(f"dims[{i}]", size) for i, size in enumerate(dims))
    if ranks is not None and whole("ranks", ranks) != product:
        raise ValueError(f"ranks must be {product}, the product of the dimensions {tuple(dims)}; got {ranks}.")
    return product


def fastest_chunks(entry, ranks, nbytes, alpha, beta):
    """Return the whole number of chunks, at least 1, with the least time: one of the two around the real optimum."""
    with np.errstate(divide="ignore", invalid="ignore"):
        real = np.nan_to_num(entry.best_chunks(ranks, nbytes, alpha, beta), nan=1.0, posinf=2.0**31)
    low = np.maximum(np.floor(real), 1.0)
    times = [entry.counts(ranks, chunks=c).time(nbytes, alpha, beta) for c in (low, low + 1)]
    return np.where(times[1] < times[0], low + 1, low)
