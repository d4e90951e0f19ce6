"""Whether a schedule does its collective: what it leaves every rank with is set beside what the collective means."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from ..shown import counted
from .buffers import EVERYONE_HOLDS_A_BLOCK, ROOT_HOLDS_ALL
from .plan import Plan

Results = Sequence[np.ndarray | None]  # of each rank; None where the collective leaves nothing

_NAMED = 3  # as many of the ranks that lack something are named, and of the chunks that one lacks
_LARGEST = 2**27  # numbers that may be held: 1 GiB
_MOST = 10_000_000  # numbers that may be held to say whose data is missing
_IN_BLOCKS = (*EVERYONE_HOLDS_A_BLOCK, "reduce_scatter", "scatter", "all_to_all")
_LACKED = {"barrier": "word of rank", "all_to_all": "what comes from rank"}


def missing(plan: Plan, run: Callable[[Sequence | None], Results]) -> str:
    """Return what *plan*, carried out by *run*, leaves out of its collective, in a sentence; "" where nothing.

    Raises:
        ValueError: more ranks and slots than can be held.
    """
    n = math.lcm(plan.slots, plan.ranks) if plan.collective in _IN_BLOCKS else plan.slots
    if plan.ranks * n > _LARGEST:
        raise ValueError(f"ranks times slots must be at most {_LARGEST} to be carried out; got {plan.ranks} x {n}.")
    given = _given(plan, np.random.default_rng(0).integers(1, 2**40, (plan.ranks, n)))
    wrong = {}
    for rank, (result, want) in enumerate(zip(run(given), _wanted(plan, given, n), strict=True)):
        if result is not None and want is not None:
            differ = result == 0 if given is None else result != want  # a barrier may hear of a rank twice
            if differ.any():
                wrong[rank] = np.flatnonzero(differ)
    if not wrong:
        return ""
    lacked = [f"rank {rank} lacks {_numbered(_LACKED.get(plan.collective, 'chunk'), _chunks(plan, rank, places, n))}"
              for rank, places in list(wrong.items())[:_NAMED]]
    rest = len(wrong) - _NAMED
    more = f"; {counted(rest, 'more rank')} {'lack' if rest > 1 else 'lacks'} something" if rest > 0 else ""
    rank, places = next(iter(wrong.items()))
    return (f"{plan.collective} by {plan.algorithm} is not done after {counted(plan.moves.steps, 'step')}: "
            f"{'; '.join(lacked)}{more}.{_whose(plan, run, rank, places[:1], n)}")


def _given(plan: Plan, full: np.ndarray) -> list[np.ndarray] | None:
    """Return what each rank begins with, of a row of the whole buffer for each."""
    if plan.collective == "barrier":
        return None
    if plan.collective in EVERYONE_HOLDS_A_BLOCK:
        return [mine[_block(plan, rank, len(mine))] for rank, mine in enumerate(full)]
    return list(full)


def _block(plan: Plan, rank: int, n: int) -> slice:
    """Return where a rank's block is in a buffer of *n*, a multiple of the ranks."""
    length = n // plan.ranks
    return slice(rank * length, (rank + 1) * length)


def _wanted(plan: Plan, given: list[np.ndarray] | None, n: int) -> Results:
    """Return what each rank must end with, by what the collective means."""
    ranks, name = range(plan.ranks), plan.collective
    if given is None:  # a barrier: everyone has heard of everyone
        return [np.ones(plan.ranks, dtype=np.int64) for _ in ranks]
    if name == "send_recv":
        return [given[rank - 1] for rank in ranks]
    if name == "all_to_all":
        return list(np.reshape(given, (plan.ranks, plan.ranks, -1)).swapaxes(0, 1).reshape(plan.ranks, n))
    if name in ROOT_HOLDS_ALL:
        whole = given[plan.root]
    elif name in EVERYONE_HOLDS_A_BLOCK:
        whole = np.concatenate(given)
    else:
        whole = np.sum(given, axis=0)
    if name in ("reduce_scatter", "scatter"):
        return [whole[_block(plan, rank, n)] for rank in ranks]
    return [whole if rank == plan.root or name not in ("reduce", "gather") else None for rank in ranks]


def _chunks(plan: Plan, rank: int, places: np.ndarray, n: int) -> list[int]:
    """Return the numbers of the chunks at some *places* of a rank's result."""
    if plan.collective == "barrier":
        return places.tolist()
    begin = _block(plan, rank, n).start if plan.collective in ("reduce_scatter", "scatter") else 0
    parts = plan.ranks if plan.collective == "all_to_all" else plan.slots
    return np.unique((begin + places) * parts // n).tolist()


def _whose(plan: Plan, run: Callable[[Sequence | None], Results], rank: int, place: np.ndarray, n: int) -> str:
    """Return a sentence that says whose data is missing, or is there too often, at a *place* of a rank's result."""
    if plan.collective not in ("all_reduce", "reduce_scatter", "reduce") or plan.nodes * n * plan.ranks > _MOST:
        return ""
    # Each number of a buffer becomes one for each rank, which counts how often that rank's is in it.
    results = run(_given(plan, np.stack([np.tile(mine, n) for mine in np.eye(plan.ranks, dtype=np.int64)])))
    counted = np.asarray(results[rank]).reshape(-1, plan.ranks)[place[0]]
    said = [f"what {_numbered('rank', np.flatnonzero(some).tolist())} bring{'s' if some.sum() == 1 else ''} is {how}"
            for some, how in ((counted < 1, "missing"), (counted > 1, "counted more than once")) if some.any()]
    return f" In chunk {_chunks(plan, rank, place, n)[0]} of rank {rank}, {', and '.join(said)}."


def _numbered(thing: str, numbers: list[int]) -> str:
    """Return *thing* with its numbers; of many the first few.

    >>> _numbered("chunk", [1]), _numbered("chunk", [1, 2, 5]), _numbered("chunk", [1, 2, 5, 7, 9])
    ('chunk 1', 'chunks 1, 2 and 5', 'chunks 1, 2, 5 and 2 more')
    """
    *some, last = map(str, numbers if len(numbers) <= _NAMED else [*numbers[:_NAMED], f"{len(numbers) - _NAMED} more"])
    return f"{thing}{'s' if some else ''} {', '.join(some)}{' and ' if some else ''}{last}"
