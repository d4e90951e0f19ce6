"""What lesson "Collectives step by step" shows and quotes: the counts of schedules, and a measured staircase beside its line."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives import schedule
from fabriclib.links import link

from ...course.story import GPUS, GRADIENT

hop = link("nvlink4").latency  # of NCCL's leanest protocol, as in lesson "Moving bytes"
plain_hop = catalog.figure("nvlink-hop-simple").si
expected_step = catalog.figure("dgx-a100-ring-step").si


def counts(collective: str, name: str, ranks: int = 8):
    """Return the counts of an algorithm: messages one after the other, and what a rank sends and reduces, in buffers."""
    return schedule(collective, name, ranks=ranks).counts()


@functools.cache
def staircase() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return (GPUs, steps of their ring all_reduce, measured seconds): tiny messages, so only the steps cost."""
    found = catalog.figures("dgx-a100-ring", "all_reduce time")
    gpus = np.array([int(f.scope.split()[0]) for f in found])
    steps = np.array([schedule("all_reduce", "ring", ranks=int(p)).counts().messages for p in gpus])
    return gpus, steps, np.array([f.si for f in found])


def fitted_step() -> tuple[float, float]:
    """Return (base, per step) in seconds: the straight line with the least squared error through the staircase."""
    _, steps, seconds = staircase()
    per_step, base = np.polyfit(steps, seconds, 1)
    return float(base), float(per_step)


near_step = round(fitted_step()[1] / units.us) * units.us


def counted():
    """Return a DataFrame: for 8 ranks, how many messages follow one another, and what a rank sends and adds up, in buffers."""
    import pandas as pd

    names = ("ring", "recursive_doubling", "rabenseifner", "two_shot")
    found = {name.replace("_", " "): counts("all_reduce", name) for name in names}
    return pd.DataFrame({"steps": {name: one.messages for name, one in found.items()},
                         "a rank sends (buffers)": {name: one.sent for name, one in found.items()},
                         "a rank adds up (buffers)": {name: one.reduced for name, one in found.items()}})


WAYS = {"ring": "ring", "recursive doubling": "recursive_doubling", "Rabenseifner": "rabenseifner", "two-shot": "two_shot"}
_TRACED = "Rabenseifner"


def _sent_by_rank_0() -> list[tuple[int, int, float]]:
    """Return (step, receiver, bytes) of all that rank 0 sends while the story's gradients are summed up."""
    plan = schedule("all_reduce", WAYS[_TRACED], ranks=GPUS)
    move, _ = plan.moves.chunks(plan.slots)
    mine, chunks = np.unique(move[plan.moves.src[move] == 0], return_counts=True)
    return [(int(plan.moves.step[at]), int(plan.moves.dst[at]), float(many * plan.share * GRADIENT))
            for at, many in zip(mine, chunks, strict=True)]


def trace():
    """Return a DataFrame of text: the trace that the last exercise asks about."""
    import pandas as pd

    return pd.DataFrame([{"step": step + 1, "rank 0 sends to": f"rank {receiver}", "bytes": units.format(nbytes)}
                         for step, receiver, nbytes in _sent_by_rank_0()])


def traced() -> str:
    """Return which of WAYS takes as many steps as the trace has, and sends as many bytes."""
    steps, receivers, nbytes = zip(*_sent_by_rank_0(), strict=True)
    found = {way: counts("all_reduce", name, GPUS) for way, name in WAYS.items()}
    [way] = [way for way, one in found.items() if (one.messages, one.sent * GRADIENT) == (len(set(steps)), sum(nbytes))]
    return way


def sums() -> str:
    """Return how many ranks hold the sum of all, after Rabenseifner's schedule has moved real numbers."""
    arrays = np.random.default_rng(1).integers(10, size=(8, 16))
    results = schedule("all_reduce", "rabenseifner", ranks=len(arrays)).run(arrays)
    right = sum(bool((result == arrays.sum(axis=0)).all()) for result in results)
    return f"{right} of {len(results)} ranks hold the sum of all."
