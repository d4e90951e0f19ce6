"""What lesson "Collectives step by step" shows and quotes: the counts of schedules, and a measured staircase beside its line."""

from __future__ import annotations

import functools

import numpy as np

from fabriclib import catalog, units
from fabriclib.collectives import schedule
from fabriclib.links import link
from fabriclib.measurements import error, percent

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


def staircase_beside_fit():
    """Return a DataFrame of text: the fitted line, the measured time and the error, for each number of GPUs."""
    import pandas as pd

    gpus, steps, seconds = staircase()
    base, per_step = fitted_step()
    model = base + per_step * steps
    return pd.DataFrame({"GPUs": gpus, "steps": steps, "model": [units.format(t, "s") for t in model],
                         "measured": [units.format(t, "s") for t in seconds],
                         "error": [percent(e) for e in error(model, seconds)]})
