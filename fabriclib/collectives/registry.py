"""The entries: one for each (collective, algorithm), found in the modules of `families/`."""

from __future__ import annotations

import functools
import importlib
import math
import pkgutil

import numpy as np

from ..checks import known, short, together, whole
from . import families
from .buffers import COLLECTIVES
from .entry import Algorithm
from .schedule import Schedule

MAX_CHUNKS = 2**31
MAX_DIMS = 10


@functools.cache
def entries() -> dict[tuple[str, str], Algorithm]:
    """Return every entry by (collective, name)."""
    found = {}
    for module in pkgutil.iter_modules(families.__path__):
        for entry in importlib.import_module(f"{families.__name__}.{module.name}").ENTRIES:
            found[entry.collective, entry.name] = entry
    return found


def algorithms(collective: str) -> tuple[Algorithm, ...]:
    """Return the entries that exist for *collective*: their counts, schedules, constraints and sources.

    Raises:
        ValueError: an unknown collective; the nearest are suggested.

    >>> [entry.name for entry in algorithms("all_reduce") if entry.name == "ring"]
    ['ring']
    """
    known("collective", collective, COLLECTIVES)
    return tuple(entry for key, entry in entries().items() if key[0] == collective)


def algorithm(collective: str, name: str | Algorithm) -> Algorithm:
    """Return the entry (collective, name), or *name* itself where it is one, or raise a ValueError that suggests the nearest."""
    if isinstance(name, Algorithm):
        if name.collective != collective:
            raise ValueError(f"algorithm must be one for {short(collective)}; got {name!r}.")
        return name
    found = entries().get((collective, name)) if isinstance(collective, str) and isinstance(name, str) else None
    return found or entries()[collective, known("algorithm", name, [entry.name for entry in algorithms(collective)])]


def schedule(collective: str, name: str | Algorithm, ranks: int, **options) -> Schedule:
    """Return the executable schedule of an algorithm.

    Args:
        collective, name: as in `algorithms(collective)`; in place of the name, an Algorithm of your own.
        ranks: how many ranks, a whole number.
        options: what the entry takes of chunks=, dims= and root=.

    Raises:
        ValueError: unknown names, an option the entry does not take, or ranks it cannot serve, with the reason.

    >>> schedule("all_reduce", "ring", ranks=8).counts()
    Counts(messages=14, sent=1.75, reduced=0.875)
    """
    entry = algorithm(collective, name)
    ranks = whole("ranks", ranks)
    options = checked_options(entry, ranks, options)
    for option, value in {"ranks": ranks, **options}.items():
        if any(isinstance(one, np.ndarray) for one in (value if isinstance(value, tuple) else (value,))):
            raise ValueError(f"{option} must hold no arrays for a schedule, which is for one case; got {short(value)}.")
    entry.check(ranks, **options)
    if "dims" in entry.options:
        options = {"dims": (ranks,), **options}
    return Schedule(collective, entry.name, ranks, entry.slots(ranks, **options), entry.moves(ranks, **options),
                    options.get("root", 0), entry.streamed, options.get("dims", ()), entry.keeps_input,
                    entry.destination(ranks, **options))


def checked_options(entry: Algorithm, ranks, options: dict) -> dict:
    """Return *options*, checked, or raise a ValueError that names the one that is wrong or not taken by the entry."""
    for option in options:
        if option not in entry.options:
            takes = ", ".join(entry.options) or "no options"
            raise ValueError(f"{option} is not an option of {entry.collective} by {entry.name}, which takes {takes}.")
    return {option: _CHECKS[option](ranks, value) for option, value in options.items()}


def checked_sizes(name: str, sizes) -> tuple:
    """Return the sizes of levels, innermost first, or raise a ValueError if they are no whole numbers that go together."""
    if not isinstance(sizes, (tuple, list)) or not 1 <= len(sizes) <= MAX_DIMS:
        raise ValueError(f"{name} must be a tuple of 1 to {MAX_DIMS} whole numbers, such as (8, 4); got {short(sizes)}.")
    return tuple(together(**{f"{name}[{i}]": whole(f"{name}[{i}]", size) for i, size in enumerate(sizes)}))


def checked_dims(ranks, dims) -> tuple:
    """Return *dims*, or raise a ValueError if they are no sizes of levels, or none of *ranks* ranks together."""
    dims = checked_sizes("dims", dims)
    together(ranks=ranks, **{f"dims[{i}]": size for i, size in enumerate(dims)})
    if np.any(math.prod(dims) != ranks):
        raise ValueError(f"dims must multiply to the {short(ranks)} ranks; got {short(dims)}.")
    return dims


_CHECKS = {
    "chunks": lambda ranks, chunks: whole("chunks", chunks, high=MAX_CHUNKS),
    "root": lambda ranks, root: whole("root", root, low=0, high=int(np.min(ranks)) - 1),
    "dims": checked_dims,
}
